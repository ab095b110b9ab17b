//! QR: what a camera reads from a terminal.

/// So many pixels a module: the reader wants more than one.
const PIXELS: usize = 4;

/// The text of a QR code as a tool drew it for dark letters on a light ground (`--invert`).
///
/// # Panics
/// If no camera could read it.
pub fn scanned(drawn: &str) -> String {
    // A character is two modules, one above the other.
    let halves = [['█', '▀'], ['█', '▄']];
    let rows: Vec<Vec<bool>> = drawn
        .lines()
        .filter(|line| !line.is_empty())
        .flat_map(|line| halves.map(|dark| line.chars().map(|one| dark.contains(&one)).collect()))
        .collect();
    let columns = rows.first().map_or(0, Vec::len);
    let is_dark = |x: usize, y: usize| rows[y].get(x).copied().unwrap_or(false);
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(
        columns * PIXELS,
        rows.len() * PIXELS,
        |x, y| if is_dark(x / PIXELS, y / PIXELS) { 0 } else { 255 },
    );
    let grids = picture.detect_grids();
    let grid = grids.first().expect("there is a code");
    grid.decode().expect("it can be read").1
}
