//! License draft: what a vendor writes into a template, in words.

use std::{collections::BTreeMap, fmt::Write};

use farhold_contract::{Date, model::RuntimeType};

use super::{Document, vendor};

/// A template in the making. Without another word: detached, unbound, far from its end.
#[derive(Debug, Clone)]
pub struct LicenseDraft {
    tenant: String,
    license_id: Option<String>,
    product: String,
    not_before: Option<String>,
    expires_on: Option<String>,
    issued_at: Option<String>,
    modes: &'static str,
    binding: Option<String>,
    serial: u64,
    ladder: String,
    audit: String,
    more: String,
    flags: String,
    features: Vec<Feature>,
}

#[derive(Debug, Clone, Default)]
struct Feature {
    name: String,
    limits: Vec<String>,
    more: String,
}

impl LicenseDraft {
    pub(super) fn new() -> Self {
        Self {
            tenant: vendor::TENANT.to_owned(),
            license_id: None,
            product: "campus".to_owned(),
            not_before: None,
            expires_on: Some("8000-12-31".to_owned()),
            issued_at: None,
            modes: r#"["detached"]"#,
            binding: Some(r#""none""#.to_owned()),
            serial: 1,
            ladder: String::new(),
            audit: String::new(),
            more: String::new(),
            flags: String::new(),
            features: Vec::new(),
        }
    }

    /// For another organization.
    pub fn tenant(mut self, tenant: &str) -> Self {
        tenant.clone_into(&mut self.tenant);
        self
    }

    /// For another product.
    pub fn product(mut self, product: &str) -> Self {
        product.clone_into(&mut self.product);
        self
    }

    /// Grants a feature; the words about quotas that follow are about it.
    pub fn feature(mut self, name: &str) -> Self {
        self.features.push(Feature { name: name.to_owned(), ..Feature::default() });
        self
    }

    /// At most so many units of the last feature.
    pub fn quota(self, units: u64) -> Self {
        self.limit(format!("quota = {units}"))
    }

    /// In each window of this length.
    pub fn per(self, window: &str) -> Self {
        self.limit(format!("time_window = \"{window}\""))
    }

    /// And so many above the quota.
    pub fn overage(self, units: u64) -> Self {
        self.limit(format!("overage = {units}"))
    }

    /// The last feature is only for runtimes of this type.
    pub fn only_for(mut self, kind: RuntimeType) -> Self {
        let feature = self.features.last_mut().expect("a feature was named");
        feature.more = format!("runtime_type = \"{kind}\"\n");
        self
    }

    /// The last feature ends before its license.
    pub fn ending_itself(mut self, at: &str) -> Self {
        let feature = self.features.last_mut().expect("a feature was named");
        writeln!(feature.more, "valid_until = {at}").expect("a string takes it");
        self
    }

    /// It begins then.
    pub fn begins(mut self, at: &str) -> Self {
        self.not_before = Some(at.to_owned());
        self
    }

    /// Its last day.
    pub fn last_day(mut self, day: &Date) -> Self {
        self.expires_on = Some(day.to_string());
        self
    }

    /// It was issued then, not now.
    pub fn issued(mut self, at: &str) -> Self {
        self.issued_at = Some(at.to_owned());
        self
    }

    /// What follows its end, each an ISO 8601 duration.
    pub fn ladder(mut self, warn: &str, grace: &str, restrict: &str) -> Self {
        self.ladder = format!(
            "[ladder]\nwarn = \"{warn}\"\ngrace = \"{grace}\"\nrestrict = \"{restrict}\"\n"
        );
        self
    }

    /// The revision.
    pub const fn serial(mut self, serial: u64) -> Self {
        self.serial = serial;
        self
    }

    /// The same contract as an earlier license, in its next revision.
    pub fn renewing(mut self, license: &Document) -> Self {
        let earlier = license.payload();
        self.license_id = earlier["license_id"].as_str().map(str::to_owned);
        self.serial = earlier["serial"].as_u64().expect("a serial") + 1;
        self
    }

    /// Only for sites with a link.
    pub fn managed(mut self) -> Self {
        self.modes = r#"["managed"]"#;
        self.binding = None;
        self
    }

    /// Only for the machine with this key.
    pub fn bound_to(mut self, device_key: &str) -> Self {
        self.binding = Some(format!("{{ device_key = \"{device_key}\" }}"));
        self
    }

    /// Only after these revocations.
    pub fn needing_revocations(mut self, generation: u64) -> Self {
        self.more.push_str(&format!("needs = {{ revocations = {generation} }}\n"));
        self
    }

    /// Only after this root.
    pub fn needing_root(mut self, version: u64) -> Self {
        self.more.push_str(&format!("needs = {{ root = {version} }}\n"));
        self
    }

    /// For linked and for detached sites.
    pub const fn in_both_modes(mut self) -> Self {
        self.modes = r#"["managed", "detached"]"#;
        self
    }

    /// Only for a machine with so many of these components.
    pub fn bound_to_parts(mut self, require: usize, components: &BTreeMap<String, String>) -> Self {
        let part = |(name, hash): (&String, &String)| format!("\"{name}\" = \"{hash}\"");
        let parts: Vec<String> = components.iter().map(part).collect();
        self.binding = Some(format!(
            "{{ fingerprint = {{ require = {require}, components = {{ {} }} }} }}",
            parts.join(", ")
        ));
        self
    }

    /// It may move to another machine so often a year.
    pub fn moving(mut self, times_a_year: u64) -> Self {
        self.more.push_str(&format!("rehosts_per_year = {times_a_year}\n"));
        self
    }

    /// Runtimes released before this day stay covered; without an end.
    pub fn released_before(mut self, day: &str) -> Self {
        self.expires_on = None;
        self.more.push_str(&format!("released_before = {day}\n"));
        self
    }

    /// Its last day ends in this zone.
    pub fn in_zone(mut self, zone: &str) -> Self {
        self.more.push_str(&format!("time_zone = \"{zone}\"\n"));
        self
    }

    /// Sets a flag, as TOML writes it.
    pub fn flag(self, key: &str, value: &str) -> Self {
        self.flag_line(key, value, "")
    }

    /// Sets a flag for these versions of the product.
    pub fn flag_for(self, key: &str, value: &str, versions: &str) -> Self {
        self.flag_line(key, value, &format!("versions = \"{versions}\"\n"))
    }

    fn flag_line(mut self, key: &str, value: &str, more: &str) -> Self {
        write!(self.flags, "[[flags]]\nkey = \"{key}\"\nvalue = {value}\n{more}")
            .expect("a string takes it");
        self
    }

    /// Only for these versions of the product.
    pub fn versions(mut self, range: &str) -> Self {
        self.more.push_str(&format!("versions = \"{range}\"\n"));
        self
    }

    /// Nothing at these places of events may be kept.
    pub fn redacting(mut self, pointers: &[&str]) -> Self {
        self.audit = format!("[audit]\nredact = {pointers:?}\n");
        self
    }

    /// A consumption that can't be recorded is refused.
    pub fn refusing_when_full(mut self) -> Self {
        "[audit]\nwhen_full = \"refuse\"\n".clone_into(&mut self.audit);
        self
    }

    /// What was confirmed is kept for so long, an ISO 8601 duration.
    pub fn keeping(mut self, retention: &str) -> Self {
        self.audit = format!("[audit]\nretention = \"{retention}\"\n");
        self
    }

    /// Which decisions leave an event.
    pub fn recording(mut self, decisions: &[&str]) -> Self {
        self.audit = format!("[audit]\ndecisions = {decisions:?}\n");
        self
    }

    pub(super) const fn serial_number(&self) -> u64 {
        self.serial
    }

    pub(super) fn issued_at(&self) -> Option<&str> {
        self.issued_at.as_deref()
    }

    /// Whether it is a new contract.
    pub(super) const fn is_new(&self) -> bool {
        self.license_id.is_none()
    }

    pub(super) fn template(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: &Option<String>, quoted: bool| {
            if let Some(value) = value {
                let mark = if quoted { "\"" } else { "" };
                writeln!(text, "{name} = {mark}{value}{mark}").expect("a string takes it");
            }
        };
        line("license_id", &self.license_id, true);
        line("not_before", &self.not_before, false);
        line("expires_on", &self.expires_on, false);
        line("binding", &self.binding, false);
        let Self { product, modes, more, tenant, ladder, audit, .. } = self;
        write!(
            text,
            "product = \"{product}\"\nissued_to = \"Universidad del Sur\"\nmodes = {modes}\n{more}\
             [tenant]\ntenant_id = \"{tenant}\"\ntype = \"company\"\n{ladder}{audit}"
        )
        .expect("a string takes it");
        for Feature { name, limits, more } in &self.features {
            write!(text, "[[entitlements]]\nfeature = \"{name}\"\n{more}").expect("it takes it");
            if !limits.is_empty() {
                writeln!(text, "limits = {{ {} }}", limits.join(", ")).expect("it takes it");
            }
        }
        text.push_str(&self.flags);
        text
    }

    fn limit(mut self, limit: String) -> Self {
        self.features.last_mut().expect("a feature was named").limits.push(limit);
        self
    }
}
