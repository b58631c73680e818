//! The document as text: a long one by two threads at once, always the same bytes.

use serde::Serialize;

use super::assembly::{Assembly, Found};
use super::completeness::compositions;
use super::wire::{Dependency, Each, Head, Tail};
use super::{SbomInput, component, json};
use crate::both::both;

/// More than most components take, with what depends on them.
const BYTES_OF_COMPONENT: usize = 2048;
/// From so many components on, a thread more costs less than it saves.
const MANY_COMPONENTS: usize = 1_000;

/// One line of JSON.
pub(super) fn write(input: &SbomInput<'_>, assembly: &Assembly<'_>) -> Vec<u8> {
    // Growing would copy what is there; memory that is never written to costs nothing.
    let mut json = Vec::with_capacity(BYTES_OF_COMPONENT * (1 + assembly.components.len()));
    append(&mut json, &Head::new(input, assembly));
    // Its closing brace makes room for the rest.
    json.pop();
    json.extend(b",\"components\":[");
    let first = assembly.first_component();
    let components: Vec<_> = assembly.components.iter().zip(&assembly.refs[first..]).collect();
    if components.len() < MANY_COMPONENTS {
        append_components(&mut json, input, assembly, &components);
        append_tail(&mut json, assembly, input);
    } else {
        let (here, there) = components.split_at(components.len() / 2);
        let first = || append_components(&mut json, input, assembly, here);
        let second = || {
            let mut json = Vec::with_capacity(BYTES_OF_COMPONENT * there.len());
            json.push(b',');
            append_components(&mut json, input, assembly, there);
            append_tail(&mut json, assembly, input);
            json
        };
        let ((), second) = both(first, second);
        json.extend(second);
    }
    json
}

fn append_components<'a>(
    json: &mut Vec<u8>,
    input: &SbomInput<'a>,
    assembly: &'a Assembly<'a>,
    components: &[(&'a Vec<Found<'a>>, &'a String)],
) {
    for (index, (found, bom_ref)) in components.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        append(json, &component::of_package(input, &assembly.licences, found, bom_ref));
    }
}

fn append_tail(json: &mut Vec<u8>, assembly: &Assembly<'_>, input: &SbomInput<'_>) {
    let reference = |&node: &usize| assembly.refs[node].as_str();
    let nodes = assembly.refs.iter().zip(&assembly.edges);
    let dependencies = nodes.map(|(of, targets)| Dependency {
        r#ref: of,
        depends_on: Each(targets.iter().map(reference)),
    });
    let compositions = compositions(input, assembly);
    json.push(b']');
    let begin = json.len();
    append(json, &Tail { dependencies: Each(dependencies), compositions });
    // The opening brace is that of the document.
    if let Some(brace) = json.get_mut(begin) {
        *brace = b',';
    }
    json.push(b'\n');
}

fn append(json: &mut Vec<u8>, value: &impl Serialize) {
    let begin = json.len();
    // Only what is not written here could fail.
    if json::append(json, value).is_err() {
        json.truncate(begin);
    }
}
