//! From the HTTP client's error to what went wrong.

use std::{error::Error, io, time::Duration};

use rustls::{AlertDescription, CertificateError, Error as TlsError};

use super::{
    certificate::safe_text,
    dns::DnsError,
    error::{LinkFailure, Phase},
    untrusted::Untrusted,
};

/// Longest text of a foreign error that is kept, in characters.
const REASON_MAX_CHARS: usize = 300;

/// What a failed call met. `connect` and `whole` are the times it had.
pub(super) fn of_call(error: &reqwest::Error, connect: Duration, whole: Duration) -> LinkFailure {
    let reasons = reasons(error);
    if let Some(known) = reasons.iter().find_map(|reason| known(*reason)) {
        return known;
    }
    if error.is_timeout() {
        return if error.is_connect() {
            LinkFailure::TimedOut { phase: Phase::Connection, within: connect }
        } else {
            LinkFailure::TimedOut { phase: Phase::Answer, within: whole }
        };
    }
    if let Some(failure) = reasons.iter().find_map(|reason| ended(*reason)) {
        return failure;
    }
    // The innermost alone: the outer ones repeat the URL.
    let reason = reasons.last().map_or_else(String::new, |last| last.to_string());
    LinkFailure::Other { reason: safe_text(reason, REASON_MAX_CHARS) }
}

/// An error and everything behind it; also what an IO error was made around.
fn reasons<'e>(error: &'e (dyn Error + 'static)) -> Vec<&'e (dyn Error + 'static)> {
    let mut found = vec![error];
    let mut last = error;
    while let Some(next) = behind(last) {
        found.push(next);
        last = next;
    }
    found
}

fn behind<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

/// What says exactly what it is.
fn known(reason: &(dyn Error + 'static)) -> Option<LinkFailure> {
    if let Some(error) = reason.downcast_ref::<DnsError>() {
        return Some(LinkFailure::Dns(error.clone()));
    }
    if let Some(error) = reason.downcast_ref::<TlsError>() {
        return Some(of_tls(error));
    }
    // hyper-util does not export its tunnel's error: its words are held by the proxy's tests.
    match reason.to_string().strip_prefix("tunnel error: ")? {
        "proxy authorization required" => Some(LinkFailure::Proxy { status: Some(407) }),
        "unsuccessful" | "unexpected end of file" | "proxy response headers too long" => {
            Some(LinkFailure::Proxy { status: None })
        }
        _ => None,
    }
}

fn of_tls(error: &TlsError) -> LinkFailure {
    match error {
        TlsError::InvalidCertificate(CertificateError::Other(other)) => {
            match other.0.downcast_ref::<Untrusted>() {
                Some(reason) => LinkFailure::Untrusted(reason.clone()),
                None => LinkFailure::Tls { reason: safe_text(other, REASON_MAX_CHARS) },
            }
        }
        TlsError::AlertReceived(AlertDescription::CertificateExpired) => {
            LinkFailure::CertificateExpired
        }
        TlsError::AlertReceived(alert) if is_about_certificate(*alert) => {
            LinkFailure::CertificateRejected { alert: format!("{alert:?}") }
        }
        TlsError::InvalidMessage(_) => {
            LinkFailure::Tls { reason: "whoever answers there does not speak TLS".to_owned() }
        }
        error => LinkFailure::Tls { reason: safe_text(error, REASON_MAX_CHARS) },
    }
}

/// A server's alert about a certificate is about ours: its own it has shown.
fn is_about_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::CertificateRequired
    )
}

/// How a connection ended, or why there was none.
fn ended(reason: &(dyn Error + 'static)) -> Option<LinkFailure> {
    if let Some(error) = reason.downcast_ref::<hyper::Error>() {
        return if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
            Some(LinkFailure::Reset)
        } else if error.is_parse() {
            Some(LinkFailure::Malformed { reason: "it is not HTTP".to_owned() })
        } else {
            None
        };
    }
    match reason.downcast_ref::<io::Error>()?.kind() {
        io::ErrorKind::ConnectionRefused => Some(LinkFailure::Refused),
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::AddrNotAvailable => Some(LinkFailure::Unreachable),
        io::ErrorKind::TimedOut => Some(LinkFailure::Unreachable),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::NotConnected
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Some(LinkFailure::Reset),
        _ => None,
    }
}
