//! CycloneDX in XML: told apart, and refused where it is hostile.

use documents::schema::{MAX_DEPTH, MAX_WEIGHT, validate_cyclonedx};
use documents::{Kind, bom, convert, cyclonedx, detect, vex};

use crate::fixture;

const SPACE: &str = "http://cyclonedx.org/schema/bom/1.6";

/// A document with `members` in it.
fn document(members: &str) -> String {
    format!("<bom xmlns=\"{SPACE}\" xmlns:x=\"urn:x\" version=\"1\">{members}</bom>")
}

/// A document with a component with `members` in it.
fn component(members: &str) -> String {
    document(&format!("<components><component type=\"library\">{members}</component></components>"))
}

/// The code of the refusal and its text.
fn refusal(text: &str) -> (&'static str, String) {
    let error = bom::read(text.as_bytes()).expect_err("it is refused");
    (error.code(), error.to_string())
}

fn name_of(text: &str) -> String {
    bom::read(text.as_bytes()).unwrap().components.remove(0).name
}

#[test]
fn both_forms_are_the_same_document_to_every_reader() {
    for version in ["1.4", "1.5", "1.6", "1.7"] {
        let read = |form: &str| fixture(&format!("xml/bom-{version}.{form}"));
        let (xml, json) = (read("xml"), read("json"));
        let bom = bom::read(&xml).unwrap();
        assert_eq!(bom, bom::read(&json).unwrap(), "{version}");
        assert_eq!(bom.format.spec_version(), version);
        assert_eq!(bom.edges, 2);
        assert_eq!(bom.statements.len(), 2);
        assert_eq!(vex::read(&xml).unwrap(), vex::read(&json).unwrap(), "{version}");
        let to = |bytes: &[u8]| convert::to_cyclonedx(bytes, cyclonedx::SpecVersion::V1_7).unwrap();
        assert_eq!(to(&xml), to(&json), "{version}");
    }
}

#[test]
fn what_begins_as_cyclonedx_is_told_apart_from_other_xml() {
    let of = |text: &str| detect(text.as_bytes());
    assert_eq!(of(&document("")), Kind::CycloneDx);
    assert_eq!(
        of(&format!("\u{feff}<?xml version=\"1.0\"?><!-- a --><b:bom xmlns:b='{SPACE}'>")),
        Kind::CycloneDx
    );
    assert_eq!(of(&format!("<bom xmlns=\"{SPACE}\"><<<")), Kind::CycloneDx);
    for text in [
        "<bom>".to_owned(),
        "<bom xmlns=\"urn:x\"/>".to_owned(),
        format!("<project xmlns=\"{SPACE}\"/>"),
        format!("<b:bom xmlns=\"{SPACE}\"/>"),
        format!("<x><bom xmlns=\"{SPACE}\"/></x>"),
        "<".to_owned(),
        "<!--".repeat(1000),
    ] {
        assert_eq!(of(&text), Kind::Xml, "{text}");
    }
}

#[test]
fn namespaces_tell_what_is_cyclonedx() {
    let prefixed = format!(
        "<b:bom xmlns:b=\"{SPACE}\" version=\"1\"><b:components><b:component type=\"library\">\
         <b:name>a</b:name></b:component></b:components></b:bom>"
    );
    assert_eq!(name_of(&prefixed), "a");
    // The author's own elements and attributes, whatever their names.
    let own = "<name>a</name><x:name>b</x:name><y xmlns=\"urn:y\"><name>c</name></y><x:e x:a='1'/>";
    assert_eq!(name_of(&component(own)), "a");
    assert_eq!(
        name_of(&component("<name>a</name>").replace("<components>", "<components mine='1'>")),
        "a"
    );
    for (text, says) in [
        (document("<componets/>"), "the element \"componets\" has no place here"),
        (document("<x:a/>text"), "text where elements are expected"),
        (component("<name>a</name><name2/>"), "/components/0: the element \"name2\""),
        (component("<name a='1'>a</name>"), "/components/0/name: the attribute \"a\""),
        (component("<name><x:b/></name>"), "/components/0/name: the element \"b\""),
        (component("<name xmlns=''>a</name>"), "has no namespace"),
        (
            component(
                "<name>a</name><purl xmlns='http://cyclonedx.org/schema/bom/1.5'>pkg:npm/a</purl>",
            ),
            "that of another version",
        ),
        // Known to later versions only.
        (component("<name>a</name><versionRange>1</versionRange>"), "\"versionRange\""),
        (
            component("<name>a</name>").replace("type=", "isExternal='1' type="),
            "the attribute \"isExternal\"",
        ),
        (document("<dependencies><dependency/></dependencies>"), "/dependencies/0: \"ref\""),
        (
            document(
                "<dependencies><dependency ref='a'><dependency ref='b'><dependency ref='c'/></dependency>\
                 </dependency></dependencies>",
            ),
            "/dependencies/0/dependsOn/0: the element \"dependency\" has no place",
        ),
    ] {
        let (code, message) = refusal(&text);
        assert_eq!(code, "schema", "{text}: {message}");
        assert!(message.contains(says), "{text}: {message}");
    }
    for (text, code) in [
        (document("<y:a/>"), "not-xml"),
        (document("<a y:b='1'/>"), "not-xml"),
        (format!("<bom xmlns:b=\"{SPACE}\"/>"), "not-cyclonedx"),
        ("<bom/>".to_owned(), "not-cyclonedx"),
        ("<bom xmlns=\"http://cyclonedx.org/schema/bom/\"/>".to_owned(), "unsupported-version"),
        (document("").replace("/1.6", "/1.1"), "unsupported-version"),
        (document("").replace("/1.6", "/2.0"), "unsupported-version"),
        (format!("<b:bom xmlns:b=\"{SPACE}\" b:version=\"2\"/>"), "not-xml"),
    ] {
        assert_eq!(refusal(&text).0, code, "{text}");
    }
}

#[test]
fn what_is_there_twice_is_refused_with_its_place() {
    for (text, key) in [
        (component("<name>a</name>\n<name>b</name>"), "line 2, column 1: key \"name\""),
        (document("<components/><components/>"), "key \"components\""),
        (document("").replace("version=", "version=\"1\" version="), "key \"version\""),
        (document("").replace("xmlns:x=", "xmlns:x=\"urn:y\" xmlns:x="), "key \"xmlns:x\""),
    ] {
        let (code, message) = refusal(&text);
        assert_eq!(code, "duplicate-key", "{text}: {message}");
        assert!(message.contains(key), "{text}: {message}");
    }
}

#[test]
fn values_are_never_guessed() {
    let with = |members: &str| component(&format!("<name>a</name>{members}"));
    for (text, pointer) in [
        (with("<modified>yes</modified>"), "/components/0/modified"),
        (document("").replace("version=\"1\"", "version=\"one\""), "/version"),
        (document("").replace("version=\"1\"", "version=\"1e3\""), "/version"),
        (document("").replace("version=\"1\"", "version=\"99999999999999999999\""), "/version"),
        (document("").replace("version=\"1\"", "version=\"0\""), "/version"),
        (
            with("<scope> required</scope><hashes><hash alg='MD5'>x</hash></hashes>"),
            "/components/0/hashes/0/content",
        ),
        (
            document(
                "<vulnerabilities><vulnerability><cwes><cwe>CWE-79</cwe></cwes></vulnerability></vulnerabilities>",
            ),
            "/vulnerabilities/0/cwes/0",
        ),
        (
            document(
                "<vulnerabilities><vulnerability><ratings><rating><score>high</score></rating></ratings>\
                 </vulnerability></vulnerabilities>",
            ),
            "/vulnerabilities/0/ratings/0/score",
        ),
        (
            document(
                "<metadata><tools><tool><name>a</name></tool><components/></tools></metadata>",
            ),
            "/metadata/tools",
        ),
        (document("<metadata><timestamp>2026-01-01</timestamp></metadata>"), "/metadata/timestamp"),
    ] {
        let (code, message) = refusal(&text);
        assert_eq!(code, "schema", "{text}: {message}");
        assert!(message.contains(pointer), "{text}: {message}");
    }
}

#[test]
fn text_is_what_xml_says_it_is() {
    let name = |text: &str| name_of(&component(&format!("<name>{text}</name>")));
    assert_eq!(
        name("a &amp;&lt;&gt;&quot;&apos;&#65;&#x42;<![CDATA[<&amp;]]><!-- c --><?p i?>d"),
        "a &<>\"'AB<&amp;d"
    );
    assert_eq!(name("a\r\nb\rc\td"), "a b c d");
    assert_eq!(name("&#10;"), " ");
    for (text, says) in [
        ("&nbsp;", "stands for nothing"),
        ("&#0;", "stands for nothing"),
        ("&#1;", "stands for nothing"),
        ("&#xD800;", "stands for nothing"),
        ("&#xFFFF;", "stands for nothing"),
        ("&#99999999999;", "stands for nothing"),
        ("& ", ""),
        ("a\0b", "a character that XML does not allow"),
        ("a\u{1b}b", "a character that XML does not allow"),
        ("a\u{FFFE}b", "a character that XML does not allow"),
    ] {
        let (code, message) = refusal(&component(&format!("<name>{text}</name>")));
        assert_eq!(code, "not-xml", "{text}: {message}");
        assert!(message.contains(says), "{text}: {message}");
    }
    for attribute in ["&nbsp;", "&#1;", "<", "&#xFFFE;"] {
        let text =
            component("<name>a</name>").replace("type=", &format!("bom-ref=\"{attribute}\" type="));
        assert_eq!(refusal(&text).0, "not-xml", "{text}");
    }
}

#[test]
fn broken_and_hostile_xml_is_refused_for_what_it_is() {
    let whole = component("<name>a</name>");
    let utf16: Vec<u8> = whole.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin1 = format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>{whole}");
    let doctype = format!("<!DOCTYPE bom SYSTEM \"http://127.0.0.1/x.dtd\">{whole}");
    let external = format!("<!DOCTYPE bom [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{whole}");
    let within = component("<name><!DOCTYPE a></name>");
    let bare = component("<name>a</name>").replace("\"library\"", "library");
    let broken_utf8 = [b"<bom>\xFF".as_slice(), whole.as_bytes()].concat();
    let cases: [(Vec<u8>, &str); 20] = [
        (utf16, "not-utf8"),
        (broken_utf8, "not-utf8"),
        (latin1.into_bytes(), "xml-encoding"),
        (doctype.into_bytes(), "xml-doctype"),
        (external.into_bytes(), "xml-doctype"),
        (within.into_bytes(), "xml-doctype"),
        (whole[..whole.len() - 1].into(), "not-xml"),
        (whole[..whole.len() - 6].into(), "not-xml"),
        (whole.replace("</name>", "</nam>").into_bytes(), "not-xml"),
        (whole.replace("</name>", "</name></name>").into_bytes(), "not-xml"),
        (format!("{whole}{whole}").into_bytes(), "not-xml"),
        (format!("{whole}text").into_bytes(), "not-xml"),
        (format!("{whole}<![CDATA[ ]]>").into_bytes(), "not-xml"),
        (format!("{whole}&amp;").into_bytes(), "not-xml"),
        (format!(" <?xml version=\"1.0\"?>{whole}").into_bytes(), "not-xml"),
        (format!("<?xml version=\"1.1\"?>{whole}").into_bytes(), "not-xml"),
        (format!("{whole}<?xml version=\"1.0\"?>").into_bytes(), "not-xml"),
        (bare.into_bytes(), "not-xml"),
        (b"<".into(), "not-xml"),
        (b"<!-- only a comment -->".into(), "not-xml"),
    ];
    for (at, (bytes, code)) in cases.into_iter().enumerate() {
        let error = bom::read(&bytes).expect_err("it is refused");
        assert_eq!(error.code(), code, "case {at}: {error}");
    }
    let declared =
        format!("<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n{whole}\n<!-- end -->\n");
    assert_eq!(name_of(&declared), "a");
}

#[test]
fn size_depth_and_count_are_bounded() {
    let deep = "<components><component type='library'>".repeat(50_000);
    assert_eq!(refusal(&document(&deep)).0, "too-deep");
    assert_eq!(refusal(&document(&"<x:a>".repeat(100_000))).0, "too-deep");
    assert_eq!(refusal(&"<a>".repeat(100_000)).0, "not-cyclonedx");
    // The outermost element, two for each component, and its name: the deepest that is read.
    let levels = MAX_DEPTH / 2 - 1;
    let nested = |levels: usize| {
        let open = "<components><component type='library'><name>a</name><version>1</version>";
        document(&format!("{}{}", open.repeat(levels), "</component></components>".repeat(levels)))
    };
    assert_eq!(bom::read(nested(levels).as_bytes()).unwrap().components.len(), levels);
    assert_eq!(refusal(&nested(levels + 1)).0, "too-deep");

    // A million elements of nobody's are read, more than memory is set aside for are not.
    validate_cyclonedx(document(&"<x:a/>".repeat(1_000_000)).as_bytes()).unwrap();
    assert_eq!(refusal(&document(&"<x:a/>".repeat(MAX_WEIGHT))).0, "too-many-values");
    assert_eq!(refusal(&document(&"<!---->".repeat(MAX_WEIGHT + 1))).0, "too-many-values");
    let tags = format!("<name>a</name><tags>{}</tags>", "<tag/>".repeat(MAX_WEIGHT));
    assert_eq!(refusal(&component(&tags)).0, "too-many-values");

    let long = "y".repeat(8 << 20);
    let text = component("<name>a</name>").replace("type=", &format!("bom-ref=\"{long}\" type="));
    assert_eq!(bom::read(text.as_bytes()).unwrap().problem_counts["purl-bomb"], 1);
    let attributes: String = (0..100_000).map(|at| format!(" a{at}=''")).collect();
    let (code, message) =
        refusal(&document("").replace(" version", &format!("{attributes} version")));
    assert_eq!(code, "not-xml");
    assert!(message.contains("too many attributes"), "{message}");
    let spaces: String = (0..100_000).map(|at| format!(" xmlns:a{at}='u'")).collect();
    assert_eq!(
        refusal(&document("").replace(" version", &format!("{spaces} version"))).0,
        "not-xml"
    );
}
