//! The stage of most stories: a vendor, a Kernel, a site with a product.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use farhold_contract::model::RuntimeType::Courses;
use farhold_tests::{
    http::Address,
    kernel_process::{Kernel, LinkedSite},
    net::Hostile,
    site::{Document, EventDraft, Runtime, TENANT, Vendor},
};

/// A vendor's Kernel, and a customer's site that is enrolled there and online.
pub(crate) struct Stage {
    pub vendor: Vendor,
    pub kernel: Kernel,
    pub license: Document,
    pub site: LinkedSite,
    pub courses: Runtime,
}

impl Stage {
    /// On loopback, with nothing between the two.
    pub(crate) fn set() -> Self {
        let vendor = Vendor::new();
        let kernel = Kernel::start(&vendor);
        Self::around(vendor, kernel, |site| site)
    }

    /// With a network in the test's hands between them.
    pub(crate) fn behind_a_network() -> (Self, Hostile) {
        let vendor = Vendor::new();
        let (kernel, network) = Kernel::behind_a_network(&vendor, |plan| plan);
        (Self::around(vendor, kernel, |site| site), network)
    }

    /// Around a Kernel that is there.
    #[track_caller]
    pub(crate) fn around(
        vendor: Vendor,
        kernel: Kernel,
        words: impl FnOnce(LinkedSite) -> LinkedSite,
    ) -> Self {
        let license =
            vendor.license(|l| l.managed().feature("export").quota(1_000).feature("exams"));
        kernel.has_tenant(TENANT).holds(&license);
        let mut site = words(LinkedSite::prepared(&vendor));
        site.started();
        let site = site.enrolled(&kernel, &[TENANT]);
        site.is_ready();
        let courses = site.runtime_of(TENANT, Courses).registered();
        site.comes_online(&courses, "exams");
        Self { vendor, kernel, license, site, courses }
    }

    /// The Kernel has exactly what the site has, each event once, and its chains verify.
    #[track_caller]
    pub(crate) fn kernel_has_all_of_it_once(&self) {
        self.site.drains();
        let kept: Vec<Value> = self.site.audit().events();
        let taken = self.kernel.audit(TENANT);
        let ids = taken.ids();
        let twice: Vec<_> = ids.iter().filter(|(_, times)| **times != 1).collect();
        assert!(twice.is_empty(), "more than once at the Kernel: {twice:?}");
        let handed: BTreeSet<String> = taken.handed_over().iter().map(Value::to_string).collect();
        let missing: Vec<_> =
            kept.iter().filter(|event| !handed.contains(&event.to_string())).collect();
        assert!(missing.is_empty(), "the Kernel lacks {missing:#?}");
        self.kernel.verifies();
    }
}

/// Hands over many events fast: the exchange is not held against the specifications.
pub(crate) fn tells_many(runtime: &Runtime, door: &Address, events: &[EventDraft]) {
    for thousand in events.chunks(1_000) {
        let body = json!({"events": thousand.iter().map(EventDraft::to_json).collect::<Vec<_>>()});
        let bearer = format!("Bearer {}", runtime.token());
        let headers = [
            ("x-tenant-id", runtime.tenant()),
            ("x-runtime-id", runtime.id()),
            ("x-contract-version", "v0.2"),
            ("x-correlation-id", "c-many"),
            ("authorization", &bearer),
            ("content-type", "application/json"),
        ];
        let answer =
            door.call("POST", "/kernel/audit/events", &headers, body.to_string().as_bytes());
        let answer = answer.unwrap();
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    }
}
