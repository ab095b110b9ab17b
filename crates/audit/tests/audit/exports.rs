use std::collections::BTreeMap;

use farhold_audit::{
    Body, ChainBreak, Class, DeviceKey, ExportError, ExportVerifier, ExportWriter, LIMITS,
    RecordError, WireRecord, Withheld, Withhold, checkpoint,
};
use farhold_bundle::{Signer, payload::Receipt, seal};
use farhold_contract::{Code, Timestamp};

use crate::site::{Key, Site, standing, tenant, verify, verify_file};

fn refusal(lines: &[Vec<u8>]) -> ExportError {
    verify(lines, None).unwrap_err()
}

#[test]
fn an_honest_export_verifies_and_is_summed_up() {
    let site = Site::with_records(8);
    let summary = verify(&site.export(0, Withhold::Nothing), Some(site.key.public_key())).unwrap();
    assert_eq!(summary.records(), 8);
    assert_eq!(summary.before(), site.positions[0]);
    assert_eq!(summary.after(), site.end());
    assert_eq!(summary.device(), DeviceKey::Known);
    assert_eq!(summary.by_class()[&Class::Usage], 2);
    assert_eq!(summary.by_class()[&Class::Product], 1);
    assert_eq!(summary.by_class().values().sum::<u64>(), 8);
    assert!(summary.withheld().is_empty());
    assert_eq!(summary.checkpoint().content(), &site.checkpoint(0));
}

#[test]
fn an_export_may_begin_anywhere_and_may_be_empty() {
    let site = Site::with_records(5);
    let tail = verify(&site.export(3, Withhold::Nothing), None).unwrap();
    assert_eq!((tail.before().seq, tail.records(), tail.after()), (3, 2, site.end()));
    let none = verify(&site.export(5, Withhold::Nothing), None).unwrap();
    assert_eq!((none.records(), none.after()), (0, site.end()));
    let fresh = Site::new(1);
    assert_eq!(verify(&fresh.export(0, Withhold::Nothing), None).unwrap().records(), 0);
}

#[test]
fn withholding_keeps_an_export_verifying() {
    let site = Site::with_records(5);
    let lines = site.export(0, Withhold::OthersThan(tenant(0)));
    let summary = verify(&lines, None).unwrap();
    assert_eq!(summary.withheld(), &BTreeMap::from([(Withheld::OtherTenant, 2)]));
    assert_eq!(summary.after(), site.end());
    let file = String::from_utf8(lines.concat()).unwrap();
    assert!(file.contains(r#"{\"n\":0}"#) && !file.contains(r#"{\"n\":1}"#));

    let reasons = [Withheld::Erased, Withheld::Expired];
    let records = site.records.iter().enumerate().map(|(at, record)| WireRecord {
        link: record.link,
        body: Body::Withheld(reasons[at % 2]),
    });
    let summary = verify(&site.export_wire(0, records), None).unwrap();
    assert_eq!(
        summary.withheld(),
        &BTreeMap::from([(Withheld::Erased, 3), (Withheld::Expired, 2)])
    );
}

#[test]
fn a_key_nobody_knew_is_only_claimed_and_another_key_is_refused() {
    let site = Site::with_records(2);
    let lines = site.export(0, Withhold::Nothing);
    assert_eq!(verify(&lines, None).unwrap().device(), DeviceKey::Claimed);
    let stranger = Key::new(99);
    let refused = verify(&lines, Some(stranger.public_key())).unwrap_err();
    assert_eq!(refused.code(), Code::SignatureKeyUnknown);
}

#[test]
fn a_checkpoint_is_signed_by_the_device_it_names() {
    let site = Site::with_records(1);
    let thief = Key::new(99);
    let mut line = seal(&site.checkpoint(0), &thief).unwrap();
    line.push(b'\n');
    let known = ExportVerifier::open(&line, Some(thief.public_key())).unwrap_err();
    assert!(matches!(known, ExportError::Device { .. }));
    assert_eq!(known.code(), Code::SignatureInvalid);
    let claimed = ExportVerifier::open(&line, None).unwrap_err();
    assert_eq!(claimed.code(), Code::SignatureKeyUnknown);
    let mut out = Vec::new();
    let writer = ExportWriter::begin(&site.checkpoint(0), &thief, &mut out);
    assert!(matches!(writer, Err(ExportError::Device { .. })) && out.is_empty());
}

#[test]
fn the_first_line_is_a_checkpoint_and_nothing_else() {
    let site = Site::with_records(1);
    let lines = site.export(0, Withhold::Nothing);
    assert_eq!(refusal(&lines[1..]).code(), Code::EnvelopeMalformed);
    assert_eq!(verify_file(b"", None).unwrap_err().code(), Code::EnvelopeMalformed);

    let receipt = Receipt {
        device_key: site.key.public_key().clone(),
        epoch: "00".repeat(16),
        seq: farhold_bundle::Positive::MIN,
        head: site.end().head.into(),
        received_at: Timestamp::from_ms(0),
    };
    let mut line = seal(&receipt, &site.key).unwrap();
    line.push(b'\n');
    assert_eq!(ExportVerifier::open(&line, None).unwrap_err().code(), Code::PayloadType);
    let known = ExportVerifier::open(&line, Some(site.key.public_key())).unwrap_err();
    assert_eq!(known.code(), Code::PayloadType);
}

#[test]
fn record_1_follows_the_opening_of_its_device_and_epoch() {
    let site = Site::with_records(2);
    let mut forged = site.checkpoint(0);
    forged.epoch = "ee".repeat(16);
    let mut line = seal(&forged, &site.key).unwrap();
    line.push(b'\n');
    let refused = ExportVerifier::open(&line, None).unwrap_err();
    assert!(matches!(refused, ExportError::Chain(ChainBreak::Opening)));
    assert_eq!(refused.code(), Code::ChainBroken);
}

#[test]
fn each_kind_of_damage_is_named() {
    let lines = Site::with_records(6).export(0, Withhold::Nothing);
    let changed = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut lines = lines.clone();
        change(&mut lines);
        refusal(&lines)
    };
    let replaced = |at: usize, from: &str, to: &str| {
        changed(&|lines| {
            let line = String::from_utf8(lines[at].clone()).unwrap();
            assert!(line.contains(from), "{line}");
            lines[at] = line.replacen(from, to, 1).into_bytes();
        })
    };

    let gap = changed(&|lines| drop(lines.remove(3)));
    assert!(matches!(gap, ExportError::Chain(ChainBreak::Gap { expected: 3, found: 4 })));
    assert_eq!(gap.code(), Code::AuditGap);

    let cut = changed(&|lines| lines.truncate(4));
    assert!(matches!(
        cut,
        ExportError::Chain(ChainBreak::Unfinished { first_missing: 4, last: 6 })
    ));
    assert_eq!(cut.code(), Code::AuditGap);

    let again = changed(&|lines| lines.insert(3, lines[2].clone()));
    assert!(matches!(again, ExportError::Chain(ChainBreak::Order { expected: 3, found: 2 })));
    assert_eq!(again.code(), Code::ChainBroken);

    let longer = Site::with_records(7).export(0, Withhold::Nothing);
    let surplus = changed(&|lines| lines.push(longer[7].clone()));
    assert!(matches!(surplus, ExportError::Chain(ChainBreak::Surplus { last: 6, found: 7 })));
    assert_eq!(surplus.code(), Code::ChainBroken);

    let event = replaced(2, r#"{\"n\":1}"#, r#"{\"n\":2}"#);
    assert!(matches!(event, ExportError::Chain(ChainBreak::Event { seq: 2 })));
    assert_eq!(event.code(), Code::ChainBroken);

    for (from, to) in
        [("07:00:00.002Z", "07:00:00.003Z"), ("3e4f", "3e50"), ("\"session\"", "\"usage\"")]
    {
        let head = replaced(3, from, to);
        assert!(matches!(head, ExportError::Chain(ChainBreak::Head { seq: 6 })), "{from}");
        assert_eq!(head.code(), Code::ChainBroken);
    }
}

#[test]
fn a_line_has_one_spelling() {
    let lines = Site::with_records(1).export(0, Withhold::Nothing);
    let good = std::str::from_utf8(&lines[1]).unwrap();
    let why = |line: String| WireRecord::parse(line.as_bytes()).unwrap_err();

    assert!(matches!(why(good.replace('\n', "\r\n")), RecordError::CarriageReturn));
    let cut_off = why(good.trim_end().to_owned());
    assert!(matches!(cut_off, RecordError::Unterminated));
    assert_eq!(cut_off.code(), Code::AuditGap);
    assert!(matches!(why("\n".to_owned()), RecordError::Malformed(_)));
    assert!(matches!(
        why(good.replace("session", "holiday").replace("usage", "holiday")),
        RecordError::Malformed(_)
    ));
    assert!(matches!(
        why(good.replace("{\"seq\":1", "{\"seq\":1,\"seq\":1")),
        RecordError::Malformed(_)
    ));
    assert!(matches!(
        why(good.replace("{\"seq\":1", "{\"x\":1,\"seq\":1")),
        RecordError::Malformed(_)
    ));
    assert!(matches!(why(good.replace(":00Z", ":00+00:00")), RecordError::Malformed(_)));
    assert!(matches!(why(format!("\u{feff}{good}")), RecordError::Malformed(_)));
    for (from, to) in [
        ("{\"seq\"", "{ \"seq\""),
        (":00Z", ":00.000Z"),
        ("\"event\"", "\"e\\u0076ent\""),
        ("\\\"n\\\"", "\\u0022n\\\""),
        ("}\n", "} \n"),
    ] {
        let line = good.replacen(from, to, 1);
        assert_ne!(line, good);
        assert!(matches!(why(line), RecordError::Spelling), "{to}");
    }
    let both = good.replace("}\"}", "}\",\"withheld\":\"erased\"}");
    assert!(matches!(why(both), RecordError::Body));
    let salt_only = format!("{}}}\n", &good[..good.find(",\"event\":").unwrap()]);
    assert!(matches!(why(salt_only), RecordError::Body));
    let neither = format!("{}}}\n", &good[..good.find(",\"salt\"").unwrap()]);
    assert!(matches!(why(neither), RecordError::Body));
    let long = format!("{good}{}\n", " ".repeat(LIMITS.line_bytes));
    assert!(matches!(why(long), RecordError::TooLong { .. }));
}

#[test]
fn a_file_with_other_line_ends_or_cut_off_is_refused() {
    let file = Site::with_records(3).export(0, Withhold::Nothing).concat();
    assert!(verify_file(&file, None).is_ok());
    let text = String::from_utf8(file.clone()).unwrap();
    let crlf = verify_file(text.replace('\n', "\r\n").as_bytes(), None).unwrap_err();
    assert_eq!(crlf.code(), Code::EnvelopeMalformed);
    assert!(crlf.to_string().contains("CRLF"));
    for length in 0..file.len() {
        assert!(verify_file(&file[..length], None).is_err(), "{length}");
    }
    let unterminated = verify_file(&file[..file.len() - 1], None).unwrap_err();
    assert!(matches!(
        unterminated,
        ExportError::Record { seq: 3, source: RecordError::Unterminated }
    ));
    for more in ["\n", "{}\n", "x"] {
        assert!(verify_file(format!("{text}{more}").as_bytes(), None).is_err());
    }
}

#[test]
fn after_a_refused_line_nothing_is_believed() {
    let lines = Site::with_records(2).export(0, Withhold::Nothing);
    let mut verifier = ExportVerifier::open(&lines[0], None).unwrap();
    verifier.record(&lines[1]).unwrap();
    assert!(verifier.record(b"junk\n").is_err());
    assert!(matches!(verifier.record(&lines[2]), Err(ExportError::AfterRefusal)));
    assert!(matches!(verifier.finish(), Err(ExportError::AfterRefusal)));
}

#[test]
fn what_would_be_refused_never_leaves() {
    let mut site = Site::with_records(3);
    let mut out = Vec::new();
    let checkpoint_of_all = site.checkpoint(0);
    let mut writer = ExportWriter::begin(&checkpoint_of_all, &site.key, &mut out).unwrap();
    let wire = |record: &farhold_audit::Record, out: &mut Vec<u8>, writer: &mut ExportWriter| {
        writer.record(&record.wire(Withhold::Nothing).unwrap(), out)
    };
    wire(&site.records[0], &mut out, &mut writer).unwrap();
    let so_far = out.clone();
    // A bit flips in the store.
    site.records[1].event[0] ^= 1;
    assert!(matches!(
        wire(&site.records[1], &mut out, &mut writer),
        Err(ExportError::Chain(ChainBreak::Event { seq: 2 }))
    ));
    assert!(matches!(
        wire(&site.records[2], &mut out, &mut writer),
        Err(ExportError::Chain(ChainBreak::Gap { expected: 2, found: 3 }))
    ));
    assert_eq!(out, so_far);
    assert!(matches!(
        writer.finish(),
        Err(ExportError::Chain(ChainBreak::Unfinished { first_missing: 2, last: 3 }))
    ));
    site.records[1].event[0] = 0xff;
    assert!(site.records[1].wire(Withhold::Nothing).is_err());
}

#[test]
fn a_line_longer_than_is_read_is_not_written() {
    let mut site = Site::new(1);
    site.append(0, 0, Class::Product, &"\n".repeat(LIMITS.line_bytes / 2));
    let mut out = Vec::new();
    let mut writer = ExportWriter::begin(&site.checkpoint(0), &site.key, &mut out).unwrap();
    let so_far = out.len();
    let refused = writer.record(&site.records[0].wire(Withhold::Nothing).unwrap(), &mut out);
    assert!(matches!(refused, Err(ExportError::Record { seq: 1, .. })));
    assert_eq!(out.len(), so_far);
    assert!(writer.finish().is_err());
}

#[test]
fn the_longest_event_fits_its_line_however_it_is_written() {
    let mut site = Site::new(1);
    site.append(0, 0, Class::Product, &"\"".repeat(LIMITS.event_bytes));
    assert!(verify(&site.export(0, Withhold::Nothing), None).is_ok());
}

#[test]
fn a_checkpoint_states_a_run_that_can_be() {
    let site = Site::with_records(2);
    let made =
        |before, after| checkpoint(site.key.public_key(), &site.opening, before, after, standing());
    assert!(made(site.positions[1], site.positions[2]).is_ok());
    assert!(made(site.positions[2], site.positions[1]).is_err());
    let mut beyond = site.end();
    beyond.seq = u64::MAX;
    assert_eq!(made(site.positions[0], beyond), Err(ChainBreak::Number));
    assert_eq!(made(beyond, beyond), Err(ChainBreak::Number));
    let mut elsewhere = site.positions[0];
    elsewhere.head = site.end().head;
    assert_eq!(made(elsewhere, site.end()), Err(ChainBreak::Opening));
}
