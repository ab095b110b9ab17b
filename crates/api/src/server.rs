//! Server: accepts connections, answers on each, and ends them in time.

use std::{
    convert::Infallible,
    future::{Future, pending, poll_fn},
    io,
    pin::pin,
    sync::Arc,
    task::Poll,
};

use axum::body::Body;
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch::{Receiver, channel},
    task::{JoinError, JoinSet},
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::{
    answers::Answers,
    bell::Bell,
    limits::Limits,
    listener::{Greeted, Greeter as _, Listener},
    slots::{Slot, Slots},
    stream::{Answer, Watched},
    watch::Watch,
};

/// hyper takes no smaller buffer.
const BUFFER_LEAST_BYTES: usize = 8 << 10;

/// Serves `answers` on `listener` until `shutdown`; then lets the calls in flight finish, within
/// [`Limits::drain_time`].
///
/// Each connection is a task of its own with a place in `slots`, shared by the doors that share
/// a number. Nothing a connection does ends the server; nothing the system says to an accept
/// does either: it pauses and goes on.
pub async fn serve<L: Listener, A: Answers>(
    listener: L,
    answers: A,
    slots: Slots,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) {
    let (stop, stopping) = channel(false);
    let greeter = listener.greeter();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    let mut accepts = Accepts::Well;
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(ended) = connections.join_next() => { ended_well(ended); continue }
            accepted = listener.accept() => accepted,
        };
        // Past the limit one connection is accepted and waits here; the others wait outside.
        let next = async {
            match accepted {
                Ok(stream) => {
                    accepts.well();
                    Some((stream, slots.take(limits.spare_time).await))
                }
                Err(error) if is_the_peers(&error) => None,
                Err(error) => {
                    accepts.badly(&error);
                    slots.make_room(limits.spare_time);
                    sleep(limits.accept_pause).await;
                    None
                }
            }
        };
        let next = tokio::select! {
            biased;
            () = &mut shutdown => break,
            next = next => next,
        };
        if let Some((raw, slot)) = next {
            let (greeter, answers, stopping) = (greeter.clone(), answers.clone(), stopping.clone());
            connections.spawn(async move {
                let watch = Arc::clone(&slot.watch);
                // A peer that does not greet in time, or not well, is not answered; nor is one
                // that has nothing but a handshake to show while another waits for its place.
                let greeted = tokio::select! {
                    biased;
                    greeted = timeout(limits.head_time, greeter.greet(raw)) => greeted,
                    () = watch.wanted() => return,
                };
                if let Ok(Ok(greeted)) = greeted {
                    converse(greeted, slot, answers, limits, stopping).await;
                }
            });
        }
    }
    // The address is free for a successor while the last calls finish.
    drop(listener);
    stop.send_replace(true);
    let drained = async {
        while let Some(ended) = connections.join_next().await {
            ended_well(ended);
        }
    };
    if timeout(limits.drain_time, drained).await.is_err() {
        tracing::warn!(connections = connections.len(), "calls in flight were cut off at shutdown");
        connections.shutdown().await;
    }
}

/// One connection, to its end.
async fn converse<S: AsyncRead + AsyncWrite + Unpin, A: Answers>(
    Greeted { stream, certificate }: Greeted<S>,
    slot: Slot,
    answers: A,
    limits: Limits,
    stopping: Receiver<bool>,
) {
    let watch = &slot.watch;
    let service = service_fn(|request: Request<Incoming>| {
        watch.handling();
        let mut request = request.map(Body::new);
        if let Some(certificate) = &certificate {
            request.extensions_mut().insert(certificate.clone());
        }
        let answering = answers.answer(request);
        async {
            let response = answering.await;
            watch.answering(Instant::now());
            let watch = Arc::clone(watch);
            Ok::<_, Infallible>(response.map(|body| Answer { body, watch }))
        }
    });
    let io = TokioIo::new(Watched::new(stream, Arc::clone(watch), limits.linger_time));
    // Times are the watch's: hyper's own would set a timer for each request.
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .writev(false)
        .max_header_size(limits.head_bytes)
        .max_buf_size(limits.buffer_bytes.max(BUFFER_LEAST_BYTES))
        .serve_connection(io, service);
    let mut connection = pin!(connection);
    let mut turn = pin!(turn(watch, &limits, Some(stopping)));
    let bell = Bell::of_this_task().await;
    poll_fn(|cx| {
        // A connection's errors are the peer's doing: it hung up, or does not speak HTTP.
        while connection.as_mut().poll(cx).is_pending() {
            match bell.poll_if_rung(turn.as_mut()) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Turn::Over) => break,
                Poll::Ready(Turn::Last) => {
                    connection.as_mut().graceful_shutdown();
                    turn.set(self::turn(watch, &limits, None));
                    bell.ring();
                }
            }
        }
        Poll::Ready(())
    })
    .await;
}

/// What a connection has to do besides its calls.
enum Turn {
    /// Its time is over.
    Over,
    /// The call in flight is its last.
    Last,
}

/// Waits until the connection's time is over, or until the server stops.
async fn turn(watch: &Watch, limits: &Limits, mut stopping: Option<Receiver<bool>>) -> Turn {
    let now = Instant::now();
    let mut look = pin!(sleep_until(watch.next_look(limits, now).unwrap_or(now)));
    let stop = async {
        match &mut stopping {
            // A server that is gone has stopped, too.
            Some(stopping) => drop(stopping.wait_for(|stop| *stop).await),
            None => pending().await,
        }
    };
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = look.as_mut() => match watch.next_look(limits, Instant::now()) {
                Some(next) => look.as_mut().reset(next),
                None => return Turn::Over,
            },
            () = watch.wanted() => if watch.idle_since_ms().is_some() { return Turn::Over },
            () = stop.as_mut() => {
                let idle = watch.idle_since_ms().is_some();
                return if idle { Turn::Over } else { Turn::Last };
            }
        }
    }
}

/// How accepting goes: said once when it turns, not at every attempt.
enum Accepts {
    Well,
    Badly,
}

impl Accepts {
    fn well(&mut self) {
        if let Self::Badly = self {
            tracing::info!("connections are accepted again");
            *self = Self::Well;
        }
    }

    fn badly(&mut self, error: &io::Error) {
        if let Self::Well = self {
            tracing::error!(%error, "connections can't be accepted; check the open-files limit");
            *self = Self::Badly;
        }
    }
}

/// Whether the connection failed, and not the accepting of it.
fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

fn ended_well(ended: Result<(), JoinError>) {
    if ended.is_err_and(|error| error.is_panic()) {
        tracing::error!("a connection's task panicked; the others go on");
    }
}
