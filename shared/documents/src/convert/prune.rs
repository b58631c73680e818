//! Leaving out what a schema does not know, led by the schema itself.

use serde_json::{Map, Value};

use super::Losses;
use crate::schema::json::{items, text};

/// Makes `document` one that `schema` can tell, as far as leaving out helps.
pub(super) fn apply(document: &mut Value, schema: &Value, losses: &mut Losses) {
    let shapes = expanded(schema, &[schema]);
    Pruner { schema, losses }.fit(document, &shapes);
}

struct Pruner<'a, 'l> {
    schema: &'a Value,
    losses: &'l mut Losses,
}

impl<'a> Pruner<'a, '_> {
    /// Makes `value` fit one of the `shapes`; false if it never will.
    ///
    /// The depth of the document bounds the recursion.
    fn fit(&mut self, value: &mut Value, shapes: &[&'a Value]) -> bool {
        match value {
            Value::Object(object) => self.fit_object(object, shapes),
            Value::Array(array) => {
                let inner = self.inner(shapes, "items");
                let before = array.len();
                array.retain_mut(|item| inner.is_empty() || self.fit(item, &inner));
                self.losses.add("entries of lists that it does not know", before - array.len());
                true
            }
            Value::String(text) => {
                let mut lists = shapes.iter().filter_map(|it| it.get("enum")?.as_array());
                let is_free = lists.clone().next().is_none();
                is_free || lists.any(|list| list.iter().any(|it| it.as_str() == Some(text)))
            }
            _ => true,
        }
    }

    fn fit_object(&mut self, object: &mut Map<String, Value>, shapes: &[&'a Value]) -> bool {
        let is_closed =
            shapes.iter().any(|it| it.get("additionalProperties") == Some(&false.into()));
        let is_reference = object.contains_key("url");
        let mut removed = Vec::new();
        for (key, value) in object.iter_mut() {
            let of_key = shapes.iter().filter_map(|it| it.get("properties")?.get(key));
            let of_key: Vec<_> = of_key.collect();
            let inner = expanded(self.schema, &of_key);
            if inner.is_empty() {
                if is_closed {
                    removed.push((key.clone(), false));
                }
            } else if !self.fit(value, &inner) {
                // What a reference is of may be left open; nothing else that is required may.
                if is_reference && key == "type" {
                    self.losses.add("types of external references, now `other`", 1);
                    *value = "other".into();
                    continue;
                }
                let mut required = shapes.iter().flat_map(|it| items(it, "required"));
                removed.push((key.clone(), required.any(|it| it.as_str() == Some(key))));
            }
        }
        let is_lost = removed.iter().any(|(_, is_required)| *is_required);
        for (key, _) in removed {
            object.remove(&key);
            if !is_lost {
                self.losses.add(format!("`{key}`"), 1);
            }
        }
        !is_lost
    }

    /// The shapes of what is inside an array.
    fn inner(&self, shapes: &[&'a Value], key: &str) -> Vec<&'a Value> {
        let of_items = shapes.iter().filter_map(|it| it.get(key));
        let of_items = of_items.flat_map(|it| match it {
            // A tuple.
            Value::Array(each) => each.iter().collect(),
            one => vec![one],
        });
        expanded(self.schema, &of_items.collect::<Vec<_>>())
    }
}

/// The shapes with all they refer to and offer as alternatives.
///
/// References into other schemas are taken as they stand, without properties: what lies behind them
/// is kept, and judged in the end.
fn expanded<'a>(schema: &'a Value, shapes: &[&'a Value]) -> Vec<&'a Value> {
    const MAX_SHAPES: usize = 200;
    let mut found: Vec<&Value> = Vec::new();
    let mut next = shapes.to_vec();
    while let Some(shape) = next.pop() {
        if found.len() >= MAX_SHAPES || found.iter().any(|it| std::ptr::eq(*it, shape)) {
            continue;
        }
        found.push(shape);
        let target = text(shape, "$ref").and_then(|it| it.strip_prefix('#'));
        next.extend(target.and_then(|it| schema.pointer(it)));
        for key in ["allOf", "anyOf", "oneOf"] {
            next.extend(items(shape, key));
        }
    }
    found
}
