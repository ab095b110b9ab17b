//! Machine: hardware of a test's own, shown to the agent in a mount namespace.
//!
//! The real agent reads its real files; `/sys` and `/etc/machine-id` are the test's. Needs root
//! (`CAP_SYS_ADMIN`) and util-linux.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use tempfile::TempDir;

use super::sleep::wrapped;

/// Puts the machine's files where the system's are, then runs what follows.
const MOUNTS: &str = "mount --bind \"$1\" /sys && mount --bind \"$2\" /etc/machine-id && \
                      shift 2 && exec \"$@\"";

/// A machine with two network cards, a disk, a firmware and an installation.
pub struct Machine {
    folder: TempDir,
}

/// A machine with parts of its own, or a loud word that the test did not run.
///
/// A test that needs it begins with `let Some(machine) = machine::new("its name") else { return };`.
pub fn new(test: &str) -> Option<Machine> {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    let possible = *KNOWN.get_or_init(|| {
        let machine = Machine::made();
        let mut tried = machine.runs(&Command::new("true"));
        tried.stdout(Stdio::null()).stderr(Stdio::null());
        tried.status().is_ok_and(|ended| ended.success())
    });
    if !possible {
        eprintln!("SKIPPED: {test}: no mount namespaces here");
        return None;
    }
    Some(Machine::made())
}

impl Machine {
    fn made() -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        machine.has_machine_id("5f1a2b3c4d5e6f708192a3b4c5d6e7f8");
        machine.has_card("eth0", "3c:22:fb:01:02:03");
        machine.has_card("eth1", "3c:22:fb:01:02:04");
        machine.has_disk("S4EVNX0R123456");
        machine.has_board("4c4c4544-0042-3510-8051-b7c04f4d3332");
        machine
    }

    /// With this installation.
    pub fn has_machine_id(&self, id: &str) {
        fs::write(self.folder.path().join("machine-id"), format!("{id}\n")).unwrap();
    }

    /// With this address in a network card, which is new or was another before.
    pub fn has_card(&self, name: &str, address: &str) {
        let card = format!("class/net/{name}");
        self.writes(&format!("{card}/address"), address);
        self.writes(&format!("{card}/addr_assign_type"), "0");
        fs::create_dir_all(self.sys(&format!("{card}/device"))).unwrap();
    }

    /// Without a network card.
    pub fn loses_card(&self, name: &str) {
        fs::remove_dir_all(self.sys(&format!("class/net/{name}"))).unwrap();
    }

    /// With a card under another name.
    pub fn renames_card(&self, from: &str, to: &str) {
        let card = |name: &str| self.sys(&format!("class/net/{name}"));
        fs::rename(card(from), card(to)).unwrap();
    }

    /// With this disk below its root filesystem.
    pub fn has_disk(&self, serial: &str) {
        self.writes(&format!("dev/block/{}/serial", root_device()), serial);
    }

    /// Its disk tells nothing of itself.
    pub fn hides_disk(&self) {
        fs::remove_dir_all(self.sys("dev/block")).unwrap();
    }

    /// With this firmware.
    pub fn has_board(&self, uuid: &str) {
        self.writes("class/dmi/id/product_uuid", uuid);
    }

    /// The same command on this machine. The process keeps its number.
    pub fn runs(&self, command: &Command) -> Command {
        let (sys, id) = (self.sys(""), self.folder.path().join("machine-id"));
        let words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", MOUNTS, "sh"];
        let paths = [&sys, &id].map(|path| path.to_str().unwrap());
        wrapped(&[&words[..], &paths].concat(), command)
    }

    fn writes(&self, path: &str, text: &str) {
        let path = self.sys(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{text}\n")).unwrap();
    }

    fn sys(&self, path: &str) -> PathBuf {
        self.folder.path().join("sys").join(path)
    }
}

/// The number of the device that carries the root filesystem (proc_pid_mountinfo(5)).
fn root_device() -> String {
    let mounts = fs::read_to_string(Path::new("/proc/self/mountinfo")).unwrap();
    let root = mounts.lines().rev().find(|line| line.split(' ').nth(4) == Some("/"));
    let number = root.and_then(|line| line.split(' ').nth(2));
    number.expect("something is mounted there").to_owned()
}
