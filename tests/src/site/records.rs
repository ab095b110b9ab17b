//! Records: what the audit holds, read back.

use serde_json::Value;

/// Records of the audit, oldest first.
#[derive(Debug, Clone)]
pub struct Records {
    records: Vec<Value>,
}

impl Records {
    pub(super) fn of(answer: &Value) -> Self {
        Self { records: answer["records"].as_array().expect("records").clone() }
    }

    /// The records of an export, without its first line.
    pub fn of_export(bytes: &[u8]) -> Self {
        let lines = bytes.split(|byte| *byte == b'\n').skip(1).filter(|line| !line.is_empty());
        Self { records: lines.map(|line| serde_json::from_slice(line).expect("JSON")).collect() }
    }

    /// Every event's own content.
    pub fn events(&self) -> Vec<Value> {
        let event = |record: &Value| {
            record["event"].as_str().map(|text| serde_json::from_str(text).expect("an event"))
        };
        self.records.iter().filter_map(event).collect()
    }

    /// The events of one type.
    pub fn of_type(&self, kind: &str) -> Vec<Value> {
        self.events().into_iter().filter(|event| event["type"] == kind).collect()
    }

    /// The only event of a type.
    #[track_caller]
    pub fn only(&self, kind: &str) -> Value {
        let found = self.of_type(kind);
        assert_eq!(found.len(), 1, "{kind}: {found:#?}");
        found.into_iter().next().expect("one")
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The last record's number.
    pub fn last_seq(&self) -> u64 {
        self.records.last().and_then(|record| record["seq"].as_u64()).unwrap_or(0)
    }
}
