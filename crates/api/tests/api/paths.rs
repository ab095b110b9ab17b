//! Paths and methods that are no call.

use farhold_contract::Code;
use http::Method;

use crate::{
    ask::{Ask, CORRELATION},
    site::{RUNTIME, Site},
};

#[tokio::test]
async fn a_path_that_only_looks_like_a_call_is_not_found() {
    for path in [
        "/",
        "/kernel",
        "/kernel/",
        "//kernel/entitlements/check",
        "/kernel//entitlements/check",
        "/kernel/entitlements//check",
        "/kernel/entitlements/check/",
        "/kernel/./entitlements/check",
        "/kernel/audit/../entitlements/check",
        "/kernel/audit/%2e%2e/entitlements/check",
        "/kernel/entitlements%2fcheck",
        "/kernel/entitlements/%63heck",
        "/kernel/entitlements/check;x=y",
        "/Kernel/entitlements/check",
        "/kernel/runtimes//heartbeat",
        "/kernel/runtimes/a/../b/heartbeat",
        "/admin/status",
        "*",
        &format!("/kernel/runtimes/{RUNTIME}"),
        &format!("/kernel/runtimes/{RUNTIME}/heartbeat/"),
    ] {
        let problem = Ask::check().path(path).refused().await;
        assert_eq!(problem.code, Code::RequestNotFound, "{path}");
        assert_eq!(problem.correlation_id.as_deref(), Some(CORRELATION));
    }
}

#[tokio::test]
async fn a_call_with_another_method_is_told_which_it_has() {
    for (path, method, allow) in [
        ("/kernel/entitlements/check", Method::GET, "POST"),
        ("/kernel/audit/events", Method::PUT, "POST"),
        ("/kernel/runtimes/register", Method::OPTIONS, "POST"),
        ("/kernel/contract", Method::POST, "GET,HEAD"),
        ("/kernel/flags", Method::PUT, "GET,HEAD"),
    ] {
        let answer = Ask::check().path(path).method(method).of(&Site::new()).await;
        let problem = answer.problem();
        assert_eq!(problem.code, Code::RequestMethod, "{path}");
        assert_eq!(problem.correlation_id.as_deref(), Some(CORRELATION));
        assert_eq!(answer.header("allow"), Some(allow));
    }
}

#[tokio::test]
async fn a_query_changes_nothing() {
    let ask = Ask::check().path("/kernel/entitlements/check?tenant_id=x&allowed=true");
    assert_eq!(ask.of(&Site::new()).await.status, 200);
}
