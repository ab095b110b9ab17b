//! `clock-reset`: the repair of one site's time, by its request.

mod sign;

use std::path::PathBuf;

use serde_json::{Value, json};

use farhold_bundle::{
    LIMITS, PublicKey, Verified,
    payload::{Request, Role},
};
use farhold_contract::{Code, Timestamp};

use super::{
    clock,
    page::{Page, talk},
    passphrase::{PassphraseArgs, Passphrases},
    sign::{ask, put_state, signed_by, write},
    tally,
    trust::TrustArgs,
};
use crate::{
    assemble::open_lines,
    clock_reset::{answer, open_request, warnings},
    draft::require_unended,
    file,
    refusal::Refusal,
};

pub(super) use sign::run as sign;

/// What `clock-reset` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    request: RequestArgs,
    /// The time to which the site's own time is set; this machine's clock if not said
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// A license key of the root; several where the root asks for several
    #[arg(long, required_unless_present = "draft", value_name = "FILE|URI")]
    key: Vec<PathBuf>,
    /// Writes a draft, signed by the keys given, if any: the others sign it on their own machines,
    /// with license-tool sign
    #[arg(long)]
    draft: bool,
    #[command(flatten)]
    trust: TrustArgs,
    /// Asks nothing: you are sure
    #[arg(long)]
    yes: bool,
    /// Where the reset is written; never over another file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// The request that a reset answers.
#[derive(clap::Args)]
pub(crate) struct RequestArgs {
    /// The site's request: a file, or its typed form in one
    #[arg(long, value_name = "FILE")]
    pub(super) request: Option<PathBuf>,
    /// The device key that the request must be from
    #[arg(long, value_name = "HEX", requires = "request")]
    pub(super) device_key: Option<PublicKey>,
}

/// Shows the site's times, asks, then signs and writes the reset, or a draft of it.
pub(crate) fn run(args: Args) -> Result<Page, Refusal> {
    let inputs = args.key.iter().chain(&args.request.request).chain([&args.trust.root]);
    let inputs = inputs.map(PathBuf::as_path).chain(args.passphrase.files());
    file::require_free(&args.out, inputs)?;
    let root = args.trust.open()?;
    let request = args.request.open()?;
    let now = clock::now();
    require_unended(&root, now)?;
    let time = args.at.unwrap_or(now);
    let times = times(&request, time);
    let warnings = warnings(&root, &request, time, now);
    if !args.yes && !args.key.is_empty() {
        times.lines().for_each(talk);
        warnings.iter().for_each(|warning| talk(&format!("warning: {warning}")));
        ask(&question(&request, time))?;
    }
    let keys = Passphrases::load_all(&args.passphrase, &args.key, &root, Role::License)?;
    let (draft, tally) = signed_by(answer(&request, time), &keys, &root, args.draft)?;
    write(&args.out, &draft)?;
    let mut json = json!({
        "file": args.out.display().to_string(),
        "site": site(&request),
        "clock_reset": draft.content(),
    });
    put_state(&mut json, &draft, &tally);
    let mut text = times;
    if !tally.is_complete() {
        text.push_str(&format!(
            "a draft: pass it on to those who are missing\nSHA-256            {}\n{}\n\
             Everyone who signs: compare the hash, then\nlicense-tool sign {} --root {} \
             --request REQUEST --expect HASH --key KEY --out SIGNED\n",
            draft.sha256(),
            tally::text(&tally),
            args.out.display(),
            args.trust.root.display(),
        ));
    }
    let was_shown = !args.yes && !args.key.is_empty();
    let mut told = if was_shown { Vec::new() } else { warnings };
    told.extend(tally::whole_already(args.draft, &tally));
    Ok(Page::new(text, json).with_warnings(told))
}

impl RequestArgs {
    /// Opens it; who gave none is told so.
    fn open(&self) -> Result<Verified<Request>, Refusal> {
        let Some(path) = &self.request else {
            return Err(Refusal::usage(
                "a clock reset answers a request, and none is given",
                "Give the site's newest request as --request.",
            ));
        };
        let bytes = file::read(path, LIMITS.envelope_bytes + 1)?;
        let opened = open_lines(&bytes).and_then(|mut lines| match (lines.pop(), lines.len()) {
            (Some(envelope), 0) => open_request(envelope, self.device_key.as_ref()),
            _ => Err(Refusal::new(Code::BundleMalformed, "one request is needed")),
        });
        opened.map_err(|refusal| refusal.of_file(path))
    }
}

fn times(request: &Request, time: Timestamp) -> String {
    format!(
        "device key         {}\nthe site's wall    {}\nthe site's mark    {}\nits time after it  {time}\n",
        request.device_key, request.wall, request.mark
    )
}

/// What is signed sets a clock back: nobody does that by the way.
fn question(request: &Request, time: Timestamp) -> String {
    format!("Set the time of device {} to {time}?", request.device_key)
}

fn site(request: &Request) -> Value {
    json!({ "wall": request.wall, "mark": request.mark, "root": request.root })
}
