//! Bell: lets a task skip a future that seldom has anything to do.
//!
//! A connection's task wakes for every byte; its alarms ring once in seconds. Polling them at
//! each wake would cost a look-only check more than reading its headers does.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// Wakes one task, and remembers having done so.
pub(crate) struct Bell {
    rope: Arc<Rope>,
    waker: Waker,
}

struct Rope {
    rung: AtomicBool,
    task: Waker,
}

impl Bell {
    /// The bell of the task that awaits this, rung once. A spawned task's waker stays good as
    /// long as the task.
    pub(crate) async fn of_this_task() -> Self {
        let task = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
        let rope = Arc::new(Rope { rung: AtomicBool::new(true), task });
        Self { waker: Waker::from(Arc::clone(&rope)), rope }
    }

    /// Polls `future` if it, or [`ring`](Self::ring), has rung since the last time.
    pub(crate) fn poll_if_rung<F: Future>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        if !self.rope.rung.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        // Lowered first: what rings during the poll is not forgotten.
        self.rope.rung.swap(false, Ordering::AcqRel);
        future.poll(&mut Context::from_waker(&self.waker))
    }

    /// Has the future polled next time, whether it asked for it or not.
    pub(crate) fn ring(&self) {
        self.rope.rung.store(true, Ordering::Release);
    }
}

impl Wake for Rope {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}
