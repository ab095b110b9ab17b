//! Pump: one direction of one connection, as the behavior of the moment has it.

use std::{
    io,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::watch,
    time::sleep,
};

use super::{Behavior, Direction};

/// TLS's name for a record that holds what was said, and for one that begins a handshake.
const APPLICATION_DATA: u8 = 23;
const HANDSHAKE: u8 = 22;

/// What the two directions of a connection share.
pub(super) struct Connection<'c> {
    /// The behavior of the moment.
    pub(super) behavior: watch::Receiver<Behavior>,
    /// Bytes that went up and down, over every connection.
    pub(super) bytes: &'c [AtomicU64; 2],
    /// Whether something was asked on this connection.
    pub(super) asked: AtomicBool,
}

impl Connection<'_> {
    /// Carries bytes until their end.
    ///
    /// # Errors
    /// The connection is to be reset, or is.
    pub(super) async fn carry(
        &self,
        direction: Direction,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let mut behavior = self.behavior.clone();
        let mut records = Records::default();
        let mut chunk = vec![0; 16 << 10];
        let mut passed = 0;
        loop {
            if *behavior.borrow_and_update() == Behavior::Refuse {
                return Err(reset());
            }
            let read = tokio::select! {
                read = from.read(&mut chunk) => read?,
                changed = behavior.changed() => {
                    changed.map_err(|_| reset())?;
                    passed = 0;
                    continue;
                }
            };
            // What was read before the network broke waits in it.
            behavior.wait_for(|now| !now.stops(direction)).await.map_err(|_| reset())?;
            let now = *behavior.borrow_and_update();
            if read == 0 {
                return to.shutdown().await;
            }
            let chunk = &chunk[..read];
            if direction == Direction::Up && records.ask(chunk) {
                self.asked.store(true, Ordering::SeqCst);
            }
            let passing = self.deliver(now, direction, chunk, passed, &mut to).await?;
            passed += passing as u64;
            self.bytes[direction as usize].fetch_add(passing as u64, Ordering::Relaxed);
        }
    }

    /// Hands a chunk on; how many bytes of it arrived.
    async fn deliver(
        &self,
        behavior: Behavior,
        direction: Direction,
        chunk: &[u8],
        passed: u64,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<usize> {
        match behavior {
            Behavior::Refuse => return Err(reset()),
            Behavior::Delay(by) => {
                sleep(by).await;
                to.write_all(chunk).await?;
            }
            Behavior::ResetAfter(way, bytes) if way == direction => {
                let room = usize::try_from(bytes.saturating_sub(passed)).unwrap_or(usize::MAX);
                if room > chunk.len() {
                    to.write_all(chunk).await?;
                    return Ok(chunk.len());
                }
                to.write_all(&chunk[..room]).await?;
                self.bytes[direction as usize].fetch_add(room as u64, Ordering::Relaxed);
                return Err(reset());
            }
            Behavior::Drip(way, every) if way == direction => {
                let mut left = chunk;
                while let Some((byte, rest)) = left.split_first() {
                    to.write_all(&[*byte]).await?;
                    left = rest;
                    sleep(every).await;
                    match *self.behavior.borrow() {
                        Behavior::Refuse => return Err(reset()),
                        now if now == behavior => {}
                        _ => break,
                    }
                }
                to.write_all(left).await?;
            }
            Behavior::CutAnswer
                if direction == Direction::Down && self.asked.load(Ordering::SeqCst) =>
            {
                return Ok(0);
            }
            _ => to.write_all(chunk).await?,
        }
        Ok(chunk.len())
    }
}

fn reset() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

/// The records of a TLS stream, followed by their headers; anything else is asked at once.
#[derive(Default)]
struct Records {
    header: Vec<u8>,
    left: usize,
    plain: bool,
}

impl Records {
    /// Takes the next bytes; whether something was asked in them.
    fn ask(&mut self, mut bytes: &[u8]) -> bool {
        let mut asked = self.plain;
        while let Some(first) = bytes.first().filter(|_| !self.plain) {
            if self.left > 0 {
                let skipped = self.left.min(bytes.len());
                self.left -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            self.header.push(*first);
            bytes = &bytes[1..];
            let begins_tls = (20..=24).contains(&self.header[0]) || self.header[0] == HANDSHAKE;
            self.plain = !begins_tls;
            asked |= self.plain || self.header[0] == APPLICATION_DATA;
            if let [_, _, _, high, low] = self.header[..] {
                self.left = usize::from(u16::from_be_bytes([high, low]));
                self.header.clear();
            }
        }
        asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_seen_behind_a_handshake_however_it_is_cut() {
        let mut stream = vec![HANDSHAKE, 3, 1, 0, 3, 23, 23, 23];
        stream.extend([20, 3, 3, 0, 1, 1]);
        let handshake = stream.len();
        stream.extend([APPLICATION_DATA, 3, 3, 0, 2, 0, 0]);
        for size in 1..stream.len() {
            let mut records = Records::default();
            let mut read = 0;
            for chunk in stream.chunks(size) {
                let asked = records.ask(chunk);
                read += chunk.len();
                assert_eq!(asked, read > handshake && read - chunk.len() <= handshake, "{size}");
                if asked {
                    break;
                }
            }
        }
        assert!(Records::default().ask(b"GET / HTTP/1.1\r\n"));
    }
}
