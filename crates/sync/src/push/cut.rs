//! Cut: how large a batch may be.

use crate::limits::LIMITS;

/// The size of the next batch: halved when it was too large for whatever stands in between,
/// doubled after a row of accepted ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    pub(super) records: u64,
    pub(super) bytes: u64,
    accepted_in_a_row: u32,
}

impl Cut {
    pub(super) const WHOLE: Self =
        Self { records: LIMITS.batch_records, bytes: LIMITS.batch_bytes, accepted_in_a_row: 0 };

    /// Halves a batch that held up to `records`; false if nothing smaller can be sent.
    pub(super) fn halve(&mut self, records: u64) -> bool {
        let held = self.records.min(records);
        if held <= 1 {
            return false;
        }
        let bytes = (self.bytes / 2).max(1);
        *self = Self { records: held / 2, bytes, accepted_in_a_row: 0 };
        true
    }

    pub(super) fn accepted(&mut self) {
        if self.records == LIMITS.batch_records && self.bytes == LIMITS.batch_bytes {
            return;
        }
        self.accepted_in_a_row += 1;
        if self.accepted_in_a_row >= LIMITS.grow_after {
            *self = Self {
                records: (self.records * 2).min(LIMITS.batch_records),
                bytes: (self.bytes * 2).min(LIMITS.batch_bytes),
                accepted_in_a_row: 0,
            };
        }
    }
}
