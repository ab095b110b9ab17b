//! Push: which audit records to send next (contract v0.2 §8.4).

mod answer;
mod cut;
mod effect;
mod rewind;
mod seek;

use std::collections::VecDeque;

use farhold_audit::{Epoch, Head};
use farhold_contract::call::{batch::HeldHead, heartbeat::Backfill};

use crate::{
    jitter::Jitter, limits::LIMITS, moment::Moment, timing::Timing, turn::Turn, verdict::Verdict,
};
pub use answer::PushAnswer;
use cut::Cut;
pub use effect::{PushEffect, PushReport, Run};
use rewind::Rewind;
use seek::Seek;

/// What the store holds of the present epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// The epoch.
    pub epoch: Epoch,
    /// The earliest record kept; one past `last` if none is.
    pub first: u64,
    /// The last record; 0 for none.
    pub last: u64,
    /// The last record that a receipt of the Kernel's confirms; 0 for none.
    pub acknowledged: u64,
}

/// The queue to the Kernel: strictly by sequence, one batch in flight, nothing dropped by age or
/// by the number of tries. It knows numbers alone; the records stay in the store.
#[derive(Debug)]
pub struct Push {
    timing: Timing,
    turn: Turn,
    backlog: Backlog,
    /// The Kernel has all up to here, as far as is known.
    cursor: u64,
    /// All up to here has waited for company long enough.
    seen: u64,
    /// Since when a record after `seen` waits.
    waiting_since: Option<Moment>,
    cut: Cut,
    /// Runs at or before the cursor to send again, in order.
    backfill: VecDeque<(u64, u64)>,
    sending: Option<Run>,
    rewind: Option<Rewind>,
    seek: Option<Seek>,
    /// The record whose receipt goes with what follows it: what comes before is not kept here, and
    /// perhaps not there.
    receipted: Option<u64>,
    /// One that was presented, and met a gap all the same.
    refused_receipt: Option<u64>,
    blocked: bool,
    missing_to: u64,
    backfill_missing: Vec<Backfill>,
    reports: VecDeque<PushReport>,
}

impl Push {
    /// At the start of a run, or of an epoch: what waits is sent at once.
    pub fn new(timing: Timing, jitter: Jitter, backlog: Backlog) -> Self {
        Self {
            timing,
            turn: Turn::new(timing, jitter),
            backlog,
            cursor: backlog.acknowledged.min(backlog.last),
            seen: backlog.last,
            waiting_since: None,
            cut: Cut::WHOLE,
            backfill: VecDeque::new(),
            sending: None,
            rewind: None,
            seek: None,
            receipted: None,
            refused_receipt: None,
            blocked: false,
            missing_to: 0,
            backfill_missing: Vec::new(),
            reports: VecDeque::new(),
        }
    }

    /// Records up to `last` are committed.
    pub fn handle_appended(&mut self, last: u64, now: Moment) {
        if last > self.backlog.last {
            self.backlog.last = last;
            self.waiting_since.get_or_insert(now);
        }
    }

    /// Records before `first` are no longer kept.
    pub fn handle_pruned(&mut self, first: u64) {
        self.backlog.first = self.backlog.first.max(first);
        // The next heartbeat asks for them again, and the answer is that they are missing.
        let first = self.first_to_send();
        for run in &mut self.backfill {
            run.0 = run.0.max(first);
        }
        self.backfill.retain(|(from, to)| from <= to);
    }

    /// A receipt came another way, as a file, and is committed.
    pub fn handle_receipt(&mut self, to: u64) {
        if to <= self.backlog.last {
            self.acknowledge(to);
            if self.sending.is_none() && self.rewind.is_none() && self.seek.is_none() {
                self.cursor = self.cursor.max(to);
            }
        }
    }

    /// A heartbeat was accepted; `runs` are the records to be sent again, all that are wanted.
    pub fn handle_heartbeat(&mut self, runs: &[Backfill]) {
        self.turn.restored();
        let mut missing = Vec::new();
        let mut wanted = Vec::new();
        for run in runs.iter().take(LIMITS.backfill_runs) {
            if run.epoch.parse() != Ok(self.backlog.epoch) {
                missing.push(run.clone());
                continue;
            }
            // What lies after the cursor is sent in its turn.
            let (from, to) = (run.from.max(1), run.to.min(self.cursor));
            let kept_from = from.max(self.backlog.first);
            if from <= to && from < kept_from {
                let to = to.min(kept_from - 1);
                missing.push(Backfill { epoch: run.epoch.clone(), from, to });
            }
            let sent_from = from.max(self.first_to_send());
            if sent_from <= to {
                wanted.push((sent_from, to));
            }
        }
        wanted.sort_unstable();
        self.backfill = wanted.into();
        if missing != self.backfill_missing {
            self.reports.extend(missing.iter().map(|run| PushReport::Missing {
                epoch: run.epoch.clone(),
                from: run.from,
                to: run.to,
            }));
            self.backfill_missing = missing;
        }
    }

    /// Takes what the batch in flight came to.
    pub fn handle_answer(&mut self, answer: PushAnswer, now: Moment) {
        let Some(sent) = self.sending.take() else {
            // Late, or twice: a receipt is true whenever it comes, and nothing else matters.
            if let PushAnswer::Accepted { to } = answer {
                self.handle_receipt(to);
            }
            return;
        };
        match answer {
            PushAnswer::Accepted { to } if (sent.from..=self.backlog.last).contains(&to) => {
                self.turn.end(Verdict::Done, now);
                self.accepted(sent, to);
            }
            // A receipt that brings nothing on, or for what was never written, is no answer.
            PushAnswer::Accepted { .. } => {
                self.turn.end(Verdict::RetryLater, now);
            }
            PushAnswer::Branched { seq } => {
                self.turn.end(Verdict::RetryLater, now);
                self.reports.push_back(PushReport::Branched { seq });
            }
            PushAnswer::Gap { heads } => self.gap(sent, &heads, now),
            PushAnswer::Failed(verdict) => self.failed(sent, verdict, now),
        }
    }

    /// Takes the site's own head after record `seq`; `None` if it is not kept.
    pub fn handle_head(&mut self, seq: u64, own: Option<Head>, now: Moment) {
        let Some(rewind) = &mut self.rewind else { return };
        let (sent, same) = (rewind.sent, rewind.answer(seq, own));
        if same {
            self.rewind_to(seq, sent, now);
        } else if rewind.is_exhausted() {
            self.rewind_to(0, sent, now);
        }
    }

    /// Takes the record whose receipt was asked for; `None` if none is kept that holds.
    pub fn handle_receipted(&mut self, seq: Option<u64>, now: Moment) {
        let Some(Seek { from, sent, .. }) = self.seek.take() else { return };
        // More may have been pruned since it was asked.
        let from = from.max(self.kept_after());
        let receipted = seq.filter(|seq| (from..=self.backlog.last).contains(seq));
        // Without one, the first record kept is where the chain can be taken up.
        let to = receipted.unwrap_or_else(|| self.backlog.first.min(self.backlog.last));
        self.note_missing(to);
        self.cursor = to;
        self.seen = self.backlog.last;
        self.receipted = receipted;
        let Some(sent) = sent else { return };
        match receipted {
            None => self.go_on(sent, now),
            // It was presented, and refused: the same is offered again.
            Some(seq) if self.refused_receipt == receipted => self.block(seq, now),
            Some(seq) if seq + 1 < sent.from => {
                self.reports.push_back(PushReport::Rewound { to: seq });
            }
            Some(_) => {}
        }
    }

    /// What was refused may hold now.
    pub fn handle_changed(&mut self) {
        self.turn.changed();
    }

    /// What is to be done now.
    pub fn poll_effect(&mut self, now: Moment) -> Option<PushEffect> {
        if let Some(report) = self.reports.pop_front() {
            return Some(PushEffect::Report(report));
        }
        if let Some(rewind) = &mut self.rewind {
            return rewind.ask().map(|seq| PushEffect::LookUpHead { seq });
        }
        if self.seek.is_none() && self.sending.is_none() && self.cursor < self.kept_after() {
            self.seek = Some(Seek::new(self.kept_after(), None));
        }
        if let Some(seek) = &mut self.seek {
            return seek.ask().map(|from| PushEffect::LookUpReceipt { from });
        }
        let ready = self.ready_at().is_some_and(|ready| ready <= now);
        if !ready || !self.turn.begin(now) {
            return None;
        }
        let run = self.next_run();
        self.sending = Some(run);
        self.seen = self.backlog.last;
        self.waiting_since = None;
        Some(PushEffect::Send(run))
    }

    /// When to look again; `None` while an answer or a record is awaited.
    pub fn poll_timeout(&self) -> Option<Moment> {
        if self.rewind.is_some() || self.seek.is_some() {
            return None;
        }
        Some(self.turn.earliest()?.max(self.ready_at()?))
    }

    /// How many records wait for the Kernel's receipt, those in flight and to be sent again
    /// after a rewind included.
    pub const fn waiting(&self) -> u64 {
        self.backlog.last.saturating_sub(self.cursor)
    }

    /// The last record that a receipt confirms.
    pub const fn acknowledged(&self) -> u64 {
        self.backlog.acknowledged
    }

    /// Whether a batch is in flight.
    pub const fn in_flight(&self) -> bool {
        self.sending.is_some()
    }

    /// Whether the Kernel refuses the next batch for good.
    pub const fn is_blocked(&self) -> bool {
        self.blocked
    }

    fn accepted(&mut self, sent: Run, to: u64) {
        self.cut.accepted();
        self.blocked = false;
        (self.receipted, self.refused_receipt) = (None, None);
        self.acknowledge(to);
        self.cursor = self.cursor.max(to);
        // A heartbeat may have replaced the runs meanwhile: what came is taken out of each.
        for run in &mut self.backfill {
            if (sent.from..=to).contains(&run.0) {
                run.0 = to + 1;
            }
        }
        self.backfill.retain(|(from, to)| from <= to);
    }

    fn gap(&mut self, sent: Run, heads: &[HeldHead], now: Moment) {
        self.turn.end(Verdict::Gap, now);
        self.backfill.clear();
        self.refused_receipt = sent.receipt.or(self.refused_receipt);
        let rewind = Rewind::new(self.backlog.epoch, sent, heads);
        if rewind.is_exhausted() {
            self.rewind_to(0, sent, now);
        } else {
            self.rewind = Some(rewind);
        }
    }

    /// Goes on after `seq`, the last that both have, or after what a receipt confirms if the
    /// records that follow `seq` are no longer kept.
    fn rewind_to(&mut self, seq: u64, sent: Run, now: Moment) {
        self.rewind = None;
        self.cursor = seq;
        self.seen = self.backlog.last;
        self.receipted = None;
        if self.cursor < self.kept_after() {
            self.seek = Some(Seek::new(self.kept_after(), Some(sent)));
        } else {
            self.go_on(sent, now);
        }
    }

    /// The way back is strictly down: where it can't go further, the Kernel's gap can't be filled
    /// from here.
    fn go_on(&mut self, refused: Run, now: Moment) {
        let below = refused.from - 1;
        if self.cursor < below {
            self.reports.push_back(PushReport::Rewound { to: self.cursor });
        } else {
            self.cursor = below;
            self.block(below, now);
        }
    }

    fn note_missing(&mut self, to: u64) {
        if self.cursor < to && self.missing_to < to {
            self.missing_to = to;
            self.reports.push_back(PushReport::Missing {
                epoch: self.backlog.epoch.to_string(),
                from: self.cursor + 1,
                to,
            });
        }
    }

    /// The last record before those kept.
    fn kept_after(&self) -> u64 {
        self.backlog.first.saturating_sub(1).min(self.backlog.last)
    }

    /// The first record that follows another whose head is known. A receipt may know the head
    /// before the first that is kept; whoever asks for records without a gap is not the one.
    const fn first_to_send(&self) -> u64 {
        if self.backlog.first > 1 { self.backlog.first + 1 } else { 1 }
    }

    fn failed(&mut self, sent: Run, verdict: Verdict, now: Moment) {
        match verdict {
            Verdict::Gap => self.gap(sent, &[], now),
            Verdict::SplitSmaller if self.cut.halve(sent.to - sent.from + 1) => {
                self.turn.end(Verdict::SplitSmaller, now);
            }
            // One record alone, and still too large.
            Verdict::SplitSmaller | Verdict::RefusedForGood => {
                self.turn.end(Verdict::RefusedForGood, now);
                self.state_block(sent.from - 1);
            }
            // A receipt is the only success.
            Verdict::Done | Verdict::NotModified => {
                self.turn.end(Verdict::Unreachable, now);
            }
            Verdict::Unreachable
            | Verdict::RetryLater
            | Verdict::RetryAfter(_)
            | Verdict::AuthRejected
            | Verdict::Renew => {
                self.turn.end(verdict, now);
            }
        }
    }

    fn block(&mut self, after: u64, now: Moment) {
        self.turn.hold(Verdict::RefusedForGood, now);
        self.state_block(after);
    }

    fn state_block(&mut self, after: u64) {
        if !self.blocked {
            self.blocked = true;
            self.reports.push_back(PushReport::Blocked { after });
        }
    }

    fn acknowledge(&mut self, to: u64) {
        self.backlog.acknowledged = self.backlog.acknowledged.max(to);
    }

    /// When there is something to send, the turn aside.
    fn ready_at(&self) -> Option<Moment> {
        let waiting = self.backlog.last.saturating_sub(self.cursor);
        if !self.backfill.is_empty() || self.cursor < self.seen || waiting >= self.cut.records {
            return Some(Moment::BOOT);
        }
        // What had waited may be covered by a receipt, or be pruned, by now.
        self.waiting_since.filter(|_| waiting > 0).map(|since| since + self.timing.coalesce)
    }

    /// What is asked for again lies before what is new: it goes first.
    fn next_run(&self) -> Run {
        let (from, to) = match self.backfill.front() {
            Some(&(from, to)) => (from, to),
            None => (self.cursor + 1, self.backlog.last),
        };
        let to = to.min(from.saturating_add(self.cut.records - 1));
        let receipt = self.receipted.filter(|seq| seq + 1 == from);
        Run { from, to, bytes: self.cut.bytes, receipt }
    }
}
