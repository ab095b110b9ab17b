//! What the admin API answers, and what it is asked: the words between the Kernel and its verbs.

mod alert;
mod audit;
mod document;
mod ledger;
mod listing;
mod provider;
mod runtime;
mod status;
mod tenant;
mod token;

pub use alert::{AlertAnswer, AlertsAnswer};
pub use audit::{
    AuditAnswer, AuditEventAnswer, ChainAnswer, DeadLetterAnswer, DeadLettersAnswer, HeadAnswer,
    MissingAnswer, VerifyAnswer,
};
pub use document::{LicenseAnswer, LicensesAnswer, LineAnswer, TrustAnswer, UploadAnswer};
pub use ledger::{LedgerAnswer, LedgerUploadAnswer};
pub use listing::Listing;
pub use provider::{ProviderAnswer, ProvidersAnswer, RoleMapAnswer};
pub use runtime::{AgentAnswer, AgentsAnswer, RuntimeAnswer, RuntimesAnswer};
pub use status::{ChainHeadAnswer, CountsAnswer, StatusAnswer};
pub use tenant::{StandingRequest, TenantAnswer, TenantRequest, TenantsAnswer};
pub use token::{
    EnrollTokenAnswer, EnrollTokenCreated, EnrollTokenRequest, EnrollTokensAnswer,
    RuntimeTokenAnswer, RuntimeTokenCreated, RuntimeTokenRequest, RuntimeTokensAnswer,
};
