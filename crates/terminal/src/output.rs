//! Output files: never over another file.

use std::{io, path::Path};

use farhold_contract::Code;

use crate::failure::Failure;

/// Refuses a path that exists, before anything is made that could not be handed over. Whoever
/// writes must still not overwrite.
///
/// # Errors
/// `output.exists`.
pub fn vacant(path: &Path) -> Result<(), Failure> {
    if path.symlink_metadata().is_ok() { Err(exists(path)) } else { Ok(()) }
}

/// Something has that name.
pub fn exists(path: &Path) -> Failure {
    Failure::new(Code::OutputExists, format!("{} exists already", path.display()))
}

/// The system doesn't let it be written.
pub fn unwritable(path: &Path, error: io::Error) -> Failure {
    Failure::new(Code::OutputUnwritable, format!("{} can't be written", path.display()))
        .because(error)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_that_leads_nowhere_is_in_the_way_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        vacant(&path).unwrap();
        symlink("nowhere", &path).unwrap();
        assert_eq!(vacant(&path).unwrap_err().code(), Code::OutputExists);
    }
}
