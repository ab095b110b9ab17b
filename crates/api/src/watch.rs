//! Watch: where one connection stands, and until when it may stay there.
//!
//! A timer a request would cost more than a look-only check itself. So the connection only notes
//! where it stands, and one alarm, seldom set, compares that with the limits.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use crate::limits::Limits;

/// Where one connection stands.
#[derive(Debug)]
pub(crate) struct Watch {
    /// `milliseconds since origin << 3 | stage`. Only the connection's own task writes it.
    standing: AtomicU64,
    /// What all connections count from, so that they can be compared.
    origin: Instant,
    /// Rung when another connection waits for this one's slot.
    wanted: Notify,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
enum Stage {
    /// Accepted; nothing has been heard.
    Fresh = 0,
    /// Some of a head has been heard.
    Head = 1,
    /// A handler runs. It limits the body's time itself; its own it may take.
    Handling = 2,
    /// The answer is being made ready and sent.
    Answering = 3,
    /// The whole answer is on its way, and may still be in our buffer.
    Flushing = 4,
    /// Between two requests.
    Idle = 5,
}

impl Watch {
    /// A connection accepted `now`.
    pub(crate) fn new(origin: Instant, now: Instant) -> Self {
        let watch = Self { standing: AtomicU64::new(0), origin, wanted: Notify::new() };
        watch.enter(Stage::Fresh, now);
        watch
    }

    /// Bytes came in.
    pub(crate) fn heard(&self, now: Instant) {
        match self.standing() {
            // The time of the first head counts from the accept.
            (Stage::Fresh, since_ms) => self.stand(Stage::Head, since_ms),
            (Stage::Idle, _) => self.enter(Stage::Head, now),
            // A body, or the next request while this one is answered.
            _ => {}
        }
    }

    /// A head is complete and its handler begins, which has no end to keep.
    pub(crate) fn handling(&self) {
        self.stand(Stage::Handling, 0);
    }

    /// The handler has an answer.
    pub(crate) fn answering(&self, now: Instant) {
        self.enter(Stage::Answering, now);
    }

    /// The last of the answer was taken to be sent.
    pub(crate) fn answered(&self) {
        let (_, since_ms) = self.standing();
        self.stand(Stage::Flushing, since_ms);
    }

    /// Bytes went out.
    pub(crate) fn told(&self, now: Instant) {
        if let (stage @ (Stage::Answering | Stage::Flushing), _) = self.standing() {
            self.enter(stage, now);
        }
    }

    /// Nothing is left in our buffer: the connection is idle since its last bytes went out.
    pub(crate) fn flushed(&self) {
        if let (Stage::Flushing, since_ms) = self.standing() {
            self.stand(Stage::Idle, since_ms);
        }
    }

    /// Asks the connection to end if it is idle when it hears of it.
    pub(crate) fn want(&self) {
        self.wanted.notify_one();
    }

    /// Waits for [`want`](Self::want).
    pub(crate) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// Since when nothing is asked of the connection, in milliseconds from the common origin;
    /// `None` while something is.
    pub(crate) fn idle_since_ms(&self) -> Option<u64> {
        match self.standing() {
            (Stage::Fresh | Stage::Idle, since_ms) => Some(since_ms),
            _ => None,
        }
    }

    /// When to look again; `None`: its time is over.
    ///
    /// Never later than the shortest limit from now, so that a limit which begins in between is
    /// still met to the moment.
    pub(crate) fn next_look(&self, limits: &Limits, now: Instant) -> Option<Instant> {
        let soonest = now + limits.head_time.min(limits.idle_time);
        let (stage, since_ms) = self.standing();
        let may_stay = match stage {
            Stage::Fresh | Stage::Head => limits.head_time,
            Stage::Answering | Stage::Flushing | Stage::Idle => limits.idle_time,
            Stage::Handling => return Some(soonest),
        };
        let end = self.origin + Duration::from_millis(since_ms) + may_stay;
        (end > now).then(|| end.min(soonest))
    }

    fn standing(&self) -> (Stage, u64) {
        let standing = self.standing.load(Ordering::Relaxed);
        let stage = match standing & 7 {
            0 => Stage::Fresh,
            1 => Stage::Head,
            2 => Stage::Handling,
            3 => Stage::Answering,
            4 => Stage::Flushing,
            _ => Stage::Idle,
        };
        (stage, standing >> 3)
    }

    fn enter(&self, stage: Stage, now: Instant) {
        let since = now.saturating_duration_since(self.origin).as_millis();
        self.stand(stage, u64::try_from(since).unwrap_or(u64::MAX >> 3));
    }

    fn stand(&self, stage: Stage, since_ms: u64) {
        self.standing.store(since_ms << 3 | stage as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits::STANDARD;

    #[test]
    fn a_first_head_has_its_time_from_the_accept() {
        let start = Instant::now();
        let watch = Watch::new(start, start);
        let half = start + LIMITS.head_time / 2;
        watch.heard(half);
        let end = start + LIMITS.head_time;
        assert_eq!(watch.next_look(&LIMITS, half), Some(end));
        assert_eq!(watch.next_look(&LIMITS, end), None);
    }

    #[test]
    fn a_head_begun_after_long_idleness_has_the_head_time_and_is_looked_at_then() {
        let start = Instant::now();
        let watch = idle(start);
        let armed = watch.next_look(&LIMITS, start).unwrap();
        let begun = start + LIMITS.head_time / 4;
        watch.heard(begun);
        assert!(armed <= begun + LIMITS.head_time, "the alarm set while idle is not too late");
        assert_eq!(watch.next_look(&LIMITS, armed), Some(begun + LIMITS.head_time));
        assert_eq!(watch.next_look(&LIMITS, begun + LIMITS.head_time), None);
    }

    #[test]
    fn an_idle_connection_ends_after_the_idle_time() {
        let start = Instant::now();
        let watch = idle(start);
        let mut now = start;
        while let Some(next) = watch.next_look(&LIMITS, now) {
            now = next;
        }
        assert_eq!(now, start + LIMITS.idle_time);
    }

    #[test]
    fn a_handler_may_take_its_time() {
        let start = Instant::now();
        let watch = Watch::new(start, start);
        watch.heard(start);
        watch.handling();
        assert!(watch.next_look(&LIMITS, start + LIMITS.idle_time * 10).is_some());
        assert_eq!(watch.idle_since_ms(), None);
    }

    #[test]
    fn a_peer_that_stops_taking_its_answer_is_given_up() {
        let start = Instant::now();
        let watch = Watch::new(start, start);
        watch.heard(start);
        watch.handling();
        watch.answering(start);
        let took_some = start + LIMITS.idle_time / 2;
        watch.told(took_some);
        assert!(watch.next_look(&LIMITS, start + LIMITS.idle_time).is_some());
        assert_eq!(watch.next_look(&LIMITS, took_some + LIMITS.idle_time), None);
    }

    #[test]
    fn an_answer_still_in_our_buffer_is_not_idleness() {
        let start = Instant::now();
        let watch = Watch::new(start, start);
        watch.heard(start);
        watch.handling();
        watch.answering(start);
        watch.flushed();
        assert_eq!(watch.idle_since_ms(), None, "flushed before the answer was whole");
        watch.answered();
        assert_eq!(watch.idle_since_ms(), None);
        watch.flushed();
        assert_eq!(watch.idle_since_ms(), Some(0));
    }

    fn idle(now: Instant) -> Watch {
        let watch = Watch::new(now, now);
        watch.answered();
        watch.flushed();
        watch
    }
}
