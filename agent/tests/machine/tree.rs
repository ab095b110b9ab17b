//! Trees of files as machines show themselves.

use std::{fs, os::unix::fs::symlink, path::Path};

use tempfile::TempDir;

pub(super) const MACHINE_ID: &str = "8c2f1c1d6a3e4b0f9d5e7a6b1c2d3e4f";

/// The root of a machine's files.
pub(super) struct Tree(TempDir);

impl Tree {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A server: two cards, a disk under a volume group, a bridge that is no card.
    pub(super) fn bare_metal() -> Self {
        let tree = Self::new();
        tree.write("etc/machine-id", MACHINE_ID);
        tree.write("etc/hostname", "server-1");
        tree.write("sys/class/dmi/id/product_uuid", "4C4C4544-0051-3510-8052-B4C04F4A3732");
        tree.write("sys/class/dmi/id/sys_vendor", "Dell Inc.");
        tree.card("eth0", "b4:45:06:01:02:03");
        tree.card("eth1", "b4:45:06:01:02:04");
        tree.write("sys/class/net/lo/address", "00:00:00:00:00:00");
        tree.write("sys/class/net/docker0/address", "02:42:ac:11:00:01");
        tree.disk("sda", "8:0", "device/wwid", "naa.5000c500a1b2c3d4");
        tree.write("sys/devices/sda/sda2/partition", "2");
        tree.mapping("dm-0", "253:0", &["sda/sda2"]);
        tree.mounted("253:0", "ext4", "/dev/mapper/vg-root");
        tree.write(
            "proc/cpuinfo",
            "processor\t: 0\nmodel name\t: Example  CPU 9000\nflags\t\t: fpu vme\n",
        );
        tree.write("proc/1/cgroup", "0::/init.scope");
        tree
    }

    /// A virtual machine of a cloud.
    pub(super) fn virtual_machine() -> Self {
        let tree = Self::new();
        tree.write("etc/machine-id", MACHINE_ID);
        tree.write("sys/class/dmi/id/product_uuid", "a1b2c3d4-0051-3510-8052-b4c04f4a3732");
        tree.write("sys/class/dmi/id/sys_vendor", "QEMU");
        tree.card("ens3", "52:54:00:12:34:56");
        tree.disk("vda", "254:0", "serial", "vol-0123456789abcdef");
        tree.write("sys/devices/vda/vda1/partition", "1");
        tree.link("sys/dev/block/254:1", "../../devices/vda/vda1");
        tree.mounted("254:1", "ext4", "/dev/vda1");
        tree.write("var/lib/cloud/data/instance-id", "i-0a1b2c3d4e5f60718");
        tree.write(
            "proc/cpuinfo",
            "processor\t: 0\nmodel name\t: Cloud CPU\nflags\t\t: fpu hypervisor\n",
        );
        tree.write("proc/1/cgroup", "0::/init.scope");
        tree
    }

    /// A container: layers for a root, a namespace for a network.
    pub(super) fn container() -> Self {
        let tree = Self::new();
        tree.write(".dockerenv", "");
        tree.write("sys/class/dmi/id/product_uuid", "a1b2c3d4-0051-3510-8052-b4c04f4a3732");
        tree.write("sys/class/net/lo/address", "00:00:00:00:00:00");
        tree.write("sys/class/net/eth0/address", "02:42:ac:11:00:02");
        tree.mounted("0:51", "overlay", "overlay");
        tree.write("proc/cpuinfo", "flags\t\t: fpu hypervisor\n");
        tree.write("proc/1/cgroup", "0::/");
        tree
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{text}\n")).unwrap();
    }

    pub(super) fn link(&self, path: &str, target: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    pub(super) fn remove(&self, path: &str) {
        let path = self.path().join(path);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }

    /// Something that is there and can't be read, for root neither.
    pub(super) fn spoil(&self, path: &str) {
        let path = self.path().join(path);
        if path.is_file() {
            fs::remove_file(&path).unwrap();
        }
        fs::create_dir_all(path).unwrap();
    }

    pub(super) fn card(&self, name: &str, address: &str) {
        self.write(&format!("sys/class/net/{name}/address"), address);
        self.write(&format!("sys/class/net/{name}/addr_assign_type"), "0");
        fs::create_dir_all(self.path().join(format!("sys/class/net/{name}/device"))).unwrap();
    }

    pub(super) fn disk(&self, name: &str, number: &str, file: &str, serial: &str) {
        self.write(&format!("sys/devices/{name}/{file}"), serial);
        self.write(&format!("sys/devices/{name}/dev"), number);
        self.link(&format!("sys/dev/block/{number}"), &format!("../../devices/{name}"));
    }

    /// A device on others: a volume, an array, an encryption.
    pub(super) fn mapping(&self, name: &str, number: &str, below: &[&str]) {
        self.write(&format!("sys/devices/{name}/dev"), number);
        self.link(&format!("sys/dev/block/{number}"), &format!("../../devices/{name}"));
        for device in below {
            let last = device.rsplit('/').next().unwrap();
            self.link(&format!("sys/devices/{name}/slaves/{last}"), &format!("../../{device}"));
        }
    }

    pub(super) fn mounted(&self, number: &str, kind: &str, source: &str) {
        let mounts = format!(
            "22 1 0:21 / /proc rw - proc proc rw\n\
             28 1 {number} / / rw,relatime shared:1 - {kind} {source} rw\n\
             30 28 0:24 / /dev/shm rw shared:3 - tmpfs tmpfs rw"
        );
        self.write("proc/self/mountinfo", &mounts);
    }
}
