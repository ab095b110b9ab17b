//! Exchange: one call and its answer, held against the operation it is.
//!
//! Both directions are judged. What a schema refuses must not be accepted; what is answered as
//! malformed must be refused by a schema too; and an answer has exactly what its operation names.

use serde_json::{Value, json};

use farhold_contract::{Code, header};

use super::{Operation, Specs, unnamed};
use crate::http::Answer;

/// Which door was spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// The runtimes' doors.
    Runtimes,
    /// The administration door.
    Admin,
}

/// One call and its answer.
#[derive(Debug)]
pub struct Exchange<'e> {
    /// Where.
    pub surface: Surface,
    /// The method.
    pub method: &'e str,
    /// Path and query.
    pub target: &'e str,
    /// The headers sent, names in lower case.
    pub headers: &'e [(String, String)],
    /// The body sent.
    pub body: &'e [u8],
    /// What came back.
    pub answer: &'e Answer,
}

impl Exchange<'_> {
    /// Everything in which the exchange and the specifications differ; empty: nothing.
    pub fn faults(&self, specs: &Specs) -> Vec<String> {
        let mut faults = Vec::new();
        let at_path: Vec<Operation<'_>> = self
            .documents()
            .into_iter()
            .flat_map(|file| Operation::all(specs, file))
            .filter(|operation| operation.is_at(self.path()))
            .filter(|operation| !self.is_the_kernels_alone(operation))
            .collect();
        let method = self.method.to_lowercase();
        match at_path.iter().find(|operation| operation.method == method) {
            Some(operation) => self.judge(specs, operation, &mut faults),
            None if at_path.is_empty() => self.must_be(Code::RequestNotFound, specs, &mut faults),
            None => {
                self.must_be(Code::RequestMethod, specs, &mut faults);
                let allowed = self.answer.header("allow").unwrap_or_default();
                for operation in &at_path {
                    let method = operation.method.to_uppercase();
                    if !allowed.contains(&method) {
                        faults.push(format!("Allow is \"{allowed}\" and lacks {method}"));
                    }
                }
            }
        }
        self.judge_correlation(&mut faults);
        faults
    }

    fn documents(&self) -> Vec<&'static str> {
        let kernel = match self.sent(header::CONTRACT_VERSION) {
            Some("v0.1") => "openapi/kernel-v0.1.json",
            _ => "openapi/kernel-v0.2.json",
        };
        match self.surface {
            Surface::Runtimes => vec![kernel, "openapi/local-v0.2.json"],
            Surface::Admin => vec!["openapi/admin.json", "openapi/local-v0.2.json"],
        }
    }

    /// What no door of the agent answers, though one of its documents names it.
    fn is_the_kernels_alone(&self, operation: &Operation<'_>) -> bool {
        let agents = operation.path.starts_with("/kernel/agents/")
            || operation.path == "/kernel/audit/batches";
        let probe = !operation.path.starts_with("/kernel/");
        let local = operation.file == "openapi/local-v0.2.json";
        agents || (self.surface == Surface::Admin && local && !probe)
    }

    fn judge(&self, specs: &Specs, operation: &Operation<'_>, faults: &mut Vec<String>) {
        let status = self.answer.status;
        if operation.response(status).is_none() {
            let listed: Vec<_> = operation.statuses().collect();
            faults.push(format!("{status} is not among its answers: {}", listed.join(", ")));
            return;
        }
        let wrongs = self.request_wrongs(specs, operation);
        if status < 400 && !wrongs.is_empty() {
            faults.push(format!("accepted, though by its schema {}", wrongs.join("; ")));
        }
        match operation.answer(status) {
            None if self.answer.body.is_empty() => {}
            None => faults.push("it has a body, and its operation names none".to_owned()),
            Some((media_type, pointer)) => {
                self.judge_answer(specs, operation, media_type, &pointer, faults)
            }
        }
        for header in operation.answer_headers(specs, status) {
            match self.answer.header(&header.name) {
                Some(value) => faults.extend(header.faults(specs, value)),
                None if header.required => faults.push(format!("{} is missing", header.name)),
                None => {}
            }
        }
        if status >= 400 && operation.answer(status).is_some_and(|(kind, _)| is_problem(kind)) {
            let code = self.problem_code();
            if !operation.codes(status).contains(&code.as_str()) {
                faults.push(format!("{code} is not among the codes of its {status}"));
            }
            if code == "request.malformed" && wrongs.is_empty() {
                faults.push("refused as malformed, though no schema refuses it".to_owned());
            }
        }
    }

    fn judge_answer(
        &self,
        specs: &Specs,
        operation: &Operation<'_>,
        media_type: &str,
        pointer: &str,
        faults: &mut Vec<String>,
    ) {
        let sent = self.answer.header("content-type").unwrap_or_default();
        let essence = sent.split(';').next().unwrap_or_default();
        if essence != media_type {
            faults.push(format!("it is \"{sent}\" and should be {media_type}"));
        }
        match media_type {
            "application/json" => self.judge_json(specs, operation.file, pointer, faults),
            "application/problem+json" => {
                self.judge_json(specs, operation.file, pointer, faults);
                self.judge_problem(faults);
            }
            "application/jsonl" => {
                self.judge_lines(specs, |_| "schemas/documents/envelope.json", faults)
            }
            "application/x-ndjson" => {
                let of_line = |number| match number {
                    0 => "schemas/documents/export-first-line.json",
                    _ => "schemas/documents/record.json",
                };
                self.judge_lines(specs, of_line, faults);
            }
            "text/plain" | "application/openmetrics-text" => {}
            other => faults.push(format!("nothing here knows how to judge {other}")),
        }
    }

    fn judge_json(&self, specs: &Specs, file: &str, pointer: &str, faults: &mut Vec<String>) {
        match serde_json::from_slice::<Value>(&self.answer.body) {
            Ok(value) => faults.extend(specs.faults(file, pointer, &value)),
            Err(error) => faults.push(format!("the answer is not JSON: {error}")),
        }
    }

    fn judge_lines(
        &self,
        specs: &Specs,
        file_of: impl Fn(usize) -> &'static str,
        faults: &mut Vec<String>,
    ) {
        let text = String::from_utf8_lossy(&self.answer.body);
        if !text.is_empty() && !text.ends_with('\n') {
            faults.push("the last line has no line feed".to_owned());
        }
        for (number, line) in text.lines().enumerate() {
            match serde_json::from_str::<Value>(line) {
                Ok(value) => {
                    let wrong = specs.faults(file_of(number), "", &value);
                    faults.extend(wrong.into_iter().map(|what| format!("line {number}{what}")));
                }
                Err(error) => faults.push(format!("line {number} is not JSON: {error}")),
            }
        }
    }

    /// What the closed list says of a code is what the problem says.
    fn judge_problem(&self, faults: &mut Vec<String>) {
        let problem: Value = serde_json::from_slice(&self.answer.body).unwrap_or_default();
        let Ok(code) = self.problem_code().parse::<Code>() else {
            faults.push(format!("{} is no code of the closed list", self.problem_code()));
            return;
        };
        let expected = json!({
            "status": self.answer.status,
            "title": code.sentence(),
            "type": format!("urn:farhold:code:{code}"),
        });
        for (name, value) in expected.as_object().into_iter().flatten() {
            if problem.get(name) != Some(value) {
                faults.push(format!("{name} of {code} should be {value}"));
            }
        }
        if code.status() != self.answer.status {
            faults.push(format!(
                "{code} is answered with {}, not {}",
                self.answer.status,
                code.status()
            ));
        }
    }

    fn must_be(&self, code: Code, specs: &Specs, faults: &mut Vec<String>) {
        if self.answer.status != code.status() || self.problem_code() != code.as_str() {
            let found = (self.answer.status, self.problem_code());
            faults.push(format!("no specification names it, so it must be {code}: {found:?}"));
            return;
        }
        self.judge_json(specs, "schemas/v0.1/problem.json", "", faults);
        self.judge_problem(faults);
    }

    /// An answer carries the call's correlation id exactly when the call had one that can be kept.
    fn judge_correlation(&self, faults: &mut Vec<String>) {
        let fits = |id: &&str| {
            (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let sent = self.sent(header::CORRELATION_ID).filter(fits);
        if self.path().starts_with("/kernel/") && self.answer.header(header::CORRELATION_ID) != sent
        {
            faults.push("the correlation id is not echoed".to_owned());
        }
    }

    /// In what the request is not what its operation says.
    fn request_wrongs(&self, specs: &Specs, operation: &Operation<'_>) -> Vec<String> {
        let mut wrongs: Vec<String> = self.sent_twice();
        for parameter in operation.parameters(specs) {
            let texts = match parameter.place.as_str() {
                "header" => self.all_sent(&parameter.name),
                "query" => self.all_asked(&parameter.name),
                "path" => self.of_path(operation, &parameter.name),
                other => panic!("a parameter in {other}"),
            };
            match texts.as_slice() {
                [] if parameter.required => wrongs.push(format!("{} is missing", parameter.name)),
                [] => {}
                texts => {
                    wrongs.extend(texts.iter().flat_map(|text| parameter.faults(specs, text)));
                }
            }
        }
        if let Some((media_type, pointer)) = operation.request() {
            self.body_wrongs(specs, operation, media_type, &pointer, &mut wrongs);
        }
        wrongs
    }

    fn body_wrongs(
        &self,
        specs: &Specs,
        operation: &Operation<'_>,
        media_type: &str,
        pointer: &str,
        wrongs: &mut Vec<String>,
    ) {
        let sent = self.sent("content-type").unwrap_or_default();
        if !sent.split(';').next().unwrap_or_default().eq_ignore_ascii_case(media_type) {
            wrongs.push(format!("the body is \"{sent}\", not {media_type}"));
            return;
        }
        let schema = specs.file(operation.file).pointer(pointer);
        if schema.and_then(|schema| schema.get("type")) == Some(&json!("string")) {
            return; // lines, verified by whoever reads them
        }
        match serde_json::from_slice::<Value>(self.body) {
            Ok(value) => {
                // Readers ignore members they don't know: only the schema's own word counts.
                let mut faults = specs.faults(operation.file, pointer, &value);
                let mut ignored = Vec::new();
                let schema = schema.expect("the operation names it");
                unnamed::members(specs, operation.file, schema, &value, "", &mut ignored);
                faults.retain(|fault| !ignored.contains(fault));
                wrongs.extend(faults);
            }
            Err(error) => wrongs.push(format!("the body is not JSON: {error}")),
        }
    }

    fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    fn problem_code(&self) -> String {
        let problem: Value = serde_json::from_slice(&self.answer.body).unwrap_or_default();
        problem.get("code").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    fn sent(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// No header of the contract is a list: proxies differ in which of two they take.
    fn sent_twice(&self) -> Vec<String> {
        let mut names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let twice = names.windows(2).filter(|pair| pair[0] == pair[1]);
        twice.map(|pair| format!("{} is sent more than once", pair[0])).collect()
    }

    fn all_sent(&self, name: &str) -> Vec<String> {
        let named = self.headers.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| value.clone()).collect()
    }

    fn all_asked(&self, name: &str) -> Vec<String> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(known, _)| *known == name).map(|(_, value)| value.to_owned()).collect()
    }

    fn of_path(&self, operation: &Operation<'_>, name: &str) -> Vec<String> {
        let template = format!("{{{name}}}");
        let parts = operation.path.split('/').zip(self.path().split('/'));
        parts.filter(|(part, _)| *part == template).map(|(_, text)| text.to_owned()).collect()
    }
}

fn is_problem(media_type: &str) -> bool {
    media_type == "application/problem+json"
}
