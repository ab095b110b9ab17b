//! How the Kernel is reached: the way out, how long a call may take, how much of an answer is read.

use std::{str::FromStr, sync::Arc, time::Duration};

use http::Uri;

use super::{
    dns::{ResolverFiles, SystemResolver},
    proxy::ProxySettings,
};

/// How the Kernel is reached.
#[derive(Clone)]
pub struct LinkSettings {
    /// The way out.
    pub proxy: ProxySettings,
    /// How long a call may take.
    pub timeouts: Timeouts,
    /// How much of an answer is read.
    pub limits: AnswerLimits,
    /// Who resolves names.
    pub resolver: Arc<SystemResolver>,
}

/// How long a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until TLS is done, the name's resolving included.
    pub connect: Duration,
    /// Until a name is resolved: shorter, so that the message says which of the two it was.
    pub resolve: Duration,
    /// Until a whole answer has come, from the start.
    pub answer: Duration,
    /// The same where much is carried: a bundle, a batch.
    pub transfer: Duration,
}

/// How much of an answer is read, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerLimits {
    /// Of JSON: a batch's answer may name each of its records.
    pub json_bytes: usize,
    /// Of a bundle: the most that one import takes.
    pub bundle_bytes: usize,
    /// Of a refusal: `audit.gap` lists heads.
    pub problem_bytes: usize,
}

impl LinkSettings {
    /// The defaults, this proxy, and the system's name servers.
    pub fn new(proxy: ProxySettings) -> Self {
        let timeouts = Timeouts::default();
        let resolver = SystemResolver::new(ResolverFiles::default(), timeouts.resolve);
        Self { proxy, timeouts, limits: AnswerLimits::default(), resolver: Arc::new(resolver) }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            resolve: Duration::from_secs(5),
            answer: Duration::from_secs(30),
            transfer: Duration::from_secs(120),
        }
    }
}

impl Default for AnswerLimits {
    fn default() -> Self {
        Self { json_bytes: 4 << 20, bundle_bytes: 16 << 20, problem_bytes: 1 << 20 }
    }
}

/// A Kernel's base URL: `https://`, a host, and perhaps a port and a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BaseUrl {
    text: String,
    host: String,
    port: u16,
}

impl BaseUrl {
    /// Without a trailing slash.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for BaseUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const WRONG: &str =
            "the Kernel's URL is not https://host, with a port or a path if need be";
        let uri: Uri = text.parse().map_err(|_| WRONG)?;
        let authority = uri.authority().ok_or(WRONG)?;
        let plain = uri.scheme_str() == Some("https")
            && uri.query().is_none()
            && !authority.as_str().contains('@')
            && !authority.host().is_empty();
        if !plain {
            return Err(WRONG);
        }
        Ok(Self {
            text: text.strip_suffix('/').unwrap_or(text).to_owned(),
            host: authority.host().to_owned(),
            port: authority.port_u16().unwrap_or(443),
        })
    }
}
