//! Registration: which runtimes the Kernel has not confirmed (contract v0.2 §3).

use std::collections::BTreeMap;

use farhold_contract::{Sha256Digest, id::RuntimeId};

use crate::{jitter::Jitter, moment::Moment, timing::Timing, turn::Turn, verdict::Verdict};

/// What a runtime stated when it registered: the digest of the request as it goes to the Kernel.
/// Another statement is another request, however the last one was answered.
pub type Statement = Sha256Digest;

/// What the registration asks of its shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationEffect {
    /// Register this runtime as it stands, and answer with [`Registration::handle_answer`].
    Register {
        /// The runtime.
        runtime_id: RuntimeId,
        /// The statement to send, unless the runtime has stated another since.
        statement: Statement,
    },
}

/// The runtimes of a site on their way to the Kernel: first come, first sent, one at a time.
#[derive(Debug)]
pub struct Registration {
    turn: Turn,
    runtimes: BTreeMap<RuntimeId, Standing>,
    line: BTreeMap<u64, RuntimeId>,
    next_place: u64,
    in_flight: Option<(RuntimeId, Statement)>,
}

#[derive(Debug, Clone, Copy)]
struct Standing {
    statement: Statement,
    settled: Settled,
    place: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settled {
    Not,
    Confirmed(Statement),
    Refused(Statement),
}

impl Registration {
    /// With no runtime.
    pub fn new(timing: Timing, jitter: Jitter) -> Self {
        Self {
            turn: Turn::new(timing, jitter),
            runtimes: BTreeMap::new(),
            line: BTreeMap::new(),
            next_place: 0,
            in_flight: None,
        }
    }

    /// A runtime stands registered at the agent, by what it stated last; `confirmed` is the
    /// statement that the Kernel is known to have taken, if any.
    pub fn handle_stated(
        &mut self,
        runtime_id: RuntimeId,
        statement: Statement,
        confirmed: Option<Statement>,
    ) {
        let standing = self.runtimes.entry(runtime_id).or_insert(Standing {
            statement,
            settled: Settled::Not,
            place: None,
        });
        standing.statement = statement;
        if let Some(confirmed) = confirmed {
            standing.settled = Settled::Confirmed(confirmed);
        }
        self.line_up(runtime_id);
    }

    /// A runtime is gone from the agent.
    pub fn handle_removed(&mut self, runtime_id: RuntimeId) {
        if let Some(place) = self.runtimes.remove(&runtime_id).and_then(|gone| gone.place) {
            self.line.remove(&place);
        }
    }

    /// Takes what the registration in flight came to.
    pub fn handle_answer(&mut self, verdict: Verdict, now: Moment) {
        let Some((runtime_id, statement)) = self.in_flight.take() else { return };
        let settled = match verdict {
            Verdict::Done | Verdict::NotModified => Settled::Confirmed(statement),
            Verdict::RefusedForGood | Verdict::Gap | Verdict::SplitSmaller => {
                Settled::Refused(statement)
            }
            Verdict::Unreachable
            | Verdict::RetryLater
            | Verdict::RetryAfter(_)
            | Verdict::AuthRejected
            | Verdict::Renew => Settled::Not,
        };
        // A refusal is this runtime's alone: the next one doesn't wait for it.
        let settles = settled != Settled::Not;
        self.turn.end(if settles { Verdict::Done } else { verdict }, now);
        if let Some(standing) = self.runtimes.get_mut(&runtime_id) {
            if settles {
                standing.settled = settled;
            }
            // Behind the others, so that one the Kernel can't take now doesn't hold them up.
            self.line_up(runtime_id);
        }
    }

    /// What was refused may hold now: every refusal is forgotten.
    pub fn handle_changed(&mut self) {
        self.turn.changed();
        let mut refused = Vec::new();
        for (runtime_id, standing) in &mut self.runtimes {
            if let Settled::Refused(_) = standing.settled {
                standing.settled = Settled::Not;
                refused.push(*runtime_id);
            }
        }
        refused.into_iter().for_each(|runtime_id| self.line_up(runtime_id));
    }

    /// The Kernel was heard by another call.
    pub fn handle_restored(&mut self) {
        self.turn.restored();
    }

    /// What is to be done now.
    pub fn poll_effect(&mut self, now: Moment) -> Option<RegistrationEffect> {
        let (&place, &runtime_id) = self.line.first_key_value()?;
        if !self.turn.begin(now) {
            return None;
        }
        self.line.remove(&place);
        let standing = self.runtimes.get_mut(&runtime_id)?;
        standing.place = None;
        let statement = standing.statement;
        self.in_flight = Some((runtime_id, statement));
        Some(RegistrationEffect::Register { runtime_id, statement })
    }

    /// When to look again; `None` while one is in flight or none waits.
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.turn.earliest().filter(|_| !self.line.is_empty())
    }

    /// How many runtimes wait for the Kernel's word, the one in flight included.
    pub fn waiting(&self) -> usize {
        self.line.len() + usize::from(self.in_flight.is_some())
    }

    /// The runtimes that the Kernel refused as they stand.
    pub fn refused(&self) -> impl Iterator<Item = RuntimeId> {
        self.runtimes
            .iter()
            .filter(|(_, standing)| standing.settled == Settled::Refused(standing.statement))
            .map(|(runtime_id, _)| *runtime_id)
    }

    /// Gives a runtime a place in line if its statement is open, and takes it away if not.
    fn line_up(&mut self, runtime_id: RuntimeId) {
        let in_flight = self.in_flight.is_some_and(|(flying, _)| flying == runtime_id);
        let Some(standing) = self.runtimes.get_mut(&runtime_id) else { return };
        let open = match standing.settled {
            Settled::Not => true,
            Settled::Confirmed(settled) | Settled::Refused(settled) => {
                settled != standing.statement
            }
        };
        match (open && !in_flight, standing.place) {
            (true, None) => {
                standing.place = Some(self.next_place);
                self.line.insert(self.next_place, runtime_id);
                self.next_place += 1;
            }
            (false, Some(place)) => {
                standing.place = None;
                self.line.remove(&place);
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
}
