//! `/admin/tokens`: runtime tokens made, listed, revoked.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::Response,
};
use http::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};

use farhold_api::{Limits, Refusal};
use farhold_contract::{
    Code, Sha256Digest,
    id::{TenantId, TokenId},
};
use farhold_store::TokenRow;

use crate::{
    owner::{CreateToken, RevokeToken},
    random,
};

use super::{
    Admin,
    answer::{TokenAnswer, TokenCreated, TokenRequest, TokensAnswer},
};

/// What a runtime token begins with, so that scanners for secrets know it.
const PREFIX: &str = "fhr_";
const NAME_MAX_BYTES: usize = 128;

pub(super) async fn list(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    farhold_api::answer(&headers, async {
        let snapshot = admin.owner.snapshot();
        let mut tokens: Vec<TokenAnswer> = snapshot
            .registry
            .tokens()
            .map(|row| TokenAnswer {
                token_id: row.token_id,
                tenant_id: row.tenant_id,
                runtime_type: row.runtime_type,
                runtime_id: snapshot
                    .registry
                    .runtime_of(row.token_id)
                    .map(|runtime| runtime.runtime_id),
                name: row.name.clone(),
                created_at: row.created_at,
                revoked_at: row.revoked_at,
            })
            .collect();
        tokens.sort_by_key(|token| (token.created_at, token.token_id));
        farhold_api::json(&TokensAnswer { tokens })
    })
    .await
}

pub(super) async fn create(State(admin): State<Arc<Admin>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    farhold_api::answer(&parts.headers, async {
        let bytes = farhold_api::read(
            &parts.headers,
            body,
            Limits::STANDARD.body_bytes,
            Limits::STANDARD.body_time,
        )
        .await?;
        let asked: TokenRequest = farhold_api::parse(&bytes)?;
        if asked
            .name
            .as_ref()
            .is_some_and(|name| name.len() > NAME_MAX_BYTES || name.chars().any(char::is_control))
        {
            return Err(Refusal::new(
                Code::UsageInvalid,
                "a name has at most 128 bytes and no control characters",
            ));
        }
        let tenant_id = tenant(&admin, asked.tenant_id)?;
        let secret = random::secret().map_err(|_| Code::ServerInternal)?;
        let token = format!("{PREFIX}{}", hex::encode(secret));
        let now = admin.owner.snapshot().now(&admin.clock.read()).instant;
        let token_id = TokenId::from_uuid(random::id_v7(now)).map_err(|_| Code::ServerInternal)?;
        let row = TokenRow {
            token_id,
            hash: Sha256Digest::new(Sha256::digest(&token).into()),
            tenant_id,
            runtime_type: asked.runtime_type,
            name: asked.name,
            created_at: now,
            revoked_at: None,
        };
        admin.owner.submit(CreateToken { row }).await?;
        let mut response = farhold_api::json(&TokenCreated { token_id, token })?;
        *response.status_mut() = StatusCode::CREATED;
        Ok(response)
    })
    .await
}

pub(super) async fn revoke(
    State(admin): State<Arc<Admin>>,
    Path(token_id): Path<String>,
    headers: HeaderMap,
) -> Response {
    farhold_api::answer(&headers, async {
        let token_id: TokenId =
            token_id.parse().map_err(|error: farhold_contract::id::IdError| {
                Refusal::new(Code::UsageInvalid, error.to_string())
            })?;
        admin.owner.submit(RevokeToken { token_id }).await??;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    })
    .await
}

/// The organization a token is for: the one named, or the only one there is.
fn tenant(admin: &Admin, asked: Option<TenantId>) -> Result<TenantId, Refusal> {
    let tenants = &admin.place.facts.tenants;
    match asked {
        Some(asked) if tenants.contains(&asked) => Ok(asked),
        Some(_) => Err(Refusal::new(Code::TenantMismatch, "the tenant is not served at this site")),
        None if tenants.len() == 1 => {
            tenants.first().copied().ok_or_else(|| Code::TenantMissing.into())
        }
        None => Err(Refusal::new(
            Code::TenantMissing,
            "set tenant_id in agent.toml first, or name one of the site's",
        )),
    }
}
