//! `issue`: a license from a template.

use std::path::PathBuf;

use serde_json::json;

use farhold_bundle::{Positive, Signer, TrustRoot};
use farhold_contract::{Code, Timestamp, id::LicenseId};
use farhold_keys::FileSigner;

use super::{
    clock,
    number::positive,
    page::{Page, one_line},
    passphrase::{PassphraseArgs, Passphrases},
    trust::TrustArgs,
};
use crate::{
    file, issue,
    refusal::Refusal,
    template::{self, Template},
};

/// What `issue` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The template
    #[arg(value_name = "TEMPLATE")]
    template: PathBuf,
    /// A license key of the root; several where the root asks for several
    #[arg(long, required = true, value_name = "FILE")]
    key: Vec<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
    /// The revision: 1 for the first, then always higher
    #[arg(long, value_name = "N", value_parser = positive)]
    serial: Positive,
    /// Makes a new contract: the template has no license_id
    #[arg(long)]
    new_id: bool,
    /// Binds the license to no machine, on purpose
    #[arg(long)]
    unbound: bool,
    /// When it is issued; the system clock if not said
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Where the license is written; never over another file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// Longest template, in bytes.
const TEMPLATE_MAX_BYTES: usize = 4 * 1024 * 1024;

/// Signs and writes one license.
pub(crate) fn run(args: Args) -> Result<Page, Refusal> {
    let inputs = args.key.iter().chain([&args.template, &args.trust.root]);
    let inputs = inputs.map(PathBuf::as_path).chain(args.passphrase.files());
    file::require_free(&args.out, inputs)?;
    let mut template = read_template(&args)?;
    if args.unbound {
        if template.binds() {
            return Err(Refusal::usage(
                "the template binds the license and --unbound does not",
                "Leave out --unbound, or the template's binding.",
            ));
        }
        template.set_unbound();
    }
    let root = args.trust.open()?;
    let license_id = license_id(&args, &template)?;
    let issued_at = args.at.unwrap_or_else(clock::now);
    let of_template = |refusal: Refusal| refusal.of_file(&args.template);
    let license = template
        .license(license_id, args.serial, root.root().issuer.id, issued_at)
        .map_err(of_template)?;
    issue::refuse_nonsense(&template, &license, &root).map_err(of_template)?;
    let signers = load(&args, &root)?;
    let signers: Vec<&dyn Signer> = signers.iter().map(|signer| signer as &dyn Signer).collect();
    let signed = issue::issue(&root, &license, &signers)?;
    let mut line = signed.line().to_vec();
    line.push(b'\n');
    file::write_new(&args.out, &line)?;
    let text = format!(
        "license     {license_id}\nserial      {}\nproduct     {}\nissued to   {}\nSHA-256     {}\n",
        args.serial,
        license.product,
        one_line(&license.issued_to),
        signed.sha256(),
    );
    let json = json!({
        "file": args.out.display().to_string(),
        "license_id": license_id,
        "serial": args.serial,
        "sha256": signed.sha256(),
        "license": license,
    });
    Ok(Page::new(text, json).with_warnings(issue::warnings(&license)))
}

fn read_template(args: &Args) -> Result<Template, Refusal> {
    let bytes = file::read(&args.template, TEMPLATE_MAX_BYTES)?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Refusal::new(Code::TemplateInvalid, "the template is not UTF-8").of_file(&args.template)
    })?;
    template::read(&text).map_err(|refusal| refusal.of_file(&args.template))
}

fn license_id(args: &Args, template: &Template) -> Result<LicenseId, Refusal> {
    match (template.license_id(), args.new_id) {
        (Some(id), false) => Ok(id),
        (None, true) => Ok(clock::new_id(LicenseId::from_uuid)),
        (Some(_), true) => Err(Refusal::usage(
            "the template has a license_id and --new-id asks for another",
            "Leave out one of them: a renewal keeps its license_id.",
        )),
        (None, false) => Err(Refusal::new(
            Code::TemplateInvalid,
            format!("{}: license_id is missing", args.template.display()),
        )
        .with_next("Give --new-id for a new contract, or write the renewed one's license_id.")),
    }
}

/// Loads the keys; one that may not sign is refused before the next passphrase is asked for.
fn load(args: &Args, root: &TrustRoot) -> Result<Vec<FileSigner>, Refusal> {
    let passphrases = Passphrases::read(&args.passphrase)?;
    let mut signers = Vec::new();
    for path in &args.key {
        let signer = passphrases.load(path)?;
        issue::require_role(root, &signer, farhold_bundle::Role::License)
            .map_err(|refusal| refusal.of_file(path))?;
        signers.push(signer);
    }
    Ok(signers)
}
