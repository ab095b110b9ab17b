//! `POST /kernel/identity/resolve`

use axum::{
    extract::{Request, State},
    response::Response,
};

use farhold_contract::call::resolve::ResolveRequest;

use crate::{
    answer::{answer, json},
    body,
    call::{Call, RuntimeHeader},
    kernel::Kernel,
    router::Door,
};

pub(crate) async fn resolve<K: Kernel>(State(door): State<Door<K>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    answer(&head.headers, async {
        let call = Call::from_head(&head, &*door.kernel, RuntimeHeader::Required).await?;
        let bytes = body::read(&head.headers, body, door.body_bytes, door.body_time).await?;
        let request: ResolveRequest = body::parse(&bytes)?;
        call.agrees_on_tenant(request.tenant_id)?;
        json(&door.kernel.resolve(call, request).await?)
    })
    .await
}
