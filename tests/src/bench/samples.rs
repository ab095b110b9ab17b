//! Samples: one figure a round, and what they amount to.

/// One figure a round.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples(Vec<f64>);

impl Samples {
    /// Adds a round's figure.
    pub(super) fn add(&mut self, figure: f64) {
        self.0.push(figure);
    }

    /// This over that, round by round: what slows a whole round down slows both sides.
    pub(super) fn over(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(this, that)| this / that).collect())
    }

    /// The middle one; of an even number, the mean of the two in the middle.
    pub(super) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => f64::NAN,
            count if count % 2 == 1 => sorted[middle],
            _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
        }
    }

    /// The smallest.
    pub(super) fn least(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The largest.
    pub(super) fn most(&self) -> f64 {
        self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    /// How many rounds there were.
    pub(super) fn rounds(&self) -> usize {
        self.0.len()
    }
}

impl From<f64> for Samples {
    fn from(figure: f64) -> Self {
        Self(vec![figure])
    }
}

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(figures: I) -> Self {
        Self(figures.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_round_moves_neither_median_nor_ratio() {
        let ours: Samples = [90.0, 9.0, 88.0].into_iter().collect();
        let limit: Samples = [100.0, 10.0, 100.0].into_iter().collect();
        assert_eq!(ours.median(), 88.0);
        assert_eq!(ours.over(&limit).median(), 0.9);
        assert_eq!((limit.least(), limit.most()), (10.0, 100.0));
    }

    #[test]
    fn an_even_number_of_rounds_has_its_median_between_the_two_in_the_middle() {
        let samples: Samples = [4.0, 1.0, 3.0, 2.0].into_iter().collect();
        assert_eq!(samples.median(), 2.5);
    }
}
