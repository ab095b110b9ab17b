use farhold_audit::{
    ChainPosition, Epoch, ExportSummary, ReceiptRefusal, ReceiptWithheld, Withhold, applies,
    receipt_for,
};
use farhold_bundle::{Signer, payload::Receipt, seal};
use farhold_contract::{Code, Timestamp};

use crate::site::{Key, Site, tenant, verify};

const AT: Timestamp = Timestamp::from_ms(1_795_330_900_000);

fn exported(site: &Site, from: usize, withhold: Withhold) -> ExportSummary {
    verify(&site.export(from, withhold), None).unwrap()
}

fn receipt(site: &Site) -> Receipt {
    receipt_for(&exported(site, 0, Withhold::Nothing), None, AT).unwrap()
}

#[test]
fn a_receipt_confirms_the_export_it_answers() {
    let site = Site::with_records(4);
    let receipt = receipt(&site);
    assert_eq!((receipt.seq.as_u64(), receipt.received_at), (4, AT));
    let own = (site.key.public_key(), &site.opening.epoch);
    assert_eq!(applies(&receipt, own.0, own.1, Some(site.end().head)), Ok(()));
    assert!(seal(&receipt, &Key::new(50)).is_ok());
}

#[test]
fn a_receipt_of_another_agent_or_epoch_is_foreign() {
    let site = Site::with_records(4);
    let receipt = receipt(&site);
    let (key, head) = (site.key.public_key(), Some(site.end().head));
    let other = applies(&receipt, Key::new(50).public_key(), &site.opening.epoch, head);
    assert!(matches!(other, Err(ReceiptRefusal::OtherDevice { .. })));
    assert_eq!(other.unwrap_err().code(), Code::ReceiptForeign);
    let other = applies(&receipt, key, &Epoch::new([1; 16]), head);
    assert!(matches!(other, Err(ReceiptRefusal::OtherEpoch { .. })));
    assert_eq!(other.unwrap_err().code(), Code::ReceiptForeign);
}

#[test]
fn a_receipt_of_another_branch_is_refused() {
    let site = Site::with_records(4);
    let receipt = receipt(&site);
    let (key, epoch) = (site.key.public_key(), &site.opening.epoch);
    // Restored to before record 4, and run on: the same number, another record.
    let mut restored = Site::with_records(3);
    restored.append(0, 1, farhold_audit::Class::Product, "{}");
    for head in [Some(restored.end().head), None] {
        let refused = applies(&receipt, key, epoch, head).unwrap_err();
        assert_eq!(refused, ReceiptRefusal::Branch { seq: 4 });
        assert_eq!(refused.code(), Code::ReceiptBranch);
    }
}

#[test]
fn no_receipt_confirms_what_is_not_held() {
    let site = Site::with_records(4);
    let tail = exported(&site, 2, Withhold::Nothing);
    let gap = receipt_for(&tail, None, AT).unwrap_err();
    assert_eq!((&gap, gap.code()), (&ReceiptWithheld::Gap { before: 2 }, Code::AuditGap));
    assert!(receipt_for(&tail, Some(site.positions[1]), AT).is_err());
    let fork = ChainPosition { head: site.end().head, ..site.positions[2] };
    assert!(receipt_for(&tail, Some(fork), AT).is_err());
    assert_eq!(receipt_for(&tail, Some(site.positions[2]), AT), Ok(receipt(&site)));

    let partial = exported(&site, 0, Withhold::OthersThan(tenant(0)));
    let refused = receipt_for(&partial, None, AT).unwrap_err();
    assert_eq!(refused, ReceiptWithheld::Partial { records: 2 });

    let empty = exported(&site, 4, Withhold::Nothing);
    let refused = receipt_for(&empty, Some(site.end()), AT).unwrap_err();
    assert_eq!((&refused, refused.code()), (&ReceiptWithheld::Empty, Code::ExportEmpty));
}
