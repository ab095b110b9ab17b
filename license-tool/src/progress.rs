//! Progress: how far a long run has come, for people at a terminal alone.

use std::io::{self, IsTerminal, Write};

/// A bar on standard error; where that is no terminal, nothing.
#[derive(Debug)]
pub struct Progress<W: Write> {
    to: Option<W>,
    total: usize,
    shown: Option<usize>,
}

/// How wide the bar is, in characters.
const WIDTH: usize = 30;

impl Progress<io::Stderr> {
    /// A bar for so many.
    pub fn on_terminal(total: usize) -> Self {
        let stderr = io::stderr();
        Self::new(stderr.is_terminal().then_some(stderr), total)
    }
}

impl<W: Write> Progress<W> {
    const fn new(to: Option<W>, total: usize) -> Self {
        Self { to, total, shown: None }
    }

    /// So many are done. Drawn anew only where it looks another.
    pub fn at(&mut self, done: usize) {
        let permille = done * 1000 / self.total.max(1);
        if self.shown == Some(permille) {
            return;
        }
        self.shown = Some(permille);
        let (total, filled) = (self.total, done * WIDTH / self.total.max(1));
        if let Some(to) = &mut self.to {
            let bar = format!(
                "\r[{:<WIDTH$}] {:>3} %  {done} of {total}",
                "#".repeat(filled.min(WIDTH)),
                permille / 10
            );
            let _ = to.write_all(bar.as_bytes()).and_then(|()| to.flush()); // nobody is left to see it
        }
    }
}

impl<W: Write> Drop for Progress<W> {
    /// Leaves an empty line to what is said next.
    fn drop(&mut self) {
        if let (Some(to), Some(_)) = (&mut self.to, self.shown) {
            let _ = to.write_all(b"\r\x1b[2K").and_then(|()| to.flush()); // as above
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_drawn_where_it_changes_and_wiped_at_the_end() {
        let mut drawn = Vec::new();
        {
            let mut progress = Progress::new(Some(&mut drawn), 10_000);
            for done in [0, 1, 2, 5_000, 10_000] {
                progress.at(done);
            }
        }
        let drawn = String::from_utf8(drawn).unwrap();
        assert_eq!(drawn.matches('\r').count(), 4, "0 ‰, 500 ‰, 1000 ‰, wiped: {drawn}");
        assert!(drawn.contains("[###############               ]  50 %  5000 of 10000"));
        assert!(drawn.ends_with("\r\x1b[2K"));
    }

    #[test]
    fn without_a_terminal_nothing_is_said() {
        let mut progress: Progress<Vec<u8>> = Progress::new(None, 10);
        progress.at(5);
        assert!(progress.to.is_none());
    }
}
