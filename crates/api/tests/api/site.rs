//! A Kernel that answers from constants and remembers what reached it.

use std::sync::{Arc, Mutex};

use serde::Deserialize;
use tokio::sync::Notify;

use farhold_api::{
    Call, CheckQuestion, CheckReply, Credentials, FlagsReply, Holder, Kernel, Principal, Refusal,
};
use farhold_contract::{
    Code,
    call::{
        check::{CheckResponse, Usage},
        events::EventAccepted,
        flags::{FlagsResponse, SetFlag},
        heartbeat::{HeartbeatAnswer, HeartbeatRequest, KernelStanding},
        register::{RegisterRequest, RegisterResponse},
        resolve::{ResolveRequest, ResolveResponse},
    },
    id::EventId,
    mode::Mode,
    model::{Identity, Limits, Policies, Provider, RuntimeStatus, RuntimeType, SecurityLevel},
    version::ContractVersion,
};

pub(crate) const TENANT: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e01";
pub(crate) const OTHER_TENANT: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e02";
pub(crate) const RUNTIME: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e11";
pub(crate) const OTHER_RUNTIME: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e12";
pub(crate) const EVENT: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e21";
pub(crate) const AGENT: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e61";
const TOKEN_ID: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e31";
const IDENTITY: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e41";
const DECISION: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e51";

/// The token of [`RUNTIME`].
pub(crate) const TOKEN: &str = "fhr_registered";
/// The certificate of [`AGENT`], whose site has both tenants and [`RUNTIME`].
pub(crate) const CERTIFICATE: &[u8] = b"the agent's";
/// A token that has not registered.
pub(crate) const FRESH_TOKEN: &str = "fhr_fresh";

/// What reached the Kernel, in order.
#[derive(Debug, PartialEq)]
pub(crate) enum Asked {
    Register(Call, RegisterRequest),
    Heartbeat(Call, Box<HeartbeatRequest>),
    Resolve(Call, String),
    Check(Call, CheckQuestion),
    Flags(Call),
    Events(Call, Vec<Box<[u8]>>),
}

#[derive(Default)]
pub(crate) struct Site {
    pub(crate) asked: Mutex<Vec<Asked>>,
    /// What the flag `theme` is set to.
    pub(crate) theme: Mutex<String>,
    /// Rung when a check of the feature `waits` has begun.
    pub(crate) begun: Notify,
    /// Ends it.
    pub(crate) go_on: Notify,
}

impl Site {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The only call that reached the Kernel.
    pub(crate) fn only(&self) -> Asked {
        let mut asked = self.asked.lock().unwrap();
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked.remove(0)
    }

    pub(crate) fn reached(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    fn note(&self, asked: Asked) {
        self.asked.lock().unwrap().push(asked);
    }
}

impl Kernel for Site {
    async fn authenticate(&self, credentials: Credentials<'_>) -> Result<Principal, Refusal> {
        let token = match credentials {
            Credentials::Token(token) => std::str::from_utf8(token).unwrap_or_default(),
            Credentials::Certificate { certificate, tenant_id, runtime_id } => {
                if certificate.as_der() != CERTIFICATE {
                    return Err(Code::CertificateUnknown.into());
                }
                let agent_id = AGENT.parse().unwrap();
                let theirs = [TENANT, OTHER_TENANT].map(|id| id.parse().unwrap());
                return Ok(Principal {
                    holder: Holder::Agent { agent_id },
                    tenant_id: if theirs.contains(&tenant_id) { tenant_id } else { theirs[0] },
                    runtime_id: runtime_id
                        .filter(|id| *id == RUNTIME.parse().unwrap())
                        .or(Some(agent_id)),
                });
            }
        };
        let runtime_id = match token {
            TOKEN => Some(RUNTIME.parse().unwrap()),
            FRESH_TOKEN => None,
            _ => return Err(Code::AuthInvalid.into()),
        };
        Ok(Principal {
            holder: Holder::Runtime {
                token_id: TOKEN_ID.parse().unwrap(),
                runtime_type: RuntimeType::Courses,
            },
            tenant_id: TENANT.parse().unwrap(),
            runtime_id,
        })
    }

    async fn register(
        &self,
        call: Call,
        request: RegisterRequest,
    ) -> Result<RegisterResponse, Refusal> {
        let runtime_id = call.runtime_id.or(request.runtime_id);
        self.note(Asked::Register(call, request));
        Ok(RegisterResponse {
            runtime_id: runtime_id.unwrap_or_else(|| RUNTIME.parse().unwrap()),
            status: RuntimeStatus::Registered,
            policies_applied: Policies {
                security_level: SecurityLevel::Standard,
                data_residency: None,
            },
        })
    }

    async fn heartbeat(
        &self,
        call: Call,
        request: HeartbeatRequest,
    ) -> Result<Option<HeartbeatAnswer>, Refusal> {
        let answer = request.report.as_ref().map(|report| HeartbeatAnswer {
            standing: KernelStanding::ACTIVE,
            tenants: Vec::new(),
            runtimes: Vec::new(),
            bundle_digest: None,
            server_time: report.wall,
            poll_after: 60,
            contract_versions: ContractVersion::ALL.to_vec(),
            backfill: Vec::new(),
        });
        self.note(Asked::Heartbeat(call, Box::new(request)));
        Ok(answer)
    }

    async fn resolve(
        &self,
        call: Call,
        request: ResolveRequest,
    ) -> Result<ResolveResponse, Refusal> {
        let tenant_id = call.tenant_id;
        self.note(Asked::Resolve(call, request.external_token));
        Ok(ResolveResponse {
            identity: Identity {
                identity_id: IDENTITY.parse().unwrap(),
                tenant_id,
                external_id: "anna".to_owned(),
                provider: Provider::Oidc,
                roles: vec!["teacher".to_owned()],
                attributes: [].into(),
            },
            entitlements: Vec::new(),
        })
    }

    async fn check(&self, call: Call, question: CheckQuestion) -> Result<CheckReply, Refusal> {
        let feature = question.request.feature.clone();
        self.note(Asked::Check(call, question));
        match feature.as_str() {
            "stored" => {
                Ok(CheckReply::Stored { body: br#"{"allowed" :true}"#.to_vec(), replayed: false })
            }
            "replayed" => {
                Ok(CheckReply::Stored { body: br#"{"allowed" :true}"#.to_vec(), replayed: true })
            }
            "busy" => Err(Refusal::new(Code::ServerOverloaded, "for a moment")
                .after(std::time::Duration::from_millis(1_500))),
            "panics" => panic!("a defect of ours"),
            "waits" => {
                self.begun.notify_one();
                self.go_on.notified().await;
                Ok(CheckReply::Decision(allowed()))
            }
            _ => Ok(CheckReply::Decision(allowed())),
        }
    }

    async fn flags(&self, call: Call) -> Result<FlagsReply, Refusal> {
        self.note(Asked::Flags(call));
        let theme = self.theme.lock().unwrap().clone();
        let set = |key: &str, value| {
            let (product, key) = ("campus".to_owned(), key.to_owned());
            SetFlag { product, key, value }
        };
        let flags = vec![set("live", false.into()), set("theme", theme.into())];
        FlagsReply::new(&FlagsResponse { flags })
    }

    async fn events(
        &self,
        call: Call,
        events: Vec<Box<[u8]>>,
    ) -> Result<Vec<Result<EventAccepted, Refusal>>, Refusal> {
        #[derive(Deserialize)]
        struct Event {
            event_id: EventId,
        }
        let results = events
            .iter()
            .map(|bytes| {
                let event: Event =
                    serde_json::from_slice(bytes).map_err(|_| Refusal::from(Code::EventRefused))?;
                Ok(EventAccepted { event_id: event.event_id, duplicate: false })
            })
            .collect();
        let lost = events.first().is_some_and(|first| first.ends_with(b"\"lost\"}"));
        self.note(Asked::Events(call, events));
        if lost { Ok(Vec::new()) } else { Ok(results) }
    }
}

fn allowed() -> CheckResponse {
    CheckResponse {
        allowed: true,
        limits: Some(Limits { quota: Some(10), time_window: Some("P1D".to_owned()) }),
        reason: None,
        mode: Some(Mode::Offline),
        usage: Some(Usage { used: 1, remaining: 9, resets_at: None }),
        decision_id: Some(DECISION.parse().unwrap()),
    }
}
