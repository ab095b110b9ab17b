//! Walk: a template's tables against the schema, into the members of a license.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    mistake::{MISSING, Mistake, near, unknown},
    schema::{Key, Presence, Shape},
};

/// A walk, with the mistakes met so far and the line of every key.
pub(super) struct Walk<'t> {
    pub(super) text: &'t str,
    pub(super) mistakes: Vec<Mistake>,
    pub(super) lines: BTreeMap<String, usize>,
}

impl Walk<'_> {
    /// Reads a table by its keys.
    pub(super) fn table(
        &mut self,
        table: &DeTable<'_>,
        keys: &'static [Key],
        path: &str,
        line: Option<usize>,
    ) -> Map<String, Value> {
        let mut members = Map::new();
        // A key that was misspelled is not said to be missing as well.
        let mut meant = Vec::new();
        for (name, value) in table {
            let line = self.line(name.span().start);
            let path = join(path, name.get_ref());
            match keys.iter().find(|key| key.name == name.get_ref()) {
                Some(key) => {
                    self.lines.insert(path.clone(), line);
                    let value = self.shaped(value, &key.shape, &path, line);
                    members.insert(key.name.to_owned(), value);
                }
                None => {
                    meant.extend(near(name.get_ref(), keys));
                    let why = unknown(name.get_ref(), keys);
                    self.mistakes.push(Mistake { line: Some(line), key: path, why });
                }
            }
        }
        for key in keys.iter().filter(|key| key.presence == Presence::Required) {
            if !table.contains_key(key.name) && !meant.contains(&key.name) {
                self.mistakes.push(Mistake {
                    line,
                    key: join(path, key.name),
                    why: MISSING.to_owned(),
                });
            }
        }
        members
    }

    fn shaped(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        shape: &'static Shape,
        path: &str,
        line: usize,
    ) -> Value {
        match (shape, value.get_ref()) {
            (Shape::Table(keys) | Shape::WordOrTable(_, keys), DeValue::Table(table)) => {
                Value::Object(self.table(table, keys, path, Some(line)))
            }
            (Shape::Tables(keys), DeValue::Array(items))
                if items.iter().all(|item| item.get_ref().is_table()) =>
            {
                let tables = items.iter().enumerate().filter_map(|(at, item)| {
                    let line = self.line(item.span().start);
                    let path = format!("{path}[{at}]");
                    self.lines.insert(path.clone(), line);
                    let table = item.get_ref().as_table()?;
                    Some(Value::Object(self.table(table, keys, &path, Some(line))))
                });
                Value::Array(tables.collect())
            }
            (Shape::Value(reads) | Shape::WordOrTable(reads, _), plain) => {
                let value = self.plain(plain, path, line);
                if let Err(why) = reads(&value) {
                    self.mistake(line, path, why);
                }
                value
            }
            (Shape::Table(_), other) => {
                let why = format!("must be a table, not {}", other.type_str());
                self.mistake(line, path, why)
            }
            (Shape::Tables(_), other) => {
                let why =
                    format!("must be tables, each begun by [[{path}]], not {}", other.type_str());
                self.mistake(line, path, why)
            }
        }
    }

    /// A value as JSON has it; dates and times become text.
    fn plain(&mut self, value: &DeValue<'_>, path: &str, line: usize) -> Value {
        match value {
            DeValue::String(text) => Value::from(text.as_ref()),
            DeValue::Boolean(truth) => Value::from(*truth),
            DeValue::Datetime(at) => Value::from(at.to_string()),
            DeValue::Integer(number) => {
                match i64::from_str_radix(number.as_str(), number.radix()) {
                    Ok(number) => Value::from(number),
                    Err(_) => self.mistake(line, path, "is too large a number".to_owned()),
                }
            }
            DeValue::Float(number) => {
                match number.as_str().parse().ok().and_then(Number::from_f64) {
                    Some(number) => Value::Number(number),
                    None => self.mistake(line, path, "is not a number that JSON has".to_owned()),
                }
            }
            DeValue::Array(items) => Value::Array(
                items.iter().map(|item| self.plain(item.get_ref(), path, line)).collect(),
            ),
            DeValue::Table(table) => Value::Object(
                table
                    .iter()
                    .map(|(name, value)| {
                        let path = join(path, name.get_ref());
                        let line = self.line(name.span().start);
                        (name.get_ref().to_string(), self.plain(value.get_ref(), &path, line))
                    })
                    .collect(),
            ),
        }
    }

    fn mistake(&mut self, line: usize, path: &str, why: String) -> Value {
        self.mistakes.push(Mistake { line: Some(line), key: path.to_owned(), why });
        Value::Null
    }

    /// The line of a place in the text, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        1 + before.iter().filter(|&&byte| byte == b'\n').count()
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
