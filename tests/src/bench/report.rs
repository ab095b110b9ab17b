//! Report: the lines of a run, printed as they are measured, and the bars at its end.

use super::samples::Samples;

/// What a figure is held against.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bar {
    /// Not less than this.
    AtLeast(f64),
    /// Not more than this.
    AtMost(f64),
}

/// The lines of a run.
#[derive(Debug, Default)]
pub(super) struct Report {
    met: usize,
    missed: Vec<String>,
    unmeasured: Vec<String>,
}

impl Report {
    /// Begins a part.
    pub(super) fn part(&self, title: &str) {
        println!("\n{title}");
    }

    /// A measured figure.
    pub(super) fn figure(&self, name: &str, samples: &Samples, unit: &str) {
        self.figure_with(name, samples, unit, "");
    }

    /// A measured figure, and something to know about it.
    pub(super) fn figure_with(&self, name: &str, samples: &Samples, unit: &str, note: &str) {
        let value = format!("{} {unit}", number(samples.median()));
        println!("  {}", row(name, &value, &spread(samples), note));
    }

    /// A measured figure and its bar.
    pub(super) fn bar(&mut self, name: &str, samples: &Samples, unit: &str, bar: Bar) {
        let figure = samples.median();
        let (met, sign, bound) = match bar {
            Bar::AtLeast(bound) => (figure >= bound, "≥", bound),
            Bar::AtMost(bound) => (figure <= bound, "≤", bound),
        };
        let verdict = if met { "met" } else { "NOT MET" };
        let told = format!("bar {sign} {}  {verdict}", number(bound));
        let value = format!("{} {unit}", number(figure));
        println!("  {}", row(name, value.trim_end(), &spread(samples), &told));
        if met {
            self.met += 1;
        } else {
            self.missed.push(format!("{name}: {} ({sign} {})", value.trim_end(), number(bound)));
        }
    }

    /// Something that is so or not.
    pub(super) fn fact(&mut self, name: &str, holds: bool, detail: &str) {
        println!("  {}", row(name, if holds { "yes" } else { "no" }, "", detail));
        if holds {
            self.met += 1;
        } else {
            self.missed.push(name.to_owned());
        }
    }

    /// Something to know.
    pub(super) fn note(&self, text: &str) {
        println!("  {text}");
    }

    /// A peer that can't be had here.
    pub(super) fn absent(&mut self, peer: &str, why: &anyhow::Error) {
        println!("  {}", row(peer, "not available", "", &format!("{why:#}")));
        self.unmeasured.push(peer.to_owned());
    }

    /// What it all came to.
    pub(super) fn close(&self) {
        println!("\n{} bars met, {} not met", self.met, self.missed.len());
        for missed in &self.missed {
            println!("  not met: {missed}");
        }
        for peer in &self.unmeasured {
            println!("  not available: {peer}");
        }
    }
}

fn row(name: &str, value: &str, spread: &str, note: &str) -> String {
    let line = format!("{name:<46} {value:>18}  {spread:<21} {note}");
    line.trim_end().to_owned()
}

fn spread(samples: &Samples) -> String {
    if samples.rounds() < 2 {
        return String::new();
    }
    format!("({}–{})", number(samples.least()), number(samples.most()))
}

/// Three or four digits that mean something, thousands set apart.
fn number(figure: f64) -> String {
    if figure.abs() < 100.0 {
        let text = format!("{figure:.2}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let digits = format!("{figure:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_readable() {
        assert_eq!(number(0.846), "0.85");
        assert_eq!(number(12.0), "12");
        assert_eq!(number(1_234_567.8), "1 234 568");
        assert_eq!(number(999.6), "1 000");
    }

    #[test]
    fn a_bar_that_is_not_met_is_told_at_the_end() {
        let mut report = Report::default();
        report.bar("a", &Samples::from(0.9), "", Bar::AtLeast(0.85));
        report.bar("b", &Samples::from(1.3), "", Bar::AtMost(1.2));
        assert_eq!(report.met, 1);
        assert_eq!(report.missed, ["b: 1.3 (≤ 1.2)"]);
    }
}
