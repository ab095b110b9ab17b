//! What a verb is told of the licenses that were issued.

use std::{
    fs,
    path::{Path, PathBuf},
};

use farhold_bundle::{Envelope, TrustRoot, payload::DocumentType};
use farhold_contract::Code;
use farhold_ledger::{Act, Head};

use crate::{
    assemble::open_lines,
    file,
    issued::{Issued, Source},
    refusal::Refusal,
};

/// Where the licenses that were issued are known from.
#[derive(Debug, clap::Args)]
pub(crate) struct KnownArgs {
    /// The ledger of everything that was issued
    #[arg(long, value_name = "FILE")]
    pub(crate) ledger: Option<PathBuf>,
    /// Licenses as they were issued: a file of one or many, or a folder of such files; repeat it
    /// for several. They say more than the ledger: when each begins, and its rungs
    #[arg(long, value_name = "FILE|FOLDER")]
    pub(crate) licenses: Vec<PathBuf>,
}

/// Largest file of licenses and largest ledger, in bytes: a million licenses.
const MOST_BYTES: usize = 2 * 1024 * 1024 * 1024;

impl KnownArgs {
    /// The files that are read; those in folders are not counted.
    pub(crate) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.ledger.iter().chain(&self.licenses)
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// `input.unreadable`, `ledger.broken`, `trust.issuer_mismatch`, and what a document that does
    /// not hold is refused with, by its file.
    pub(crate) fn read(&self, root: &TrustRoot) -> Result<Issued, Refusal> {
        let mut issued = Issued::default();
        for path in &self.licenses {
            if path.is_dir() {
                for path in files_of(path)? {
                    let bytes = file::read(&path, MOST_BYTES)?;
                    // A folder also holds templates and notes.
                    if is_document(&bytes) {
                        add(&mut issued, root, &path, &bytes)?;
                    }
                }
            } else {
                add(&mut issued, root, path, &file::read(path, MOST_BYTES)?)?;
            }
        }
        if let Some(path) = &self.ledger {
            add_ledger(&mut issued, root, path)?;
        }
        Ok(issued)
    }
}

fn add(issued: &mut Issued, root: &TrustRoot, path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    let of_file = |refusal: Refusal| refusal.of_file(path);
    let documents = open_lines(bytes).map_err(of_file)?;
    let is_license = |document: &&Envelope| document.kind() == DocumentType::License;
    let is_alone = documents.iter().filter(is_license).count() == 1;
    for document in documents {
        let source = Source { file: path.to_owned(), is_alone };
        issued.add_document(root, document, Some(source)).map_err(of_file)?;
    }
    Ok(())
}

fn add_ledger(issued: &mut Issued, root: &TrustRoot, path: &Path) -> Result<(), Refusal> {
    let of_file = |refusal: Refusal| refusal.of_file(path);
    let bytes = file::read(path, MOST_BYTES)?;
    let (entries, _) = farhold_ledger::verify(Head::START, &bytes)
        .map_err(|broken| of_file(Refusal::from_error(broken.code(), &broken)))?;
    let issuer = root.root().issuer.id;
    let begun_by = entries.iter().find_map(|entry| match entry.act {
        Act::Begun { issuer } => Some(issuer),
        _ => None,
    });
    match begun_by {
        Some(other) if other != issuer => Err(of_file(Refusal::new(
            Code::TrustIssuer,
            format!("it is the ledger of {other}; the root is {issuer}'s"),
        ))),
        _ => issued.add_ledger(issuer, &entries).map_err(of_file),
    }
}

/// The files of a folder and of the folders in it, by name; links are not followed.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Refusal> {
    let unreadable = |error: std::io::Error| {
        Refusal::new(Code::InputUnreadable, format!("{} can't be read: {error}", folder.display()))
    };
    let mut files = Vec::new();
    let mut entries: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        entries.push(entry.map_err(unreadable)?.path());
    }
    entries.sort();
    for path in entries {
        let kind = path.symlink_metadata().map_err(unreadable)?;
        if kind.is_dir() {
            files.extend(files_of(&path)?);
        } else if kind.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

fn is_document(bytes: &[u8]) -> bool {
    bytes.starts_with(br#"{"payload":""#) || farhold_bundle::is_typed_form(bytes)
}
