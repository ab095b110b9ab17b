//! QR codes in a terminal: half blocks, two modules a character, with the quiet zone that readers need.

use std::io::{self, IsTerminal};

use qrcode::{
    Color, EcLevel, QrCode, Version,
    bits::Bits,
    types::{QrError, QrResult},
};

use farhold_contract::Code;

use crate::{failure::Failure, stdout};

/// The largest version that phones read from a screen at ease (`bundle.md` §8).
const VERSION_MAX: i16 = 25;
/// What that version holds at level M in letters, digits and `$%*+-./:`.
const CHARACTERS_MAX: usize = 1_451;
/// White around the code, in modules (ISO/IEC 18004).
const QUIET: usize = 4;

/// Black on white, whatever the terminal's own colors are.
const COLORS_ON: &str = "\x1b[38;5;16;48;5;231m";
const COLORS_OFF: &str = "\x1b[0m";

/// What gives the code its colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colors {
    /// The drawing itself: it scans on every terminal that knows colors.
    Set,
    /// The terminal: light characters on a dark ground.
    OfDarkTerminal,
    /// The terminal: dark characters on a light ground.
    OfLightTerminal,
}

/// A QR code, drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    /// Its lines, each with a line feed.
    pub text: String,
    /// How wide a terminal must be for it.
    pub columns: usize,
}

/// More than one QR code of version 25 at level M holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{characters} characters are more than one QR code holds ({CHARACTERS_MAX})")]
pub struct TooLong {
    /// How many there are.
    pub characters: usize,
}

/// Draws a text as one QR code of error correction level M.
///
/// The typed form is all digits, capitals and signs of QR's alphanumeric set, so that each
/// character takes 5.5 bits; other texts are drawn, too, and hold less.
///
/// # Errors
/// [`TooLong`] beyond version 25.
pub fn draw(text: &str, colors: Colors) -> Result<Drawing, TooLong> {
    let code = encode(text).map_err(|_| TooLong { characters: text.chars().count() })?;
    let columns = code.width() + 2 * QUIET;
    // The quiet zone is drawn: a dark terminal around the code would swallow its edge.
    let module = |row: usize, column: usize| {
        let inside = QUIET..QUIET + code.width();
        if inside.contains(&row) && inside.contains(&column) {
            code[(column - QUIET, row - QUIET)]
        } else {
            Color::Light
        }
    };
    let mut drawn = String::new();
    for row in (0..columns).step_by(2) {
        if colors == Colors::Set {
            drawn.push_str(COLORS_ON);
        }
        for column in 0..columns {
            // An odd number of rows: what would be below the last is ground, not code.
            drawn.push(half_blocks(module(row, column), module(row + 1, column), colors));
        }
        if colors == Colors::Set {
            drawn.push_str(COLORS_OFF);
        }
        drawn.push('\n');
    }
    Ok(Drawing { text: drawn, columns })
}

/// Shows a text as a QR code on standard output: in colors of its own unless `NO_COLOR` is set,
/// then in the terminal's, for a light ground with `light`.
///
/// # Errors
/// `output.unwritable` for a text too long for one code, or a terminal too narrow for this one.
pub fn show(text: &str, light: bool) -> anyhow::Result<()> {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colors = match (light, no_color) {
        (true, _) => Colors::OfLightTerminal,
        (false, true) => Colors::OfDarkTerminal,
        (false, false) => Colors::Set,
    };
    let drawing = draw(text, colors).map_err(|error| {
        Failure::new(Code::OutputUnwritable, error.to_string())
            .action("Write it to a file and carry that: --out FILE.")
    })?;
    let terminal = io::stdout();
    let columns = rustix::termios::tcgetwinsize(&terminal).map(|size| usize::from(size.ws_col));
    // A terminal that doesn't know its width says 0.
    if let Ok(columns @ 1..) = columns
        && terminal.is_terminal()
        && columns < drawing.columns
    {
        let what = format!(
            "the QR code is {} columns wide, and this terminal has {columns}",
            drawing.columns
        );
        return Err(Failure::new(Code::OutputUnwritable, what)
            .action("Make the window wider or its letters smaller, or carry a file: --out FILE.")
            .into());
    }
    stdout::write(drawing.text.as_bytes())
}

/// The smallest code that holds the text in one segment: what fits is known by its length alone.
fn encode(text: &str) -> QrResult<QrCode> {
    let signs = b"$%*+-./:";
    let is_alphanumeric = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase() || signs.contains(&byte));
    let in_version = |version| {
        let mut bits = Bits::new(version);
        if is_alphanumeric {
            bits.push_alphanumeric_data(text.as_bytes())?;
        } else {
            bits.push_byte_data(text.as_bytes())?;
        }
        bits.push_terminator(EcLevel::M)?;
        QrCode::with_bits(bits, EcLevel::M)
    };
    let mut versions = (1..=VERSION_MAX).map(|version| in_version(Version::Normal(version)));
    versions.find(Result::is_ok).unwrap_or(Err(QrError::DataTooLong))
}

/// One character for two modules, one above the other.
const fn half_blocks(upper: Color, lower: Color, colors: Colors) -> char {
    // What a block paints is the module that has the color of characters.
    let painted = match colors {
        Colors::Set | Colors::OfLightTerminal => Color::Dark,
        Colors::OfDarkTerminal => Color::Light,
    };
    match (upper as u8 == painted as u8, lower as u8 == painted as u8) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIXELS: usize = 4;
    const TYPED: &str = "FH1:0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$%*+-./:";

    #[derive(Clone, Copy)]
    struct Terminal {
        ground: u8,
        letters: u8,
    }

    const DARK: Terminal = Terminal { ground: 20, letters: 220 };
    const LIGHT: Terminal = Terminal { ground: 250, letters: 10 };

    #[test]
    fn what_a_terminal_shows_is_read_again() {
        for length in [60, 400, 1_026, CHARACTERS_MAX] {
            let text: String = TYPED.chars().cycle().take(length).collect();
            for terminal in [DARK, LIGHT] {
                let drawing = draw(&text, Colors::Set).unwrap();
                assert_eq!(read(&drawing, terminal), text, "{length} characters");
            }
        }
    }

    #[test]
    fn without_colors_it_takes_those_of_the_terminal() {
        let dark = draw(TYPED, Colors::OfDarkTerminal).unwrap();
        let light = draw(TYPED, Colors::OfLightTerminal).unwrap();
        assert!(!dark.text.contains('\x1b') && !light.text.contains('\x1b'));
        assert_eq!(read(&dark, DARK), TYPED);
        assert_eq!(read(&light, LIGHT), TYPED);
    }

    #[test]
    fn one_character_more_than_version_25_holds_is_refused() {
        let text = "A".repeat(CHARACTERS_MAX + 1);
        let refused = draw(&text, Colors::Set).unwrap_err();
        assert_eq!(refused.characters, CHARACTERS_MAX + 1);
        assert_eq!(draw(&text[1..], Colors::Set).unwrap().columns, 117 + 2 * QUIET);
        assert!(draw(&"a".repeat(CHARACTERS_MAX), Colors::Set).is_err(), "small letters are bytes");
    }

    /// Paints the drawing as a terminal would, and reads the picture.
    fn read(drawing: &Drawing, terminal: Terminal) -> String {
        let rows = painted(&drawing.text, terminal);
        assert!(rows.iter().all(|row| row.len() == drawing.columns));
        // The code stands in the middle of a window that has the terminal's own ground.
        let margin = 3;
        let (width, height) = (drawing.columns + 2 * margin, rows.len() + 2 * margin);
        let module = |x: usize, y: usize| {
            let row = y.checked_sub(margin).and_then(|y| rows.get(y));
            row.and_then(|row| row.get(x.checked_sub(margin)?)).copied().unwrap_or(terminal.ground)
        };
        let mut picture =
            rqrr::PreparedImage::prepare_from_greyscale(width * PIXELS, height * PIXELS, |x, y| {
                module(x / PIXELS, y / PIXELS)
            });
        let grids = picture.detect_grids();
        assert_eq!(grids.len(), 1, "one code is found");
        grids[0].decode().unwrap().1
    }

    /// The drawing as rows of gray, two for each line.
    fn painted(text: &str, terminal: Terminal) -> Vec<Vec<u8>> {
        let mut rows = Vec::new();
        for line in text.lines() {
            let (line, colors) = match line.strip_prefix(COLORS_ON) {
                Some(rest) => {
                    let rest = rest.strip_suffix(COLORS_OFF).expect("colors end with the line");
                    (rest, Terminal { ground: 255, letters: 0 })
                }
                None => (line, terminal),
            };
            let paint = |is_painted| if is_painted { colors.letters } else { colors.ground };
            rows.push(line.chars().map(|c| paint(matches!(c, '█' | '▀'))).collect());
            rows.push(line.chars().map(|c| paint(matches!(c, '█' | '▄'))).collect());
        }
        rows
    }
}
