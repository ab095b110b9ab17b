//! Jitter: chance, grown from a seed that the caller draws.

use std::time::Duration;

/// A stream of numbers that spreads machines apart; nothing is kept secret by it.
///
/// The agent draws the seed from the system, each machine its own; a test gives a known one.
#[derive(Debug, Clone)]
pub struct Jitter(u64);

impl Jitter {
    /// The stream of this seed.
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number: any of 64 bits, each as likely.
    pub fn draw(&mut self) -> u64 {
        // SplitMix64: a Weyl sequence through a mixing function, full period from every seed.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Anything from nothing to `most`, to the millisecond.
    pub fn up_to(&mut self, most: Duration) -> Duration {
        let most_ms = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        // The bias of the remainder is below 2^-20 for every span that is used here.
        Duration::from_millis(match most_ms.checked_add(1) {
            Some(choices) => self.draw() % choices,
            None => self.draw(),
        })
    }

    /// `center`, give or take `percent` of it.
    pub fn around(&mut self, center: Duration, percent: u32) -> Duration {
        let off = center.saturating_mul(percent.min(100)) / 100;
        center.saturating_sub(off) + self.up_to(off.saturating_mul(2))
    }
}
