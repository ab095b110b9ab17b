//! Binding: components hashed, and machines that changed a little, much, or are others.

use serde_json::{Map, Value, json};

use farhold_contract::Code;

use super::{
    case::{Case, ONE_LICENSE, ONE_NEW, Stands},
    support::{Key, Vendor, device, license_id, with},
    vector::Vector,
};

pub(super) fn vectors() -> Vec<(&'static str, Vector)> {
    let mut vectors = hashes();
    vectors.extend(changes());
    vectors.extend(families());
    vectors.extend(other_hosts());
    vectors.extend(given_up());
    vectors
}

fn hashes() -> Vec<(&'static str, Vector)> {
    // Each hash by another program: printf 'FAMILY%s' VALUE |
    // openssl dgst -sha256 -mac HMAC -macopt hexkey:SALT, cut to 16 digits.
    let salt = std::array::from_fn(|at| at.to_le_bytes()[0]);
    let of = |title, name: &str, value: &str, hash: &str| {
        Case::component(title, salt, name, value.as_bytes()).taken(json!({ "hash": hash }))
    };
    let machine_id = "8c2f1c1d6a3e4b0f9d5e7a6b1c2d3e4f";
    vec![
        (
            "hash-of-a-machine-id",
            of(
                "A name without a dot is hashed whole",
                "machine_id",
                machine_id,
                "a11f48587128e2fd",
            ),
        ),
        (
            "hash-of-an-interface",
            of(
                "Of a name with a dot its family is hashed",
                "nic.eth0",
                "02:00:00:00:00:01",
                "72e592f72e9db18a",
            ),
        ),
        (
            "hash-of-an-interface-renamed",
            of(
                "So that another name hashes to the same",
                "nic.wlan0.100",
                "02:00:00:00:00:01",
                "72e592f72e9db18a",
            ),
        ),
        (
            "hash-of-the-same-value-elsewhere",
            of(
                "Another family hashes to another",
                "disk.root",
                "02:00:00:00:00:01",
                "303b1577dadb1ef2",
            ),
        ),
        (
            "hash-of-a-product-uuid",
            of(
                "A UUID in lower case with hyphens",
                "dmi_product_uuid",
                "4c4c4544-0035-5910-8053-b4c04f564433",
                "1cf9322fc02e375c",
            ),
        ),
        (
            "hash-by-another-salt",
            Case::component(
                "Another salt, another hash",
                [0xff; 16],
                "machine_id",
                machine_id.as_bytes(),
            )
            .taken(json!({ "hash": "3be929b2668cc031" })),
        ),
    ]
}

type Component<'a> = (&'a str, &'a str);

/// What the license is bound to: three of these five.
const MACHINE: [Component<'static>; 5] = [
    ("disk.root", "aa"),
    ("dmi_product_uuid", "bb"),
    ("machine_id", "cc"),
    ("nic.eth0", "dd"),
    ("nic.eth1", "ee"),
];

fn hashed(components: &[Component<'_>]) -> Map<String, Value> {
    components.iter().map(|(name, byte)| ((*name).to_owned(), json!(byte.repeat(8)))).collect()
}

fn bound(serial: u64, binding: Value) -> Vec<u8> {
    let vendor = Vendor::new(1);
    let to = json!({ "modes": ["detached"], "binding": binding });
    vendor.sign_license(&with(vendor.license_json(serial), to))
}

fn to_components(components: &[Component<'_>], require: usize) -> Vec<u8> {
    bound(1, json!({ "fingerprint": { "components": hashed(components), "require": require } }))
}

fn at_machine(title: &str, section: &str, license: Vec<u8>, machine: &[Component<'_>]) -> Case {
    let case = Case::import(title, section, &[Vendor::new(1).root_line()], &[license]);
    case.at_detached_site().with(|vector| {
        let site = vector.site.as_mut().expect("it has just been given one");
        let machine = machine.iter().map(|(name, byte)| ((*name).to_owned(), byte.repeat(8)));
        site.fingerprint = machine.collect();
    })
}

fn changes() -> Vec<(&'static str, Vector)> {
    let holds = |title, machine: &[Component<'_>]| {
        at_machine(title, "§4.2", to_components(&MACHINE, 3), machine).taken(ONE_LICENSE)
    };
    let fails = |title, machine: &[Component<'_>]| {
        at_machine(title, "§4.2", to_components(&MACHINE, 3), machine)
            .refused_at(1, Code::LicenseBinding)
    };
    let [disk, dmi, id, eth0, eth1] = MACHINE;
    vec![
        ("nothing-changed", holds("Nothing changed", &MACHINE)),
        (
            "nic-changed",
            holds("One network card changed", &[disk, dmi, id, ("nic.eth0", "00"), eth1]),
        ),
        ("disk-changed", holds("The disk changed", &[("disk.root", "00"), dmi, id, eth0, eth1])),
        (
            "hostname-changed",
            holds(
                "A component that nobody asks for",
                &[disk, dmi, id, eth0, eth1, ("hostname", "00")],
            ),
        ),
        ("interface-gone", holds("A network card is gone", &[disk, dmi, id, eth0])),
        (
            "interface-added",
            holds("A network card more", &[disk, dmi, id, eth0, eth1, ("nic.docker", "00")]),
        ),
        (
            "disk-and-nic-changed",
            holds("Two of five changed", &[("disk.root", "00"), dmi, id, ("nic.eth0", "00"), eth1]),
        ),
        (
            "virtual-machine-migrated",
            holds(
                "Another host gave new network cards",
                &[disk, dmi, id, ("nic.eth0", "00"), ("nic.eth1", "11")],
            ),
        ),
        (
            "virtual-machine-copied",
            fails(
                "A copy was given a product uuid and network cards of its own",
                &[disk, ("dmi_product_uuid", "00"), id, ("nic.eth0", "00"), ("nic.eth1", "11")],
            ),
        ),
        (
            "container-recreated",
            fails(
                "A new container has only the host's disk",
                &[disk, ("machine_id", "00"), ("nic.eth0", "00")],
            ),
        ),
        (
            "machine-id-of-a-golden-image",
            fails("A machine-id that many machines share is one component", &[id]),
        ),
        ("nothing-read", fails("Nothing of the machine is known", &[])),
        (
            "three-of-a-cluster",
            at_machine(
                "What a cluster or a cloud says of a machine is a component",
                "§4.2",
                to_components(&[("cloud_instance_id", "aa"), ("cluster_id", "bb")], 1),
                &[("cloud_instance_id", "00"), ("cluster_id", "bb")],
            )
            .taken(ONE_LICENSE),
        ),
    ]
}

fn families() -> Vec<(&'static str, Vector)> {
    let of = |title, bound: &[Component<'_>], require, machine: &[Component<'_>]| {
        at_machine(title, "§7.2", to_components(bound, require), machine)
    };
    let two = [("nic.eth0", "aa"), ("nic.eth1", "bb")];
    let twins = [("nic.eth0", "aa"), ("nic.eth1", "aa")];
    vec![
        (
            "interfaces-renamed",
            of(
                "A renamed interface is no change",
                &two,
                2,
                &[("nic.enp1s0", "aa"), ("nic.enp2s0", "bb")],
            )
            .taken(ONE_LICENSE),
        ),
        (
            "interfaces-swapped",
            of("Nor is another order", &two, 2, &[("nic.eth0", "bb"), ("nic.eth1", "aa")])
                .taken(ONE_LICENSE),
        ),
        (
            "interface-with-a-dot-in-its-name",
            of(
                "A family ends at the first dot",
                &two,
                2,
                &[("nic.eth0.100", "aa"), ("nic.eth1", "bb")],
            )
            .taken(ONE_LICENSE),
        ),
        (
            "same-hash-in-another-family",
            of(
                "A component of another family is another",
                &two,
                2,
                &[("nic.eth0", "aa"), ("disk.root", "bb")],
            )
            .refused_at(1, Code::LicenseBinding),
        ),
        (
            "one-interface-for-two",
            of(
                "A component of the machine counts once",
                &twins,
                2,
                &[("nic.eth0", "aa"), ("nic.eth1", "bb")],
            )
            .refused_at(1, Code::LicenseBinding),
        ),
        (
            "two-interfaces-for-two",
            of("Two of one hash are two", &twins, 2, &[("nic.a", "aa"), ("nic.b", "aa")])
                .taken(ONE_LICENSE),
        ),
        (
            "family-without-a-dot",
            of("A name that is its family", &[("nic", "aa")], 1, &[("nic.eth0", "aa")])
                .taken(ONE_LICENSE),
        ),
    ]
}

fn other_hosts() -> Vec<(&'static str, Vector)> {
    let here = bound(1, json!({ "device_key": device().public() }));
    let elsewhere = bound(1, json!({ "device_key": Key::new(b"another device").public() }));
    let copied = [Vendor::new(1).root_line(), elsewhere.clone()];
    vec![
        (
            "copied-from-another-host",
            Case::import(
                "The second copy of another host",
                "§4.2",
                &[Vendor::new(1).root_line()],
                &copied,
            )
            .at_detached_site()
            .refused_at(2, Code::LicenseBinding),
        ),
        (
            "state-copied-from-another-host",
            Case::import(
                "Where another host's license stands, an own one is taken",
                "§4.2",
                &copied,
                &[bound(2, json!({ "device_key": device().public() }))],
            )
            .at_detached_site()
            .taken(Stands { serials: &[1, 2], ..ONE_NEW }),
        ),
        (
            "bound-to-this-key-on-another-machine",
            at_machine(
                "An agent is its device key, whatever the machine",
                "§7.3",
                here,
                &[("machine_id", "00")],
            )
            .taken(ONE_LICENSE),
        ),
    ]
}

fn given_up() -> Vec<(&'static str, Vector)> {
    let vendor = Vendor::new(1);
    let offered = |title, standing: &[u64], line: Vec<u8>| {
        let mut lines = vec![vendor.root_line()];
        lines.extend(standing.iter().map(|&serial| vendor.license_line(serial)));
        Case::import(title, "§7.3", &lines, &[line]).at_site().with(|vector| {
            let site = vector.site.as_mut().expect("it has just been given one");
            let id = license_id(1).parse().expect("the constant is an id");
            site.released.insert(id, farhold_bundle::Positive::new(3).expect("3 is positive"));
        })
    };
    let labs = json!({ "product": "labs", "license_id": license_id(2) });
    vec![
        (
            "given-up",
            offered("A license given up here is refused", &[], vendor.license_line(3))
                .refused_at(1, Code::LicenseReleased),
        ),
        (
            "given-up-in-a-later-serial",
            offered("So is a serial before it", &[], vendor.license_line(1))
                .refused_at(1, Code::LicenseReleased),
        ),
        (
            "given-up-and-issued-anew",
            offered("A later serial is a new word", &[3], vendor.license_line(4))
                .taken(Stands { serials: &[3, 4], ..ONE_NEW }),
        ),
        (
            "given-up-grants-nothing",
            offered(
                "What was given up conflicts with nothing",
                &[3],
                vendor.sign_license(&with(vendor.license_json(1), labs)),
            )
            .taken(Stands { serials: &[3, 1], ..ONE_NEW }),
        ),
    ]
}
