//! Operation: what one method at one path takes and answers, as an OpenAPI document says it.

use serde_json::Value;

use super::Specs;

/// One operation, by where it stands.
#[derive(Debug, Clone)]
pub struct Operation<'s> {
    /// The document, below `specs/`.
    pub file: &'s str,
    /// Its path, with templates.
    pub path: &'s str,
    /// Its method, in lower case.
    pub method: String,
    /// The JSON Pointer to it.
    pub pointer: String,
    spec: &'s Value,
}

/// One parameter of an operation.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// `header`, `query` or `path`.
    pub place: String,
    /// Its name; headers in lower case.
    pub name: String,
    /// Whether the call must have it.
    pub required: bool,
    /// Where its schema stands.
    pub schema: (String, String),
    /// Whether its schema is for a number or a boolean: its text is then read as JSON.
    pub is_json: bool,
}

impl<'s> Operation<'s> {
    /// Every operation of a document.
    pub fn all(specs: &'s Specs, file: &'s str) -> Vec<Self> {
        let Some(paths) = specs.file(file).get("paths").and_then(Value::as_object) else {
            return Vec::new();
        };
        let methods = ["get", "post", "put", "delete", "patch"];
        paths
            .iter()
            .flat_map(|(path, item)| {
                methods.iter().filter_map(move |method| {
                    let pointer = format!("/paths/{}/{method}", escaped(path));
                    let spec = item.get(method)?;
                    Some(Self { file, path, method: (*method).to_owned(), pointer, spec })
                })
            })
            .collect()
    }

    /// Whether a concrete path is one of this operation's.
    pub fn is_at(&self, path: &str) -> bool {
        let (mut wanted, mut found) = (self.path.split('/'), path.split('/'));
        loop {
            match (wanted.next(), found.next()) {
                (None, None) => return true,
                (Some(template), Some(text)) if template.starts_with('{') && !text.is_empty() => {}
                (Some(wanted), Some(found)) if wanted == found => {}
                _ => return false,
            }
        }
    }

    /// Its parameters, references followed.
    pub fn parameters(&self, specs: &Specs) -> Vec<Parameter> {
        let listed = self.spec.get("parameters").and_then(Value::as_array);
        let listed = listed.map_or(0, Vec::len);
        let parameter = |number| {
            let pointer = format!("{}/parameters/{number}", self.pointer);
            let (file, pointer, spec) = follow(specs, self.file, &pointer)?;
            let place = spec.get("in")?.as_str()?.to_owned();
            let name = spec.get("name")?.as_str()?;
            let name = if place == "header" { name.to_lowercase() } else { name.to_owned() };
            let schema = (file, format!("{pointer}/schema"));
            Some(Parameter {
                place,
                name,
                required: spec.get("required").and_then(Value::as_bool).unwrap_or(false),
                is_json: is_number(specs, &schema),
                schema,
            })
        };
        (0..listed).filter_map(parameter).collect()
    }

    /// The media type it takes, with the pointer to the schema of the body.
    pub fn request(&self) -> Option<(&'s str, String)> {
        let content = self.spec.pointer("/requestBody/content")?.as_object()?;
        let media_type = content.keys().next()?.as_str();
        let pointer =
            format!("{}/requestBody/content/{}/schema", self.pointer, escaped(media_type));
        Some((media_type, pointer))
    }

    /// What it answers with a status.
    pub fn response(&self, status: u16) -> Option<&'s Value> {
        self.spec.get("responses")?.get(status.to_string())
    }

    /// Every status it answers with.
    pub fn statuses(&self) -> impl Iterator<Item = &'s str> {
        let responses = self.spec.get("responses").and_then(Value::as_object);
        responses.into_iter().flat_map(|responses| responses.keys().map(String::as_str))
    }

    /// The media type of an answer, with the pointer to its schema.
    pub fn answer(&self, status: u16) -> Option<(&'s str, String)> {
        let content = self.response(status)?.get("content")?.as_object()?;
        let media_type = content.keys().next()?.as_str();
        let pointer =
            format!("{}/responses/{status}/content/{}/schema", self.pointer, escaped(media_type));
        Some((media_type, pointer))
    }

    /// The headers of an answer.
    pub fn answer_headers(&self, specs: &Specs, status: u16) -> Vec<Parameter> {
        let headers = self.response(status).and_then(|it| it.get("headers"));
        let header = |name: &String| {
            let pointer = format!("{}/responses/{status}/headers/{}", self.pointer, escaped(name));
            let (file, pointer, spec) = follow(specs, self.file, &pointer)?;
            let schema = (file, format!("{pointer}/schema"));
            Some(Parameter {
                place: "header".to_owned(),
                name: name.to_lowercase(),
                required: spec.get("required").and_then(Value::as_bool).unwrap_or(false),
                is_json: is_number(specs, &schema),
                schema,
            })
        };
        let names = headers.and_then(Value::as_object).into_iter().flat_map(|it| it.keys());
        names.filter_map(header).collect()
    }

    /// The codes that an answer with this status may carry.
    pub fn codes(&self, status: u16) -> Vec<&'s str> {
        let codes = self.response(status).and_then(|it| it.get("x-codes"));
        codes.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

impl Parameter {
    /// What is wrong with a value of it.
    pub fn faults(&self, specs: &Specs, text: &str) -> Vec<String> {
        let value = match serde_json::from_str(text) {
            Ok(value) if self.is_json => value,
            _ => Value::from(text),
        };
        let (file, pointer) = &self.schema;
        let faults = specs.faults(file, pointer, &value).into_iter();
        faults.map(|what| format!("{} \"{text}\": {what}", self.name)).collect()
    }
}

/// Follows references from a place to what stands there.
fn follow<'s>(specs: &'s Specs, file: &str, pointer: &str) -> Option<(String, String, &'s Value)> {
    let found = specs.file(file).pointer(pointer)?;
    match found.get("$ref").and_then(Value::as_str) {
        None => Some((file.to_owned(), pointer.to_owned(), found)),
        Some(reference) => {
            let (target, _) = specs.resolve(file, reference)?;
            let (_, pointer) = reference.split_once('#')?;
            follow(specs, &target, pointer)
        }
    }
}

fn is_number(specs: &Specs, (file, pointer): &(String, String)) -> bool {
    let kind = follow(specs, file, pointer).and_then(|(_, _, schema)| schema.get("type"));
    matches!(kind.and_then(Value::as_str), Some("integer" | "number" | "boolean"))
}

/// A name as one part of a JSON Pointer.
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
