//! Life: how long something holds, as it is written in settings.

use std::time::Duration;

/// A year in the sense of certificates: nobody counts its leap days.
pub(crate) const YEAR: Duration = Duration::from_hours(24 * 365);

/// Reads `30d`, `12h`, `15m` or `90s`.
pub(crate) fn parse(text: &str) -> Result<Duration, &'static str> {
    const SHAPE: &str = "must be a number and d, h, m or s, like \"30d\"";
    let unit_at = text.len().saturating_sub(1);
    let (number, unit) = text.split_at_checked(unit_at).ok_or(SHAPE)?;
    let number: u32 = number.parse().map_err(|_| SHAPE)?;
    let seconds = match unit {
        "d" => 86_400,
        "h" => 3_600,
        "m" => 60,
        "s" => 1,
        _ => return Err(SHAPE),
    };
    let life = Duration::from_secs(u64::from(number) * seconds);
    if life.is_zero() || life > 10 * YEAR {
        return Err("must be longer than nothing and at most ten years");
    }
    Ok(life)
}
