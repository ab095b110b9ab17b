//! Linked: a Kernel, a site enrolled at it, and a product with events for both.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use farhold_contract::model::RuntimeType;

use super::{
    load::fill,
    product::{Content, Product},
    stand_in::Documents,
    wire::Door,
};
use crate::{
    http::Address,
    kernel_process::{Kernel, LinkedSite},
    site::{TENANT, Vendor},
};

/// The feature that the product is licensed for.
pub(super) const FEATURE: &str = "export";
/// Events in one post of the product's.
pub(super) const POSTED: usize = 1_000;

/// A queue that has not moved for so long is stuck.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at the queue: each costs the agent a little.
const GLANCE: Duration = Duration::from_millis(20);

/// A Kernel and a site enrolled at it; both run.
pub(super) struct Linked {
    /// The Kernel.
    pub(super) kernel: Kernel,
    /// The site.
    pub(super) site: LinkedSite,
    /// The product on it.
    pub(super) product: Product,
    /// What the site stands on.
    pub(super) documents: Documents,
}

impl Linked {
    /// A new pair, online.
    ///
    /// # Errors
    /// If the site has no TCP door.
    pub(super) fn new(vendor: &Vendor) -> Result<Self> {
        let kernel = Kernel::start(vendor);
        let license = vendor.license(|license| license.managed().feature(FEATURE));
        kernel.has_tenant(TENANT).holds(&license);
        let mut site = LinkedSite::prepared(vendor).with("queue.cap", "\"16GiB\"");
        site.started();
        let site = site.enrolled(&kernel, &[TENANT]);
        site.is_ready();
        let runtime = site.runtime_of(TENANT, RuntimeType::Courses).registered();
        site.comes_online(&runtime, FEATURE);
        site.drains();
        let product = Product::new(runtime, &site.tcp_door())?;
        let documents = Documents::new(kernel.root_sha256(), &license)?;
        Ok(Self { kernel, site, product, documents })
    }

    /// Has the product hand over so many events while the Kernel is away.
    ///
    /// # Errors
    /// If the agent refuses one.
    pub(super) fn fill(&self, events: usize, content: Content) -> Result<()> {
        let posts = self.product.events(POSTED, content);
        fill(self.product.address(), events / POSTED, &posts)
    }

    /// The last record, and the last that the Kernel has confirmed.
    ///
    /// # Errors
    /// If the agent does not say.
    pub(super) fn queue(&self) -> Result<(u64, u64)> {
        let door = Address::Unix(self.site.admin_socket());
        let answer = door.call("GET", "/admin/queue", &[], b"")?.json()?;
        let number = |name: &str| answer[name].as_u64().with_context(|| format!("no {name}"));
        Ok((number("last_seq")?, number("acknowledged_seq")?))
    }

    /// Waits until the Kernel has confirmed everything up to this record; `each` is done at every
    /// look.
    ///
    /// # Errors
    /// If the queue stands still.
    pub(super) fn confirmed(
        &self,
        seq: u64,
        mut each: impl FnMut() -> Result<()>,
    ) -> Result<Instant> {
        let (mut before, mut since) = (0, Instant::now());
        loop {
            let (_, acknowledged) = self.queue()?;
            if acknowledged >= seq {
                return Ok(Instant::now());
            }
            if acknowledged > before {
                (before, since) = (acknowledged, Instant::now());
            }
            if since.elapsed() > PATIENCE {
                bail!("the queue stands still at {acknowledged} of {seq}: {}", self.site.log());
            }
            each()?;
            std::thread::sleep(GLANCE);
        }
    }

    /// The Kernel's door for agents.
    ///
    /// # Errors
    /// If its CA can't be read.
    pub(super) fn door(&self) -> Result<Door> {
        Door::new(self.kernel.address(), &self.kernel.ca())
    }
}
