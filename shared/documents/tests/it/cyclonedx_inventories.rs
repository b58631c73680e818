//! SBOMs of what lockfiles, manifests and artifacts say together.

use documents::cyclonedx::{Party, SbomInput, write};
use documents::inventory::{
    Distribution, Ecosystem, Hash, HashAlgorithm, Inventory, Missing, Package, Scope, Source,
};
use documents::schema::{CycloneDxVersion, validate_cyclonedx};
use events::Digest;
use serde_json::{Value, json};

use crate::cyclonedx::input;

pub(crate) fn package(purl: &str) -> Package {
    let (path, version) = purl.rsplit_once('@').unwrap();
    Package {
        name: path.rsplit('/').next().unwrap().to_owned(),
        version: Some(version.to_owned()),
        purl: purl.to_owned(),
        source: Source::Registry { url: "https://pypi.org/simple".to_owned() },
        distributions: Vec::new(),
        scope: Scope::Required,
        root: false,
        direct: false,
        dependencies: Vec::new(),
        line: None,
        licence: None,
        supplier: None,
        groups: Vec::new(),
        conditions: Vec::new(),
    }
}

pub(crate) fn inventory(path: &str, packages: Vec<Package>) -> Inventory {
    Inventory {
        path: path.to_owned(),
        format: "uv.lock".into(),
        artifact: path.split_once('!').map(|(artifact, _)| artifact.to_owned()),
        ecosystem: Ecosystem::PyPi,
        packages,
        notes: Vec::new(),
        edges_known: true,
        direct_known: true,
        complete: true,
    }
}

fn file(location: &str, content: &str) -> Distribution {
    let location = (!location.is_empty()).then(|| location.to_owned());
    let hex = Digest::of(content.as_bytes()).hex();
    Distribution { location, hash: Some(Hash { algorithm: HashAlgorithm::Sha256, hex }) }
}

fn valid(input: &SbomInput<'_>) -> Value {
    let bytes = write(input);
    assert_eq!(validate_cyclonedx(&bytes), Ok(CycloneDxVersion::V1_6));
    serde_json::from_slice(&bytes).unwrap()
}

fn refs(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|it| it["bom-ref"].as_str().unwrap()).collect()
}

fn needs<'a>(bom: &'a Value, of: &str) -> Vec<&'a str> {
    let all = bom["dependencies"].as_array().unwrap();
    let entry = all.iter().find(|it| it["ref"] == of).unwrap();
    entry["dependsOn"].as_array().map_or(Vec::new(), |targets| {
        targets.iter().map(|target| target.as_str().unwrap()).collect()
    })
}

fn composition<'a>(bom: &'a Value, list: &str, of: &str) -> &'a str {
    let all = bom["compositions"].as_array().unwrap();
    let mut holding = all.iter().filter(|it| {
        it[list].as_array().is_some_and(|refs| refs.iter().any(|bom_ref| bom_ref == of))
    });
    let found = holding.next().unwrap()["aggregate"].as_str().unwrap();
    assert_eq!(holding.next(), None, "{of} is in two compositions");
    found
}

#[test]
fn everything_that_is_said_of_a_package_is_told() {
    let lib = Package {
        line: Some(7),
        licence: Some("MIT/Apache-2.0".to_owned()),
        supplier: Some("Ann Other <ann@host.example>".to_owned()),
        groups: vec!["docs".to_owned(), "test".to_owned()],
        conditions: vec!["sys_platform == 'win32'".to_owned()],
        direct: true,
        scope: Scope::Dev,
        distributions: vec![file("https://files.example/lib-1.tar.gz", "lib")],
        ..package("pkg:pypi/lib@1")
    };
    let inventories = [inventory("a/uv.lock", vec![lib])];
    let bom = valid(&input("p", &[], &inventories));
    let hashes = json!([{ "alg": "SHA-256", "content": Digest::of(b"lib").hex() }]);
    let expected = json!({
        "type": "library",
        "bom-ref": "pkg:pypi/lib@1",
        "supplier": { "name": "Python Package Index", "url": ["https://pypi.org"] },
        "authors": [{ "name": "Ann Other", "email": "ann@host.example" }],
        "name": "lib",
        "version": "1",
        "scope": "excluded",
        "hashes": hashes,
        "licenses": [{ "expression": "MIT OR Apache-2.0", "acknowledgement": "declared" }],
        "purl": "pkg:pypi/lib@1",
        "externalReferences": [
            { "url": "https://files.example/lib-1.tar.gz", "type": "distribution", "hashes": hashes },
        ],
        "evidence": { "occurrences": [{ "location": "a/uv.lock", "line": 7 }] },
        "properties": [
            { "name": "attestry:dependency:relationship", "value": "direct" },
            { "name": "attestry:dependency:group", "value": "docs" },
            { "name": "attestry:dependency:group", "value": "test" },
            { "name": "attestry:dependency:condition", "value": "sys_platform == 'win32'" },
            { "name": "bsi:component:filename", "value": "lib-1.tar.gz" },
            { "name": "bsi:component:executable", "value": "non-executable" },
            { "name": "bsi:component:archive", "value": "archive" },
            { "name": "bsi:component:structured", "value": "structured" },
        ],
    });
    assert_eq!(bom["components"], json!([expected]));
}

#[test]
fn a_distribution_supplies_its_own_packages_and_the_project_what_is_local() {
    let maker = Some("Ubuntu Developers <devel@ubuntu.example>".to_owned());
    let deb = Package { supplier: maker, ..package("pkg:deb/ubuntu/bash@5") };
    let own =
        Package { source: Source::Local { path: None }, root: true, ..package("pkg:pypi/own@1") };
    let inventories = [
        inventory("image.tar!/var/lib/dpkg/status", vec![deb]),
        inventory("uv.lock", vec![own.clone(), Package { root: true, ..package("pkg:pypi/b@1") }]),
    ];
    let url = "https://acme.example";
    let acme = Party { name: "Acme", url: Some(url), email: Some("sbom@acme.example") };
    let mut input = input("p", &[], &inventories);
    (input.author, input.supplier) = (Some(acme), Some(acme));
    let bom = valid(&input);
    let contact = json!([{ "email": "devel@ubuntu.example" }]);
    let ubuntu = json!({ "name": "Ubuntu Developers", "contact": contact });
    assert_eq!(bom["components"][0]["supplier"], ubuntu);
    assert_eq!(bom["components"][0].get("authors"), None);
    let contact = json!([{ "email": "sbom@acme.example" }]);
    let acme = json!({ "name": "Acme", "url": [url], "contact": contact });
    for of in [&bom["components"][2], &bom["metadata"], &bom["metadata"]["component"]] {
        assert_eq!(of["supplier"], acme);
    }
    assert_eq!(bom["metadata"]["manufacturer"], acme);
    let author = json!([{ "name": "Acme", "email": "sbom@acme.example" }]);
    assert_eq!(bom["metadata"]["authors"], author);
}

#[test]
fn without_an_author_the_tool_says_that_it_is_the_only_one() {
    let metadata = valid(&input("p", &[], &[]))["metadata"].clone();
    assert_eq!(metadata["authors"], json!([{ "name": "Tool: attestry-0.1.0" }]));
    assert_eq!(metadata.get("manufacturer"), None);
    assert_eq!(metadata["tools"]["components"][0]["manufacturer"]["name"], "Attestry");
}

#[test]
fn a_lock_and_its_export_are_of_the_same_packages() {
    let wheel = file("https://files.example/lib-1-py3-none-any.whl", "wheel");
    let locked = Package {
        distributions: vec![wheel, file("https://files.example/lib-1.tar.gz", "sdist")],
        ..package("pkg:pypi/lib@1")
    };
    let exported = Package {
        distributions: vec![file("", "wheel"), file("", "another wheel")],
        ..package("pkg:pypi/lib@1")
    };
    let inventories =
        [inventory("requirements.txt", vec![exported]), inventory("uv.lock", vec![locked])];
    let bom = valid(&input("p", &[], &inventories));
    assert_eq!(refs(&bom["components"]), ["pkg:pypi/lib@1"]);
    let lib = &bom["components"][0];
    assert_eq!(lib["externalReferences"].as_array().unwrap().len(), 2);
    assert_eq!(lib["evidence"]["occurrences"].as_array().unwrap().len(), 2);
    let other = format!("SHA-256:{}", Digest::of(b"another wheel").hex());
    let expected = json!({ "name": "attestry:distribution:hash", "value": other });
    assert!(lib["properties"].as_array().unwrap().contains(&expected));
}

#[test]
fn the_same_file_with_another_digest_is_another_component() {
    let with = |purl: &str, place: &str, content: &str| {
        let distributions = vec![file(place, content)];
        vec![Package { distributions, ..package(purl) }]
    };
    for (purl, place, mirror) in [
        ("pkg:pypi/lib@1", "https://a.example/lib-1.tar.gz", "https://b.example/x/lib-1.tar.gz"),
        // A registry of crates has one file for each version: a bare digest says enough.
        ("pkg:cargo/lib@1", "", ""),
    ] {
        let one = inventory("a/uv.lock", with(purl, place, "sound"));
        let same = inventory("b/uv.lock", with(purl, mirror, "sound"));
        let other = inventory("c/uv.lock", with(purl, mirror, "other"));
        let inventories = [one.clone(), same.clone(), other.clone()];
        let bom = valid(&input("p", &[], &inventories));
        assert_eq!(refs(&bom["components"]), [purl.to_owned(), format!("{purl}#2")]);
        let reversed = [other, same, one];
        assert_eq!(valid(&input("p", &[], &reversed)), bom);
    }
}

#[test]
fn many_contradicting_digests_of_one_purl_cost_little() {
    let contradicting = |number: usize| {
        let distributions = vec![file("https://a.example/lib-1.tar.gz", &number.to_string())];
        Package { distributions, ..package("pkg:pypi/lib@1") }
    };
    let inventories = [inventory("uv.lock", (0..20_000).map(contradicting).collect())];
    let bom: Value = serde_json::from_slice(&write(&input("p", &[], &inventories))).unwrap();
    let names: std::collections::HashSet<_> = refs(&bom["components"]).into_iter().collect();
    assert_eq!(names.len(), 20_000);
}

#[test]
fn local_packages_are_the_same_only_in_the_same_folder() {
    let local = |path: &str| {
        let source = Source::Local { path: Some(path.to_owned()) };
        vec![Package { source, ..package("pkg:pypi/core@1") }]
    };
    let inventories = [
        inventory("uv.lock", local("libs/core")),
        inventory("requirements.txt", local("./libs/core/")),
        inventory("tools/uv.lock", local("../libs/core")),
        inventory("other/uv.lock", local("libs/core")),
    ];
    let bom = valid(&input("p", &[], &inventories));
    assert_eq!(refs(&bom["components"]), ["pkg:pypi/core@1", "pkg:pypi/core@1#2"]);
}

#[test]
fn what_an_artifact_holds_hangs_below_it() {
    let mut held: Vec<_> = ["a", "b", "c", "d", "app"]
        .map(|name| package(&format!("pkg:pypi/{name}@1")))
        .into_iter()
        .collect();
    // b and c need each other, and nobody else needs them.
    held[0].dependencies = vec![3];
    held[1].dependencies = vec![2];
    held[2].dependencies = vec![1];
    held[4].dependencies = vec![0];
    held[4].root = true;
    let locked = vec![Package { direct: true, ..package("pkg:pypi/a@1") }];
    let inventories = [inventory("app.whl!/METADATA", held), inventory("uv.lock", locked)];
    let artifacts = [("app.whl".to_owned(), Digest::of(b"app"))];
    let bom = valid(&input("p", &artifacts, &inventories));
    let project = &bom["metadata"]["component"];
    let app = &project["components"][0];
    let of_app = app["bom-ref"].as_str().unwrap();
    assert_eq!((&app["purl"], &app["version"]), (&json!("pkg:pypi/app@1"), &json!("1")));
    assert_eq!(needs(&bom, of_app), ["pkg:pypi/a@1", "pkg:pypi/b@1"]);
    assert_eq!(needs(&bom, project["bom-ref"].as_str().unwrap()), ["pkg:pypi/a@1"]);
    assert_eq!(composition(&bom, "assemblies", of_app), "unknown");
    let all = ["a", "b", "c", "d"].map(|name| format!("pkg:pypi/{name}@1"));
    assert_eq!(refs(&bom["components"]), all);
    let phases = json!([{ "phase": "build" }, { "phase": "post-build" }]);
    assert_eq!(bom["metadata"]["lifecycles"], phases);
}

#[test]
fn what_could_not_be_read_is_told_and_makes_it_incomplete() {
    let missing = |path: &str, line| Missing {
        path: path.to_owned(),
        line,
        reason: "it is not TOML; run `uv lock`".to_owned(),
    };
    let missing = [missing("b/uv.lock", Some(3)), missing("app.whl!/METADATA", None)];
    let inventories = [inventory("a/uv.lock", vec![package("pkg:pypi/lib@1")])];
    let artifacts = ["app.whl", "app.zip"].map(|it| (it.to_owned(), Digest::of(b"app")));
    let mut input = input("p", &artifacts, &inventories);
    input.missing = &missing;
    let bom = valid(&input);
    let told = &bom["metadata"]["properties"].as_array().unwrap()[1..];
    let value = |at: usize| told[at]["value"].as_str().unwrap();
    assert_eq!(value(0), "app.whl!/METADATA: it is not TOML; run `uv lock`");
    assert_eq!(value(1), "b/uv.lock:3: it is not TOML; run `uv lock`");
    let project = &bom["metadata"]["component"];
    let of_project = project["bom-ref"].as_str().unwrap();
    assert_eq!(composition(&bom, "assemblies", of_project), "incomplete");
    assert_eq!(composition(&bom, "dependencies", of_project), "incomplete");
    let [whl, zip] = refs(&project["components"])[..] else { panic!("two artifacts") };
    assert_eq!(composition(&bom, "assemblies", whl), "incomplete");
    assert_eq!(composition(&bom, "assemblies", zip), "unknown");
    assert_eq!(composition(&bom, "dependencies", "pkg:pypi/lib@1"), "complete");
}

#[test]
fn a_list_that_is_not_all_leaves_its_packages_incomplete_or_unknown() {
    for (edges_known, expected) in [(true, "incomplete"), (false, "unknown")] {
        let mut list = inventory("requirements.txt", vec![package("pkg:pypi/lib@1")]);
        (list.complete, list.edges_known) = (false, edges_known);
        let inventories = [list];
        let bom = valid(&input("p", &[], &inventories));
        assert_eq!(composition(&bom, "dependencies", "pkg:pypi/lib@1"), expected);
        assert_eq!(composition(&bom, "assemblies", "pkg:generic/p"), "incomplete");
        assert_eq!(composition(&bom, "dependencies", "pkg:generic/p"), "complete");
    }
}

#[test]
fn scope_vendor_and_group_stand_apart_from_the_name() {
    for (purl, name, expected) in [
        ("pkg:npm/%40babel/core@7.0.0", "@babel/core", json!(["@babel", "core"])),
        ("pkg:npm/core@7.0.0", "core", json!([null, "core"])),
        ("pkg:composer/acme/app@1.0.0", "acme/app", json!(["acme", "app"])),
        ("pkg:maven/org.acme/app@1.0.0", "org.acme:app", json!(["org.acme", "app"])),
        (
            "pkg:golang/acme.example/app@v1.0.0",
            "acme.example/app",
            json!([null, "acme.example/app"]),
        ),
    ] {
        let package = Package { name: name.to_owned(), ..package(purl) };
        let inventories = [inventory("any.lock", vec![package])];
        let bom = valid(&input("project", &[], &inventories));
        let component = &bom["components"][0];
        assert_eq!(json!([component["group"], component["name"]]), expected, "{purl}");
    }
}

#[test]
fn long_document_has_every_component_once_and_in_order() {
    // As many as two threads share, and some more, for both halves to differ.
    let purls: Vec<_> = (0..1_501).map(|number| format!("pkg:pypi/p{number:04}@1.0")).collect();
    let packages = purls.iter().map(|purl| package(purl)).collect();
    let inventories = [inventory("uv.lock", packages)];
    let bom = valid(&input("project", &[], &inventories));
    assert_eq!(refs(&bom["components"]), purls);
    assert_eq!(bom["dependencies"].as_array().unwrap().len(), 1 + purls.len());
}

#[test]
fn project_of_one_lockfile_is_the_local_package_of_its_neighbour() {
    let local = |path: Option<&str>, root| Package {
        source: Source::Local { path: path.map(str::to_owned) },
        root,
        ..package("pkg:npm/lib@2.0.0")
    };
    let neighbour = inventory("app/package-lock.json", vec![local(Some("../lib"), false)]);
    let own =
        inventory("lib/package-lock.json", vec![local(None, true), package("pkg:npm/a@1.0.0")]);
    let other = inventory("old/package-lock.json", vec![local(None, true)]);
    let inventories = [neighbour, own, other];
    let bom = valid(&input("project", &[], &inventories));
    let expected = ["pkg:npm/a@1.0.0", "pkg:npm/lib@2.0.0", "pkg:npm/lib@2.0.0#2"];
    assert_eq!(refs(&bom["components"]), expected);
}
