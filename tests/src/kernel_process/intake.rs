//! Intake: what a Kernel has taken in, as its administrator reads it.

use std::collections::BTreeMap;

use serde_json::Value;

/// Events of one organization at a Kernel, oldest first.
#[derive(Debug, Clone)]
pub struct Intake {
    rows: Vec<Value>,
}

impl Intake {
    pub(super) fn of(answer: &Value) -> Self {
        Self { rows: answer["events"].as_array().expect("events").clone() }
    }

    /// Every event's own content.
    pub fn events(&self) -> Vec<Value> {
        self.rows.iter().map(|row| row["event"].clone()).collect()
    }

    /// Every row, as it is told.
    pub fn rows(&self) -> &[Value] {
        &self.rows
    }

    /// The events of one type.
    pub fn of_type(&self, kind: &str) -> Vec<Value> {
        self.events().into_iter().filter(|event| event["type"] == kind).collect()
    }

    /// How often each event id is there.
    pub fn ids(&self) -> BTreeMap<String, usize> {
        let mut ids = BTreeMap::new();
        for event in self.events() {
            let id = event["event_id"].as_str().expect("an id").to_owned();
            *ids.entry(id).or_default() += 1;
        }
        ids
    }

    /// Each of these events is there, exactly once.
    #[track_caller]
    pub fn has_each_once<'i>(&self, events: impl IntoIterator<Item = &'i String>) {
        let ids = self.ids();
        for id in events {
            assert_eq!(ids.get(id), Some(&1), "{id} is there {:?} times", ids.get(id));
        }
    }

    /// What agents handed over, without the Kernel's own events about the organization.
    pub fn handed_over(&self) -> Vec<Value> {
        let own =
            |event: &Value| event["type"].as_str().is_some_and(|it| it.starts_with("kernel."));
        self.events().into_iter().filter(|event| !own(event)).collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
