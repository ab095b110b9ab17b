//! The admin door from outside: over its socket, or in this process when no agent runs.

mod state_owner;

use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context;
use axum::{Router, body::Body};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::{net::UnixStream, runtime::Runtime, time::timeout};
use tower::ServiceExt;

use farhold_contract::{Code, Problem, problem};

use crate::exit::Failure;
use state_owner::{Acting, StateOwner};

/// Connecting to a socket on this machine is a matter of microseconds, unless nobody accepts.
const CONNECT_TIME: Duration = Duration::from_secs(2);
/// How long an agent that was there may be away while it begins anew.
const ANEW_TIME: Duration = Duration::from_secs(5);
/// Between two pieces of a stream.
const PIECE_TIME: Duration = Duration::from_secs(60);
/// Largest answer that is held in memory, in bytes; an export is streamed.
const ANSWER_MAX_BYTES: usize = 64 << 20;

/// The admin door. Not for use inside an asynchronous task: its calls block.
pub struct AdminDoor {
    runtime: Runtime,
    way: Way,
}

enum Way {
    /// Where, and whether an agent was just there.
    Socket(PathBuf, bool),
    InProcess {
        router: Router,
        owner: Option<StateOwner>,
    },
}

/// One call.
#[derive(Debug)]
pub struct Ask {
    method: Method,
    path: String,
    media_type: Option<&'static str>,
    body: Bytes,
    patience: Duration,
}

impl Ask {
    /// `GET path`.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// `DELETE path`.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// `POST path`.
    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.media_type = Some(media_type);
        self.body = body.into();
        self
    }

    /// How long the answer may take to begin: 10 s unless said otherwise.
    #[must_use]
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    fn request(&self) -> anyhow::Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(&self.method)
            .uri(&self.path)
            .header(header::HOST, "farhold")
            .header(header::CONNECTION, "close");
        if let Some(media_type) = self.media_type {
            request = request.header(header::CONTENT_TYPE, media_type);
        }
        request.body(Full::new(self.body.clone())).context("the call can't be written")
    }

    fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            media_type: None,
            body: Bytes::new(),
            patience: Duration::from_secs(10),
        }
    }
}

impl AdminDoor {
    /// The running agent's socket; no connection is made before the first call.
    ///
    /// # Errors
    /// The system gives no event loop.
    pub fn socket(path: impl Into<PathBuf>) -> anyhow::Result<Self> {
        Ok(Self { runtime: event_loop()?, way: Way::Socket(path.into(), false) })
    }

    /// The same, where an agent listens at the socket; it may begin anew before the first call.
    ///
    /// # Errors
    /// `agent.unreachable` where there may be one that this user can't reach.
    pub fn running(path: &Path) -> anyhow::Result<Option<Self>> {
        let is_there = Self::answers(path)?;
        let door = || Ok(Self { runtime: event_loop()?, way: Way::Socket(path.to_owned(), true) });
        is_there.then(door).transpose()
    }

    /// The same router in this process, made inside the event loop that will run it; root makes
    /// and runs it as the owner of the state directory.
    ///
    /// # Errors
    /// Whatever `make` says.
    pub fn in_process(
        state_dir: &Path,
        make: impl FnOnce() -> anyhow::Result<Router>,
    ) -> anyhow::Result<Self> {
        let runtime = event_loop()?;
        let owner = StateOwner::of(state_dir);
        let acting = acting(owner)?;
        let router = runtime.block_on(async { make() })?;
        drop(acting);
        Ok(Self { runtime, way: Way::InProcess { router, owner } })
    }

    fn answers(path: &Path) -> anyhow::Result<bool> {
        use io::ErrorKind::{ConnectionRefused, NotFound};
        event_loop()?.block_on(async {
            match timeout(CONNECT_TIME, UnixStream::connect(path)).await {
                Ok(Ok(_)) => Ok(true),
                Ok(Err(error)) if matches!(error.kind(), NotFound | ConnectionRefused) => Ok(false),
                Ok(Err(error)) => Err(unreachable(path, error).into()),
                Err(late) => Err(unreachable(path, late).into()),
            }
        })
    }

    /// Asks, and reads the whole answer.
    ///
    /// # Errors
    /// `agent.unreachable`, or what the agent refused, as a [`Failure`].
    pub fn call(&self, ask: Ask) -> anyhow::Result<Bytes> {
        let _acting = self.acting()?;
        self.runtime.block_on(async {
            let patience = ask.patience;
            let response = self.accepted(ask).await?;
            self.whole(response, patience).await
        })
    }

    /// Asks, and reads the answer as JSON.
    ///
    /// # Errors
    /// As [`AdminDoor::call`]; an answer of another shape is a defect.
    pub fn json<T: DeserializeOwned>(&self, ask: Ask) -> anyhow::Result<T> {
        let path = ask.path.clone();
        let body = self.call(ask)?;
        serde_json::from_slice(&body)
            .with_context(|| format!("the agent's answer to {path} is of another version"))
    }

    /// Asks, and hands the answer on piece by piece; returns how many bytes it had.
    ///
    /// # Errors
    /// As [`AdminDoor::call`], and whatever `sink` says. An answer that breaks off is an error.
    pub fn stream(
        &self,
        ask: Ask,
        sink: &mut dyn FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<u64> {
        let _acting = self.acting()?;
        self.runtime.block_on(async {
            let mut body = self.accepted(ask).await?.into_body();
            let mut bytes = 0;
            while let Some(frame) =
                timeout(PIECE_TIME, body.frame()).await.map_err(|late| self.broke_off(late))?
            {
                if let Ok(piece) = frame.map_err(|error| self.broke_off(error))?.into_data() {
                    bytes += piece.len() as u64;
                    sink(&piece)?;
                }
            }
            Ok(bytes)
        })
    }

    fn acting(&self) -> anyhow::Result<Option<Acting>> {
        match &self.way {
            Way::Socket(..) => Ok(None),
            Way::InProcess { owner, .. } => acting(*owner),
        }
    }

    async fn accepted(&self, ask: Ask) -> anyhow::Result<Response<Body>> {
        let patience = ask.patience;
        let response = self.send(ask).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let is_problem = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(problem::MEDIA_TYPE.as_bytes()));
        let body = self.whole(response, patience).await?;
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) if is_problem => Err(Failure::from(problem).into()),
            _ => Err(self.foreign(status).into()),
        }
    }

    async fn send(&self, ask: Ask) -> anyhow::Result<Response<Body>> {
        match &self.way {
            Way::Socket(path, was_there) => {
                timeout(ask.patience, over_socket(path, *was_there, &ask))
                    .await
                    .map_err(|late| unreachable(path, late))?
            }
            Way::InProcess { router, .. } => {
                let Ok(response) = router.clone().oneshot(ask.request()?.map(Body::new)).await;
                Ok(response)
            }
        }
    }

    async fn whole(&self, response: Response<Body>, patience: Duration) -> anyhow::Result<Bytes> {
        let body = Limited::new(response.into_body(), ANSWER_MAX_BYTES).collect();
        let whole = timeout(patience, body).await.map_err(|late| self.broke_off(late))?;
        Ok(whole.map_err(|error| self.broke_off(error))?.to_bytes())
    }

    fn broke_off(&self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
        match &self.way {
            Way::Socket(path, _) => Failure::new(
                Code::AgentUnreachable,
                format!("the answer of the agent at {} broke off", path.display()),
            ),
            Way::InProcess { .. } => Failure::new(Code::ServerInternal, "the answer broke off"),
        }
        .because(cause)
    }

    fn foreign(&self, status: StatusCode) -> Failure {
        match &self.way {
            Way::Socket(path, _) => Failure::new(
                Code::AgentUnreachable,
                format!(
                    "what answers at {} is not this version's agent ({status})",
                    path.display()
                ),
            ),
            Way::InProcess { .. } => {
                Failure::new(Code::ServerInternal, format!("an answer without a code ({status})"))
            }
        }
    }
}

/// Asks over the socket. An agent that begins anew after an enrollment hangs up on whoever came
/// at that moment: a call that was not sent, or changes nothing, is simply made again.
async fn over_socket(
    path: &Path,
    mut was_there: bool,
    ask: &Ask,
) -> anyhow::Result<Response<Body>> {
    let began = Instant::now();
    loop {
        let (answered, was_sent) = match connect(path).await {
            Ok(stream) => {
                was_there = true;
                (exchange(path, stream, ask.request()?).await, true)
            }
            Err(error) => (Err(error), false),
        };
        let may_repeat = !was_sent || ask.method == Method::GET;
        let again = was_there && may_repeat && began.elapsed() < ANEW_TIME;
        match answered {
            Err(_) if again => tokio::time::sleep(Duration::from_millis(50)).await,
            answered => return Ok(answered?),
        }
    }
}

async fn connect(path: &Path) -> Result<UnixStream, Failure> {
    timeout(CONNECT_TIME, UnixStream::connect(path))
        .await
        .map_err(|late| unreachable(path, late))?
        .map_err(|error| unreachable(path, error))
}

async fn exchange(
    path: &Path,
    stream: UnixStream,
    request: Request<Full<Bytes>>,
) -> Result<Response<Body>, Failure> {
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| unreachable(path, error))?;
    // It ends with the answer; what goes wrong in it is told by the answer, too.
    tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(|error| unreachable(path, error))?;
    Ok(response.map(Body::new))
}

fn unreachable(path: &Path, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    let what = format!("the agent does not answer at {}", path.display());
    Failure::new(Code::AgentUnreachable, what).because(cause)
}

fn acting(owner: Option<StateOwner>) -> anyhow::Result<Option<Acting>> {
    let acting = owner.map(StateOwner::act).transpose();
    acting.context("can't act as the owner of the state directory")
}

fn event_loop() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the system gives no event loop")
}
