//! `disk.root`: the serial of the disk that carries the root filesystem.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    reading::{RawValue, Reading, is_one_digit},
    system::{Machine, names_in, text_of},
};

/// Partition, encryption, volume, array, disk: no honest stack is deeper.
const DEPTH_MAX: usize = 8;

/// What an emulator gives every disk that was given no serial.
const SHARED: [&str; 2] = ["QM0000", "drive-"];

pub(super) fn read(machine: &Machine) -> Reading<RawValue> {
    let Some(device) = root_device(machine) else {
        return Reading::Unreadable(
            "the root filesystem lies on no disk seen from here".to_owned(),
        );
    };
    let mut disks = Vec::new();
    collect_disks(&device, DEPTH_MAX, &mut disks);
    disks.sort();
    disks.dedup();
    if disks.is_empty() {
        return Reading::Unreadable("the disk below the root filesystem can't be found".to_owned());
    }
    let mut serials = Vec::new();
    for disk in &disks {
        match serial(machine, disk) {
            Reading::Read(serial) => serials.push(serial),
            other => return other.map(RawValue::new),
        }
    }
    serials.sort();
    // An array is all of its disks.
    Reading::Read(RawValue::new(serials.join("+")))
}

/// The block device under `/`, as a folder of sysfs.
fn root_device(machine: &Machine) -> Option<PathBuf> {
    let mounts = machine.text("/proc/self/mountinfo")?;
    // proc_pid_mountinfo(5): id, parent, major:minor, root, mount point, …, "-", type, source. What
    // was mounted last lies on top.
    let mount = mounts.lines().rev().find(|line| line.split(' ').nth(4) == Some("/"))?;
    let number = mount.split(' ').nth(2)?;
    let by_number = machine.path("/sys/dev/block").join(number);
    if let Ok(device) = fs::canonicalize(by_number) {
        return Some(device);
    }
    // btrfs has a number of its own; its source names a device.
    let source = mount.split(" - ").nth(1)?.split(' ').nth(1)?;
    let name = source.strip_prefix("/dev/")?;
    match name.strip_prefix("mapper/") {
        None => fs::canonicalize(machine.path("/sys/class/block").join(name)).ok(),
        Some(mapped) => {
            let blocks = machine.names("/sys/class/block").ok()?;
            let is_it = |block: &&String| {
                machine.text(&format!("/sys/class/block/{block}/dm/name")).as_deref()
                    == Some(mapped)
            };
            let block = blocks.iter().find(is_it)?;
            fs::canonicalize(machine.path("/sys/class/block").join(block)).ok()
        }
    }
}

/// Goes from a partition, a mapping or an array up to the disks it lies on.
fn collect_disks(device: &Path, depth: usize, disks: &mut Vec<PathBuf>) {
    if depth == 0 {
        return;
    }
    if device.join("partition").exists()
        && let Some(whole) = device.parent()
    {
        return collect_disks(whole, depth - 1, disks);
    }
    let below = names_in(&device.join("slaves")).unwrap_or_default();
    if below.is_empty() {
        disks.push(device.to_owned());
    }
    for name in below {
        if let Ok(device) = fs::canonicalize(device.join("slaves").join(name)) {
            collect_disks(&device, depth - 1, disks);
        }
    }
}

/// The kernel's own word first: it is there from the first moment of a boot, udev's is not.
fn serial(machine: &Machine, disk: &Path) -> Reading<String> {
    let mut refused = None;
    for file in ["serial", "device/serial", "wwid", "device/wwid", "device/cid"] {
        match text_of(&disk.join(file)) {
            Ok(text) if !text.is_empty() => return judge(text),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                refused = Some(file)
            }
            _ => {}
        }
    }
    let database = text_of(&disk.join("dev"))
        .ok()
        .and_then(|number| machine.text(&format!("/run/udev/data/b{number}")));
    let of_udev = database.as_deref().and_then(|text| {
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
        value("E:ID_SERIAL_SHORT=").or_else(|| value("E:ID_SERIAL=")).or_else(|| value("E:ID_WWN="))
    });
    match (of_udev, refused) {
        (Some(serial), _) => judge(serial.trim().to_owned()),
        (None, Some(file)) => {
            Reading::Unreadable(format!("the disk's {file} is not for the agent's user to read"))
        }
        // udev may know what the kernel doesn't tell, and isn't there.
        (None, None) if database.is_none() => Reading::Unreadable(
            "the kernel tells no serial of the disk, and udev's word is not here".to_owned(),
        ),
        (None, None) => Reading::Absent,
    }
}

fn judge(serial: String) -> Reading<String> {
    let last_word = serial.split([' ', '_']).next_back().unwrap_or_default();
    if is_one_digit(&serial) || SHARED.iter().any(|shared| last_word.starts_with(shared)) {
        return Reading::Ignored("the disk's serial is a placeholder".to_owned());
    }
    Reading::Read(serial)
}
