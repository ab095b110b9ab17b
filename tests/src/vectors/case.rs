//! A vector in the making.

use serde_json::{Value, json};

use farhold_bundle::payload::SiteMode;
use farhold_contract::Code;

use super::{
    support::{NONCE, TENANT_A, bundle, device},
    vector::{Expect, Input, Kind, Site, Vector},
};

/// When every import takes place. What is expected holds on any other day of a site's life too,
/// so that a tool that knows only today can run the vector.
const NOW: &str = "2027-06-01T12:00:00Z";

/// A vector that still lacks what is expected.
pub(super) struct Case(Vector);

impl Case {
    /// An import of some lines, without the checks that concern one site.
    pub(super) fn import<L: AsRef<[u8]>>(
        title: &str,
        section: &str,
        standing: &[Vec<u8>],
        lines: &[L],
    ) -> Self {
        Self::import_bytes(title, section, standing, &bundle(lines))
    }

    /// An import of any bytes.
    pub(super) fn import_bytes(
        title: &str,
        section: &str,
        standing: &[Vec<u8>],
        bytes: &[u8],
    ) -> Self {
        let mut case = Self::new(Kind::Import, title, section, bytes);
        case.0.now = Some(NOW.parse().expect("the constant is a time"));
        case.0.standing =
            standing.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        case
    }

    /// A line to be installed as the first root.
    pub(super) fn install(title: &str, section: &str, line: &[u8]) -> Self {
        Self::new(Kind::Install, title, section, line)
    }

    /// A text to be read back into a line.
    pub(super) fn typed_form(title: &str, section: &str, text: &[u8]) -> Self {
        Self::new(Kind::TypedForm, title, section, text)
    }

    /// An export to be verified.
    pub(super) fn export(title: &str, section: &str, bytes: &[u8]) -> Self {
        Self::new(Kind::Export, title, section, bytes)
    }

    /// A message whose signature by a key is to be verified.
    pub(super) fn signature(title: &str, key: &[u8], message: &[u8], signature: &[u8]) -> Self {
        Self::new(Kind::Signature, title, "§1.5", message).with(|vector| {
            vector.public_key = Some(hex::encode(key));
            vector.signature = Some(hex::encode(signature));
        })
    }

    /// The value of a component that is to be hashed.
    pub(super) fn component(title: &str, salt: [u8; 16], name: &str, value: &[u8]) -> Self {
        Self::new(Kind::Component, title, "§7.2", value).with(|vector| {
            vector.salt = Some(hex::encode(salt));
            vector.name = Some(name.to_owned());
        })
    }

    /// Lines that stand, whose floor is to be computed.
    pub(super) fn floor<L: AsRef<[u8]>>(title: &str, lines: &[L]) -> Self {
        Self::new(Kind::Floor, title, "§5.2", &bundle(lines))
    }

    /// The same, after a clock reset at which some lines stood.
    pub(super) fn floor_after_reset<L: AsRef<[u8]>>(
        title: &str,
        (time, stood): (&str, &[L]),
        lines: &[L],
    ) -> Self {
        let text = |line: &L| String::from_utf8_lossy(line.as_ref()).into_owned();
        Self::new(Kind::Floor, title, "§5.6", &bundle(lines)).with(|vector| {
            vector.dated_by = Some(time.parse().expect("it is a time"));
            vector.standing = stood.iter().map(text).collect();
        })
    }

    fn new(kind: Kind, title: &str, section: &str, bytes: &[u8]) -> Self {
        Self(Vector {
            title: title.to_owned(),
            spec: format!("bundle.md {section}"),
            kind,
            now: None,
            standing: Vec::new(),
            site: None,
            sha256: None,
            device_key: None,
            dated_by: None,
            public_key: None,
            signature: None,
            salt: None,
            name: None,
            input: Input::of(bytes),
            expect: Expect::Taken { ok: Value::Null },
        })
    }

    /// Lets any member be set.
    pub(super) fn with(mut self, set: impl FnOnce(&mut Vector)) -> Self {
        set(&mut self.0);
        self
    }

    /// At the managed site of tenant A.
    pub(super) fn at_site(self) -> Self {
        self.with(|vector| vector.site = Some(site()))
    }

    /// At the detached site of tenant A.
    pub(super) fn at_detached_site(self) -> Self {
        self.with(|vector| vector.site = Some(Site { mode: SiteMode::Detached, ..site() }))
    }

    /// It is taken, and this comes of it.
    pub(super) fn taken(mut self, ok: impl Into<Value>) -> Vector {
        self.0.expect = Expect::Taken { ok: ok.into() };
        self.0
    }

    /// It is refused, for no one line's sake.
    pub(super) fn refused(mut self, code: Code) -> Vector {
        self.0.expect = Expect::Refused { code, line: None };
        self.0
    }

    /// It is refused because of one line.
    pub(super) fn refused_at(mut self, line: usize, code: Code) -> Vector {
        self.0.expect = Expect::Refused { code, line: Some(line) };
        self.0
    }
}

/// The managed site of tenant A, which waits for the answer to one request.
pub(super) fn site() -> Site {
    Site {
        mode: SiteMode::Managed,
        tenants: [TENANT_A.parse().expect("the constant is an id")].into(),
        device_key: device().public().clone(),
        fingerprint: Default::default(),
        open_nonce: Some(NONCE.to_owned()),
        released: Default::default(),
    }
}

/// What stands after an import.
pub(super) struct Stands {
    pub(super) outcomes: &'static [&'static str],
    pub(super) fallen: u64,
    pub(super) root: u64,
    pub(super) revocations: u64,
    pub(super) serials: &'static [u64],
    pub(super) receipts: u64,
    pub(super) clock_reset: Option<&'static str>,
}

/// One new line at root 1, and nothing else.
pub(super) const ONE_NEW: Stands = Stands {
    outcomes: &["new"],
    fallen: 0,
    root: 1,
    revocations: 0,
    serials: &[],
    receipts: 0,
    clock_reset: None,
};

/// One new license of serial 1 at root 1.
pub(super) const ONE_LICENSE: Stands = Stands { serials: &[1], ..ONE_NEW };

impl From<Stands> for Value {
    fn from(stands: Stands) -> Self {
        json!({
            "outcomes": stands.outcomes,
            "fallen": stands.fallen,
            "root": stands.root,
            "revocations": stands.revocations,
            "serials": stands.serials,
            "receipts": stands.receipts,
            "clock_reset": stands.clock_reset,
        })
    }
}
