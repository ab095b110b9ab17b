//! Server: accepts connections, runs the router on each, and ends them in time.

use std::{convert::Infallible, future::Future, io, pin::pin, sync::Arc};

use axum::Router;
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    task::{JoinError, JoinSet},
    time::{Instant, sleep, sleep_until, timeout},
};
use tower::Service as _;

use crate::{
    limits::Limits,
    listener::Listener,
    slots::{Slot, Slots},
    stream::{Answer, Watched},
};

/// Serves `router` on `listener` until `shutdown`; then lets the calls in flight finish, within
/// [`Limits::drain_time`].
///
/// Each connection is a task of its own with a place in `slots`, shared by the doors that share
/// a number. Nothing a connection does ends the server; nothing the system says to an accept
/// does either: it pauses and goes on.
pub async fn serve<L: Listener>(
    listener: L,
    router: Router,
    slots: Slots,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) {
    // Has axum prepare its routes once, not for each request.
    let router = router.with_state(());
    let (stop, stopping) = watch::channel(false);
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
        if let Some((stream, slot)) = next {
            connections.spawn(converse(stream, slot, router.clone(), limits, stopping.clone()));
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
    }
}

/// One connection, to its end.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    slot: Slot,
    router: Router,
    limits: Limits,
    mut stopping: watch::Receiver<bool>,
) {
    let watch = &slot.watch;
    let service = service_fn(|request: Request<Incoming>| {
        watch.handling(Instant::now());
        let answering = router.clone().call(request);
        async {
            let response = answering.await?;
            watch.answering(Instant::now());
            let watch = Arc::clone(watch);
            Ok::<_, Infallible>(response.map(|body| Answer { body, watch }))
        }
    });
    let io = TokioIo::new(Watched::new(stream, Arc::clone(watch), limits.linger_time));
    // Times are the watch's: hyper's own would set a timer for each request.
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(limits.head_bytes)
        .serve_connection(io, service);
    let mut connection = pin!(connection);
    let now = Instant::now();
    let mut look = pin!(sleep_until(watch.next_look(&limits, now).unwrap_or(now)));
    let mut draining = false;
    loop {
        tokio::select! {
            biased;
            // Its errors are the peer's doing: it hung up, or does not speak HTTP.
            _ = connection.as_mut() => return,
            () = look.as_mut() => match watch.next_look(&limits, Instant::now()) {
                Some(next) => look.as_mut().reset(next),
                None => return,
            },
            () = watch.wanted() => if watch.idle_since_ms().is_some() { return },
            _ = stopping.wait_for(|stop| *stop), if !draining => {
                if watch.idle_since_ms().is_some() {
                    return;
                }
                draining = true;
                connection.as_mut().graceful_shutdown();
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
