//! What an answer is handed over as: a bundle, a text to type or paste, a code to scan.

use std::path::{Path, PathBuf};

use farhold_bundle::{Envelope, LIMITS, Verified, encode_typed_form, payload::License};

use crate::{assemble::open_lines, file, refusal::Refusal};

/// Where an answer goes.
#[derive(clap::Args)]
pub(crate) struct Outputs {
    /// Where the bundle for the site is written; never over another file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Documents that the site needs as well, in the same bundle: revocations, and every root after
    /// its own; with roots also the site's own, which proves them and is not sent
    #[arg(long, value_name = "FILE", requires = "out")]
    with: Vec<PathBuf>,
    /// Where the license is written as text to type or paste; never over another file
    #[arg(long, value_name = "FILE")]
    typed_out: Option<PathBuf>,
    /// Shows that text
    #[arg(long)]
    typed: bool,
    /// Shows it as a QR code; programs find it in the JSON as text
    #[arg(long, conflicts_with = "json")]
    qr: bool,
    /// Draws the QR code for a terminal of light ground
    #[arg(long, requires = "qr")]
    invert: bool,
}

/// What was handed over.
pub(super) struct Handed {
    /// The typed form, where it was asked for.
    pub(super) typed: Option<String>,
    /// Whether it is to be shown.
    pub(super) is_shown: bool,
    /// The files that were written.
    pub(super) files: Vec<String>,
}

impl Outputs {
    /// Refuses outputs that exist, or are inputs.
    pub(super) fn require_free<'a>(
        &'a self,
        inputs: impl Iterator<Item = &'a Path>,
    ) -> Result<(), Refusal> {
        let inputs: Vec<&Path> = inputs.chain(self.with.iter().map(PathBuf::as_path)).collect();
        for out in self.out.iter().chain(&self.typed_out) {
            file::require_free(out, inputs.iter().copied())?;
        }
        if let (Some(out), Some(typed_out)) = (&self.out, &self.typed_out)
            && file::is_same_place(out, typed_out)
        {
            return Err(Refusal::usage(
                "the bundle and the typed form have one path",
                "Give each its own.",
            ));
        }
        Ok(())
    }

    /// Refuses an answer that nobody would see.
    pub(super) fn require_any(&self) -> Result<(), Refusal> {
        if self.out.is_some() || self.is_typed() {
            return Ok(());
        }
        Err(Refusal::usage(
            "there is no place for the answer",
            "Give --out FILE, --typed-out FILE, --typed or --qr.",
        ))
    }

    /// Refuses the typed form of a license that several keys sign.
    pub(super) fn require_typed(&self, keys: usize) -> Result<(), Refusal> {
        if keys > 1 && self.is_typed() {
            return Err(Refusal::usage(
                "the typed form holds one signature, and several keys sign",
                "Carry the bundle: --out FILE.",
            ));
        }
        Ok(())
    }

    /// The documents that go with the license.
    pub(super) fn open_with(&self) -> Result<Vec<Envelope>, Refusal> {
        let mut documents = Vec::new();
        for path in &self.with {
            let bytes = file::read(path, LIMITS.bundle_bytes)?;
            documents.extend(open_lines(&bytes).map_err(|refusal| refusal.of_file(path))?);
        }
        Ok(documents)
    }

    /// Writes what was asked for.
    pub(super) fn write(
        &self,
        license: &Verified<License>,
        bundle: &[u8],
    ) -> Result<Handed, Refusal> {
        let mut files = Vec::new();
        if let Some(out) = &self.out {
            file::write_new(out, bundle)?;
            files.push(out.display().to_string());
        }
        let typed = match self.is_typed() {
            true => Some(encode_typed_form(&Envelope::open(license.line())?)?),
            false => None,
        };
        if let (Some(out), Some(typed)) = (&self.typed_out, &typed) {
            file::write_new(out, format!("{typed}\n").as_bytes())?;
            files.push(out.display().to_string());
        }
        if let (true, Some(typed)) = (self.qr, &typed) {
            farhold_terminal::qr::show(typed, self.invert).map_err(|error| {
                Refusal::new(farhold_contract::Code::OutputUnwritable, error.to_string()).with_next(
                    "Repeat it with --out FILE, and carry that: it is the same license again.",
                )
            })?;
        }
        Ok(Handed { typed, is_shown: self.typed, files })
    }

    const fn is_typed(&self) -> bool {
        self.typed || self.qr || self.typed_out.is_some()
    }
}
