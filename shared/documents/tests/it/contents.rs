//! What artifacts hold, written and read back.

use documents::inventory::{ArtifactContents, ContentsError, Inventory, Missing, Source};
use events::Digest;
use serde_json::{Value, json};

fn inventory(path: &str) -> Inventory {
    Inventory { path: path.to_owned(), ..crate::lockfile("edge-cases.uv.lock") }
}

fn contents_of(inventories: Vec<Inventory>) -> ArtifactContents {
    let missing =
        Missing { path: "app.tar!/x\n.jar".to_owned(), line: None, reason: "is a bomb".to_owned() };
    ArtifactContents::new("app.tar".to_owned(), Digest::of(b"app"), inventories, vec![missing])
}

fn contents() -> ArtifactContents {
    contents_of(vec![inventory("app.tar!/app/uv.lock")])
}

fn read(document: &Value) -> Result<ArtifactContents, String> {
    ArtifactContents::read(document.to_string().as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn what_was_written_is_read_the_same() {
    let contents = contents();
    assert!(contents.inventories()[0].packages.len() > 3);

    let read = ArtifactContents::read(&contents.write()).unwrap();

    assert_eq!(read, contents);
    assert_eq!(read.write(), contents.write());
    assert_eq!(read.inventories()[0].artifact.as_deref(), Some("app.tar"));
    assert_eq!(read.missing()[0].path, "app.tar!/x\u{fffd}.jar");
}

#[test]
fn every_value_of_a_strangers_document_is_checked() {
    let good = serde_json::to_value(contents()).unwrap();
    assert!(read(&good).is_ok());
    let long = "x".repeat(20_000);
    for (pointer, value, expected) in [
        ("/artifact", json!(""), "`artifact` is empty"),
        ("/artifact", json!("other"), "does not begin with the name of the artifact"),
        ("/digest", json!("sha256:00"), "hex digits"),
        ("/inventories/0/path", json!("uv.lock"), "does not begin with the name"),
        ("/inventories/0/path", json!("app.tarpath"), "does not begin with the name"),
        ("/inventories/0/artifact", json!("other.tar"), "`artifact` is not the artifact"),
        ("/inventories/0/artifact", Value::Null, "`artifact` is not the artifact"),
        ("/inventories/0/ecosystem", json!("moon"), "unknown variant"),
        ("/inventories/0/format", json!("\u{1b}[2J"), "`format` has control characters"),
        ("/inventories/0/packages/0/name", json!(long), "`name` is too long"),
        ("/inventories/0/packages/0/version", json!(""), "`version` is empty"),
        ("/inventories/0/packages/0/purl", json!("https://a"), "`purl` is no package URL"),
        ("/inventories/0/packages/0/source", json!({"registry": {"url": long}}), "`source` is too"),
        ("/inventories/0/packages/0/source", json!({"moon": {}}), "unknown variant"),
        ("/inventories/0/packages/0/dependencies", json!([1_000_000]), "`dependencies` does not"),
        ("/inventories/0/packages/0/dependencies", json!([2, 1]), "`dependencies` does not"),
        ("/inventories/0/packages/0/dependencies", json!([-1]), "invalid value"),
        ("/inventories/0/packages/0/licence", json!("a\0"), "`licence` has control"),
        ("/inventories/0/packages/0/groups", json!([long]), "`groups` is too long"),
        ("/inventories/0/packages/0/conditions", json!([""]), "`conditions` is empty"),
        (
            "/inventories/0/packages/0/distributions",
            json!([{"location": null, "hash": {"algorithm": "sha256", "hex": "00"}}]),
            "`hash` has not the hex digits",
        ),
        ("/missing/0/reason", json!("a\nb"), "`reason` has control characters"),
        ("/missing/0", json!({"path": "a", "reason": "b", "more": 1}), "unknown field"),
    ] {
        let mut document = good.clone();
        *document.pointer_mut(pointer).expect(pointer) = value;
        let refused = read(&document).expect_err(pointer);
        assert!(refused.contains(expected), "{pointer}: {refused}");
    }
}

#[test]
fn too_much_is_refused_before_it_takes_memory() {
    let many = format!("[{}0]", "0,".repeat(4_000_001));
    let refused = ArtifactContents::read(many.as_bytes()).unwrap_err();
    assert_eq!(refused, ContentsError::TooMany { what: "values", limit: 4_000_000 });

    let huge = vec![b' '; ArtifactContents::MAX_BYTES + 1];
    let refused = ArtifactContents::read(&huge).unwrap_err();
    assert_eq!(refused, ContentsError::TooLarge { bytes: ArtifactContents::MAX_BYTES + 1 });

    let deep = "[".repeat(1_000_000);
    assert!(matches!(ArtifactContents::read(deep.as_bytes()), Err(ContentsError::Shape(_))));
}

#[test]
fn repeated_fields_are_refused() {
    let text = String::from_utf8(contents().write()).unwrap();
    let twice = text.replacen("{\"artifact\"", "{\"artifact\":\"a\",\"artifact\"", 1);
    let refused = ArtifactContents::read(twice.as_bytes()).unwrap_err();
    assert!(refused.to_string().contains("duplicate field"), "{refused}");
}

#[test]
fn what_would_not_be_read_is_told_as_missing() {
    let mut broken = inventory("app.tar!/b/uv.lock");
    broken.packages[0].source = Source::Local { path: Some("a\nb".to_owned()) };
    let foreign = inventory("elsewhere/uv.lock");

    let contents = contents_of(vec![broken, inventory("app.tar!/uv.lock"), foreign]);

    assert_eq!(contents.inventories().len(), 1);
    let missing: Vec<&str> = contents.missing().iter().map(|it| it.path.as_str()).collect();
    assert_eq!(missing, ["app.tar!/b/uv.lock", "elsewhere/uv.lock", "app.tar!/x\u{fffd}.jar"]);
    assert_eq!(ArtifactContents::read(&contents.write()), Ok(contents));
}

#[test]
fn arbitrary_changes_never_panic_and_what_is_read_is_written_alike() {
    let good = contents().write();
    let mut random = fastrand::Rng::with_seed(5);
    for _ in 0..2_000 {
        let mut bytes = good.clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..bytes.len());
            bytes[at] = random.u8(..);
        }
        if let Ok(contents) = ArtifactContents::read(&bytes) {
            assert_eq!(ArtifactContents::read(&contents.write()), Ok(contents));
        }
    }
}
