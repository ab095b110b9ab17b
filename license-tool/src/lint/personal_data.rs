//! Data of a person where an organization's is meant.

use serde_json::Value;

use farhold_bundle::payload::License;

use super::{Found, Papers, Rule, Weight};

pub(super) const RULE: Rule = Rule {
    name: "personal_data",
    why: "A license is copied to sites, bundles and logs, and can't be called back or corrected.",
    look,
};

const NEXT: &str = "Name the organization, and the contract by its number; keep people in your own \
                    records.";

fn look(papers: &Papers<'_>, found: &mut Found<'_>) {
    for paper in &papers.licenses {
        for (member, text) in texts(&paper.license) {
            if let Some(kind) = personal(&text) {
                found.warn(paper, format!("{member} holds what looks like {kind}"), NEXT);
            }
        }
    }
    for contract in papers.ledger.iter().flat_map(|ledger| ledger.contracts()) {
        if let Some(kind) = personal(&contract.newest.issued_to) {
            found.add(
                Weight::Warning,
                format!("ledger: license {}", contract.newest.license_id),
                format!("issued_to holds what looks like {kind}"),
                NEXT,
            );
        }
    }
}

/// What people write into a license, each with its member. Ids and hashes are not among it.
fn texts(license: &License) -> Vec<(String, String)> {
    let mut texts = vec![
        ("issued_to".to_owned(), license.issued_to.clone()),
        ("product".to_owned(), license.product.clone()),
    ];
    let features = license.entitlements.iter().map(|it| it.feature.clone());
    texts.extend(features.map(|feature| ("entitlements.feature".to_owned(), feature)));
    for flag in &license.flags {
        let value = serde_json::to_value(&flag.value).unwrap_or_default();
        collect(&format!("flags.{}", flag.key), &value, &mut texts);
    }
    if let Some(identity) = &license.identity {
        collect("identity", identity, &mut texts);
    }
    for (name, value) in license.metadata.iter().flatten() {
        collect(&format!("metadata.{name}"), value, &mut texts);
    }
    texts
}

fn collect(member: &str, value: &Value, texts: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => texts.push((member.to_owned(), text.clone())),
        Value::Array(items) => items.iter().for_each(|item| collect(member, item, texts)),
        Value::Object(members) => {
            for (name, value) in members {
                texts.push((format!("{member}.{name}"), name.clone()));
                collect(&format!("{member}.{name}"), value, texts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What kind of personal data a text shows. Only what is hardly anything else: names of people
/// can't be told from those of companies.
fn personal(text: &str) -> Option<&'static str> {
    let words = || text.split(|c: char| c.is_whitespace() || ",;()<>\"'".contains(c));
    if words().any(is_email) {
        return Some("an e-mail address");
    }
    if has_phone(text) {
        return Some("a phone number");
    }
    words().any(is_national_id).then_some("a national id")
}

fn is_email(word: &str) -> bool {
    let word = word.trim_end_matches('.').trim_start_matches("mailto:");
    let Some((local, domain)) = word.split_once('@') else { return false };
    let good = |c: char| c.is_alphanumeric() || "._%+-".contains(c);
    let top = domain.rsplit('.').next().unwrap_or_default();
    !local.is_empty()
        && local.chars().all(good)
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty())
        && domain.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '-')
        && top.chars().count() >= 2
        && top.chars().all(char::is_alphabetic)
}

/// A number in international form: `+`, then 9 to 15 digits, parted by spaces or the like.
fn has_phone(text: &str) -> bool {
    text.match_indices('+').any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let rest = text[at + 1..].chars();
        let digits = rest
            .take_while(|c| c.is_ascii_digit() || " -./()".contains(*c))
            .filter(char::is_ascii_digit)
            .count();
        let follows_digit = text[at + 1..].starts_with(|c: char| c.is_ascii_digit());
        !before.is_some_and(char::is_alphanumeric) && follows_digit && (9..=15).contains(&digits)
    })
}

/// Numbers of persons that carry a check, or a shape of their own.
fn is_national_id(word: &str) -> bool {
    is_spanish(word) || is_brazilian(word) || is_us(word)
}

/// DNI and NIE: 8 digits (X, Y, Z for the first) and the letter that checks them.
fn is_spanish(word: &str) -> bool {
    let word = word.replace(['-', '.'], "").to_ascii_uppercase();
    let Some((body, letter)) = word.split_at_checked(8).filter(|(_, last)| last.len() == 1) else {
        return false;
    };
    let body = match body.split_at(1) {
        ("X", rest) => format!("0{rest}"),
        ("Y", rest) => format!("1{rest}"),
        ("Z", rest) => format!("2{rest}"),
        _ => body.to_owned(),
    };
    if !body.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let at = body.parse::<usize>().map_or(0, |number| number % 23);
    "TRWAGMYFPDXBNJZSQVHLCKE".chars().nth(at) == letter.chars().next()
}

/// CPF: `000.000.000-00` with its two check digits.
fn is_brazilian(word: &str) -> bool {
    let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if shape != "000.000.000-00" {
        return false;
    }
    let digits: Vec<u32> = word.chars().filter_map(|c| c.to_digit(10)).collect();
    [9, 10].into_iter().all(|at| {
        let weighed = digits[..at].iter().zip((2..=at as u32 + 1).rev());
        let sum: u32 = weighed.map(|(digit, weight)| digit * weight).sum();
        digits[at] == sum * 10 % 11 % 10
    })
}

/// SSN: `000-00-0000`, with what is never given out left aside.
fn is_us(word: &str) -> bool {
    let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "000-00-0000"
        && !word.starts_with("000")
        && !word.starts_with("666")
        && !word.starts_with('9')
        && &word[4..6] != "00"
        && !word.ends_with("0000")
}

#[cfg(test)]
mod tests {
    use super::personal;

    #[test]
    fn what_is_a_persons_is_seen() {
        for (text, kind) in [
            ("Ana Ruiz <ana.ruiz@example.com>", "an e-mail address"),
            ("mailto:a+b@mail.example.co", "an e-mail address"),
            ("call +34 600 123 456", "a phone number"),
            ("+1 (555) 010-9999", "a phone number"),
            ("DNI 12345678Z", "a national id"),
            ("NIE X1234567L", "a national id"),
            ("529.982.247-25", "a national id"),
            ("078-05-1120", "a national id"),
        ] {
            assert_eq!(personal(text), Some(kind), "{text}");
        }
    }

    #[test]
    fn what_is_an_organizations_is_left_alone() {
        for text in [
            "Universidad del Sur",
            "Müller & Söhne GmbH",
            "C++ Institute 2026",
            "order PO-7781",
            "acme@home",
            "@acme/courses",
            ">=2.0.0+build.20261122",
            "12345678A",
            "529.982.247-26",
            "000-12-3456",
            "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f",
            "2026-11-22",
        ] {
            assert_eq!(personal(text), None, "{text}");
        }
    }
}
