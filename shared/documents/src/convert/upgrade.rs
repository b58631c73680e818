//! What is written in another way in another version.

use serde_json::{Value, json};

use super::Losses;
use crate::schema::CycloneDxVersion;
use crate::schema::json::text;

/// Makes `document` say that it is of version `to`, in the words of that version.
pub(super) fn apply(
    document: &mut Value,
    from: CycloneDxVersion,
    to: CycloneDxVersion,
    losses: &mut Losses,
) {
    each_object(document, &mut |object| {
        if from < CycloneDxVersion::V1_6 {
            name_properties(object);
        }
        if to < CycloneDxVersion::V1_7 {
            separate_expressions(object, losses);
        }
    });
    let Some(object) = document.as_object_mut() else { return };
    object.insert(
        "$schema".into(),
        format!("http://cyclonedx.org/schema/bom-{to}.schema.json").into(),
    );
    object.insert("specVersion".into(), to.as_str().into());
    if from != to && object.remove("signature").is_some() {
        losses.add("`signature`, which is of the other bytes", 1);
    }
}

/// The depth of the document bounds the recursion.
fn each_object(value: &mut Value, change: &mut impl FnMut(&mut Value)) {
    if value.is_object() {
        change(value);
    }
    match value {
        Value::Object(object) => object.values_mut().for_each(|it| each_object(it, change)),
        Value::Array(array) => array.iter_mut().for_each(|it| each_object(it, change)),
        _ => {}
    }
}

/// Until 1.5 a property needs no name.
fn name_properties(object: &mut Value) {
    let Some(properties) = object.get_mut("properties").and_then(Value::as_array_mut) else {
        return;
    };
    for property in properties.iter_mut().filter_map(Value::as_object_mut) {
        if property.get("value").is_some_and(Value::is_string) {
            property.entry("name").or_insert_with(|| "".into());
        }
    }
}

/// Version 1.5 and 1.6 admit one expression, or licences without any; others admit both.
fn separate_expressions(object: &mut Value, losses: &mut Losses) {
    let Some(licences) = object.get_mut("licenses").and_then(Value::as_array_mut) else { return };
    let is_expression = |it: &Value| text(it, "expression").is_some();
    if licences.len() < 2 || !licences.iter().any(is_expression) {
        return;
    }
    for entry in licences.iter_mut().filter(|it| is_expression(it)) {
        let mut licence = json!({ "name": entry["expression"] });
        for key in ["bom-ref", "acknowledgement"] {
            if let Some(value) = entry.get(key) {
                licence[key] = value.clone();
            }
        }
        *entry = json!({ "license": licence });
        losses.add("licence expressions beside other licences, now names", 1);
    }
}
