//! Reading: what one look at a component came to.

/// What one look at a component came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading<T> {
    /// It was read.
    Read(T),
    /// The machine has none.
    Absent,
    /// It could not be read: it is unknown, and not changed.
    Unreadable(String),
    /// It has a value that tells no machine from another, with the reason.
    Ignored(String),
}

/// A component's value as the system tells it. It is not shown by accident: no `Debug`, no
/// serialization, and only its hash is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct RawValue(String);

impl<T> Reading<T> {
    /// The same for what was read.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Self::Read(value) => Reading::Read(change(value)),
            Self::Absent => Reading::Absent,
            Self::Unreadable(reason) => Reading::Unreadable(reason),
            Self::Ignored(reason) => Reading::Ignored(reason),
        }
    }

    /// The same, where what was read may turn out to be nothing of use.
    pub fn and_then<U>(self, judge: impl FnOnce(T) -> Reading<U>) -> Reading<U> {
        match self.map(judge) {
            Reading::Read(judged) => judged,
            Reading::Absent => Reading::Absent,
            Reading::Unreadable(reason) => Reading::Unreadable(reason),
            Reading::Ignored(reason) => Reading::Ignored(reason),
        }
    }

    /// The outcome in one word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Read(_) => "read",
            Self::Absent => "absent",
            Self::Unreadable(_) => "unreadable",
            Self::Ignored(_) => "ignored",
        }
    }

    /// Why it was not read, where there is a reason.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Read(_) | Self::Absent => None,
            Self::Unreadable(reason) | Self::Ignored(reason) => Some(reason),
        }
    }
}

impl RawValue {
    /// A value, in the form in which it is hashed (`bundle.md` §7.2).
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The value: for its hash, and for a person at the machine's own terminal.
    pub fn danger_shown(&self) -> &str {
        &self.0
    }
}

/// Whether a value is one digit over and over: a placeholder, whoever wrote it.
pub(super) fn is_one_digit(text: &str) -> bool {
    let mut digits = text.chars().filter(char::is_ascii_alphanumeric);
    digits.next().is_none_or(|first| digits.all(|digit| digit == first))
}
