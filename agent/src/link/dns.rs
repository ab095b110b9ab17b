//! Names: resolved by the system's configuration alone, read anew whenever it changes.
//!
//! A static binary has no NSS, and a resolver that falls back to a public server would tell
//! strangers where the site's Kernel is. So: `hosts`, then the servers of `resolv.conf`, or an
//! error that says which of them was asked.

use std::{
    fs::{self, File},
    io,
    net::{IpAddr, SocketAddr},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hickory_resolver::{
    Hosts, TokioResolver,
    config::{ResolveHosts, ResolverConfig, ResolverOpts},
    net::runtime::TokioRuntimeProvider,
    system_conf::parse_resolv_conf,
};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::certificate::safe_text;
use crate::file;

/// The resolver of any system is said in less.
const RESOLV_CONF_MAX_BYTES: usize = 64 << 10;

/// Where the system says how names are resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolverFiles {
    /// The name servers.
    pub resolv_conf: PathBuf,
    /// The names known without asking.
    pub hosts: PathBuf,
    /// The port of the name servers, which `resolv.conf` can't state: 53 but in tests.
    pub port: u16,
}

impl Default for ResolverFiles {
    fn default() -> Self {
        Self { resolv_conf: "/etc/resolv.conf".into(), hosts: "/etc/hosts".into(), port: 53 }
    }
}

/// A name has no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the name {name} can't be resolved: {reason}")]
pub struct DnsError {
    /// The name.
    pub name: String,
    /// What its servers said, or why none was asked.
    pub reason: String,
}

/// Resolves names; nothing is cached, so that what heals is seen at once.
pub struct SystemResolver {
    files: ResolverFiles,
    timeout: Duration,
    current: Mutex<Option<Current>>,
}

/// The resolver of one state of the files.
struct Current {
    stamps: [Option<Stamp>; 2],
    resolver: Arc<Result<TokioResolver, String>>,
    hosts: Arc<Hosts>,
}

/// What of a file differs after any change.
#[derive(PartialEq, Eq)]
struct Stamp {
    inode: (u64, u64),
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl SystemResolver {
    /// Resolves by these files, each name within `timeout`.
    pub fn new(files: ResolverFiles, timeout: Duration) -> Self {
        Self { files, timeout, current: Mutex::new(None) }
    }

    /// The addresses of a name.
    ///
    /// # Errors
    /// [`DnsError`].
    pub async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, DnsError> {
        let failed = |reason| DnsError { name: safe_text(name, 260), reason };
        let (resolver, hosts) = self.current();
        let known = known_addresses(&hosts, name);
        if !known.is_empty() {
            return Ok(known);
        }
        let resolver = resolver.as_ref().as_ref().map_err(|why| failed(why.clone()))?;
        let asked = tokio::time::timeout(self.timeout, resolver.lookup_ip(name)).await;
        let answer = match asked {
            Err(_) => {
                let path = self.files.resolv_conf.display();
                let limit = self.timeout.as_millis();
                return Err(failed(format!("no server of {path} answered within {limit} ms")));
            }
            Ok(Err(error)) => return Err(failed(safe_text(error, 300))),
            Ok(Ok(answer)) => answer,
        };
        let found: Vec<IpAddr> = answer.iter().collect();
        if found.is_empty() { Err(failed("it has no address".to_owned())) } else { Ok(found) }
    }

    /// The resolver for the files as they are now.
    fn current(&self) -> (Arc<Result<TokioResolver, String>>, Arc<Hosts>) {
        let stamps = [stamp(&self.files.resolv_conf), stamp(&self.files.hosts)];
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = match current.take() {
            Some(kept) if kept.stamps == stamps => kept,
            _ => Current {
                stamps,
                resolver: Arc::new(self.build()),
                hosts: Arc::new(read_hosts(&self.files.hosts).unwrap_or_default()),
            },
        };
        let found = (Arc::clone(&kept.resolver), Arc::clone(&kept.hosts));
        *current = Some(kept);
        found
    }

    /// The resolver of `resolv.conf`, or why there is none.
    fn build(&self) -> Result<TokioResolver, String> {
        let path = self.files.resolv_conf.display();
        let text = file::read(&self.files.resolv_conf, RESOLV_CONF_MAX_BYTES)
            .map_err(|error| format!("{path} can't be read ({error})"))?;
        let (config, mut options) =
            parse_resolv_conf(text).map_err(|error| format!("{path}: {error}"))?;
        // Room for a second server within the whole time.
        options.timeout = options.timeout.min(self.timeout / 2);
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        self.with_options(config, options).map_err(|error| format!("{path}: {error}"))
    }

    fn with_options(
        &self,
        config: ResolverConfig,
        options: ResolverOpts,
    ) -> Result<TokioResolver, hickory_resolver::net::NetError> {
        let (domain, search, mut servers) = config.into_parts();
        for connection in servers.iter_mut().flat_map(|server| &mut server.connections) {
            connection.port = self.files.port;
        }
        let config = ResolverConfig::from_parts(domain, search, servers);
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            .with_options(options)
            .build()
    }
}

/// What `hosts` says, and for `localhost` what RFC 6761 says.
fn known_addresses(hosts: &Hosts, name: &str) -> Vec<IpAddr> {
    use hickory_resolver::proto::{
        op::Query,
        rr::{Name, RecordType},
    };

    let Ok(mut parsed) = Name::from_utf8(name) else { return Vec::new() };
    parsed.set_fqdn(true);
    let mut found = Vec::new();
    for kind in [RecordType::A, RecordType::AAAA] {
        let Some(lookup) = hosts.lookup_static_host(&Query::query(parsed.clone(), kind)) else {
            continue;
        };
        found.extend(lookup.answers().iter().filter_map(|record| record.data.ip_addr()));
    }
    if found.is_empty() && parsed.is_localhost() {
        found.extend([IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])]);
    }
    found
}

fn read_hosts(path: &Path) -> io::Result<Hosts> {
    let mut hosts = Hosts::default();
    hosts.read_hosts_conf(File::open(path)?)?;
    Ok(hosts)
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    Some(Stamp {
        inode: (metadata.dev(), metadata.ino()),
        bytes: metadata.size(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    })
}

/// The resolver as the HTTP client takes it.
pub(super) struct Names(pub(super) Arc<SystemResolver>);

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = Arc::clone(&self.0);
        Box::pin(async move {
            let found = resolver.addresses(name.as_str()).await?;
            // Port 0: the URL's.
            let addresses: Addrs =
                Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}
