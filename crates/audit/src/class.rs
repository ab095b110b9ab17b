//! Class: what kind of event it is, for room, retention and counting.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The class of an event. It comes from its `type` by a closed table, never from the caller.
///
/// The numbers are hashed into the chain: none ever changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Class {
    /// A paid feature was used.
    Usage = 1,
    /// A rule was broken.
    Security = 2,
    /// Someone came or went.
    Session = 3,
    /// Something failed that must not.
    Error = 4,
    /// What the agent or the Kernel did.
    Agent = 5,
    /// Whatever else a product reports.
    Product = 6,
}

/// The number or word is no class of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a class of this version")]
pub struct UnknownClass;

/// What a runtime must report (contract v0.1 §9), and the class of each.
const TABLE: [(&str, Class); 6] = [
    ("login", Class::Session),
    ("session.start", Class::Session),
    ("session.end", Class::Session),
    ("feature.used", Class::Usage),
    ("error.critical", Class::Error),
    ("policy.violation", Class::Security),
];

/// What only the agent and the Kernel write.
const OWN_PREFIXES: [&str; 2] = ["agent.", "kernel."];

impl Class {
    /// Every class, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Usage, Self::Security, Self::Session, Self::Error, Self::Agent, Self::Product];

    /// The class of events of this `type`; [`Class::Product`] for every type not in the table.
    pub fn of(event_type: &str) -> Self {
        if is_own(event_type) {
            return Self::Agent;
        }
        TABLE
            .iter()
            .find(|(listed, _)| *listed == event_type)
            .map_or(Self::Product, |(_, class)| *class)
    }

    /// The class with this number, as stores keep it.
    ///
    /// # Errors
    /// [`UnknownClass`] for a number that no class has.
    pub fn from_u8(number: u8) -> Result<Self, UnknownClass> {
        Self::ALL.into_iter().find(|class| class.as_u8() == number).ok_or(UnknownClass)
    }

    /// Its number.
    pub const fn as_u8(self) -> u8 {
        self as u8
    }

    /// Its word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Security => "security",
            Self::Session => "session",
            Self::Error => "error",
            Self::Agent => "agent",
            Self::Product => "product",
        }
    }

    /// Whether runtimes' events of it are the first to be refused when the queue fills: the rest
    /// of the room is for those that someone will need to understand what went wrong.
    pub const fn gives_way(self) -> bool {
        match self {
            Self::Usage | Self::Product => true,
            Self::Security | Self::Session | Self::Error | Self::Agent => false,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether only the agent and the Kernel may write events of this `type`.
pub(crate) fn is_own(event_type: &str) -> bool {
    OWN_PREFIXES.iter().any(|prefix| event_type.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_words_never_change() {
        let said: Vec<(u8, &str)> =
            Class::ALL.iter().map(|class| (class.as_u8(), class.as_str())).collect();
        assert_eq!(
            said,
            [
                (1, "usage"),
                (2, "security"),
                (3, "session"),
                (4, "error"),
                (5, "agent"),
                (6, "product")
            ]
        );
        for class in Class::ALL {
            assert_eq!(Class::from_u8(class.as_u8()), Ok(class));
            let word = format!("\"{class}\"");
            assert_eq!(serde_json::to_string(&class).unwrap(), word);
            assert_eq!(serde_json::from_str::<Class>(&word).unwrap(), class);
        }
        assert_eq!(Class::from_u8(0), Err(UnknownClass));
        assert_eq!(Class::from_u8(7), Err(UnknownClass));
    }

    #[test]
    fn the_class_comes_from_the_type_and_unknown_types_are_the_products_own() {
        for (kind, class) in [
            ("login", Class::Session),
            ("session.start", Class::Session),
            ("session.end", Class::Session),
            ("feature.used", Class::Usage),
            ("error.critical", Class::Error),
            ("policy.violation", Class::Security),
            ("agent.decision.denied", Class::Agent),
            ("kernel.suspended", Class::Agent),
            ("agents.hired", Class::Product),
            ("course.completed", Class::Product),
            ("login.failed", Class::Product),
        ] {
            assert_eq!(Class::of(kind), class, "{kind}");
        }
    }
}
