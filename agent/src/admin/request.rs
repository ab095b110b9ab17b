//! `POST /admin/request`: what the site is, has and has used, signed for its vendor.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};

use farhold_api::{Limits, Refusal};
use farhold_bundle::{Envelope, encode_typed_form};
use farhold_contract::Code;

use crate::owner::{MakeRequest, RequestMade, look_again};

use super::{
    Admin,
    answer::request::{ReleasedAnswer, RequestAnswer, RequestQuestion},
};

pub(super) async fn make(State(admin): State<Arc<Admin>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    farhold_api::answer(&parts.headers, async {
        let Limits { body_bytes, body_time, .. } = Limits::STANDARD;
        let bytes = farhold_api::read(&parts.headers, body, body_bytes, body_time).await?;
        let RequestQuestion { release } = farhold_api::parse(&bytes)?;
        // The vendor binds to the machine as it is, not as it was five minutes ago.
        look_again(&admin.owner, &admin.place).await?;
        let made = admin.owner.submit(MakeRequest { place: Arc::clone(&admin.place), release });
        farhold_api::json(&answer(made.await??)?)
    })
    .await
}

fn answer(made: RequestMade) -> Result<RequestAnswer, Refusal> {
    let RequestMade { request, line, released } = made;
    let envelope = Envelope::open(&line).map_err(|_| Code::ServerInternal)?;
    Ok(RequestAnswer {
        tenant_id: request.tenant_id,
        device_key: request.device_key,
        typed_form: encode_typed_form(&envelope).ok(),
        envelope: String::from_utf8(line).map_err(|_| Code::ServerInternal)?,
        components: request.fingerprint.into_keys().collect(),
        remembered: request.remembered,
        licenses: request.licenses.iter().map(|license| license.license_id).collect(),
        released: released
            .map(|(license_id, serial)| ReleasedAnswer { license_id, serial: serial.as_u64() }),
    })
}
