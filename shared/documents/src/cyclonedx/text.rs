//! The document as text, written piece by piece: a long one by two threads, always the same bytes.

use std::borrow::Cow;
use std::io;

use serde::Serialize;

use super::assembly::{Assembly, Found};
use super::completeness::compositions;
use super::wire::{Dependency, Each, Head, Tail};
use super::{SbomInput, component, json};
use crate::both::in_order;

/// Components are made in pieces of so many: few enough to be gone soon, more than a thread costs.
const COMPONENTS_OF_PIECE: usize = 256;
/// More than most components take, with what depends on them.
pub(super) const BYTES_OF_COMPONENT: usize = 2048;

/// Writes one line of JSON.
pub(super) fn write(
    input: &SbomInput<'_>,
    assembly: &Assembly<'_>,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let mut head = Vec::new();
    append(&mut head, &Head::new(input, assembly));
    // Its closing brace makes room for the rest.
    head.pop();
    head.extend(b",\"components\":[");
    out.write_all(&head)?;
    let first = assembly.first_component();
    let components: Vec<_> = assembly.components.iter().zip(&assembly.refs[first..]).collect();
    let pieces: Vec<_> = components.chunks(COMPONENTS_OF_PIECE).collect();
    let make = |at: usize| match pieces.get(at) {
        Some(components) => {
            let mut json = Vec::with_capacity(BYTES_OF_COMPONENT * components.len());
            if at > 0 {
                json.push(b',');
            }
            append_components(&mut json, input, assembly, components);
            json
        }
        None => tail(assembly, input),
    };
    in_order(pieces.len() + 1, make, |piece| out.write_all(&piece))
}

fn append_components<'a>(
    json: &mut Vec<u8>,
    input: &SbomInput<'a>,
    assembly: &'a Assembly<'a>,
    components: &[(&'a Vec<Found<'a>>, &'a Cow<'a, str>)],
) {
    for (index, (found, bom_ref)) in components.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        append(json, &component::of_package(input, &assembly.licences, found, bom_ref));
    }
}

fn tail(assembly: &Assembly<'_>, input: &SbomInput<'_>) -> Vec<u8> {
    let reference = |&node: &usize| &*assembly.refs[node];
    let nodes = assembly.refs.iter().zip(&assembly.edges);
    let dependencies = nodes.map(|(of, targets)| Dependency {
        r#ref: of,
        depends_on: Each(targets.iter().map(reference)),
    });
    let compositions = compositions(input, assembly);
    let mut json = vec![b']'];
    let begin = json.len();
    append(&mut json, &Tail { dependencies: Each(dependencies), compositions });
    // The opening brace is that of the document.
    if let Some(brace) = json.get_mut(begin) {
        *brace = b',';
    }
    json.push(b'\n');
    json
}

fn append(json: &mut Vec<u8>, value: &impl Serialize) {
    let begin = json.len();
    // Only what is not written here could fail.
    if json::append(json, value).is_err() {
        json.truncate(begin);
    }
}
