//! Where a component comes from: its file and line, and the way to it in the dependency graph.

use std::collections::{HashMap, HashSet, VecDeque};

use policy::{Place, Report};
use serde::Deserialize;

/// Longest way that is told; a longer one is no help.
const MAX_PATH: usize = 50;
const MAX_NAME_CHARS: usize = 200;

#[derive(Deserialize)]
struct Sbom {
    metadata: Option<Metadata>,
    #[serde(default)]
    components: Vec<Component>,
    #[serde(default)]
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Metadata {
    component: Option<Component>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "bom-ref")]
    bom_ref: Option<String>,
    name: Option<String>,
    version: Option<String>,
    purl: Option<String>,
    evidence: Option<Evidence>,
}

#[derive(Deserialize)]
struct Evidence {
    #[serde(default)]
    occurrences: Vec<Occurrence>,
}

#[derive(Deserialize)]
struct Occurrence {
    location: Option<String>,
    line: Option<u64>,
}

#[derive(Deserialize)]
struct Dependency {
    r#ref: String,
    #[serde(default, rename = "dependsOn")]
    depends_on: Vec<String>,
}

/// Completes the findings about components of `sbom`; one that cannot be read tells nothing.
pub(crate) fn complete(report: &mut Report, sbom: &[u8]) {
    if report.findings_mut().all(|it| it.component.is_none()) {
        return;
    }
    let Ok(sbom) = serde_json::from_slice::<Sbom>(sbom) else { return };
    let by_purl: HashMap<&str, &Component> =
        sbom.components.iter().filter_map(|it| Some((it.purl.as_deref()?, it))).collect();
    let graph = Graph::of(&sbom);
    for finding in report.findings_mut() {
        let component = finding.component.as_deref().and_then(|purl| by_purl.get(purl));
        let Some(component) = component else { continue };
        let occurrences = component.evidence.iter().flat_map(|it| &it.occurrences);
        finding.place = occurrences
            .filter_map(|it| Some(Place { file: short(it.location.as_deref()?), line: it.line }))
            .next();
        finding.path = component.bom_ref.as_deref().map(|it| graph.path(it)).unwrap_or_default();
    }
}

/// For each component the one before it on the shortest way from the root.
struct Graph<'a> {
    before: HashMap<&'a str, &'a str>,
    root: Option<&'a str>,
    names: HashMap<&'a str, String>,
}

impl<'a> Graph<'a> {
    fn of(sbom: &'a Sbom) -> Self {
        let root = sbom.metadata.as_ref().and_then(|it| it.component.as_ref());
        let names = sbom.components.iter().chain(root).filter_map(|it| {
            let name = it.name.as_deref()?;
            let version = it.version.as_deref().map(|it| format!(" {it}")).unwrap_or_default();
            Some((it.bom_ref.as_deref()?, format!("{name}{version}")))
        });
        let edges: HashMap<&str, &[String]> = sbom
            .dependencies
            .iter()
            .map(|it| (it.r#ref.as_str(), it.depends_on.as_slice()))
            .collect();
        let root = root.and_then(|it| it.bom_ref.as_deref());
        let (mut before, mut seen) = (HashMap::new(), HashSet::new());
        let mut next: VecDeque<&str> = root.into_iter().collect();
        seen.extend(root);
        while let Some(from) = next.pop_front() {
            for to in edges.get(from).copied().unwrap_or_default() {
                if seen.insert(to) {
                    before.insert(to.as_str(), from);
                    next.push_back(to);
                }
            }
        }
        Self { before, root, names: names.collect() }
    }

    /// The way to `component`; empty if there is none, or a very long one.
    fn path(&self, component: &str) -> Vec<String> {
        let Some((mut at, _)) = self.before.get_key_value(component).map(|(key, it)| (*key, it))
        else {
            return Vec::new();
        };
        let mut path = vec![self.name(at)];
        while let Some(before) = self.before.get(at) {
            path.push(self.name(before));
            at = before;
            if path.len() > MAX_PATH {
                return Vec::new();
            }
        }
        if self.root != Some(at) {
            return Vec::new();
        }
        path.reverse();
        path
    }

    fn name(&self, component: &str) -> String {
        short(self.names.get(component).map_or(component, String::as_str))
    }
}

/// Names in an SBOM may be of any length.
fn short(text: &str) -> String {
    text.chars().take(MAX_NAME_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use events::Digest;
    use serde_json::json;

    use super::*;

    fn report(components: &[&str]) -> Report {
        let findings: Vec<_> = components
            .iter()
            .map(|purl| {
                json!({ "id": "T-1", "title": "t", "severity": "low", "message": "m", "component": purl, "remedy": "r" })
            })
            .collect();
        let mut report = Report::unjudged(Digest::of(b""), "none".to_owned());
        report.violations = serde_json::from_value(json!(findings)).expect("findings");
        report
    }

    #[test]
    fn a_finding_says_how_the_component_got_there() {
        let component = |name: &str| {
            json!({ "bom-ref": name, "name": name, "version": "1", "purl": format!("pkg:pypi/{name}@1"),
                "evidence": { "occurrences": [{ "location": "uv.lock", "line": 7 }] } })
        };
        let sbom = json!({
            "metadata": { "component": { "bom-ref": "app", "name": "app" } },
            "components": [component("a"), component("b"), component("c"), component("alone")],
            "dependencies": [
                { "ref": "app", "dependsOn": ["a"] },
                { "ref": "a", "dependsOn": ["b", "app"] },
                { "ref": "b", "dependsOn": ["c", "a"] },
                { "ref": "alone", "dependsOn": ["alone"] },
            ],
        });
        let purls = ["pkg:pypi/c@1", "pkg:pypi/alone@1", "pkg:pypi/strange@1"];
        let mut report = report(&purls);

        complete(&mut report, sbom.to_string().as_bytes());

        let [c, alone, strange] = report.violations.as_slice() else { panic!("three") };
        assert_eq!(c.path, ["app", "a 1", "b 1", "c 1"]);
        assert_eq!(c.place, Some(Place { file: "uv.lock".to_owned(), line: Some(7) }));
        assert_eq!((alone.path.len(), alone.place.is_some()), (0, true));
        assert_eq!((strange.path.len(), strange.place.is_some()), (0, false));
        complete(&mut report, b"no SBOM");
    }
}
