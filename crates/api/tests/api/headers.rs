//! What the headers of a call must say, and in which order it is looked at.

use farhold_contract::{Code, header};

use crate::{
    ask::{Ask, CORRELATION},
    site::{Asked, FRESH_TOKEN, OTHER_RUNTIME, OTHER_TENANT, RUNTIME, Site, TENANT, TOKEN},
};

#[tokio::test]
async fn a_call_says_what_its_headers_said() {
    let site = Site::new();
    let answer = Ask::check().of(&site).await;
    assert_eq!(answer.status, 200);
    let Asked::Check(call, _) = site.only() else { panic!("not a check") };
    assert_eq!(call.tenant_id.to_string(), TENANT);
    assert_eq!(call.runtime_id.unwrap().to_string(), RUNTIME);
    assert_eq!(call.version.as_str(), "v0.2");
    assert_eq!(&*call.correlation_id, CORRELATION);
    assert_eq!(call.principal.runtime_id, call.runtime_id);
}

#[tokio::test]
async fn a_call_without_a_version_is_refused() {
    let code = Ask::check().without(header::CONTRACT_VERSION).code().await;
    assert_eq!(code, Code::ContractVersionMissing);
}

#[tokio::test]
async fn a_call_in_another_version_is_told_which_are_spoken() {
    for version in ["v0.3", "V0.1", "0.1", "", "v0.1 ", "v\u{f8}"] {
        let problem = Ask::check().with(header::CONTRACT_VERSION, version).refused().await;
        assert_eq!(problem.code, Code::ContractUnsupportedVersion, "{version}");
        assert_eq!(problem.detail.unwrap(), "contract versions spoken here: v0.1, v0.2");
    }
}

#[tokio::test]
async fn a_call_without_a_correlation_id_that_can_be_kept_is_refused() {
    assert_eq!(Ask::check().without(header::CORRELATION_ID).code().await, Code::CorrelationMissing);
    for bad in ["", "a b", "a\tb", "\u{e9}", &"x".repeat(129)] {
        let problem = Ask::check().with(header::CORRELATION_ID, bad).refused().await;
        assert_eq!(problem.code, Code::CorrelationMissing, "{bad:?}");
        assert_eq!(problem.correlation_id, None);
    }
}

#[tokio::test]
async fn the_longest_correlation_id_is_kept_and_echoed() {
    let longest = "~".repeat(header::CORRELATION_ID_MAX_BYTES);
    let answer = Ask::check().with(header::CORRELATION_ID, &longest).of(&Site::new()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header(header::CORRELATION_ID), Some(longest.as_str()));
}

#[tokio::test]
async fn a_refusal_echoes_the_correlation_id_even_of_a_call_without_a_version() {
    let problem = Ask::check().without(header::CONTRACT_VERSION).refused().await;
    assert_eq!(problem.correlation_id.as_deref(), Some(CORRELATION));
}

#[tokio::test]
async fn a_call_without_a_bearer_token_is_refused() {
    assert_eq!(Ask::check().without(header::AUTHORIZATION).code().await, Code::AuthMissing);
    for bad in ["", "Bearer", "Bearer ", "Bearer  ", "Basic YTpi", TOKEN] {
        let code = Ask::check().with(header::AUTHORIZATION, bad).code().await;
        assert_eq!(code, Code::AuthMissing, "{bad:?}");
    }
}

#[tokio::test]
async fn an_unknown_token_is_refused() {
    let code = Ask::check().with(header::AUTHORIZATION, "Bearer fhr_revoked").code().await;
    assert_eq!(code, Code::AuthInvalid);
}

#[tokio::test]
async fn the_scheme_is_read_in_any_case() {
    let ask = Ask::check().with(header::AUTHORIZATION, &format!("bearer {TOKEN}"));
    assert_eq!(ask.of(&Site::new()).await.status, 200);
}

#[tokio::test]
async fn a_call_without_a_valid_tenant_is_refused() {
    assert_eq!(Ask::check().without(header::TENANT_ID).code().await, Code::TenantMissing);
    for bad in ["", "acme", &TENANT.to_uppercase(), "f47ac10b-58cc-4372-a567-0e02b2c3d479"] {
        assert_eq!(Ask::check().with(header::TENANT_ID, bad).code().await, Code::TenantMissing);
    }
}

#[tokio::test]
async fn a_header_naming_another_tenant_than_the_token_is_refused() {
    let code = Ask::check().with(header::TENANT_ID, OTHER_TENANT).code().await;
    assert_eq!(code, Code::TenantMismatch);
}

#[tokio::test]
async fn a_call_without_a_valid_runtime_is_refused() {
    assert_eq!(Ask::check().without(header::RUNTIME_ID).code().await, Code::RuntimeMissing);
    let code = Ask::check().with(header::RUNTIME_ID, "runtime-1").code().await;
    assert_eq!(code, Code::RuntimeMissing);
}

#[tokio::test]
async fn a_header_naming_another_runtime_than_the_token_is_refused() {
    let code = Ask::check().with(header::RUNTIME_ID, OTHER_RUNTIME).code().await;
    assert_eq!(code, Code::RuntimeMismatch);
}

#[tokio::test]
async fn a_token_that_has_not_registered_can_only_register() {
    let fresh = format!("Bearer {FRESH_TOKEN}");
    let code = Ask::check().with(header::AUTHORIZATION, &fresh).code().await;
    assert_eq!(code, Code::RuntimeNotRegistered);
}

#[tokio::test]
async fn a_header_sent_twice_is_refused_even_with_the_same_value() {
    for (name, value) in [
        (header::CONTRACT_VERSION, "v0.2"),
        (header::CORRELATION_ID, CORRELATION),
        (header::AUTHORIZATION, &*format!("Bearer {TOKEN}")),
        (header::TENANT_ID, TENANT),
        (header::RUNTIME_ID, RUNTIME),
        ("content-type", "application/json"),
    ] {
        let problem = Ask::check().with_another(name, value).refused().await;
        assert_eq!(problem.code, Code::RequestMalformed, "{name}");
        assert_eq!(problem.detail.unwrap(), format!("{name} is sent more than once"));
        assert_eq!(problem.correlation_id.is_none(), name == header::CORRELATION_ID);
    }
}

#[tokio::test]
async fn what_is_wrong_is_named_in_the_contracts_order() {
    // Everything is wrong; each step puts the next thing right.
    let wrong = |right: usize| {
        let ask = Ask::check().body("[]").without("content-type");
        let order: [(&'static str, &str); 5] = [
            (header::CONTRACT_VERSION, "v9"),
            (header::CORRELATION_ID, "a b"),
            (header::AUTHORIZATION, "Bearer unknown"),
            (header::TENANT_ID, OTHER_TENANT),
            (header::RUNTIME_ID, OTHER_RUNTIME),
        ];
        order.into_iter().skip(right).fold(ask, |ask, (name, value)| ask.with(name, value))
    };
    let mut codes = Vec::new();
    for right in 0..=5 {
        codes.push(wrong(right).code().await);
    }
    assert_eq!(
        codes,
        [
            Code::ContractUnsupportedVersion,
            Code::CorrelationMissing,
            Code::AuthInvalid,
            Code::TenantMismatch,
            Code::RuntimeMismatch,
            Code::RequestMediaType,
        ]
    );
}
