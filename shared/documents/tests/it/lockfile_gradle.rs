//! gradle.lockfile, read rightly.

use documents::inventory::{Ecosystem, Scope};
use documents::lockfile::{Problem, is_known, parse};

use crate::lockfile_sound::{check, check_fixture, collected};
use crate::package;

#[test]
fn modules_have_their_configurations() {
    let read = check_fixture("vulnerable-java-application.gradle.lockfile");
    assert_eq!((&*read.format, read.ecosystem), ("gradle.lockfile", Ecosystem::Maven));
    assert!(!read.edges_known && !read.direct_known && read.complete);
    let logback = package(&read, "ch.qos.logback:logback-classic");
    assert_eq!(logback.purl, "pkg:maven/ch.qos.logback/logback-classic@1.4.14");
    assert_eq!((logback.scope, logback.line), (Scope::Required, Some(4)));
    let expected = [
        "compileClasspath",
        "productionRuntimeClasspath",
        "runtimeClasspath",
        "testCompileClasspath",
        "testRuntimeClasspath",
    ];
    assert_eq!(logback.groups, expected);
    let path = package(&read, "com.jayway.jsonpath:json-path");
    assert_eq!((path.scope, path.groups.len()), (Scope::Dev, 2));
}

#[test]
fn every_module_of_real_files_is_read() {
    for (name, text) in collected("gradle") {
        let read = parse(&name, text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        check(&read);
        let lines = text.lines().filter(|it| !it.starts_with('#') && !it.starts_with("empty="));
        let written: Vec<_> = lines.map(|it| it.split('=').next().unwrap().to_owned()).collect();
        let label = |it: &documents::inventory::Package| {
            format!("{}:{}", it.name, it.version.as_deref().unwrap())
        };
        assert_eq!(read.packages.iter().map(label).collect::<Vec<_>>(), written, "{name}");
    }
}

#[test]
fn tests_and_tools_are_for_development_only() {
    let text = "\
a:main:1=runtimeClasspath,testRuntimeClasspath
a:test:1=integrationTestRuntimeClasspath,testCompileClasspath
a:tool:1=checkstyle
a:plugin:1=classpath
a:tested:1=testedApks
a:latest:1=latestClasspath
empty=annotationProcessor
";
    for path in ["gradle.lockfile", "buildscript-gradle.lockfile", "a/compileClasspath.lockfile"] {
        assert!(is_known(path), "{path}");
        let read = parse(path, text.replace('\n', "\r\n").as_bytes()).unwrap();
        let scopes: Vec<_> = read.packages.iter().map(|it| it.scope).collect();
        use Scope::{Dev, Required};
        assert_eq!(scopes, [Required, Dev, Dev, Dev, Required, Required]);
    }
    let read = parse("compileClasspath.lockfile", b"a:b:1\n").unwrap();
    assert_eq!((read.packages[0].scope, read.packages[0].groups.len()), (Scope::Required, 0));
}

#[test]
fn versions_of_several_configurations_are_packages_of_their_own() {
    let read = parse("gradle.lockfile", b"a:b:1=x\na:b:2=y\na:b:1=w\n").unwrap();
    let found: Vec<_> = read.packages.iter().map(|it| (it.purl.as_str(), it.line)).collect();
    assert_eq!(found, [("pkg:maven/a/b@1", Some(1)), ("pkg:maven/a/b@2", Some(2))]);
    assert_eq!(read.packages[0].groups, ["w", "x"]);
}

#[test]
fn broken_files_name_the_line() {
    for (text, line) in [
        ("# a comment\na:b=x\n", 2),
        ("a:b:1=x\n\na:b:1:c=x\n", 3),
        ("a:b:1=x y\n", 1),
        ("a::1=x\n", 1),
        ("a:b:=x\n", 1),
        ("a:b:1=x\n<<<<<<< HEAD\n", 2),
        ("a:b c:1=x\n", 1),
    ] {
        let error = parse("gradle.lockfile", text.as_bytes()).unwrap_err();
        assert_eq!(error.position.map(|it| it.line), Some(line), "{error}");
        assert!(error.to_string().contains("--write-locks"), "{error}");
    }
    for text in ["", "# nothing\n"] {
        let error = parse("gradle.lockfile", text.as_bytes()).unwrap_err();
        assert!(matches!(error.problem, Problem::MissingField { .. }), "{error}");
    }
    assert!(parse("gradle.lockfile", b"empty=\n").unwrap().packages.is_empty());
}
