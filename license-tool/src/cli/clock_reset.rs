//! `clock-reset`: the repair of one site's time, by its request.

use std::{
    io::{self, BufRead, IsTerminal},
    path::PathBuf,
};

use serde_json::json;

use farhold_bundle::{LIMITS, PublicKey, Signer, payload::Request};
use farhold_contract::{Code, Timestamp};

use super::{
    clock,
    page::{Page, talk},
    passphrase::{PassphraseArgs, Passphrases},
    trust::TrustArgs,
};
use crate::{
    assemble::open_lines,
    clock_reset::{clock_reset, open_request, warnings},
    file,
    refusal::Refusal,
};

/// What `clock-reset` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The site's request: a file, or its typed form in one
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    /// The device key that the request must be from
    #[arg(long, value_name = "HEX")]
    device_key: Option<PublicKey>,
    /// The time to which the site's own time is set; this machine's clock if not said
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// A license key of the root; several where the root asks for several
    #[arg(long, required = true, value_name = "FILE|URI")]
    key: Vec<PathBuf>,
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

/// Shows the site's times, asks, then signs and writes the reset.
pub(crate) fn run(args: Args) -> Result<Page, Refusal> {
    let inputs = args.key.iter().chain([&args.request, &args.trust.root]);
    let inputs = inputs.map(PathBuf::as_path).chain(args.passphrase.files());
    file::require_free(&args.out, inputs)?;
    let root = args.trust.open()?;
    let request = args.open_request()?;
    let now = clock::now();
    let time = args.at.unwrap_or(now);
    let times = times(&request, time);
    let warnings = warnings(&root, &request, time, now);
    if !args.yes {
        times.lines().for_each(talk);
        warnings.iter().for_each(|warning| talk(&format!("warning: {warning}")));
        ask(&request, time)?;
    }
    let passphrases = Passphrases::read(&args.passphrase)?;
    let keys: Vec<_> =
        args.key.iter().map(|path| passphrases.load(path)).collect::<Result<_, _>>()?;
    let signers: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
    let reset = clock_reset(&root, &request, time, now, &signers)?;
    let mut line = reset.line().to_vec();
    line.push(b'\n');
    file::write_new(&args.out, &line)?;
    let json = json!({
        "file": args.out.display().to_string(),
        "sha256": reset.sha256(),
        "site": { "wall": request.wall, "mark": request.mark, "root": request.root },
        "clock_reset": reset.content(),
    });
    Ok(Page::new(times, json).with_warnings(if args.yes { warnings } else { Vec::new() }))
}

impl Args {
    fn open_request(&self) -> Result<farhold_bundle::Verified<Request>, Refusal> {
        let bytes = file::read(&self.request, LIMITS.envelope_bytes + 1)?;
        let opened = open_lines(&bytes).and_then(|mut lines| match (lines.pop(), lines.len()) {
            (Some(envelope), 0) => open_request(envelope, self.device_key.as_ref()),
            _ => Err(Refusal::new(Code::BundleMalformed, "one request is needed")),
        });
        opened.map_err(|refusal| refusal.of_file(&self.request))
    }
}

fn times(request: &Request, time: Timestamp) -> String {
    format!(
        "device key         {}\nthe site's wall    {}\nthe site's mark    {}\nits time after it  {time}\n",
        request.device_key, request.wall, request.mark
    )
}

/// What is signed sets a clock back: nobody does that by the way.
fn ask(request: &Request, time: Timestamp) -> Result<(), Refusal> {
    if !io::stdin().is_terminal() {
        return Err(Refusal::usage(
            "there is no terminal to ask on whether you are sure",
            "Look at the times above, then give --yes.",
        ));
    }
    talk(&format!("Set the time of device {} to {time}? Type yes:", request.device_key));
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && answer.trim() == "yes" {
        return Ok(());
    }
    Err(Refusal::usage("you were not sure; nothing was signed", "Run it again and type yes."))
}
