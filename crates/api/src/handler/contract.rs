//! `GET /kernel/contract`: which versions are spoken here (v0.2).
//!
//! Authenticated like every call. A runtime may ask before it registers, so the runtime header
//! may be absent; one that speaks no version of ours is told them by the refusal.

use axum::{
    extract::{Request, State},
    response::Response,
};
use serde::Serialize;

use farhold_contract::version::ContractVersion;

use crate::{
    answer::{answer, json},
    call::{Call, RuntimeHeader},
    kernel::Kernel,
    router::Door,
};

pub(crate) async fn contract<K: Kernel>(State(door): State<Door<K>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    answer(&head.headers, async {
        Call::from_head(&head, &*door.kernel, RuntimeHeader::Optional).await?;
        json(&Versions { versions: ContractVersion::ALL })
    })
    .await
}

#[derive(Serialize)]
struct Versions {
    versions: [ContractVersion; 2],
}
