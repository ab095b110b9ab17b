//! Sizes in bytes, as people write and read them.

const UNITS: [(&str, u64); 4] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// Reads `4GiB`, `512 MiB` or plain bytes; `None` for anything else, also for what overflows.
///
/// `GB` and `G` are refused: half of their readers mean the other thousand.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let (digits, unit) = UNITS
        .iter()
        .find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?.trim_end(), *bytes)))
        .unwrap_or((text, 1));
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// A size with at most one digit after the point, like `1.5 GiB`.
pub fn bytes_for_people(bytes: u64) -> String {
    // UNITS go from the largest down.
    match UNITS.iter().find(|(_, unit)| bytes >= *unit) {
        None => format!("{bytes} B"),
        Some((name, unit)) => {
            // Rounded down: a cap that is nearly reached must not read as reached.
            let tenths = u128::from(bytes) * 10 / u128::from(*unit);
            match tenths % 10 {
                0 => format!("{} {name}", tenths / 10),
                rest => format!("{}.{rest} {name}", tenths / 10),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_units_or_none() {
        assert_eq!(parse_bytes("4GiB"), Some(4 << 30));
        assert_eq!(parse_bytes("512 MiB"), Some(512 << 20));
        assert_eq!(parse_bytes("1048576"), Some(1 << 20));
        for bad in ["", "GiB", "4GB", "4G", "-1", "+4GiB", "1.5GiB", "4gib", "99999999999TiB"] {
            assert_eq!(parse_bytes(bad), None, "{bad}");
        }
    }

    #[test]
    fn people_read_the_largest_unit_rounded_down() {
        assert_eq!(bytes_for_people(0), "0 B");
        assert_eq!(bytes_for_people(1023), "1023 B");
        assert_eq!(bytes_for_people(1536), "1.5 KiB");
        assert_eq!(bytes_for_people((4 << 30) - 1), "3.9 GiB");
        assert_eq!(bytes_for_people(u64::MAX), "16777215.9 TiB");
    }
}
