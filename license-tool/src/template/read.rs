//! Reading a template: from TOML to the members of a license, each with its line.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use toml::de::DeTable;

use farhold_bundle::{
    PayloadError, Positive, Whole,
    payload::{License, Payload},
};
use farhold_contract::{
    Timestamp,
    id::{IssuerId, LicenseId},
};

use super::{
    bind::BindTo,
    mistake::{MISSING, Mistake},
    mold::{Mold, Stamp},
    schema::{BIND, LICENSE, REHOSTS_PER_YEAR},
    walk::Walk,
};
use crate::refusal::Refusal;

/// A template that has every key it needs and no other.
#[derive(Debug, Clone)]
pub struct Template {
    content: Map<String, Value>,
    lines: BTreeMap<String, usize>,
    bind: Option<BindTo>,
    rehosts_per_year: Option<Whole>,
}

/// Reads a template.
///
/// # Errors
/// `template.invalid` names line and key of the first mistake.
pub fn read(text: &str) -> Result<Template, Refusal> {
    read_for(text, &[])
}

/// Reads a template whose licenses are given some members elsewhere, by the columns of a table:
/// `issued_to`, `tenant.tenant_id`. Those may be missing.
///
/// # Errors
/// `template.invalid` names line and key of the first mistake.
pub fn read_for(text: &str, given: &[&str]) -> Result<Template, Refusal> {
    let mut walk = Walk { text, mistakes: Vec::new(), lines: BTreeMap::new() };
    let document = DeTable::parse(text).map_err(|error| {
        let line = error.span().map(|span| walk.line(span.start));
        let why = error.message().replace('\n', "; ");
        Mistake { line, key: String::new(), why }.refuse(0)
    })?;
    let mut content = walk.table(document.get_ref(), LICENSE, "", None);
    walk.mistakes.retain(|mistake| mistake.why != MISSING || !is_given(&mistake.key, given));
    // What is there and wrong first: it may be why another key is missing.
    walk.mistakes.sort_by_key(|mistake| (mistake.why == MISSING, mistake.line));
    if let Some((first, others)) = walk.mistakes.split_first() {
        return Err(first.refuse(others.len()));
    }
    let bind = content.remove(BIND).and_then(|value| value.as_str()?.parse().ok());
    let rehosts_per_year =
        content.remove(REHOSTS_PER_YEAR).and_then(|value| Whole::new(value.as_u64()?));
    Ok(Template { content, lines: walk.lines, bind, rehosts_per_year })
}

/// Whether a missing key, or each that a missing table must have, is given elsewhere.
fn is_given(key: &str, given: &[&str]) -> bool {
    let needed: &[&str] =
        if key == "tenant" { &["tenant.tenant_id", "tenant.type"] } else { &[key] };
    needed.iter().all(|key| given.contains(key))
}

impl Template {
    /// The contract that the template is for, if it names one.
    pub fn license_id(&self) -> Option<LicenseId> {
        self.content.get("license_id")?.as_str()?.parse().ok()
    }

    /// Whether the template binds the license to a machine.
    pub fn binds(&self) -> bool {
        self.content.get("binding").is_some_and(|binding| !binding.is_string())
    }

    /// Says that the license is bound to no machine, on purpose.
    pub fn set_unbound(&mut self) {
        self.content.insert("binding".to_owned(), Value::from("none"));
    }

    /// To what of a machine its answers bind: as it says, or as its own binding does.
    pub fn bind_to(&self) -> BindTo {
        let require = |binding: &Value| {
            let require = binding.get("fingerprint")?.get("require")?;
            Some(require.as_u64().and_then(Positive::new))
        };
        let own = self.content.get("binding").and_then(require).map(BindTo::Fingerprint);
        self.bind.or(own).unwrap_or(BindTo::Device)
    }

    /// How often in a year its licenses may be moved to another machine, where it says so.
    pub const fn rehosts_per_year(&self) -> Option<Whole> {
        self.rehosts_per_year
    }

    /// The license in one serial.
    ///
    /// # Errors
    /// `template.invalid` for what breaks a rule of licenses.
    pub fn license(
        &self,
        license_id: LicenseId,
        serial: Positive,
        issuer: IssuerId,
        issued_at: Timestamp,
    ) -> Result<License, Refusal> {
        let license = self.mold(issuer)?.cast(Stamp { license_id, serial, issued_at });
        self.check(&license)?;
        Ok(license)
    }

    /// The license without what only its issue gives it; not yet held to the rules of licenses.
    ///
    /// # Errors
    /// `payload.malformed` for what no license has.
    pub fn mold(&self, issuer: IssuerId) -> Result<Mold, Refusal> {
        /// Stands where an issue or a table gives the value.
        const LATER: &str = "00000000-0000-7000-8000-000000000000";
        let mut content = self.content.clone();
        content.insert("license_id".to_owned(), Value::from(LATER));
        content.insert("serial".to_owned(), Value::from(Positive::MIN.as_u64()));
        content.insert("issuer".to_owned(), Value::from(issuer.to_string()));
        content.insert("issued_at".to_owned(), Value::from(Timestamp::MIN.to_string()));
        let begins_when_issued = !content.contains_key("not_before");
        for (name, value) in [
            ("not_before", Timestamp::MIN.to_string()),
            ("product", LATER.to_owned()),
            ("issued_to", LATER.to_owned()),
        ] {
            content.entry(name).or_insert_with(|| Value::from(value));
        }
        let tenant = content.entry("tenant").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(tenant) = tenant {
            for (name, value) in [("tenant_id", LATER), ("type", "company"), ("status", "active")] {
                tenant.entry(name).or_insert_with(|| Value::from(value));
            }
            if let Value::Object(policies) =
                tenant.entry("policies").or_insert_with(|| Value::Object(Map::new()))
            {
                policies.entry("security_level").or_insert_with(|| Value::from("standard"));
            }
        }
        let license: License = serde_json::from_value(Value::Object(content)).map_err(|error| {
            Refusal::from(PayloadError::Malformed { document: License::TYPE, source: error })
        })?;
        Ok(Mold::new(license, begins_when_issued))
    }

    /// Holds a license of this template to the rules of licenses.
    ///
    /// # Errors
    /// `template.invalid` with line and key.
    pub fn check(&self, license: &License) -> Result<(), Refusal> {
        license.check().map_err(|error| self.refuse(&error))
    }

    /// A refusal for a member, with the line it stands at.
    pub fn refuse_member(&self, member: &str, why: &str) -> Refusal {
        Mistake { line: self.line_of(member), key: member.to_owned(), why: why.to_owned() }
            .refuse(0)
    }

    fn refuse(&self, error: &PayloadError) -> Refusal {
        match error {
            PayloadError::Invalid { member, why } => self.refuse_member(member, why),
            other => self.refuse_member("", &other.to_string()),
        }
    }

    /// The first line of a member, or of the table that should have it.
    fn line_of(&self, member: &str) -> Option<usize> {
        let without_places = |path: &str| {
            let mut plain = String::new();
            for part in path.split('[') {
                plain.push_str(part.split_once(']').map_or(part, |(_, rest)| rest));
            }
            plain
        };
        let at = |wanted: &str| {
            let mut lines = self.lines.iter().filter(|(path, _)| without_places(path) == wanted);
            lines.next().map(|(_, line)| *line)
        };
        at(member).or_else(|| at(member.rsplit_once('.')?.0))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::mistake::FILLED_IN, *};

    const LEAST: &str = r#"
product = "acme-courses"
issued_to = "Universidad"
expires_on = 2027-12-31

[tenant]
tenant_id = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f"
type = "company"

[[entitlements]]
feature = "courses.publish"
"#;

    fn license(text: &str) -> Result<License, Refusal> {
        let id = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e40";
        read(text)?.license(
            id.parse().unwrap(),
            Positive::MIN,
            id.parse().unwrap(),
            "2026-11-22T07:00:00Z".parse().unwrap(),
        )
    }

    fn mistake(text: &str) -> String {
        let refusal = license(text).unwrap_err();
        assert_eq!(refusal.code(), farhold_contract::Code::TemplateInvalid);
        refusal.what().to_owned()
    }

    #[test]
    fn the_least_template_is_a_license() {
        let license = license(LEAST).unwrap();
        assert_eq!(license.not_before, license.issued_at);
        assert_eq!(license.expires_on.unwrap().to_string(), "2027-12-31");
    }

    #[test]
    fn every_member_of_a_license_has_its_place() {
        let full = include_str!("../../tests/full.toml");
        let read = read(full).unwrap();
        let license = license(full).unwrap();
        let Value::Object(written) = serde_json::to_value(&license).unwrap() else { panic!() };
        let filled_in = FILLED_IN.map(|(name, _)| name);
        for (name, value) in written.iter().filter(|(name, _)| !filled_in.contains(&name.as_str()))
        {
            if name != "license_id" {
                assert_eq!(read.content.get(name), Some(value), "{name}");
            }
        }
        // The other way: a key that the license does not carry would be lost in silence.
        for key in LICENSE.iter().filter(|key| ![BIND, REHOSTS_PER_YEAR].contains(&key.name)) {
            assert!(written.contains_key(key.name), "{}", key.name);
        }
        assert_eq!(read.bind_to(), BindTo::Device);
        assert_eq!(read.rehosts_per_year(), Whole::new(3));
    }

    #[test]
    fn what_an_answer_binds_to_is_said_or_follows_from_the_binding() {
        let of = |text: &str| read(&format!("{text}{LEAST}")).unwrap().bind_to();
        assert_eq!(of(""), BindTo::Device);
        assert_eq!(of("bind = \"fingerprint:2\"\n"), BindTo::Fingerprint(Positive::new(2)));
        let bound = "binding = { fingerprint = { components = { disk = \"0123456789abcdef\" }, require = 1 } }\n";
        assert_eq!(of(bound), BindTo::Fingerprint(Positive::new(1)));
        assert_eq!(of(&format!("bind = \"device\"\n{bound}")), BindTo::Device);
    }

    #[test]
    fn what_a_table_gives_may_be_missing() {
        let without = LEAST.replace("issued_to = \"Universidad\"", "");
        assert!(read(&without).is_err());
        assert!(read_for(&without, &["issued_to"]).is_ok());
        let tenantless =
            LEAST.replace("[tenant]\n", "").replace("tenant_id", "# ").replace("type = ", "# ");
        assert!(read_for(&tenantless, &["tenant.tenant_id"]).is_err(), "its type is missing, too");
        assert!(read_for(&tenantless, &["tenant.tenant_id", "tenant.type"]).is_ok());
    }

    #[test]
    fn a_license_begins_when_it_is_issued_unless_it_says_when() {
        let issuer = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e40".parse().unwrap();
        let stamp = |issued_at: &str| Stamp {
            license_id: "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4a".parse().unwrap(),
            serial: Positive::MIN,
            issued_at: issued_at.parse().unwrap(),
        };
        let mold = read(LEAST).unwrap().mold(issuer).unwrap();
        let license = mold.cast(stamp("2026-11-22T07:00:00Z"));
        assert_eq!(license.not_before, license.issued_at);
        assert_eq!(license, mold.cast(stamp("2026-11-22T07:00:00Z")), "one stamp, one license");
        let kept = Mold::of(license.clone()).cast(stamp("2026-11-30T07:00:00Z"));
        assert_eq!(kept.not_before, license.not_before);
    }

    #[test]
    fn a_mistake_is_said_with_its_line_and_key() {
        let with = |from: &str, to: &str| mistake(&LEAST.replace(from, to));
        for (from, to, said) in [
            ("product =", "prodct =", "line 2: prodct is not known; did you mean product?"),
            (
                "feature =",
                "fetaure =",
                "line 11: entitlements[0].fetaure is not known; did you mean feature?",
            ),
            ("2027-12-31", "\"soon\"", "line 4: expires_on not a date"),
            ("type = \"company\"", "type = \"firm\"", "line 8: tenant.type unknown variant `firm`"),
            (
                "type = \"company\"",
                "telemetry = \"none\"",
                "line 8: tenant.telemetry is not known here; telemetry stands above the first [table]",
            ),
            (
                "issued_to",
                "serial = 3 #",
                "line 3: serial has no place in a template: give it as --serial",
            ),
            ("issued_to = \"Universidad\"", "", "issued_to is missing"),
            ("[tenant]", "[tenant", "line 6: "),
            (
                "expires_on = 2027-12-31",
                "expires_on = 2026-11-20",
                "line 4: expires_on must be after not_before",
            ),
            ("\"courses.publish\"", "\"courses publish\"", "line 11: entitlements.feature must be"),
            (
                "[[entitlements]]",
                "[entitlements]",
                "line 10: entitlements must be tables, each begun by [[entitlements]]",
            ),
            (
                "expires_on = 2027-12-31",
                "expires_on = 2027-12-31\nmodes = [\"detached\"]",
                "binding is required",
            ),
            (
                "expires_on = 2027-12-31",
                "expires_on = 2027-12-31\nbinding = \"nothing\"",
                "line 5: binding must be",
            ),
            (
                "expires_on = 2027-12-31",
                "expires_on = 2027-12-31\nbind = \"all\"",
                "line 5: bind must be device, fingerprint, or fingerprint:K",
            ),
            (
                "expires_on = 2027-12-31",
                "expires_on = 2027-12-31\nsites = 0",
                "line 5: sites not between 1",
            ),
        ] {
            let found = with(from, to);
            assert!(found.starts_with(said), "{found}");
        }
    }

    #[test]
    fn the_other_mistakes_are_counted() {
        let text = LEAST.replace("product", "prodct").replace("feature", "fetaure");
        assert!(mistake(&text).ends_with("(and 1 mistake more)"), "{}", mistake(&text));
        let text = text.replace("type = \"company\"", "");
        assert!(mistake(&text).ends_with("(and 2 mistakes more)"), "{}", mistake(&text));
    }
}
