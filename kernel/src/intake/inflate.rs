//! Inflate: hostile compressed bytes, under the limit of what may come out of them.

use std::io::Read;

use zstd::stream::read::Decoder;

use farhold_api::Refusal;
use farhold_contract::{Code, call::batch::BATCH_MAX_BYTES};

/// Largest window a frame may ask for, as a power of two: no match reaches back further than a
/// batch is long, and the window is what a decoder allocates before anything is known.
const WINDOW_LOG_MAX: u32 = 23;

/// The batch's lines.
///
/// # Errors
/// `request.too_large` as soon as one byte too many comes out; `request.malformed` for what is not
/// zstd, is cut short, or asks for a larger window.
pub(super) fn inflate(compressed: &[u8]) -> Result<Vec<u8>, Refusal> {
    let malformed = |_| Refusal::new(Code::RequestMalformed, "the body is not a zstd frame");
    let mut decoder = Decoder::with_buffer(compressed).map_err(malformed)?;
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(malformed)?;
    // Room grows with what comes out, not with what the frame promises.
    let mut lines = Vec::with_capacity(compressed.len().saturating_mul(2).min(1 << 20));
    decoder.take(BATCH_MAX_BYTES + 1).read_to_end(&mut lines).map_err(malformed)?;
    if lines.len() as u64 > BATCH_MAX_BYTES {
        let detail = format!("a batch has at most {BATCH_MAX_BYTES} bytes inflated");
        return Err(Refusal::new(Code::RequestTooLarge, detail));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(compressed: &[u8]) -> Code {
        inflate(compressed).unwrap_err().code
    }

    #[test]
    fn a_bomb_is_refused_at_the_limit_and_what_fits_is_not() {
        let size = usize::try_from(BATCH_MAX_BYTES).unwrap();
        let fits = zstd::encode_all(&vec![b'a'; size][..], 3).unwrap();
        assert_eq!(inflate(&fits).unwrap().len(), size);
        let bomb = zstd::encode_all(&vec![b'a'; size + 1][..], 3).unwrap();
        assert!(bomb.len() < 4096, "{}", bomb.len());
        assert_eq!(code(&bomb), Code::RequestTooLarge);
    }

    #[test]
    fn many_frames_are_held_to_the_same_limit() {
        let frame = zstd::encode_all(&vec![b'a'; 1 << 20][..], 3).unwrap();
        assert_eq!(code(&frame.repeat(9)), Code::RequestTooLarge);
    }

    #[test]
    fn what_is_not_a_whole_frame_is_malformed() {
        let frame = zstd::encode_all(&b"a line\n".repeat(100)[..], 3).unwrap();
        for bytes in [&b"plain\n"[..], &frame[..frame.len() - 1], &frame[..5]] {
            assert_eq!(code(bytes), Code::RequestMalformed);
        }
    }

    #[test]
    fn a_frame_that_asks_for_a_large_window_is_refused_before_it_gets_it() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        encoder.window_log(27).unwrap();
        std::io::Write::write_all(&mut encoder, &vec![b'a'; 1 << 20]).unwrap();
        assert_eq!(code(&encoder.finish().unwrap()), Code::RequestMalformed);
    }
}
