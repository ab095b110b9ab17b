//! Filesystem: a small one of a test's own, in memory. Needs root (`CAP_SYS_ADMIN`).

use std::{
    fs::{self, DirBuilder, File},
    io::Write,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::Command,
};

/// A mounted filesystem; gone with this.
pub(crate) struct Filesystem {
    at: PathBuf,
}

/// A file in a filesystem that takes what is left of it.
pub(crate) struct Ballast {
    path: PathBuf,
}

impl Filesystem {
    /// One of so many MiB at a path, which only its owner enters; or a loud word that the test
    /// did not run. What was there is there again when it is gone.
    pub(crate) fn small(test: &str, at: &Path, mebibytes: u32) -> Option<Self> {
        if !at.exists() {
            DirBuilder::new().mode(0o700).create(at).unwrap();
        }
        let size = format!("size={mebibytes}m,mode=0700");
        let mounted = run("mount", &["-t", "tmpfs", "-o", &size, "farhold-test"], at);
        match mounted {
            Ok(()) => Some(Self { at: at.to_owned() }),
            Err(reason) => {
                eprintln!("SKIPPED: {test}: no filesystem can be mounted here: {reason}");
                None
            }
        }
    }

    /// The same, with everything in it that the path has now.
    pub(crate) fn small_with_what_is(test: &str, at: &Path, mebibytes: u32) -> Option<Self> {
        let files: Vec<(PathBuf, Vec<u8>, fs::Permissions)> = fs::read_dir(at)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file())
            .map(|path| {
                let permissions = fs::metadata(&path).unwrap().permissions();
                (path.clone(), fs::read(&path).unwrap(), permissions)
            })
            .collect();
        let mounted = Self::small(test, at, mebibytes)?;
        for (path, bytes, permissions) in files {
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, permissions).unwrap();
        }
        Some(mounted)
    }

    /// Takes all the room but so many KiB.
    pub(crate) fn filled_but_for(&self, kibibytes: u64) -> Ballast {
        let path = self.at.join("ballast");
        let mut file = File::options().append(true).create(true).open(&path).unwrap();
        let page = [0; 4096];
        while file.write_all(&page).is_ok() {}
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(kibibytes * 1024)).unwrap();
        Ballast { path }
    }
}

impl Ballast {
    /// Gives the room back.
    pub(crate) fn removed(self) {
        fs::remove_file(&self.path).unwrap();
    }
}

impl Drop for Filesystem {
    fn drop(&mut self) {
        // Whoever still has a file open in it keeps that file; the name is free at once.
        if let Err(reason) = run("umount", &["--lazy"], &self.at) {
            eprintln!("{} stays mounted: {reason}", self.at.display());
        }
    }
}

fn run(program: &str, words: &[&str], at: &Path) -> Result<(), String> {
    let ran = Command::new(program).args(words).arg(at).output();
    let ran = ran.map_err(|error| format!("{program}: {error}"))?;
    if ran.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&ran.stderr).trim().to_owned())
}
