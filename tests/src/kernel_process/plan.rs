//! Plan: what a Kernel in a test is configured to be.

use std::{net::SocketAddr, sync::Arc};

use serde_json::json;

use crate::net::{free_port, namespace::Host};

/// Where a Kernel listens on a host that is its own.
const PORT: u16 = 7443;
const ADMIN_PORT: u16 = 7444;

/// What a Kernel is configured to be. Without another word: on loopback, heard of every second.
#[derive(Clone)]
pub struct KernelPlan {
    pub(super) host: Option<Arc<Host>>,
    pub(super) port: u16,
    admin_port: u16,
    public: Option<SocketAddr>,
    name: Option<String>,
    poll_after_s: u32,
    certificate_life: &'static str,
    level: &'static str,
    more: String,
}

impl KernelPlan {
    pub(super) fn new() -> Self {
        Self {
            host: None,
            port: free_port(),
            admin_port: free_port(),
            public: None,
            name: None,
            poll_after_s: 1,
            certificate_life: "30d",
            level: "info",
            more: String::new(),
        }
    }

    /// On a host of its own.
    pub fn on(mut self, host: &Arc<Host>) -> Self {
        self.host = Some(Arc::clone(host));
        (self.port, self.admin_port) = (PORT, ADMIN_PORT);
        self
    }

    /// At this port of loopback.
    pub const fn at_port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Agents are told to find it here.
    pub const fn reached_at(mut self, address: SocketAddr) -> Self {
        self.public = Some(address);
        self
    }

    /// Its certificate is for this name.
    pub fn called(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Agents wait so many seconds between two heartbeats.
    pub const fn heard_every(mut self, seconds: u32) -> Self {
        self.poll_after_s = seconds;
        self
    }

    /// Agents' certificates hold so long.
    pub const fn certificates_for(mut self, life: &'static str) -> Self {
        self.certificate_life = life;
        self
    }

    /// Everything is logged.
    pub const fn logging_everything(mut self) -> Self {
        self.level = "trace";
        self
    }

    /// With these lines in a table of their own.
    pub fn with(mut self, toml: &str) -> Self {
        self.more.push_str(toml);
        self
    }

    /// The name or address its certificate is for, as agents are told it.
    pub(super) fn name(&self) -> String {
        match (&self.name, &self.host) {
            (Some(name), _) => name.clone(),
            (None, Some(host)) => host.address().to_owned(),
            (None, None) => "127.0.0.1".to_owned(),
        }
    }

    /// The file.
    pub(super) fn configuration(&self) -> String {
        let any = if self.host.is_some() { "0.0.0.0" } else { "127.0.0.1" };
        let name = self.name();
        let port = self.public.map_or(self.port, |public| public.port());
        let lines = [
            ("listen", json!(format!("{any}:{}", self.port))),
            ("admin_listen", json!(format!("127.0.0.1:{}", self.admin_port))),
            ("host_names", json!([name])),
            ("public_url", json!(format!("https://{name}:{port}"))),
            ("poll_after_s", json!(self.poll_after_s)),
            ("certificate_life", json!(self.certificate_life)),
        ];
        let mut text: String =
            lines.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        text.push_str(&format!("[log]\nformat = \"json\"\nlevel = \"{}\"\n", self.level));
        text + &self.more
    }
}
