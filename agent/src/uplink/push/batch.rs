//! Batch: a signed checkpoint and its records, as the Kernel takes them.

use std::{io::Write, path::Path, sync::Arc};

use anyhow::{Context, anyhow};
use bytes::Bytes;
use zstd::{
    stream::write::Encoder,
    zstd_safe::{CCtx, CParameter, ResetDirective, get_error_name},
};

use farhold_audit::{ChainPosition, ExportWriter, Head, checkpoint};
use farhold_bundle::{Envelope, Standing, Verified, payload::Receipt};
use farhold_policy::Now;
use farhold_store::Reader;
use farhold_sync::{LIMITS, Run};

use crate::{report, site::Place, snapshot::Snapshot};

/// Records read in one statement: events of 64 KiB each must not fill the memory.
const PAGE: usize = 128;

/// Higher levels cost more time than the network they save.
const ZSTD_LEVEL: i32 = 1;

/// One batch, ready to be sent.
pub(super) struct Batch {
    /// NDJSON, compressed.
    pub(super) body: Bytes,
    /// Its last record, and the head after it.
    pub(super) after: ChainPosition,
}

/// Makes batches away from the event loop, the next one while the one before is on its way.
pub(super) struct Builder {
    place: Arc<Place>,
    tools: Option<Tools>,
    next: Option<(Run, Batch)>,
}

/// What is made once and used for every batch.
struct Tools {
    reader: Reader,
    /// The compressor's own memory: a megabyte that comes and goes each time would be kept by the
    /// allocator several times over.
    zstd: CCtx<'static>,
}

impl Builder {
    pub(super) fn new(place: &Arc<Place>) -> Self {
        Self { place: Arc::clone(place), tools: None, next: None }
    }

    /// The batch for a run; `None`, and it is logged, if it can't be made.
    pub(super) async fn batch(
        &mut self,
        run: Run,
        snapshot: Arc<Snapshot>,
        now: Now,
    ) -> Option<Batch> {
        match self.next.take() {
            Some((made, batch)) if made == run => Some(batch),
            _ => self.make(run, snapshot, now).await,
        }
    }

    /// Makes the batch that follows `to`, if it would be a full one.
    pub(super) async fn make_next(&mut self, run: Run, to: u64, snapshot: Arc<Snapshot>, now: Now) {
        let (from, last) = (to + 1, to + LIMITS.batch_records);
        let next = Run { from, to: last, bytes: run.bytes, receipt: None };
        let full = run.to - run.from + 1 == LIMITS.batch_records && next.to <= snapshot.chain.seq;
        if full && let Some(batch) = self.make(next, snapshot, now).await {
            self.next = Some((next, batch));
        }
    }

    /// The site's own head after a record; `None` if it is not known, or can't be read.
    pub(super) async fn head_at(&mut self, seq: u64, snapshot: Arc<Snapshot>) -> Option<Head> {
        let head = move |tools: &mut Tools, place: &Place| {
            head_at(&tools.reader, place, seq, &snapshot.documents.standing)
        };
        self.with_tools(head).await.flatten()
    }

    /// The first record from `from` on that a receipt confirms which still holds; `None` if there
    /// is none, or it can't be read.
    pub(super) async fn receipted(&mut self, from: u64, snapshot: Arc<Snapshot>) -> Option<u64> {
        let receipted = move |tools: &mut Tools, _: &Place| {
            let receipt = receipt_from(&tools.reader, from, &snapshot.documents.standing)?;
            Ok(receipt.map(|receipt| receipt.seq.as_u64()))
        };
        self.with_tools(receipted).await.flatten()
    }

    /// The first record that is kept; `None` if there is none, or it can't be read.
    pub(super) async fn first_kept(&mut self) -> Option<u64> {
        self.with_tools(|tools, _| Ok(tools.reader.first_seq()?)).await.flatten()
    }

    async fn make(&mut self, run: Run, snapshot: Arc<Snapshot>, now: Now) -> Option<Batch> {
        self.with_tools(move |tools, place| make(tools, place, run, &snapshot, &now)).await
    }

    async fn with_tools<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Tools, &Place) -> anyhow::Result<T> + Send + 'static,
    ) -> Option<T> {
        let (tools, place) = (self.tools.take(), Arc::clone(&self.place));
        let working = tokio::task::spawn_blocking(move || {
            let mut tools = match tools {
                Some(tools) => tools,
                None => Tools::open(&place.state_dir)?,
            };
            let made = work(&mut tools, &place)?;
            anyhow::Ok((tools, made))
        });
        match working.await {
            Ok(Ok((tools, made))) => {
                self.tools = Some(tools);
                Some(made)
            }
            Ok(Err(error)) => {
                tracing::error!(error = %format!("{error:#}"), "a batch of audit records can't be made");
                None
            }
            Err(_) => None,
        }
    }
}

impl Tools {
    fn open(state_dir: &Path) -> anyhow::Result<Self> {
        let mut zstd = CCtx::try_create().context("no memory to compress in")?;
        zstd.set_parameter(CParameter::CompressionLevel(ZSTD_LEVEL)).map_err(refused)?;
        Ok(Self { reader: Reader::open(state_dir)?, zstd })
    }
}

fn refused(code: usize) -> anyhow::Error {
    anyhow!("the compressor says {}", get_error_name(code))
}

/// The head after a record, from the record itself, or from its receipt once it is pruned.
fn head_at(
    reader: &Reader,
    place: &Place,
    seq: u64,
    standing: &Standing,
) -> anyhow::Result<Option<Head>> {
    if seq == 0 {
        return Ok(Some(ChainPosition::start(&place.opening).head));
    }
    if let Some(head) = reader.head_at(seq)? {
        return Ok(Some(head));
    }
    let receipt = receipt_from(reader, seq, standing)?;
    Ok(receipt.filter(|receipt| receipt.seq.as_u64() == seq).map(|receipt| receipt.head.into()))
}

/// The first receipt from a record on that still holds: one by a key that was revoked since proves
/// nothing, there or here.
fn receipt_from(
    reader: &Reader,
    from: u64,
    standing: &Standing,
) -> anyhow::Result<Option<Verified<Receipt>>> {
    let mut from = from;
    while let Some((seq, line)) = reader.receipt_from(from)? {
        if let Ok(receipt) =
            Envelope::open(&line).map_err(Into::into).and_then(|envelope| standing.stands(envelope))
        {
            return Ok(Some(receipt));
        }
        from = seq + 1;
    }
    Ok(None)
}

/// Reads, signs and compresses; every record is held to the chain on its way out.
fn make(
    tools: &mut Tools,
    place: &Place,
    run: Run,
    snapshot: &Snapshot,
    now: &Now,
) -> anyhow::Result<Batch> {
    let Tools { reader, zstd } = tools;
    let seq = run.from - 1;
    let head = head_at(reader, place, seq, &snapshot.documents.standing)?;
    let head = head.ok_or_else(|| anyhow!("record {seq} is not kept"))?;
    let before = ChainPosition { seq, head };
    let mut records = Vec::new();
    let (mut from, mut bytes) = (run.from, 0_u64);
    'pages: while from <= run.to {
        let wanted = usize::try_from(run.to - from + 1).unwrap_or(PAGE).min(PAGE);
        let page = reader.records(from, wanted)?;
        if page.is_empty() {
            break;
        }
        for record in page {
            bytes += line_bytes(&record.wire);
            if bytes > run.bytes && !records.is_empty() {
                break 'pages;
            }
            from = record.wire.link.seq + 1;
            records.push(record);
        }
    }
    let last = records.last().ok_or_else(|| anyhow!("record {} is not kept", run.from))?;
    let after = ChainPosition { seq: last.wire.link.seq, head: last.head };

    let lost = reader.queue(snapshot.acknowledged_seq)?.lost;
    let standing = report::standing(place, snapshot, now, lost);
    let mut checkpoint =
        checkpoint(&place.facts.device_key, &place.opening, before, after, standing)?;
    if let Some(seq) = run.receipt {
        let receipt = receipt_from(reader, seq, &snapshot.documents.standing)?;
        let receipt = receipt.filter(|receipt| receipt.seq.as_u64() == seq);
        let receipt = receipt.ok_or_else(|| anyhow!("record {seq} has no receipt"))?;
        checkpoint.receipt = Some(std::str::from_utf8(receipt.line())?.to_owned());
    }
    // One made before may have been given up in its middle.
    zstd.reset(ResetDirective::SessionOnly).map_err(refused)?;
    let mut body = Encoder::with_context(Vec::new(), zstd);
    let mut lines = Vec::new();
    let mut writer = ExportWriter::begin(&checkpoint, &place.device, &mut lines)?;
    // Each line goes as it is written: the whole never stands in memory.
    body.write_all(&lines)?;
    for record in records {
        lines.clear();
        writer.record(&record.wire, &mut lines)?;
        body.write_all(&lines)?;
    }
    writer.finish()?;
    let mut body = body.finish()?;
    body.shrink_to_fit();
    Ok(Batch { body: body.into(), after })
}

/// About what a record's line takes.
fn line_bytes(record: &farhold_audit::WireRecord<'_>) -> u64 {
    const MEMBERS_BYTES: u64 = 320;
    let event = match &record.body {
        farhold_audit::Body::Kept { event, .. } => event.len() as u64,
        farhold_audit::Body::Withheld(_) => 0,
    };
    // Each quotation mark inside is escaped.
    MEMBERS_BYTES + event + event / 8
}
