//! A fixed chain whose every value was computed apart from this code, from the formulas of
//! bundle.md §6 alone.

use farhold_audit::{
    Body, ChainPosition, Class, Epoch, Head, Opening, Previous, Record, WireRecord, Withheld,
    Withhold, event_hash, next_head,
};
use farhold_bundle::PublicKey;
use farhold_contract::Timestamp;

use crate::site::tenant;

/// The public key of RFC 8032 §7.1, test 1.
const DEVICE_KEY: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const DEVICE_KEY_ID: &str = "21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9";
const EPOCH: &str = "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf";
const PREVIOUS_EPOCH: &str = "101112131415161718191a1b1c1d1e1f";
const PREVIOUS_SEQ: u64 = 41;
const PREVIOUS_HEAD: [u8; 32] = [0x5a; 32];

/// The head a device's first epoch opens with: nothing before it.
const OPEN_FIRST: &str = "a2985091d7789a94f81e4374bf6f2855db7b6eaa186bfb0bde11a51de77dd6d8";
/// The head the epoch opens with after `PREVIOUS_*`.
const OPEN: &str = "1f062d391f396b930002f6878a8097b66909554298ccb99e411450e3a7d75506";

struct Answer {
    recorded_at_ms: i64,
    tenant_no: usize,
    class: Class,
    salt: [u8; 16],
    event: &'static str,
    event_hash: &'static str,
    head: &'static str,
    line: &'static str,
}

const CHAIN: [Answer; 3] = [
    Answer {
        recorded_at_ms: 1_795_330_800_000,
        tenant_no: 0,
        class: Class::Session,
        salt: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        event: r#"{"type":"login"}"#,
        event_hash: "a99038256cfe2326243475f8f930e94cb674d702d266d0ed9d32114087287d72",
        head: "504286cd769f293e445d1c72019c8c07b859e34ef5c2708595af7dcf60de8abc",
        line: r#"{"seq":1,"recorded_at":"2026-11-22T07:00:00Z","tenant_id":"01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f","class":"session","event_hash":"a99038256cfe2326243475f8f930e94cb674d702d266d0ed9d32114087287d72","salt":"000102030405060708090a0b0c0d0e0f","event":"{\"type\":\"login\"}"}"#,
    },
    Answer {
        recorded_at_ms: 1_795_330_800_250,
        tenant_no: 1,
        class: Class::Usage,
        salt: [0xff; 16],
        event: "{\"type\":\"feature.used\",\"payload\":{\"t\":\"a\\\"b\\\\n\"},\n\"n\":\"Zoë\"}",
        event_hash: "806b3ca7621c1103382a012978e95d6079892e9e3290eee3b3de2a7595cdec51",
        head: "78fa7c41b1ed74ba8bcae6a94ab37a3bc6d03b093c7d68b1f554e96130d197c6",
        line: r#"{"seq":2,"recorded_at":"2026-11-22T07:00:00.250Z","tenant_id":"01939b6e-3c5f-7a31-8b53-0f6f1c2d3e50","class":"usage","event_hash":"806b3ca7621c1103382a012978e95d6079892e9e3290eee3b3de2a7595cdec51","salt":"ffffffffffffffffffffffffffffffff","event":"{\"type\":\"feature.used\",\"payload\":{\"t\":\"a\\\"b\\\\n\"},\n\"n\":\"Zoë\"}"}"#,
    },
    Answer {
        recorded_at_ms: -1,
        tenant_no: 0,
        class: Class::Agent,
        salt: [0; 16],
        event: "",
        event_hash: "359b1e38395f3ef8cc0bd48e7b94bdfdec690e9f2bfe5a4527e5c71754ec052d",
        head: "b48cd250f87f881a41409f236c723806c3eb5bae7ea12f1566731e57031f1454",
        line: r#"{"seq":3,"recorded_at":"1969-12-31T23:59:59.999Z","tenant_id":"01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f","class":"agent","event_hash":"359b1e38395f3ef8cc0bd48e7b94bdfdec690e9f2bfe5a4527e5c71754ec052d","salt":"00000000000000000000000000000000","event":""}"#,
    },
];

const SECOND_WITHHELD: &str = r#"{"seq":2,"recorded_at":"2026-11-22T07:00:00.250Z","tenant_id":"01939b6e-3c5f-7a31-8b53-0f6f1c2d3e50","class":"usage","event_hash":"806b3ca7621c1103382a012978e95d6079892e9e3290eee3b3de2a7595cdec51","withheld":"other_tenant"}"#;

fn opening(previous: Previous) -> Opening {
    let key: PublicKey = DEVICE_KEY.parse().unwrap();
    assert_eq!(key.id().to_string(), DEVICE_KEY_ID);
    Opening { device_key_id: key.id(), epoch: EPOCH.parse().unwrap(), previous }
}

fn second_opening() -> Opening {
    opening(Previous {
        epoch: PREVIOUS_EPOCH.parse().unwrap(),
        seq: PREVIOUS_SEQ,
        head: Head::new(PREVIOUS_HEAD),
    })
}

#[test]
fn epochs_open_with_the_known_heads() {
    assert_eq!(opening(Previous::NONE).head().to_string(), OPEN_FIRST);
    assert_eq!(second_opening().head().to_string(), OPEN);
}

#[test]
fn the_chain_comes_to_the_known_heads_and_lines() {
    let mut position = ChainPosition::start(&second_opening());
    for (at, answer) in CHAIN.iter().enumerate() {
        let before = position.head;
        let record = Record::append(
            &mut position,
            Timestamp::from_ms(answer.recorded_at_ms),
            tenant(answer.tenant_no),
            answer.class,
            answer.salt,
            answer.event.as_bytes().to_vec(),
        );
        assert_eq!(record.link.seq, at as u64 + 1);
        assert_eq!(record.link.event_hash.to_string(), answer.event_hash);
        assert_eq!(event_hash(&answer.salt, &record.event), record.link.event_hash);
        assert_eq!(next_head(&before, &record.link), position.head);
        assert_eq!(position.head.to_string(), answer.head);
        assert_eq!(position.head, answer.head.parse().unwrap());

        let wire = record.wire(Withhold::Nothing).unwrap();
        let mut line = Vec::new();
        wire.to_line(&mut line);
        assert_eq!(String::from_utf8(line.clone()).unwrap(), format!("{}\n", answer.line));
        assert_eq!(WireRecord::parse(&line).unwrap(), wire);
    }
    assert_eq!(position.seq, 3);
}

#[test]
fn a_withheld_record_keeps_its_link() {
    let line = format!("{SECOND_WITHHELD}\n");
    let withheld = WireRecord::parse(line.as_bytes()).unwrap();
    assert_eq!(withheld.body, Body::Withheld(Withheld::OtherTenant));
    let mut again = Vec::new();
    withheld.to_line(&mut again);
    assert_eq!(again, line.as_bytes());
    let before: Head = CHAIN[0].head.parse().unwrap();
    assert_eq!(next_head(&before, &withheld.link).to_string(), CHAIN[1].head);
}

#[test]
fn an_epoch_has_one_spelling() {
    let epoch: Epoch = EPOCH.parse().unwrap();
    assert_eq!(epoch.to_string(), EPOCH);
    assert_eq!(serde_json::to_string(&epoch).unwrap(), format!("\"{EPOCH}\""));
    assert!(EPOCH.to_uppercase().parse::<Epoch>().is_err());
    assert!(EPOCH[2..].parse::<Epoch>().is_err());
}
