//! First template: what `new` writes, with a comment on everything that can be said.

use farhold_contract::{
    Date,
    id::{LicenseId, TenantId},
};

/// What a first template is filled with.
#[derive(Debug, Clone)]
pub struct FirstTemplate {
    /// The contract.
    pub license_id: LicenseId,
    /// The product.
    pub product: String,
    /// Whom it is for.
    pub issued_to: String,
    /// The organization.
    pub tenant_id: TenantId,
    /// The last day.
    pub expires_on: Date,
    /// What may be used.
    pub features: Vec<String>,
    /// Whether it also serves sites without a link.
    pub detached: bool,
    /// Whether a table says whom each license is for: then the template is no one's contract.
    pub for_table: bool,
}

/// The template as text.
pub fn write_first(first: &FirstTemplate) -> String {
    let modes = if first.detached { r#"["managed", "detached"]"# } else { r#"["managed"]"# };
    let binding = if first.detached {
        "# Which machine: the device key that the site's request names, or \"none\" for any.\n\
         # license-tool answer fills it in from a request.\n\
         binding = \"none\"\n"
    } else {
        "# Which machine, for sites without a link: the device key of the site's request.\n\
         # license-tool answer fills it in from a request.\n\
         # binding = { device_key = \"64 hexadecimal digits\" }\n"
    };
    let contract = if first.for_table {
        "# Which contract each license is, the table says: license_id, or tenant_id alone.\n"
            .to_owned()
    } else {
        format!(
            "# The contract. A renewal keeps this id and gets a higher serial.\n\
             license_id = \"{}\"\n",
            first.license_id
        )
    };
    let mut text = format!(
        r#"# A license, as license-tool issue reads it.
# Issuer, serial and the time of issue are filled in when it is issued.

{contract}product = {product}
issued_to = {issued_to}

# The last day. It ends in this zone; without one, where on Earth a day ends last (UTC-12).
expires_on = {expires_on}
# time_zone = "America/Lima"
# It begins when it is issued, or at:
# not_before = 2027-01-01T00:00:00Z

# managed: the site has a link to the Kernel. detached: it never has.
modes = {modes}
{binding}# To what an answer binds: device, or fingerprint:K for K of the machine's components.
# bind = "device"
# How often in a year an answer may move it to another machine.
# rehosts_per_year = 2

# At how many sites, and which versions of the product. Both are optional.
# sites = 1
# versions = ">=2.0.0, <4.0.0"

# What the site may report of its use: none, aggregate or full.
telemetry = "none"

[tenant]
tenant_id = "{tenant_id}"
type = "company"            # or individual, internal

# What follows the end: first a warning before it, then all works, then nothing new begins.
[ladder]
warn = "P60D"
grace = "P14D"
restrict = "P30D"
"#,
        product = quoted(&first.product),
        issued_to = quoted(&first.issued_to),
        expires_on = first.expires_on,
        tenant_id = first.tenant_id,
    );
    for (at, feature) in first.features.iter().enumerate() {
        text.push_str(&format!("\n[[entitlements]]\nfeature = {}\n", quoted(feature)));
        if at == 0 {
            text.push_str(
                "# runtime_type = \"courses\"   # only for: courses, labs, app, custom\n\
                 # limits = { quota = 500, time_window = \"P1M\", overage = 50 }\n",
            );
        }
    }
    text
}

/// A first table for [`write_first`]'s template: its headings, and the template's own values.
pub fn write_first_table(first: &FirstTemplate) -> String {
    let mut table = String::from("license_id,tenant_id,issued_to,expires_on");
    let mut row = format!(
        "\n{},{},{},{}",
        first.license_id,
        first.tenant_id,
        cell(&first.issued_to),
        first.expires_on
    );
    for feature in &first.features {
        table.push_str(&format!(",{}", cell(&format!("limits.{feature}"))));
        row.push(',');
    }
    table + &row + "\n"
}

/// A text as CSV has it.
fn cell(text: &str) -> String {
    if text.contains([',', ';', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use farhold_bundle::Positive;

    use super::*;

    #[test]
    fn a_first_template_can_be_issued_as_it_is() {
        let id = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f";
        for detached in [false, true] {
            let first = FirstTemplate {
                license_id: id.parse().unwrap(),
                product: "acme".to_owned(),
                issued_to: "Quotes \"and\" \\ lines\u{1f}".replace('\u{1f}', " "),
                tenant_id: id.parse().unwrap(),
                expires_on: "2027-12-31".parse().unwrap(),
                features: vec!["a.b".to_owned(), "c".to_owned()],
                detached,
                for_table: false,
            };
            let template = super::super::read(&write_first(&first)).unwrap();
            let at = "2026-11-22T07:00:00Z".parse().unwrap();
            let license =
                template.license(first.license_id, Positive::MIN, id.parse().unwrap(), at).unwrap();
            assert_eq!(license.issued_to, first.issued_to);
            assert_eq!(license.entitlements.len(), 2);
            assert_eq!(template.license_id(), Some(first.license_id));
            let for_table = FirstTemplate { for_table: true, ..first };
            let template = super::super::read(&write_first(&for_table)).unwrap();
            assert_eq!(template.license_id(), None, "each row is its own contract");
        }
    }
}
