//! pom.xml, read rightly.

use documents::inventory::{Ecosystem, Inventory, Scope, Source};
use documents::lockfile::{File, Problem, parse, parse_all};

use crate::lockfile_sound::{check, check_fixture, collected};
use crate::package;

fn read_all(files: &[(&str, &str)]) -> Vec<Inventory> {
    let files: Vec<_> =
        files.iter().map(|(path, text)| File { path, bytes: text.as_bytes() }).collect();
    let (read, failed) = parse_all(&files);
    assert!(failed.is_empty(), "{failed:?}");
    read.iter().for_each(check);
    read
}

fn read(body: &str) -> Inventory {
    let text = format!(
        "<project><groupId>g</groupId><artifactId>a</artifactId><version>1</version>\n{body}</project>"
    );
    read_all(&[("pom.xml", &text)]).remove(0)
}

fn notes(read: &Inventory) -> Vec<(usize, &str)> {
    read.notes.iter().map(|note| (note.line, note.message.as_str())).collect()
}

#[test]
fn a_project_says_what_it_asks_for_and_what_is_not_at_hand() {
    let read = check_fixture("commons-lang.pom.xml");
    assert_eq!((&*read.format, read.ecosystem), ("pom.xml", Ecosystem::Maven));
    assert!(!read.complete && !read.edges_known && !read.direct_known);
    assert_eq!(read.packages[0].purl, "pkg:maven/org.apache.commons/commons-lang3@3.21.0-SNAPSHOT");
    assert!(read.packages[0].root);
    let text = package(&read, "org.apache.commons:commons-text");
    assert_eq!(text.purl, "pkg:maven/org.apache.commons/commons-text@1.15.0");
    assert_eq!((text.scope, text.direct, text.line), (Scope::Dev, true, Some(84)));
    assert_eq!(text.groups, ["test"]);
    let mockito = package(&read, "org.mockito:mockito-inline");
    assert_eq!(
        (mockito.purl.as_str(), mockito.version.as_deref()),
        ("pkg:maven/org.mockito/mockito-inline", None)
    );
    assert_eq!(mockito.scope, Scope::Required);
    let found = notes(&read);
    let parent =
        "the parent org.apache.commons:commons-parent:104 is not at hand, nor what it would say";
    assert_eq!(found[0], (22, parent));
    let jmh = "the version of org.openjdk.jmh:jmh-core is open: `${commons.jmh.version}` is not known here";
    assert!(found.iter().any(|it| it.1 == jmh), "{found:?}");
    let junit = "the version of org.junit.jupiter:junit-jupiter is open: no file at hand says it";
    assert!(found.contains(&(63, junit)), "{found:?}");
}

#[test]
fn every_dependency_of_real_files_is_read() {
    for (name, text) in collected("maven") {
        let read = parse(&name, text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        check(&read);
        let expected = if name.starts_with("commons-lang") { 8 } else { 1 };
        assert_eq!(read.packages.len(), expected, "{name}");
        let imports = text.matches("<scope>import</scope>").count();
        let absent = read.notes.iter().filter(|note| note.message.starts_with("the imported"));
        assert_eq!(absent.count(), imports, "{name}");
    }
}

const PARENT: &str = "<project><groupId>g</groupId><artifactId>top</artifactId><version>${revision}</version>
<packaging>pom</packaging><modules><module>app</module><module>bom</module></modules>
<licenses><license><name>MIT</name></license><license><name>BSD-2-Clause</name></license></licenses>
<organization><name>Acme</name></organization>
<properties><revision>2.0</revision><lib>1.0</lib></properties>
<dependencyManagement><dependencies>
<dependency><groupId>g</groupId><artifactId>bom</artifactId><version>${project.version}</version><type>pom</type><scope>import</scope></dependency>
<dependency><groupId>m</groupId><artifactId>managed</artifactId><version>${lib}</version><scope>test</scope></dependency>
<dependency><groupId>m</groupId><artifactId>native</artifactId><version>3</version><classifier>linux</classifier></dependency>
</dependencies></dependencyManagement>
<dependencies><dependency><groupId>i</groupId><artifactId>inherited</artifactId><version>1</version></dependency></dependencies>
</project>";
const BOM: &str = "<project><groupId>g</groupId><artifactId>bom</artifactId><version>${v}</version>
<packaging>pom</packaging><properties><v>2.0</v></properties>
<dependencyManagement><dependencies>
<dependency><groupId>b</groupId><artifactId>listed</artifactId><version>7</version></dependency>
<dependency><groupId>m</groupId><artifactId>managed</artifactId><version>9</version></dependency>
</dependencies></dependencyManagement></project>";
const APP: &str = "<?xml version=\"1.0\"?>
<project xmlns=\"http://maven.apache.org/POM/4.0.0\">
<parent><groupId>g</groupId><artifactId>top</artifactId><version>${revision}</version></parent>
<artifactId>app</artifactId><packaging>war</packaging>
<properties><lib>1.5</lib></properties>
<dependencies>
<dependency><groupId>m</groupId><artifactId>managed</artifactId></dependency>
<dependency><groupId>m</groupId><artifactId>native</artifactId><classifier>linux</classifier></dependency>
<dependency><groupId>b</groupId><artifactId>listed</artifactId><optional>true</optional></dependency>
<dependency><groupId>${project.groupId}</groupId><artifactId>sibling</artifactId><version>${project.version}</version><type>test-jar</type></dependency>
</dependencies></project>";

#[test]
fn parents_and_imported_lists_at_hand_are_read() {
    let read = read_all(&[("pom.xml", PARENT), ("app/pom.xml", APP), ("bom/pom.xml", BOM)]);
    let app = &read[1];
    let found: Vec<_> =
        app.packages.iter().map(|it| (it.purl.as_str(), it.scope, it.line.unwrap())).collect();
    use Scope::{Dev, Optional, Required};
    assert_eq!(
        found,
        [
            ("pkg:maven/g/app@2.0?type=war", Required, 2),
            ("pkg:maven/m/managed@1.5", Dev, 7),
            ("pkg:maven/m/native@3?classifier=linux", Required, 8),
            ("pkg:maven/b/listed@7", Optional, 9),
            ("pkg:maven/g/sibling@2.0?classifier=tests&type=test-jar", Required, 10),
            ("pkg:maven/i/inherited@1", Required, 3),
        ]
    );
    let root = &app.packages[0];
    assert_eq!(root.licence.as_deref(), Some("MIT OR BSD-2-Clause"));
    assert_eq!(root.supplier.as_deref(), Some("Acme"));
    assert_eq!(root.dependencies, [1, 2, 3, 4, 5]);
    assert!(app.direct_known && app.packages[5].direct && app.notes.is_empty(), "{:?}", app.notes);
    assert_eq!(read[0].packages[0].purl, "pkg:maven/g/top@2.0?type=pom");
}

#[test]
fn a_stranger_where_the_parent_should_be_is_not_the_parent() {
    let strangers = [
        PARENT.replace("<artifactId>top</artifactId>", "<artifactId>other</artifactId>"),
        PARENT.replace("<version>${revision}</version>", "<version>8</version>"),
        PARENT.replace("</project>", ""),
    ];
    let app = APP.replace("${revision}", "2.0");
    for parent in &strangers {
        let files = [("app/pom.xml", app.as_str()), ("pom.xml", parent.as_str())];
        let files = files.map(|(path, text)| File { path, bytes: text.as_bytes() });
        let read = parse_all(&files).0.remove(0);
        assert!(!read.direct_known);
        assert_eq!(read.packages.len(), 5);
        assert_eq!(package(&read, "m:managed").version, None);
        assert_eq!(read.notes[0].line, 3);
    }
    let far = app.replace(
        "<version>2.0</version></parent>",
        "<version>2.0</version><relativePath/></parent>",
    );
    let read = read_all(&[("pom.xml", PARENT), ("app/pom.xml", &far)]);
    assert!(!read[1].direct_known);
}

#[test]
fn scopes_and_versions_are_told_as_they_are() {
    let dependency = |artifact: &str, rest: &str| {
        format!(
            "<dependency><groupId>d</groupId><artifactId>{artifact}</artifactId>{rest}</dependency>\n"
        )
    };
    let body = [
        dependency("one", "<version>[1.2]</version><scope>provided</scope>"),
        dependency("range", "<version>[1,2)</version><scope>runtime</scope>"),
        dependency("last", "<version>LATEST</version>"),
        dependency(
            "file",
            "<version>1</version><scope>system</scope><systemPath>lib/x.jar</systemPath>",
        ),
        dependency("cdata", "<version><![CDATA[1.]]>2&#46;&#x33;</version>"),
        dependency("twice", "<version>1</version>"),
        dependency("twice", "<version>2</version>"),
        dependency("${unknown}", "<version>1</version>"),
    ];
    let read = read(&format!("<dependencies>\n{}</dependencies>", body.concat()));
    let found: Vec<_> = read.packages[1..]
        .iter()
        .map(|it| (it.purl.as_str(), it.scope, it.groups.join(" "), it.line.unwrap()))
        .collect();
    use Scope::{Optional, Required};
    assert_eq!(
        found,
        [
            ("pkg:maven/d/one@1.2", Optional, "provided".to_owned(), 3),
            ("pkg:maven/d/range", Required, "runtime".to_owned(), 4),
            ("pkg:maven/d/last", Required, String::new(), 5),
            ("pkg:maven/d/file@1", Optional, "system".to_owned(), 6),
            ("pkg:maven/d/cdata@1.2.3", Required, String::new(), 7),
            ("pkg:maven/d/twice@2", Required, String::new(), 9),
        ]
    );
    assert_eq!(read.packages[4].source, Source::Local { path: Some("lib/x.jar".to_owned()) });
    let lines: Vec<_> = read.notes.iter().map(|note| note.line).collect();
    assert_eq!(lines, [4, 5, 10], "{:?}", read.notes);
}

#[test]
fn properties_that_lead_nowhere_or_grow_are_not_known() {
    let mut properties = "<a>${b}</a><b>${a}</b><l0>xxxxxxxxxx</l0>".to_owned();
    for at in 1..40 {
        let before = format!("${{l{}}}", at - 1);
        properties += &format!("<l{at}>{before}{before}{before}</l{at}>");
    }
    let dependency = |version: &str| {
        format!(
            "<dependency><groupId>d</groupId><artifactId>x</artifactId><version>{version}</version></dependency>"
        )
    };
    for version in ["${a}", "${l39}", "${l20}", "${", "${env.HOME}"] {
        let body = format!(
            "<properties>{properties}</properties><dependencies>{}</dependencies>",
            dependency(version)
        );
        let read = read(&body);
        assert_eq!((read.packages[1].version.as_deref(), read.notes.len()), (None, 1), "{version}");
    }
    let read = read(&format!(
        "<properties>{properties}</properties><dependencies>{}</dependencies>",
        dependency("${l2}")
    ));
    assert_eq!(read.packages[1].version.as_deref().map(str::len), Some(90));
}

#[test]
fn parents_and_lists_in_a_circle_end() {
    let bom = BOM.replace(
        "<dependency><groupId>b<",
        "<dependency><groupId>g</groupId><artifactId>bom</artifactId><version>2.0</version>\
         <type>pom</type><scope>import</scope></dependency><dependency><groupId>b<",
    );
    let bom = bom.replace("</project>", "<modules><module>../bom</module></modules></project>");
    let read = read_all(&[("bom/pom.xml", &bom)]);
    assert_eq!((read[0].packages.len(), read[0].notes.len()), (1, 1));
    let own = "<project><parent><groupId>g</groupId><artifactId>a</artifactId><version>1</version>\
               <relativePath>pom.xml</relativePath></parent><artifactId>a</artifactId></project>";
    let read = read_all(&[("pom.xml", own)]);
    assert_eq!(read[0].packages.len(), 1);
    assert!(!read[0].direct_known);
}

#[test]
fn profiles_are_left_out_and_said_to_be() {
    let read = read(
        "<profiles>\n<profile><id>x</id><dependencies><dependency><groupId>d</groupId>\
         <artifactId>p</artifactId><version>1</version></dependency></dependencies></profile>\n\
         <profile><id>y</id></profile></profiles>",
    );
    assert_eq!(read.packages.len(), 1);
    let expected = "profile `x` is left out: what is built with it asks for more";
    assert_eq!(notes(&read), [(3, expected)]);
}

#[test]
fn hostile_and_broken_files_name_the_line() {
    let whole = "<project>\n<groupId>g</groupId>\n<artifactId>a</artifactId>\n<dependencies>\n\
                 <dependency><groupId>d</groupId><artifactId>x</artifactId></dependency>\n\
                 </dependencies>\n</project>\n";
    for (from, to, line) in [
        ("<project>", "<!DOCTYPE x [<!ENTITY a \"b\">]>\n<project>", 1),
        ("<artifactId>x</artifactId>", "", 5),
        ("<artifactId>x</artifactId>", "<artifactId>&nbsp;</artifactId>", 5),
        ("<artifactId>x</artifactId>", "<artifactId>x y</artifactId>", 5),
        ("<artifactId>x</artifactId>", "<artifactId>x</artifact>", 5),
        ("</project>", "", 1),
        ("<dependencies>", "<<<<<<< HEAD\n<dependencies>", 4),
        ("<project>", "<settings>", 1),
        ("<artifactId>a</artifactId>", "", 1),
        ("<groupId>g</groupId>", "<groupId>${x}</groupId>", 1),
    ] {
        let text = whole
            .replacen(from, to, 1)
            .replace("</project>", if to == "<settings>" { "</settings>" } else { "</project>" });
        let error = parse("pom.xml", text.as_bytes()).unwrap_err();
        assert_eq!(error.position.map(|it| it.line), Some(line), "{error}\n{text}");
    }
    let deep = format!("<project>{}", "<a>".repeat(100_000));
    let wide = format!("<project>{}", "<a/>".repeat(600_000));
    let entities = format!("<project>{}", "&lol;".repeat(10));
    for text in [deep, wide, entities, String::new(), "<project/><project/>".to_owned()] {
        let error = parse("pom.xml", text.as_bytes()).unwrap_err();
        let is_expected =
            matches!(error.problem, Problem::Syntax { .. } | Problem::TooManyValues { .. });
        assert!(is_expected && error.position.is_some(), "{error}");
    }
}
