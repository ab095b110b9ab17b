//! Server identity: the certificate under which the Kernel answers, made again in time.

use std::{net::IpAddr, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use rcgen::{KeyPair, PublicKeyData};
use rustls::{
    crypto::{CryptoProvider, aws_lc_rs},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use x509_parser::extensions::GeneralName;

use farhold_contract::{Code, Timestamp};
use farhold_keys::{KeyError, write_secret};

use crate::{
    ca::{Authority, AuthorityError, load_key, make_key},
    data_dir::{DataDir, DataDirError},
    life::YEAR,
    place::{PlaceError, replace},
};

/// How long a server certificate holds.
const LIFE: Duration = YEAR;

/// Names that every server certificate has: the command line on the same machine uses them.
const ALWAYS: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The certificate under which the Kernel answers, and its key.
///
/// Its chain ends with every CA certificate: an agent knows only the SPKI of one of them.
#[derive(Debug)]
pub struct ServerIdentity {
    provider: Arc<CryptoProvider>,
    current: ArcSwap<CertifiedKey>,
}

/// Why there is no server certificate.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file of the data directory.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// Its key can't be written.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It can't be made.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// It can't be put in its place.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The TLS library does not take it.
    #[error("the server's certificate and key can't be used")]
    Unusable(#[from] rustls::Error),
}

impl IdentityError {
    /// The code of the closed list.
    pub fn code(&self) -> Code {
        match self {
            Self::DataDir(source) => source.code(),
            Self::Key(source) => source.code(),
            Self::Authority(source) => source.code(),
            Self::Place(_) => Code::OutputUnwritable,
            Self::Unusable(_) => Code::StateUnusable,
        }
    }
}

impl ServerIdentity {
    /// Loads the certificate, or makes it where it is missing, past two thirds of its life, for
    /// other names, or by another CA.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn load_or_make(
        data_dir: &DataDir,
        authority: &Authority,
        names: &[String],
        now: Timestamp,
    ) -> Result<Self, IdentityError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let current = certified(&provider, data_dir, authority, names, now)?;
        Ok(Self { provider, current: ArcSwap::from_pointee(current) })
    }

    /// Does the same again, for the connections that come from now on.
    ///
    /// # Errors
    /// [`IdentityError`]; the certificate before stays in use.
    pub fn refresh(
        &self,
        data_dir: &DataDir,
        authority: &Authority,
        names: &[String],
        now: Timestamp,
    ) -> Result<(), IdentityError> {
        self.current.store(Arc::new(certified(&self.provider, data_dir, authority, names, now)?));
        Ok(())
    }
}

impl ResolvesServerCert for ServerIdentity {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

fn certified(
    provider: &CryptoProvider,
    data_dir: &DataDir,
    authority: &Authority,
    names: &[String],
    now: Timestamp,
) -> Result<CertifiedKey, IdentityError> {
    let key = server_key(data_dir)?;
    let names = all_names(names);
    let path = data_dir.server_certificate();
    let there = match CertificateDer::from_pem_file(&path) {
        Ok(found) if still_good(&found, &key, authority, &names, now) => Some(found),
        _ => None,
    };
    let certificate = match there {
        Some(certificate) => certificate,
        None => {
            let made = authority.issue_server(&key, &names, now, LIFE)?;
            replace(&path, made.pem().as_bytes())?;
            tracing::info!(path = %path.display(), "a server certificate was made");
            made.der().clone()
        }
    };
    let mut chain = vec![certificate];
    chain.extend_from_slice(authority.certificates());
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    Ok(CertifiedKey::from_der(chain, key, provider)?)
}

fn server_key(data_dir: &DataDir) -> Result<KeyPair, IdentityError> {
    let path = data_dir.server_key();
    if !path.exists() {
        write_secret(&path, make_key()?.serialize_pem().as_bytes())?;
    }
    Ok(load_key(data_dir, path)?)
}

/// The names of the settings and those that are always there, each once and in one spelling.
fn all_names(names: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in names.iter().map(String::as_str).chain(ALWAYS) {
        let name = name
            .parse::<IpAddr>()
            .map_or_else(|_| name.to_ascii_lowercase(), |address| address.to_string());
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

fn still_good(
    certificate: &CertificateDer<'_>,
    key: &KeyPair,
    authority: &Authority,
    names: &[String],
    now: Timestamp,
) -> bool {
    let Ok((_, parsed)) = x509_parser::parse_x509_certificate(certificate) else { return false };
    let validity = parsed.validity();
    let (begin, end) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    let now = now.as_ms() / 1_000;
    let young = begin <= now && now < begin + (end - begin) / 3 * 2;
    let is_our_key = parsed.public_key().raw == key.subject_public_key_info();
    let issued_here = authority.certificates().first().is_some_and(|newest| {
        x509_parser::parse_x509_certificate(newest)
            .is_ok_and(|(_, ca)| parsed.verify_signature(Some(ca.public_key())).is_ok())
    });
    let has: Vec<String> = match parsed.subject_alternative_name() {
        Ok(Some(names)) => names.value.general_names.iter().filter_map(text_of).collect(),
        _ => Vec::new(),
    };
    young && is_our_key && issued_here && has == names
}

fn text_of(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let address = <[u8; 4]>::try_from(*bytes)
                .map(IpAddr::from)
                .or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            address.ok().map(|address| address.to_string())
        }
        _ => None,
    }
}
