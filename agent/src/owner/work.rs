//! An operation with somebody waiting for its answer.

use tokio::sync::oneshot;

use farhold_api::Refusal;
use farhold_contract::Code;
use farhold_store::StoreError;

use super::group::Group;

/// Something the owner does inside a group's transaction.
pub trait Operation: Send + 'static {
    /// What the caller is told once the group is kept.
    type Answer: Send + 'static;

    /// Whether the reserve for a full disk is there for it: what rights need, and no events.
    const DRAWS_ON_RESERVE: bool = false;

    /// Does it. A refusal that is the caller's to hear is part of the answer, and stages nothing.
    ///
    /// # Errors
    /// [`StoreError`]: the whole group is dropped.
    fn apply(self, group: &mut Group<'_>) -> Result<Self::Answer, StoreError>;
}

/// An operation of any kind.
pub(super) trait Work: Send {
    fn draws_on_reserve(&self) -> bool;
    fn apply(&mut self, group: &mut Group<'_>) -> Result<(), StoreError>;
    fn settle(self: Box<Self>, kept: bool);
}

pub(super) struct Job<O: Operation> {
    operation: Option<O>,
    answer: Option<O::Answer>,
    caller: oneshot::Sender<Result<O::Answer, Refusal>>,
}

impl<O: Operation> Job<O> {
    pub(super) fn new(operation: O) -> (Self, oneshot::Receiver<Result<O::Answer, Refusal>>) {
        let (caller, answer) = oneshot::channel();
        (Self { operation: Some(operation), answer: None, caller }, answer)
    }
}

impl<O: Operation> Work for Job<O> {
    fn draws_on_reserve(&self) -> bool {
        O::DRAWS_ON_RESERVE
    }

    fn apply(&mut self, group: &mut Group<'_>) -> Result<(), StoreError> {
        if let Some(operation) = self.operation.take() {
            self.answer = Some(operation.apply(group)?);
        }
        Ok(())
    }

    fn settle(self: Box<Self>, kept: bool) {
        let answer = match self.answer {
            Some(answer) if kept => Ok(answer),
            _ => Err(Code::StoreUnavailable.into()),
        };
        // A caller that went away has nothing to be told.
        let _ = self.caller.send(answer);
    }
}
