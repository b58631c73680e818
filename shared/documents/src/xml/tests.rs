//! The official tests.

use std::fs;

use serde_json::Value;

use crate::schema::{CycloneDxVersion, read_cyclonedx, read_unjudged};

#[test]
fn scratch() {
    let root = "/tmp/wt-xml-scratch/spec/tools/src/test/resources";
    let mut out = String::new();
    for version in ["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"] {
        let mut names: Vec<_> =
            fs::read_dir(format!("{root}/{version}")).unwrap().map(|it| it.unwrap().path()).collect();
        names.sort();
        for path in names.iter().filter(|it| it.extension().is_some_and(|it| it == "xml")) {
            let name = path.file_name().unwrap().to_str().unwrap();
            let bytes = fs::read(path).unwrap();
            let read = read_cyclonedx(&bytes, CycloneDxVersion::V1_2);
            let valid = name.starts_with("valid");
            match (&read, valid) {
                (Err(error), true) => out += &format!("REFUSED {name}: {error}\n"),
                (Ok(_), false) => out += &format!("TAKEN {name}\n"),
                _ => {}
            }
            let twin = path.with_extension("json");
            if let (Ok((value, ..)), Ok(json)) = (&read, fs::read(&twin)) {
                let (mut other, ..) = read_unjudged(&json, CycloneDxVersion::V1_2).unwrap();
                other.as_object_mut().unwrap().remove("$schema");
                diff(name, "", value, &other, &mut out);
            }
        }
    }
    fs::write("/tmp/wt-xml-scratch/out.txt", out).unwrap();
}

fn diff(name: &str, at: &str, a: &Value, b: &Value, out: &mut String) {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            for key in x.keys().chain(y.keys().filter(|it| !x.contains_key(*it))) {
                let null = Value::Null;
                diff(name, &format!("{at}/{key}"), x.get(key).unwrap_or(&null), y.get(key).unwrap_or(&null), out);
            }
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            for (i, (x, y)) in x.iter().zip(y).enumerate() {
                diff(name, &format!("{at}/{i}"), x, y, out);
            }
        }
        _ if a != b => {
            let s = |v: &Value| v.to_string().chars().take(150).collect::<String>();
            *out += &format!("DIFF {name} {at}: xml {} json {}\n", s(a), s(b));
        }
        _ => {}
    }
}
