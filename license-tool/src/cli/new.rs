//! `new`: a first license template.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::PathBuf,
    str::FromStr,
};

use jiff::{ToSpan, tz::TimeZone};
use serde_json::json;

use farhold_bundle::Positive;
use farhold_contract::{
    Code, Date,
    id::{IssuerId, LicenseId, TenantId},
};

use super::{clock, page::Page};
use crate::{
    file,
    refusal::Refusal,
    template::{self, FirstTemplate},
};

/// What `new` takes. What is not given is asked for.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where the template is written; never over another file
    #[arg(value_name = "OUT", default_value = "license.toml")]
    out: PathBuf,
    /// Asks nothing: what is not given gets an example's value
    #[arg(long)]
    yes: bool,
    /// The product's name in programs
    #[arg(long, value_name = "NAME")]
    product: Option<String>,
    /// Whom the license is for
    #[arg(long, value_name = "TEXT")]
    issued_to: Option<String>,
    /// The organization, as the Kernel knows it
    #[arg(long, value_name = "UUIDv7")]
    tenant: Option<TenantId>,
    /// What may be used; repeat it for several
    #[arg(long, value_name = "NAME")]
    feature: Vec<String>,
    /// The last day
    #[arg(long, value_name = "DATE")]
    expires_on: Option<Date>,
    /// Also for sites that never have a link
    #[arg(long)]
    detached: bool,
    /// Also writes a first table for `issue --csv`, and the template without a contract of its own
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

/// Writes a template that can be issued as it is.
pub(crate) fn run(args: Args) -> Result<Page, Refusal> {
    file::require_free(&args.out, [])?;
    if let Some(csv) = &args.csv {
        file::require_free(csv, [args.out.as_path()])?;
    }
    let mut asking = if args.yes {
        None
    } else if io::stdin().is_terminal() {
        Some(Asking { from: io::stdin().lock(), to: io::stderr().lock() })
    } else {
        return Err(Refusal::usage(
            "there is no terminal to ask on",
            "Give --yes, and what you know as flags.",
        ));
    };
    let tenant_was_made = args.tenant.is_none();
    let out = args.out.clone();
    let csv = args.csv.clone();
    let first = fill(args, asking.as_mut())?;
    let text = template::write_first(&first);
    // What can't be issued is not written: an answer may hold what no license takes.
    template::read(&text)?.license(
        first.license_id,
        Positive::MIN,
        clock::new_id(IssuerId::from_uuid),
        clock::now(),
    )?;
    file::write_new(&out, text.as_bytes())?;
    let mut page = Page::new(
        format!("license  {}\ntenant   {}\n", first.license_id, first.tenant_id),
        json!({
            "file": out.display().to_string(),
            "license_id": first.license_id,
            "tenant_id": first.tenant_id,
        }),
    );
    if let Some(csv) = csv {
        file::write_new(&csv, template::write_first_table(&first).as_bytes())?;
        page.text.push_str(&format!("table    {}\n", csv.display()));
        page.json["table"] = json!(csv.display().to_string());
    }
    let made = tenant_was_made && asking.is_none();
    let warning = "the tenant's id was made up: replace it by the one the Kernel knows";
    Ok(page.with_warnings(made.then(|| warning.to_owned()).into_iter().collect()))
}

fn fill<R: BufRead, W: Write>(
    args: Args,
    mut asking: Option<&mut Asking<R, W>>,
) -> Result<FirstTemplate, Refusal> {
    let today = jiff::Timestamp::from(clock::now()).to_zoned(TimeZone::UTC).date();
    let next_year = Date::from(today.saturating_add(1.year()));
    let new_tenant = clock::new_id(TenantId::from_uuid);
    let product = given_or(args.product, &mut asking, "Product", "my-product".to_owned())?;
    let issued_to =
        given_or(args.issued_to, &mut asking, "Issued to", "Example organization".to_owned())?;
    let tenant_id = given_or(args.tenant, &mut asking, "Tenant id (a new one)", new_tenant)?;
    let features = if args.feature.is_empty() {
        vec![given_or(None, &mut asking, "Feature", "example.feature".to_owned())?]
    } else {
        args.feature
    };
    let expires_on = given_or(args.expires_on, &mut asking, "Last day", next_year)?;
    Ok(FirstTemplate {
        license_id: clock::new_id(LicenseId::from_uuid),
        product,
        issued_to,
        tenant_id,
        expires_on,
        features,
        detached: args.detached,
        for_table: args.csv.is_some(),
    })
}

fn given_or<T, R, W>(
    given: Option<T>,
    asking: &mut Option<&mut Asking<R, W>>,
    question: &str,
    otherwise: T,
) -> Result<T, Refusal>
where
    T: FromStr + ToString,
    T::Err: std::fmt::Display,
    R: BufRead,
    W: Write,
{
    match (given, asking) {
        (Some(given), _) => Ok(given),
        (None, Some(asking)) => asking.ask(question, otherwise),
        (None, None) => Ok(otherwise),
    }
}

/// Someone who answers.
struct Asking<R, W> {
    from: R,
    to: W,
}

impl<R: BufRead, W: Write> Asking<R, W> {
    /// Asks until the answer can be read; an empty one means `otherwise`.
    fn ask<T>(&mut self, question: &str, otherwise: T) -> Result<T, Refusal>
    where
        T: FromStr + ToString,
        T::Err: std::fmt::Display,
    {
        let gone = || {
            Refusal::new(Code::InputUnreadable, "the answers ended before the questions")
                .with_next("Run it again, or give --yes.")
        };
        loop {
            let asked = write!(self.to, "{question} [{}]: ", otherwise.to_string());
            asked.and_then(|()| self.to.flush()).map_err(|_| gone())?;
            let mut answer = String::new();
            if self.from.read_line(&mut answer).map_err(|_| gone())? == 0 {
                return Err(gone());
            }
            let answer = answer.trim();
            if answer.is_empty() {
                return Ok(otherwise);
            }
            match answer.parse() {
                Ok(answer) => return Ok(answer),
                Err(error) => writeln!(self.to, "  {error}").map_err(|_| gone())?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_cannot_be_read_is_asked_for_again() {
        let answers = "soon\n2027-06-30\n\n";
        let mut asking = Asking { from: answers.as_bytes(), to: Vec::new() };
        let otherwise: Date = "2027-12-31".parse().unwrap();
        assert_eq!(asking.ask("Last day", otherwise).unwrap().to_string(), "2027-06-30");
        assert_eq!(asking.ask("Last day", otherwise).unwrap(), otherwise);
        assert_eq!(asking.ask("Last day", otherwise).unwrap_err().code(), Code::InputUnreadable);
        let asked = String::from_utf8(asking.to).unwrap();
        assert_eq!(asked.matches("Last day [2027-12-31]: ").count(), 4);
    }
}
