//! A session: what the global flags say, and the way to the Kernel.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Args;
use reqwest::Url;

use farhold_contract::{
    Code,
    id::{IdError, TenantId},
};
use farhold_terminal::Failure;

use super::client::{AdminDoor, Way};
use crate::{
    config::{Config, ConfigError},
    data_dir::DataDir,
};

/// Flags that every verb takes.
#[derive(Args)]
pub(super) struct Global {
    /// The Kernel's data directory
    #[arg(long, global = true, value_name = "DIR", default_value = "/var/lib/farhold-kernel")]
    data: PathBuf,
    /// Read this configuration instead of the data directory's
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Ask the Kernel here [its configuration's admin_listen]
    #[arg(long, global = true, value_name = "URL", help_heading = "Another machine's Kernel")]
    admin_url: Option<Url>,
    /// Trust this CA and nobody else [DIR/ca.pem]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Another machine's Kernel")]
    ca: Option<PathBuf>,
    /// Read the admin token from this file, and its tenant from the .tenant beside it
    /// [DIR/admin.token]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Another machine's Kernel")]
    token_file: Option<PathBuf>,
    /// Answer in JSON, errors too
    #[arg(long, global = true)]
    json: bool,
}

impl Global {
    /// Whether a program reads the answer.
    pub(super) const fn json(&self) -> bool {
        self.json
    }
}

/// What the global flags say.
pub(super) struct Session {
    global: Global,
}

impl Session {
    pub(super) const fn new(global: Global) -> Self {
        Self { global }
    }

    /// Whether a program reads the answer.
    pub(super) const fn json(&self) -> bool {
        self.global.json()
    }

    /// The data directory.
    pub(super) fn data(&self) -> DataDir {
        DataDir::new(&self.global.data)
    }

    /// The configuration of the Kernel in this data directory.
    pub(super) fn config(&self) -> Result<Config, ConfigError> {
        Config::load(self.data(), self.global.config.as_deref())
    }

    /// The admin API.
    pub(super) fn door(&self) -> anyhow::Result<AdminDoor> {
        let data = self.data();
        let url = match &self.global.admin_url {
            Some(url) => url.clone(),
            None => listening_at(self.config()?.admin_listen)?,
        };
        let token_file = self.global.token_file.clone().unwrap_or_else(|| data.admin_token());
        // The tenant is no secret; it lies beside the token it belongs to.
        let tenant_file = match &self.global.token_file {
            Some(token_file) => token_file.with_extension("tenant"),
            None => data.admin_tenant(),
        };
        let tenant_id: TenantId = line_of(&tenant_file)?.parse().map_err(|error: IdError| {
            let what = format!("{} is not a tenant's id", tenant_file.display());
            Failure::new(Code::InputUnreadable, what).because(error)
        })?;
        let ca = self.global.ca.clone().unwrap_or_else(|| data.ca_certificates());
        AdminDoor::new(&ca, Way { url, tenant_id, token: line_of(&token_file)? })
    }
}

/// Where a Kernel of this machine answers its administrator.
fn listening_at(listen: SocketAddr) -> anyhow::Result<Url> {
    let address = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let url = format!("https://{}", SocketAddr::new(address, listen.port()));
    Url::parse(&url).with_context(|| format!("{url} is no URL"))
}

/// A file of one line.
fn line_of(path: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::new(Code::InputUnreadable, format!("{} can't be read", path.display()))
            .because(error)
            .action("Act as the Kernel's user, or give --data; farhold-kernel init makes it.")
    })?;
    Ok(text.trim().to_owned())
}
