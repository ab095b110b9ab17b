//! Effect: what the push asks of its shell, and what it has to say.

/// What the push asks of its shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushEffect {
    /// Send this batch, and answer with [`crate::Push::handle_answer`].
    Send(Run),
    /// Say what the site's own head after record `seq` is, by [`crate::Push::handle_head`].
    LookUpHead {
        /// The record.
        seq: u64,
    },
    /// Say for which record, this one or the first after it, a receipt is kept that holds, by
    /// [`crate::Push::handle_receipted`].
    LookUpReceipt {
        /// The first record that will do.
        from: u64,
    },
    /// Something to log and to show.
    Report(PushReport),
}

/// The records of one batch: from the first on, as many as fit, and always one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The first record.
    pub from: u64,
    /// The last, if that many fit.
    pub to: u64,
    /// Most bytes of records, before compression. A first record that is larger goes alone.
    pub bytes: u64,
    /// The record before `from`, if its receipt is to be presented: what comes before may be gone
    /// on both sides (`bundle.md` §6.7.3).
    pub receipt: Option<u64>,
}

/// What people should know of the push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushReport {
    /// The Kernel lacks records it had confirmed, or never got: sending goes on after `to`.
    Rewound {
        /// The last record that both have; 0 for none.
        to: u64,
    },
    /// The Kernel wants records that the site no longer keeps; only an older export can fill them.
    Missing {
        /// The epoch, as the Kernel or the site names it.
        epoch: String,
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// The Kernel confirmed another history than this site's: one of them was restored or copied.
    Branched {
        /// The record that the receipt names.
        seq: u64,
    },
    /// The Kernel refuses the batch after this record for good. It is offered again hourly;
    /// nothing is dropped, and nothing overtakes it.
    Blocked {
        /// The last record before it.
        after: u64,
    },
}
