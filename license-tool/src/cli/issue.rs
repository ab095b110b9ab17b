//! `issue`: a license from a template, or one for each row of a table.

mod again;
mod break_glass;
mod many;
mod one;

use std::path::{Path, PathBuf};

use farhold_bundle::{Positive, Role, TrustRoot};
use farhold_contract::{Code, Timestamp};

use super::{
    clock,
    number::positive,
    page::Page,
    passphrase::{PassphraseArgs, Passphrases},
    trust::TrustArgs,
};
use crate::{file, key::Key, refusal::Refusal};

/// What `issue` takes.
#[derive(clap::Args)]
#[command(after_long_help = AFTER)]
pub(crate) struct Args {
    /// The template
    #[arg(value_name = "TEMPLATE", required_unless_present = "from", conflicts_with = "from")]
    template: Option<PathBuf>,
    #[command(flatten)]
    again: again::AgainArgs,
    /// A license key of the root; several where the root asks for several
    #[arg(long, value_name = "FILE|URI", required_unless_present = "dry_run")]
    key: Vec<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
    /// The ledger of everything that is issued: it gives the serial, and keeps the license before
    /// anyone else has it
    #[arg(long, value_name = "FILE", required_unless_present_any = ["serial", "break_glass"])]
    ledger: Option<PathBuf>,
    /// The revision, where the ledger does not give it: 1 for the first, then always higher
    #[arg(long, value_name = "N", value_parser = positive, required_unless_present = "ledger")]
    serial: Option<Positive>,
    /// Makes a new contract: the template has no license_id
    #[arg(long, conflicts_with_all = ["csv", "from"])]
    new_id: bool,
    /// Binds the license to no machine, on purpose
    #[arg(long, conflicts_with = "from")]
    unbound: bool,
    /// When it is issued, as the license says; the system clock if not said
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Where the license is written; never over another file
    #[arg(long, value_name = "FILE", required_unless_present = "csv")]
    out: Option<PathBuf>,
    /// Issues without the ledger, which must learn of it later: the slip written beside the license
    /// is entered by `ledger enter`
    #[arg(long, requires = "reason", requires = "serial", conflicts_with_all = ["ledger", "csv"])]
    break_glass: bool,
    /// Why without the ledger
    #[arg(long, value_name = "TEXT", requires = "break_glass")]
    reason: Option<String>,
    /// Moves the license to another machine although this year's moves are used up, for this reason
    #[arg(long, value_name = "REASON", requires = "ledger", conflicts_with = "csv")]
    over_budget: Option<String>,
    /// Issues a license for each row of this table
    #[arg(long, value_name = "FILE", requires = "ledger", conflicts_with_all = ["serial", "out", "from"])]
    csv: Option<PathBuf>,
    /// The folder for a file a license; made if it is not there
    #[arg(long, value_name = "FOLDER", requires = "csv", conflicts_with = "out_jsonl")]
    out_dir: Option<PathBuf>,
    /// The file for one license a line
    #[arg(long, value_name = "FILE", requires = "csv")]
    out_jsonl: Option<PathBuf>,
    /// Gives the next serial also to rows of which nothing changed but the key: theirs was rotated
    /// since. Rows whose key was revoked get it in any case
    #[arg(long, requires = "csv")]
    reissue: bool,
    /// Reads and checks every row of the table; signs nothing
    #[arg(long, requires = "csv")]
    dry_run: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

const AFTER: &str = "\
A table is CSV with headings, as a spreadsheet writes it. Each row is a license: the template with \
what the row's cells say instead. An empty cell is the template's, `-` takes the member away. The \
columns are:

  license_id              which contract; without it the only one of that tenant and product, or a new one
  tenant_id, tenant.type, tenant.security_level, tenant.data_residency
  product, issued_to, not_before, expires_on, time_zone, sites, versions, released_before, telemetry
  modes                   managed, detached, or both with a blank between
  binding                 none, or the 64 digits of a device key
  ladder.warn, ladder.grace, ladder.restrict
  limits.FEATURE          the quota of a feature of the template; limits.FEATURE.time_window, .overage, .concurrency
  valid_until.FEATURE     an end of the feature's own
  flags.KEY               the value of a flag of the template
  metadata.KEY            a note that the license carries
  #ANYTHING               a note that nobody reads

Every row is checked before the first is signed. What was interrupted is run again with the same \
words: rows that the ledger has keep their serial, and what is missing is written. \
`license-tool new --csv FILE` writes a first table.";

/// Longest template, in bytes.
const TEMPLATE_MAX_BYTES: usize = 4 * 1024 * 1024;

/// Signs and writes licenses.
pub(crate) fn run(args: Args) -> Result<Page, Refusal> {
    let ahead = clock::ahead(args.now());
    let mut page = match (&args.csv, args.break_glass) {
        (Some(_), _) => many::run(args),
        (None, true) => break_glass::run(&args),
        (None, false) => one::run(&args),
    }?;
    page.warnings.extend(ahead);
    Ok(page)
}

impl Args {
    /// Every file that is read, so that no output is one of them.
    fn inputs(&self) -> impl Iterator<Item = &Path> {
        let inputs = self.key.iter().chain(&self.template).chain([&self.trust.root]);
        let inputs = inputs.chain(self.again.files());
        let inputs = inputs.chain(self.ledger.iter()).chain(self.csv.iter());
        inputs.map(PathBuf::as_path).chain(self.passphrase.files())
    }

    /// Where one license goes.
    fn out(&self) -> Result<&Path, Refusal> {
        let out = self.out.as_deref().ok_or_else(|| {
            Refusal::usage("there is no place for the license", "Give --out FILE.")
        })?;
        file::require_free(out, self.inputs())?;
        Ok(out)
    }

    fn now(&self) -> Timestamp {
        self.at.unwrap_or_else(clock::now)
    }

    /// The template's path; clap asks for one where there is no license to issue again.
    fn template(&self) -> Result<&Path, Refusal> {
        self.template
            .as_deref()
            .ok_or_else(|| Refusal::usage("there is no template", "Give the template's file."))
    }

    /// Loads the keys; one that may not sign is refused before the next passphrase is asked for.
    fn load(&self, root: &TrustRoot) -> Result<Vec<Key>, Refusal> {
        Passphrases::load_all(&self.passphrase, &self.key, root, Role::License)
    }
}

/// Reads a template.
pub(crate) fn template_text(path: &Path) -> Result<String, Refusal> {
    let bytes = file::read(path, TEMPLATE_MAX_BYTES)?;
    String::from_utf8(bytes)
        .map_err(|_| Refusal::new(Code::TemplateInvalid, "the template is not UTF-8").of_file(path))
}
