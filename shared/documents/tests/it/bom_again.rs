//! A document that was judged before is read to the same.

use std::collections::BTreeMap;

use documents::bom::{Bom, Component, Via, read, read_again};
use documents::schema::MAX_WEIGHT;

use crate::samples::files_below;

fn whole(members: &str) -> String {
    format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.6",{members}}}"#)
}

/// What is compared: all but what is not looked for again.
fn contents(bom: Bom) -> Bom {
    let (mut components, mut via): (Vec<Component>, Vec<Via>) = (Vec::new(), Vec::new());
    let mut numbers = Vec::new();
    for (component, way) in bom.components.into_iter().zip(bom.via) {
        let known = components.iter().position(|it| *it == component);
        numbers.push(known.unwrap_or(components.len()));
        if known.is_none() {
            components.push(component);
            via.push(way);
        }
    }
    for way in &mut via {
        if let Via::Component(number) = way {
            *number = u32::try_from(numbers[*number as usize]).unwrap();
        }
    }
    Bom { components, via, problems: vec![], problem_counts: BTreeMap::new(), edges: 0, ..bom }
}

#[test]
fn what_is_read_again_is_what_was_read() {
    let mut compared = BTreeMap::new();
    for bytes in files_below(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")) {
        let Ok(first) = read(&bytes) else { continue };
        let kind = match first.problems.is_empty() {
            true => "clean",
            false => "suspicious",
        };
        *compared.entry(kind).or_insert(0) += 1;
        assert_eq!(read_again(&bytes).map(contents), Ok(contents(first)));
    }
    assert!(compared.get("clean").is_some_and(|it| *it > 5), "{compared:?}");
    assert!(compared.get("suspicious").is_some_and(|it| *it > 5), "{compared:?}");
}

#[test]
fn what_was_mended_is_mended_again() {
    let named = r#"{"type":"library","name":"a","version":"1","bom-ref":"a","scope":""}"#;
    let analysed = r#"{"id":"CVE-1","analysis":{"state":"exploitable"},"affects":[{"ref":"a"}]}"#;
    for members in [
        r#""serialNumber":"""#.to_owned(),
        r#""serialNumber":"URN:UUID:A4F16B62-FEA9-42C1-8365-D72D3CEF37D1""#.to_owned(),
        format!(r#""components":[{named},{named}]"#),
        format!(r#""components":[{named}],"vulnerabilities":[{analysed},{analysed}]"#),
        format!(r#""metadata":{{"component":{named},"timestamp":null}}"#),
    ] {
        let text = whole(&members);
        let first = read(text.as_bytes()).unwrap_or_else(|error| panic!("{members}: {error}"));
        assert!(first.problems.iter().any(|it| it.message.contains(':')), "{members} is mended");
        assert_eq!(read_again(text.as_bytes()).map(contents), Ok(contents(first)), "{members}");
    }
}

#[test]
fn what_is_read_again_is_still_bounded_and_of_the_right_kind() {
    let deep = whole(&format!(r#""vulnerabilities":{}{}"#, "[".repeat(99), "]".repeat(99)));
    let many = whole(&format!(r#""components":[{}{{}}]"#, "{},".repeat(MAX_WEIGHT / 6)));
    let twice = whole(r#""components":[{"name":"a","name":"b"}]"#);
    let codes = [&*deep, &many, &twice, r#"{"bomFormat":"?"}"#]
        .map(|text| read_again(text.as_bytes()).map_or_else(|error| error.code(), |_| "read"));
    let kinds = [deep.as_str(), &many, &twice, r#"{"bomFormat":"?"}"#]
        .map(|text| read(text.as_bytes()).map_or_else(|error| error.code(), |_| "read"));
    assert_eq!(codes, kinds);
    assert_eq!(codes[..3], ["too-deep", "too-many-values", "duplicate-key"]);
}
