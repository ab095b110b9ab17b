//! A site to export from: one device key, one epoch, and records as they are stored.

use std::collections::BTreeMap;

use ed25519_dalek::{Signer as _, SigningKey};

use farhold_audit::{
    AgentStanding, ChainPosition, Class, Epoch, ExportError, ExportSummary, ExportVerifier,
    ExportWriter, Opening, Previous, Record, WireRecord, Withhold, checkpoint,
};
use farhold_bundle::{PublicKey, Signer, Unsigned, Whole, payload::Checkpoint};
use farhold_contract::{Timestamp, id::TenantId};

pub(crate) const TENANTS: [&str; 3] = [
    "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f",
    "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e50",
    "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e51",
];

pub(crate) fn tenant(n: usize) -> TenantId {
    TENANTS[n].parse().unwrap()
}

/// A device key out of its seed.
pub(crate) struct Key {
    signing: SigningKey,
    public: PublicKey,
}

impl Key {
    pub(crate) fn new(seed: u8) -> Self {
        let signing = SigningKey::from_bytes(&[seed; 32]);
        let public = PublicKey::from_bytes(signing.verifying_key().as_bytes()).unwrap();
        Self { signing, public }
    }
}

impl Signer for Key {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Unsigned> {
        Ok(self.signing.sign(message).to_bytes())
    }
}

/// The agent of one site.
pub(crate) struct Site {
    pub(crate) key: Key,
    pub(crate) opening: Opening,
    pub(crate) records: Vec<Record>,
    /// Where the chain stood before each record, and after the last.
    pub(crate) positions: Vec<ChainPosition>,
}

impl Site {
    pub(crate) fn new(seed: u8) -> Self {
        let key = Key::new(seed);
        let opening = Opening {
            device_key_id: key.public.id(),
            epoch: Epoch::new([seed; 16]),
            previous: Previous::NONE,
        };
        let positions = vec![ChainPosition::start(&opening)];
        Self { key, opening, records: Vec::new(), positions }
    }

    /// A site with `n` records, of two tenants in turn.
    pub(crate) fn with_records(n: usize) -> Self {
        let mut site = Self::new(7);
        for i in 0..n {
            let class = Class::ALL[i % Class::ALL.len()];
            site.append(1_795_330_800_000 + i as i64, i % 2, class, &format!("{{\"n\":{i}}}"));
        }
        site
    }

    pub(crate) fn append(&mut self, at_ms: i64, tenant_no: usize, class: Class, event: &str) {
        let mut position = self.end();
        let salt = [self.records.len() as u8; 16];
        self.records.push(Record::append(
            &mut position,
            Timestamp::from_ms(at_ms),
            tenant(tenant_no),
            class,
            salt,
            event.as_bytes().to_vec(),
        ));
        self.positions.push(position);
    }

    pub(crate) fn end(&self) -> ChainPosition {
        *self.positions.last().unwrap()
    }

    /// The checkpoint over the records from `from` (counted from 0) to the last.
    pub(crate) fn checkpoint(&self, from: usize) -> Checkpoint {
        checkpoint(&self.key.public, &self.opening, self.positions[from], self.end(), standing())
            .unwrap()
    }

    /// An export of the records from `from` on: its lines, each with its line feed.
    pub(crate) fn export(&self, from: usize, withhold: Withhold) -> Vec<Vec<u8>> {
        self.export_wire(from, self.records[from..].iter().map(|r| r.wire(withhold).unwrap()))
    }

    pub(crate) fn export_wire<'r>(
        &self,
        from: usize,
        records: impl Iterator<Item = WireRecord<'r>>,
    ) -> Vec<Vec<u8>> {
        let mut lines = vec![Vec::new()];
        let mut writer =
            ExportWriter::begin(&self.checkpoint(from), &self.key, &mut lines[0]).unwrap();
        for record in records {
            let mut line = Vec::new();
            writer.record(&record, &mut line).unwrap();
            lines.push(line);
        }
        writer.finish().unwrap();
        lines
    }
}

pub(crate) fn standing() -> AgentStanding {
    AgentStanding {
        runtime_id: None,
        lost: BTreeMap::from([("queue_full".to_owned(), Whole::new(3).unwrap())]),
        wall: Timestamp::from_ms(1_795_330_800_000),
        mark: Timestamp::from_ms(1_795_330_801_000),
        instance: [9; 16],
        root: None,
        revocations: Whole::default(),
        licenses: Vec::new(),
    }
}

/// Verifies lines as a reader of the file would.
pub(crate) fn verify(
    lines: &[impl AsRef<[u8]>],
    device: Option<&PublicKey>,
) -> Result<ExportSummary, ExportError> {
    let mut lines = lines.iter().map(AsRef::as_ref);
    let mut verifier = ExportVerifier::open(lines.next().unwrap_or_default(), device)?;
    for line in lines {
        verifier.record(line)?;
    }
    verifier.finish()
}

/// Verifies a file's bytes as a reader of the file would.
pub(crate) fn verify_file(
    file: &[u8],
    device: Option<&PublicKey>,
) -> Result<ExportSummary, ExportError> {
    verify(&file.split_inclusive(|&byte| byte == b'\n').collect::<Vec<_>>(), device)
}
