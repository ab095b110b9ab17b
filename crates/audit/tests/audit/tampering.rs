//! Honest exports verify and come to a reference's heads; changed ones are refused.

use farhold_audit::{Body, Class, WireRecord, Withheld, Withhold};
use farhold_bundle::Signer;
use proptest::{prelude::*, sample::Index};
use sha2::{Digest, Sha256};

use crate::site::{Site, tenant, verify, verify_file};

#[test]
fn every_single_bit_flip_of_an_export_is_refused() {
    let site = Site::with_records(3);
    let key = site.key.public_key();
    let one_withheld = Withhold::OthersThan(tenant(0));
    let file = site.export(0, one_withheld).concat();
    assert!(verify_file(&file, Some(key)).is_ok());
    let mut changed = file.clone();
    for at in 0..file.len() {
        for bit in 0..8 {
            changed[at] ^= 1 << bit;
            assert!(verify_file(&changed, Some(key)).is_err(), "byte {at} bit {bit}");
            changed[at] = file[at];
        }
    }
}

/// One record as the property makes it up.
#[derive(Debug, Clone)]
struct Made {
    at_ms: i64,
    tenant_no: usize,
    class: Class,
    event: String,
    body: BodyMade,
}

#[derive(Debug, Clone, Copy)]
enum BodyMade {
    Kept,
    Withheld(Withheld),
}

fn made() -> impl Strategy<Value = Made> {
    let body = prop_oneof![
        3 => Just(BodyMade::Kept),
        1 => prop::sample::select(vec![Withheld::OtherTenant, Withheld::Erased, Withheld::Expired])
            .prop_map(BodyMade::Withheld),
    ];
    (
        -62_135_596_800_000_i64..=253_402_300_799_999,
        0_usize..3,
        prop::sample::select(Class::ALL.to_vec()),
        "(?s).{0,40}",
        body,
    )
        .prop_map(|(at_ms, tenant_no, class, event, body)| Made {
            at_ms,
            tenant_no,
            class,
            event,
            body,
        })
}

fn site_of(made: &[Made]) -> Site {
    let mut site = Site::new(7);
    for one in made {
        site.append(one.at_ms, one.tenant_no, one.class, &one.event);
    }
    site
}

fn lines_of(site: &Site, made: &[Made], from: usize) -> Vec<Vec<u8>> {
    let records =
        site.records[from..].iter().zip(&made[from..]).map(|(record, one)| match one.body {
            BodyMade::Kept => record.wire(Withhold::Nothing).unwrap(),
            BodyMade::Withheld(why) => WireRecord { link: record.link, body: Body::Withheld(why) },
        });
    site.export_wire(from, records)
}

/// The chain by the letter of bundle.md §6, with nothing of the crate's: one text to hash a step.
fn reference_heads(site: &Site, made: &[Made]) -> Vec<[u8; 32]> {
    let key_id: [u8; 32] = Sha256::digest(site.key.public_key().as_bytes()).into();
    let mut open = b"farhold.epoch.v1\0".to_vec();
    open.extend(key_id);
    open.extend([7; 16]);
    open.extend([0; 16 + 8 + 32]);
    let mut heads: Vec<[u8; 32]> = vec![Sha256::digest(open).into()];
    for (at, one) in made.iter().enumerate() {
        let mut event = b"farhold.event.v1\0".to_vec();
        event.extend([at as u8; 16]);
        event.extend(one.event.bytes());
        let mut record = b"farhold.record.v1\0".to_vec();
        record.extend(heads[at]);
        record.extend((at as u64 + 1).to_be_bytes());
        record.extend(one.at_ms.to_be_bytes());
        record.extend(tenant(one.tenant_no).as_bytes());
        record.push(match one.class {
            Class::Usage => 1,
            Class::Security => 2,
            Class::Session => 3,
            Class::Error => 4,
            Class::Agent => 5,
            Class::Product => 6,
        });
        record.extend(Sha256::digest(event));
        heads.push(Sha256::digest(record).into());
    }
    heads
}

/// What someone may do to a file between the site and the vendor.
#[derive(Debug, Clone)]
enum Change {
    FlipBit(Index, u8),
    Swap(Index, Index),
    Remove(Index),
    Duplicate(Index, Index),
    InsertForeign(Index, Made),
    ReplaceForeign(Index, Made),
    CutOff(Index),
    DropLineFeed(Index),
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<Index>;
    prop_oneof![
        4 => (index(), 0_u8..8).prop_map(|(at, bit)| Change::FlipBit(at, bit)),
        1 => (index(), index()).prop_map(|(a, b)| Change::Swap(a, b)),
        1 => index().prop_map(Change::Remove),
        1 => (index(), index()).prop_map(|(from, to)| Change::Duplicate(from, to)),
        1 => (index(), made()).prop_map(|(at, made)| Change::InsertForeign(at, made)),
        1 => (index(), made()).prop_map(|(at, made)| Change::ReplaceForeign(at, made)),
        1 => index().prop_map(Change::CutOff),
        1 => index().prop_map(Change::DropLineFeed),
    ]
}

/// The file after the change.
fn changed(mut lines: Vec<Vec<u8>>, change: Change, from: usize) -> Vec<u8> {
    let last = lines.len();
    // A record as genuine as the others, of a chain that is not this one.
    let foreign = |at: usize, mut made: Made| {
        made.event.push('!');
        let history = vec![made.clone(); from + at];
        let site = site_of(&history);
        lines_of(&site, &history, from + at - 1).pop().unwrap()
    };
    match change {
        Change::FlipBit(at, bit) => {
            let mut file = lines.concat();
            let at = at.index(file.len());
            file[at] ^= 1 << bit;
            return file;
        }
        Change::Swap(a, b) => lines.swap(a.index(last), b.index(last)),
        Change::Remove(at) => drop(lines.remove(at.index(last))),
        Change::Duplicate(from, to) => {
            let line = lines[from.index(last)].clone();
            lines.insert(to.index(last + 1), line);
        }
        Change::InsertForeign(at, made) => {
            let at = 1 + at.index(last);
            lines.insert(at, foreign(at, made));
        }
        Change::ReplaceForeign(at, made) => {
            let at = 1 + at.index(last - 1);
            lines[at] = foreign(at, made);
        }
        Change::CutOff(at) => {
            let mut file = lines.concat();
            file.truncate(at.index(file.len()));
            return file;
        }
        Change::DropLineFeed(at) => drop(lines[at.index(last)].pop()),
    }
    lines.concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn an_honest_export_verifies_and_comes_to_the_references_heads(
        made in prop::collection::vec(made(), 0..10), from: Index,
    ) {
        let site = site_of(&made);
        let heads: Vec<[u8; 32]> =
            site.positions.iter().map(|position| *position.head.as_bytes()).collect();
        prop_assert_eq!(heads, reference_heads(&site, &made));
        let from = from.index(made.len() + 1);
        let lines = lines_of(&site, &made, from);
        let summary = verify(&lines, Some(site.key.public_key())).unwrap();
        prop_assert_eq!(summary.after(), site.end());
        let withheld =
            made[from..].iter().filter(|one| !matches!(one.body, BodyMade::Kept)).count();
        prop_assert_eq!(summary.withheld().values().sum::<u64>(), withheld as u64);
        for (line, one) in lines[1..].iter().zip(&made[from..]) {
            if let Body::Kept { event, .. } = WireRecord::parse(line).unwrap().body {
                prop_assert_eq!(&event, &one.event);
            }
        }
    }

    #[test]
    fn a_changed_export_is_refused(
        made in prop::collection::vec(made(), 1..8), from: Index, change in change(),
    ) {
        let site = site_of(&made);
        let from = from.index(made.len());
        let lines = lines_of(&site, &made, from);
        let honest = lines.concat();
        let file = changed(lines, change, from);
        // A line swapped with itself is no change.
        prop_assume!(file != honest);
        prop_assert!(verify_file(&file, Some(site.key.public_key())).is_err());
        prop_assert!(verify_file(&file, None).is_err());
    }
}
