//! What a line claims to be, read only to give it its turn; it is verified when its turn comes.

use serde::Deserialize;

use farhold_contract::{
    Code,
    id::{LicenseId, TenantId},
};

use crate::{
    envelope::Envelope,
    error::{PayloadError, RefusalReason},
    number::Positive,
    payload::DocumentType,
    standing::LineKey,
};

/// By type in the order of import, and among one type by number (`bundle.md` §3.5).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Claim {
    Root { version: u64 },
    Revocations { generation: u64 },
    License { serial: u64, license_id: LicenseId, key: LineKey },
    Receipt,
    ClockReset,
}

#[derive(Deserialize)]
struct RootClaim {
    version: Positive,
}

#[derive(Deserialize)]
struct RevocationsClaim {
    generation: Positive,
}

#[derive(Deserialize)]
struct LicenseClaim {
    serial: Positive,
    license_id: LicenseId,
    product: String,
    tenant: TenantClaim,
}

#[derive(Deserialize)]
struct TenantClaim {
    tenant_id: TenantId,
}

impl Claim {
    pub(super) fn of(envelope: &Envelope) -> Result<Self, RefusalReason> {
        Ok(match envelope.kind() {
            DocumentType::Root => {
                Self::Root { version: read::<RootClaim>(envelope)?.version.as_u64() }
            }
            DocumentType::Revocations => Self::Revocations {
                generation: read::<RevocationsClaim>(envelope)?.generation.as_u64(),
            },
            DocumentType::License => {
                let claim: LicenseClaim = read(envelope)?;
                let key = LineKey { tenant_id: claim.tenant.tenant_id, product: claim.product };
                Self::License { serial: claim.serial.as_u64(), license_id: claim.license_id, key }
            }
            DocumentType::Receipt => Self::Receipt,
            DocumentType::ClockReset => Self::ClockReset,
            other => {
                return Err(RefusalReason::rule(
                    Code::PayloadType,
                    format!("a {other} is not something to import"),
                ));
            }
        })
    }
}

fn read<'a, T: Deserialize<'a>>(envelope: &'a Envelope) -> Result<T, PayloadError> {
    serde_json::from_slice(envelope.danger_unverified_payload())
        .map_err(|source| PayloadError::Malformed { document: envelope.kind(), source })
}
