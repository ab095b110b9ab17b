//! What is read of a machine, and what is not counted.

use farhold_agent::{
    config::{Config, RawConfig},
    machine::{Machine, Reading, Surroundings},
};

use super::tree::{MACHINE_ID, Tree};

fn config(text: &str) -> Config {
    let mut raw = RawConfig::default();
    raw.lay_file("agent.toml".as_ref(), text).unwrap();
    Config::resolve(&raw).unwrap()
}

fn machine(tree: &Tree) -> Machine {
    Machine::at(tree.path(), &config(""))
}

/// What was read, as `name=value`.
fn read(tree: &Tree) -> Vec<String> {
    let readings = machine(tree).look().readings;
    let value = |(name, reading)| match reading {
        Reading::Read(value) => {
            let value: farhold_agent::machine::RawValue = value;
            Some(format!("{name}={}", value.danger_shown()))
        }
        _ => None,
    };
    readings.into_iter().filter_map(value).collect()
}

/// How a component was not read: the outcome and the reason.
#[track_caller]
fn not_read(tree: &Tree, name: &str) -> (&'static str, String) {
    let reading = machine(tree).look().readings.remove(name).unwrap();
    assert!(!matches!(reading, Reading::Read(_)), "{name} was read");
    (reading.as_str(), reading.reason().unwrap_or_default().to_owned())
}

#[test]
fn a_server_is_read_down_to_the_disk_below_its_volume() {
    let tree = Tree::bare_metal();
    assert_eq!(
        read(&tree),
        [
            "disk.root=naa.5000c500a1b2c3d4",
            "dmi_product_uuid=4c4c4544-0051-3510-8052-b4c04f4a3732",
            &format!("machine_id={MACHINE_ID}"),
            "nic.eth0=b4:45:06:01:02:03",
            "nic.eth1=b4:45:06:01:02:04",
        ]
    );
    let look = machine(&tree).look();
    assert_eq!(look.environment.kind, Surroundings::BareMetal);
    assert_eq!(look.cpu_model.unwrap(), "Example CPU 9000");
    assert!(!look.readings.contains_key("nic.docker0"), "a bridge is no card");
}

#[test]
fn a_virtual_machine_is_recognized_and_its_invented_address_is_not_counted() {
    let tree = Tree::virtual_machine();
    assert_eq!(machine(&tree).look().environment.kind, Surroundings::VirtualMachine);
    let read = read(&tree);
    assert!(read.contains(&"cloud_instance_id=i-0a1b2c3d4e5f60718".to_owned()), "{read:?}");
    assert!(read.contains(&"disk.root=vol-0123456789abcdef".to_owned()), "{read:?}");
    assert_eq!(not_read(&tree, "nic.ens3").0, "ignored");
}

#[test]
fn a_clouds_bare_machine_is_none_of_its_virtual_ones() {
    let tree = Tree::bare_metal();
    tree.write("sys/class/dmi/id/sys_vendor", "Amazon EC2");
    tree.write("sys/class/dmi/id/board_asset_tag", "i-0123456789abcdef0");
    let look = machine(&tree).look();
    assert_eq!(look.environment.kind, Surroundings::BareMetal);
    assert!(read(&tree).contains(&"cloud_instance_id=i-0123456789abcdef0".to_owned()));
}

#[test]
fn a_container_is_recognized_and_what_it_hides_is_unknown() {
    let tree = Tree::container();
    assert_eq!(machine(&tree).look().environment.kind, Surroundings::Container);
    assert_eq!(not_read(&tree, "nic").0, "unreadable", "the machine has cards, out of sight");
    assert_eq!(not_read(&tree, "disk.root").0, "unreadable");
    assert_eq!(not_read(&tree, "machine_id").0, "absent");
    tree.remove(".dockerenv");
    let environment = machine(&tree).look().environment;
    assert_eq!(environment.kind, Surroundings::Container, "by layers and control groups alone");
    for (path, text) in [("run/.containerenv", ""), ("run/systemd/container", "lxc")] {
        let tree = Tree::bare_metal();
        tree.write(path, text);
        assert_eq!(machine(&tree).look().environment.kind, Surroundings::Container, "{path}");
    }
}

#[test]
fn a_pod_is_recognized_and_its_cluster_is_what_the_configuration_says() {
    let tree = Tree::container();
    tree.write("proc/self/cgroup", "0::/kubepods.slice/kubepods-pod1.slice/cri-1.scope");
    assert_eq!(machine(&tree).look().environment.kind, Surroundings::Kubernetes);
    assert_eq!(not_read(&tree, "cluster_id").0, "absent");
    let named = config("[machine]\ncluster_id = \"6F1C2D3E-4F01-4B53-8A31-3C5F01939B6E\"\n");
    let mut readings = Machine::at(tree.path(), &named).look().readings;
    let Some(Reading::Read(id)) = readings.remove("cluster_id") else { panic!("not read") };
    assert_eq!(id.danger_shown(), "6f1c2d3e-4f01-4b53-8a31-3c5f01939b6e");
}

#[test]
fn a_machine_id_that_many_machines_have_is_ignored_with_a_reason() {
    let tree = Tree::bare_metal();
    for shared in [
        "",
        "uninitialized",
        "00000000000000000000000000000000",
        "d41d8cd98f00b204e9800998ecf8427e",
        "0123456789ABCDEF0123456789ABCDEF",
        "a-name",
    ] {
        tree.write("etc/machine-id", shared);
        let (outcome, reason) = not_read(&tree, "machine_id");
        assert_eq!(outcome, "ignored", "{shared:?}");
        assert!(reason.starts_with("the machine-id "), "{reason}");
        assert!(shared.len() < 32 || !reason.contains(shared), "no value in a reason: {reason}");
    }
    tree.remove("etc/machine-id");
    tree.write("var/lib/dbus/machine-id", MACHINE_ID);
    assert!(read(&tree).contains(&format!("machine_id={MACHINE_ID}")), "without systemd");
}

#[test]
fn placeholders_of_makers_and_emulators_are_ignored() {
    let tree = Tree::bare_metal();
    for uuid in [
        "00000000-0000-0000-0000-000000000000",
        "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        "FEFEFEFE-FEFE-FEFE-FEFE-FEFEFEFEFEFE",
        "03000200-0400-0500-0006-000700080009",
        "Not Specified",
    ] {
        tree.write("sys/class/dmi/id/product_uuid", uuid);
        assert_eq!(not_read(&tree, "dmi_product_uuid").0, "ignored", "{uuid}");
    }
    for serial in ["t10.ATA     QEMU HARDDISK                           QM00001", "0000000000"] {
        tree.write("sys/devices/sda/device/wwid", serial);
        assert_eq!(not_read(&tree, "disk.root").0, "ignored", "{serial}");
    }
    tree.write("sys/class/net/eth0/address", "00:00:00:00:00:00");
    assert_eq!(not_read(&tree, "nic.eth0").0, "ignored");
    tree.write("var/lib/cloud/data/instance-id", "iid-datasource-none");
    assert_eq!(not_read(&tree, "cloud_instance_id").0, "ignored");
}

#[test]
fn what_root_alone_may_read_is_handed_over_by_the_service_manager() {
    let tree = Tree::bare_metal();
    tree.spoil("sys/class/dmi/id/product_uuid");
    assert_eq!(not_read(&tree, "dmi_product_uuid").0, "unreadable");
    tree.write("credentials/farhold.product_uuid", "4C4C4544-0051-3510-8052-B4C04F4A3732");
    let machine = machine(&tree).with_credentials(tree.path().join("credentials"));
    let reading = machine.look().readings.remove("dmi_product_uuid").unwrap();
    assert_eq!(reading.as_str(), "read");
    tree.write("credentials/farhold.product_uuid", "");
    let reading = machine.look().readings.remove("dmi_product_uuid").unwrap();
    assert_eq!(reading.as_str(), "unreadable", "the unit's default stands for nothing");
}

#[test]
fn a_card_counts_by_the_address_it_was_made_with() {
    let tree = Tree::bare_metal();
    // In a bond both cards show the address of the first.
    tree.write("sys/class/net/eth1/address", "b4:45:06:01:02:03");
    tree.write("sys/class/net/eth1/addr_assign_type", "2");
    tree.write("sys/class/net/eth1/bonding_slave/perm_hwaddr", "b4:45:06:01:02:04");
    assert!(read(&tree).contains(&"nic.eth1=b4:45:06:01:02:04".to_owned()));
    tree.write("sys/class/net/eth0/addr_assign_type", "3");
    assert_eq!(not_read(&tree, "nic.eth0").0, "unreadable", "the card's own is not shown");
    tree.card("eth2", "b4:45:06:01:02:05");
    tree.write("sys/class/net/eth2/device/physfn/vendor", "0x8086");
    assert!(!machine(&tree).look().readings.contains_key("nic.eth2"), "a slice of a card");
    tree.card("eth 3", "b4:45:06:01:02:06");
    assert!(!machine(&tree).look().readings.contains_key("nic.eth 3"), "no license can name it");
}

#[test]
fn a_disk_tells_its_serial_in_many_places() {
    let tree = Tree::bare_metal();
    for (file, serial) in
        [("device/serial", "S4EVNX0R"), ("wwid", "eui.0025388b01"), ("device/cid", "150100")]
    {
        tree.disk("nvme0n1", "259:0", file, serial);
        tree.mounted("259:0", "xfs", "/dev/nvme0n1");
        assert_eq!(read(&tree)[0], format!("disk.root={serial}"));
        tree.remove("sys/devices/nvme0n1");
        tree.remove("sys/dev/block/259:0");
    }
    tree.disk("vdb", "254:16", "size", "1");
    tree.mounted("254:16", "ext4", "/dev/vdb");
    assert_eq!(not_read(&tree, "disk.root").0, "unreadable", "udev has not come up yet");
    tree.write("run/udev/data/b254:16", "E:DEVTYPE=disk\nE:ID_SERIAL=volume-7\n");
    assert_eq!(read(&tree)[0], "disk.root=volume-7");
    tree.write("run/udev/data/b254:16", "E:DEVTYPE=disk");
    assert_eq!(not_read(&tree, "disk.root").0, "absent");
}

#[test]
fn an_array_is_all_of_its_disks_and_btrfs_lies_on_one() {
    let tree = Tree::bare_metal();
    tree.disk("sdb", "8:16", "device/wwid", "naa.5000c500a1b2c3d5");
    tree.mapping("md0", "9:0", &["sda/sda2", "sdb"]);
    tree.mounted("9:0", "ext4", "/dev/md0");
    assert_eq!(read(&tree)[0], "disk.root=naa.5000c500a1b2c3d4+naa.5000c500a1b2c3d5");
    tree.mounted("0:30", "btrfs", "/dev/sda2");
    tree.link("sys/class/block/sda2", "../../devices/sda/sda2");
    assert_eq!(read(&tree)[0], "disk.root=naa.5000c500a1b2c3d4");
    tree.link("sys/class/block/dm-0", "../../devices/dm-0");
    tree.write("sys/devices/dm-0/dm/name", "luks-root");
    tree.mounted("0:31", "btrfs", "/dev/mapper/luks-root");
    assert_eq!(read(&tree)[0], "disk.root=naa.5000c500a1b2c3d4");
    tree.mounted("0:32", "zfs", "rpool/ROOT/debian");
    assert_eq!(not_read(&tree, "disk.root").0, "unreadable");
}

#[test]
fn an_empty_tree_is_a_machine_of_which_nothing_is_known() {
    let empty = tempfile::tempdir().unwrap();
    let look = Machine::at(empty.path(), &config("")).look();
    assert!(look.readings.values().all(|reading| !matches!(reading, Reading::Read(_))));
    assert_eq!(look.cpu_model, None);
}
