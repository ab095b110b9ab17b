//! Installing the first trust root.

use std::sync::Arc;

use serde_json::json;

use farhold_api::Refusal;
use farhold_audit::OwnKind;
use farhold_bundle::TrustRoot;
use farhold_contract::{Code, id::TenantId};
use farhold_store::StoreError;

use crate::{own_event::Draft, snapshot::Documents};

use super::{group::Group, work::Operation};

/// Takes a root over as the first one.
pub struct InstallTrust {
    /// The root, its hash compared.
    pub root: TrustRoot,
    /// What follows from it at this site.
    pub documents: Arc<Documents>,
    /// In whose context it is recorded; none at a site without a tenant.
    pub tenant_id: Option<TenantId>,
}

impl Operation for InstallTrust {
    /// Whether it was new; the same root again changes nothing.
    type Answer = Result<bool, Refusal>;
    const DRAWS_ON_RESERVE: bool = true;

    fn apply(self, group: &mut Group<'_>) -> Result<Self::Answer, StoreError> {
        if let Some(standing) = group.documents().standing.roots().first() {
            let same = standing.root().sha256() == self.root.root().sha256();
            return Ok(if same { Ok(false) } else { Err(Code::TrustConflict.into()) });
        }
        group.put_documents(self.documents)?;
        if let Some(tenant_id) = self.tenant_id {
            let root = self.root.root();
            let payload =
                json!({"issuer": root.issuer.id, "version": root.version, "sha256": root.sha256()});
            group.append_own(tenant_id, Draft::new(OwnKind::TrustInstalled, payload))?;
        }
        Ok(Ok(true))
    }
}
