//! Reading a template: from TOML to the members of a license, each with its line.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use toml::de::DeTable;

use farhold_bundle::{
    PayloadError, Positive,
    payload::{License, Payload},
};
use farhold_contract::{
    Timestamp,
    id::{IssuerId, LicenseId},
};

use super::{
    mistake::{MISSING, Mistake},
    schema::LICENSE,
    walk::Walk,
};
use crate::refusal::Refusal;

/// A template that has every key it needs and no other.
#[derive(Debug, Clone)]
pub struct Template {
    content: Map<String, Value>,
    lines: BTreeMap<String, usize>,
}

/// Reads a template.
///
/// # Errors
/// `template.invalid` names line and key of the first mistake.
pub fn read(text: &str) -> Result<Template, Refusal> {
    let mut walk = Walk { text, mistakes: Vec::new(), lines: BTreeMap::new() };
    let document = DeTable::parse(text).map_err(|error| {
        let line = error.span().map(|span| walk.line(span.start));
        let why = error.message().replace('\n', "; ");
        Mistake { line, key: String::new(), why }.refuse(0)
    })?;
    let content = walk.table(document.get_ref(), LICENSE, "", None);
    // What is there and wrong first: it may be why another key is missing.
    walk.mistakes.sort_by_key(|mistake| (mistake.why == MISSING, mistake.line));
    match walk.mistakes.split_first() {
        Some((first, others)) => Err(first.refuse(others.len())),
        None => Ok(Template { content, lines: walk.lines }),
    }
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
        let mut content = self.content.clone();
        content.insert("license_id".to_owned(), Value::from(license_id.to_string()));
        content.insert("serial".to_owned(), Value::from(serial.as_u64()));
        content.insert("issuer".to_owned(), Value::from(issuer.to_string()));
        content.insert("issued_at".to_owned(), Value::from(issued_at.to_string()));
        content.entry("not_before").or_insert_with(|| Value::from(issued_at.to_string()));
        if let Some(Value::Object(tenant)) = content.get_mut("tenant") {
            tenant.entry("status").or_insert_with(|| Value::from("active"));
            if let Value::Object(policies) =
                tenant.entry("policies").or_insert_with(|| Value::Object(Map::new()))
            {
                policies.entry("security_level").or_insert_with(|| Value::from("standard"));
            }
        }
        let license: License = serde_json::from_value(Value::Object(content)).map_err(|error| {
            Refusal::from(PayloadError::Malformed { document: License::TYPE, source: error })
        })?;
        license.check().map_err(|error| self.refuse(&error))?;
        Ok(license)
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
        for key in LICENSE {
            assert!(written.contains_key(key.name), "{}", key.name);
        }
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
