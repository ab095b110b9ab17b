//! Credentials: what a caller shows to say who it is.

use std::sync::Arc;

use farhold_contract::id::{RuntimeId, TenantId};

/// The client certificate of a connection, whose chain, dates and possession the TLS handshake
/// has verified. Whose it is, is the [`Kernel`](crate::Kernel)'s to say.
///
/// A listener that greets its peers by TLS returns it, and every request of the connection has it
/// among its extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate(Arc<[u8]>);

impl ClientCertificate {
    /// From the end-entity certificate, in DER.
    pub fn from_der(der: &[u8]) -> Self {
        Self(der.into())
    }

    /// The certificate, in DER.
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }
}

/// What a caller shows to say who it is. No `Debug`: a token is a secret.
#[derive(Clone, Copy)]
pub enum Credentials<'a> {
    /// A runtime's token.
    Token(&'a [u8]),
    /// An agent's certificate, and in whose name it says it calls.
    Certificate {
        /// The connection's certificate.
        certificate: &'a ClientCertificate,
        /// The organization that the call names.
        tenant_id: TenantId,
        /// The runtime that the call names; none at an agent's own calls without one.
        runtime_id: Option<RuntimeId>,
    },
}
