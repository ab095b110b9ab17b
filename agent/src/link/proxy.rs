//! The way out: an HTTP proxy that passes the TLS connection on by CONNECT, or none.

mod exempt;

use std::{
    fmt, fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use http::Uri;
use zeroize::Zeroizing;

use self::exempt::Exempt;
use super::settings::BaseUrl;

/// Longest password, in bytes.
const PASSWORD_MAX_BYTES: u64 = 4096;

/// What is configured about the way out. `Debug` shows no user and no password.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProxySettings {
    /// The proxy, `http://host:port`; a user and a password may stand in it.
    pub url: Option<String>,
    /// Hosts, networks and `*`, divided by commas, that are reached without it.
    pub no_proxy: Option<String>,
    /// The user, where the proxy needs one.
    pub user: Option<String>,
    /// The file with the user's password.
    pub password_file: Option<PathBuf>,
}

/// Why the proxy settings can't be used. It never holds a part of the password.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The URL is not one of a proxy that can be used.
    #[error("the proxy's URL is not http://host:port; other kinds of proxy are not used")]
    Url,
    /// The list of exceptions has an entry that is none.
    #[error("no_proxy has the entry {entry:?}, which is no host, address, network or *")]
    NoProxy {
        /// The entry.
        entry: String,
    },
    /// The file with the password can't be used.
    #[error("the proxy's password file {} can't be read", .path.display())]
    PasswordFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Everybody may read the password.
    #[error("the proxy's password file {} has mode {mode:04o}", .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
}

/// The proxy that a connection goes through. It shows its address alone.
pub struct ChosenProxy {
    authority: String,
    credentials: Option<(String, Zeroizing<String>)>,
}

impl ProxySettings {
    /// Fills what is not configured from `HTTPS_PROXY`, `NO_PROXY` and their lower-case forms.
    /// Of two forms the lower-case one counts, as it does for curl; entries of `NO_PROXY` that
    /// other programs understand and this one doesn't are left out.
    pub fn or_environment(self, variable: impl Fn(&str) -> Option<String>) -> Self {
        let either = |lower: &str, upper: &str| {
            variable(lower).or_else(|| variable(upper)).filter(|value| !value.trim().is_empty())
        };
        Self {
            url: self.url.or_else(|| either("https_proxy", "HTTPS_PROXY")),
            no_proxy: self
                .no_proxy
                .or_else(|| either("no_proxy", "NO_PROXY").map(|list| Exempt::readable(&list))),
            ..self
        }
    }

    /// The proxy for a Kernel's base URL; `None`: it is reached directly.
    ///
    /// # Errors
    /// [`ProxyError`].
    pub fn for_url(&self, base_url: &str) -> Result<Option<ChosenProxy>, ProxyError> {
        match base_url.parse::<BaseUrl>() {
            Ok(base) => self.choose(base.host(), base.port()),
            Err(_) => Ok(None),
        }
    }

    pub(super) fn choose(&self, host: &str, port: u16) -> Result<Option<ChosenProxy>, ProxyError> {
        let Some(url) = &self.url else { return Ok(None) };
        if Exempt::read(self.no_proxy.as_deref().unwrap_or_default())?.covers(host, port) {
            return Ok(None);
        }
        let (authority, in_url) = read_url(url.trim()).ok_or(ProxyError::Url)?;
        let user = self.user.clone();
        let password = self.password_file.as_deref().map(read_password).transpose()?;
        let credentials = match (user, in_url) {
            (Some(user), _) => Some((user, password.unwrap_or_default())),
            (None, Some((user, in_url))) => Some((user, password.unwrap_or(in_url))),
            (None, None) => None,
        };
        Ok(Some(ChosenProxy { authority, credentials }))
    }
}

impl ChosenProxy {
    pub(super) fn to_reqwest(&self) -> Result<reqwest::Proxy, ProxyError> {
        let proxy = reqwest::Proxy::all(format!("http://{}", self.authority))
            .map_err(|_| ProxyError::Url)?;
        Ok(match &self.credentials {
            Some((user, password)) => proxy.basic_auth(user, password),
            None => proxy,
        })
    }

    /// `host:port`, or the host alone where the URL has no port.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl fmt::Debug for ChosenProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChosenProxy").field("authority", &self.authority).finish_non_exhaustive()
    }
}

impl fmt::Debug for ProxySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.as_deref().map(|url| {
            read_url(url.trim()).map_or_else(|| "(not a proxy's URL)".to_owned(), |(at, _)| at)
        });
        f.debug_struct("ProxySettings")
            .field("url", &url)
            .field("no_proxy", &self.no_proxy)
            .field("password_file", &self.password_file)
            .finish_non_exhaustive()
    }
}

type Credentials = (String, Zeroizing<String>);

/// Host and port, and the credentials that stand before them.
fn read_url(url: &str) -> Option<(String, Option<Credentials>)> {
    let rest = match url.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
        Some(_) => return None,
        None => url,
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (credentials, authority) = match rest.rsplit_once('@') {
        Some((user_info, authority)) => (Some(read_user_info(user_info)?), authority),
        None => (None, rest),
    };
    let uri: Uri = format!("http://{authority}/").parse().ok()?;
    let well_formed = uri.path() == "/" && uri.authority()?.as_str() == authority;
    (well_formed && !uri.host()?.is_empty()).then(|| (authority.to_owned(), credentials))
}

fn read_user_info(text: &str) -> Option<Credentials> {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    Some((percent_decode(user)?, Zeroizing::new(percent_decode(password)?)))
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}

/// The first line of the file. A service manager's credential may be readable by its group.
fn read_password(path: &Path) -> Result<Zeroizing<String>, ProxyError> {
    use std::io::Read;

    let unreadable = |source| ProxyError::PasswordFile { path: path.to_owned(), source };
    let file = fs::File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o7777;
    if mode & 0o007 != 0 {
        return Err(ProxyError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = Zeroizing::new(String::new());
    file.take(PASSWORD_MAX_BYTES).read_to_string(&mut text).map_err(unreadable)?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}
