//! `farhold request`: what the site asks of its vendor, carried by hand.

use std::{path::PathBuf, time::Duration};

use farhold_contract::{Code, id::LicenseId};
use farhold_terminal::{Failure, qr, require_sure, stderr, stdout, text};

use super::{
    output::{OutputFile, check_path},
    session::Session,
};
use crate::admin::{
    answer::request::{RequestAnswer, RequestQuestion},
    client::Ask,
};

/// A look at the machine, and one commit on a busy disk.
const REQUEST_TIME: Duration = Duration::from_secs(60);

#[derive(clap::Args)]
pub(super) struct Args {
    /// Write the request to this new file instead of showing it in typed form (FH1:…)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Show it as a QR code
    #[arg(long, conflicts_with = "json")]
    qr: bool,
    /// Draw the QR code for dark letters on a light ground, where colors are switched off
    #[arg(long, requires = "qr")]
    invert: bool,
    /// Give up this license here, at once and for good, so that it can be bound to another machine
    #[arg(long, value_name = "LICENSE_ID")]
    release: Option<LicenseId>,
    /// Give it up without asking first
    #[arg(long, requires = "release")]
    yes: bool,
}

impl Args {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        if let Some(out) = &self.out {
            // Before anything is asked: a request that can't be kept would end the one before it.
            check_path(out, &session.config()?)?;
        }
        if let Some(license) = self.release.filter(|_| !self.yes) {
            require_sure(&format!(
                "License {license} would stop at this machine, at once and for good."
            ))?;
        }
        let question = serde_json::to_vec(&RequestQuestion { release: self.release })?;
        let ask =
            Ask::post("/admin/request").body("application/json", question).patience(REQUEST_TIME);
        let answer: RequestAnswer = session.door_making_state()?.json(ask)?;
        if let Some(out) = &self.out {
            let mut file = OutputFile::begin(out)?;
            file.write(answer.envelope.as_bytes())?;
            file.write(b"\n")?;
            file.commit()?;
        }
        stderr::write(talk(&self, &answer));
        if session.json() {
            return stdout::json(&answer);
        }
        match (self.qr, &self.out) {
            (true, _) => qr::show(typed_form(&answer)?, self.invert),
            (false, Some(_)) => Ok(()),
            (false, None) => stdout::write(format!("{}\n", typed_form(&answer)?).as_bytes()),
        }
    }
}

fn typed_form(answer: &RequestAnswer) -> Result<&str, Failure> {
    answer.typed_form.as_deref().ok_or_else(|| {
        Failure::new(Code::OutputUnwritable, "the request is too large for the typed form")
            .action("Write it to a file and carry that: farhold request --out FILE.")
    })
}

/// What was done, and what comes next; never among the data.
fn talk(args: &Args, answer: &RequestAnswer) -> String {
    let mut told = String::new();
    if let Some(released) = &answer.released {
        told.push_str(&format!(
            "License {} is given up at this machine, up to serial {}.\n",
            released.license_id, released.serial
        ));
    }
    if let Some(out) = &args.out {
        told.push_str(&format!("Wrote the request to {}.\n", out.display()));
    }
    if !answer.remembered.is_empty() {
        let each = answer.remembered.iter();
        let each: Vec<String> =
            each.map(|(name, since)| format!("{} since {since}", text::plain(name))).collect();
        told.push_str(&format!(
            "Not read now, and named as read last: {}. The vendor is told; see farhold fingerprint.\n",
            each.join(", ")
        ));
    }
    told.push_str(&format!(
        "It names {} and {}. It takes the place of any request before it.\n\
         The vendor answers it (license-tool answer); import the answer: farhold import FILE.\n",
        text::count(answer.components.len() as u64, "component"),
        in_force(answer.licenses.len()),
    ));
    told
}

fn in_force(licenses: usize) -> String {
    match licenses {
        0 => "no license in force".to_owned(),
        1 => "1 license in force".to_owned(),
        more => format!("{more} licenses in force"),
    }
}
