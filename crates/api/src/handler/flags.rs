//! `GET /kernel/flags` (v0.2).
//!
//! Products poll it: who has the present answer is told so by 304, and no more.

use axum::{
    extract::{Request, State},
    response::Response,
};

use farhold_contract::{Code, version::ContractVersion};

use crate::{
    answer::answer,
    call::{Call, RuntimeHeader},
    flags::FlagsReply,
    kernel::Kernel,
    refusal::Refusal,
    router::Door,
    tagged::tagged,
};

pub(crate) async fn flags<K: Kernel>(State(door): State<Door<K>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    answer(&head.headers, async {
        let call = Call::from_head(&head, &*door.kernel, RuntimeHeader::Required).await?;
        if call.version == ContractVersion::V0_1 {
            let detail = "v0.1 does not have this call; v0.2 has";
            return Err(Refusal::new(Code::ContractUnsupportedVersion, detail));
        }
        let FlagsReply { body, digest } = door.kernel.flags(call).await?;
        tagged(&head.headers, "application/json", digest, body)
    })
    .await
}
