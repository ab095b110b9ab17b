//! Members that no schema names: readers ignore them, but a writer adds none that its version does
//! not name (`specs/README.md`), so in what the code writes each one is drift.

use serde_json::Value;

use super::Specs;

/// Adds a fault for each member of `value`, at any depth, that `schema` does not name.
///
/// An object schema that names no member at all is open on purpose: a payload, a map.
pub(super) fn members(
    specs: &Specs,
    file: &str,
    schema: &Value,
    value: &Value,
    at: &str,
    faults: &mut Vec<String>,
) {
    let mut views = Vec::new();
    gather(specs, file, schema, &mut views);
    match value {
        Value::Object(object) => {
            let named = views.iter().any(|(_, view)| view.get("properties").is_some());
            let open = views.iter().any(|(_, view)| {
                view.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false))
            });
            for (name, member) in object {
                let at = format!("{at}/{name}");
                let of_name = |(file, view): &(String, Value)| {
                    let named = view.get("properties")?.get(name)?;
                    Some((file.clone(), named.clone()))
                };
                let schemas: Vec<_> = views.iter().filter_map(of_name).collect();
                if schemas.is_empty() && named && !open {
                    faults.push(format!("{at}: no schema of {file} names this member"));
                }
                for (file, schema) in schemas {
                    members(specs, &file, &schema, member, &at, faults);
                }
            }
        }
        Value::Array(items) => {
            for (file, view) in &views {
                let Some(schema) = view.get("items") else { continue };
                for (number, item) in items.iter().enumerate() {
                    members(specs, file, schema, item, &format!("{at}/{number}"), faults);
                }
            }
        }
        _ => {}
    }
}

/// The schema with everything it refers to or combines, each with its file.
fn gather(specs: &Specs, file: &str, schema: &Value, views: &mut Vec<(String, Value)>) {
    views.push((file.to_owned(), schema.clone()));
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str)
        && let Some((target, found)) = specs.resolve(file, reference)
    {
        gather(specs, &target, found, views);
    }
    for combination in ["allOf", "anyOf", "oneOf"] {
        for branch in schema.get(combination).and_then(Value::as_array).into_iter().flatten() {
            gather(specs, file, branch, views);
        }
    }
}
