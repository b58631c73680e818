//! `cargo xtask demo`: a real build goes in, a signed verdict comes out; a supplier's document goes in, a ticket and a risk come
//! out; and what happens when something is wrong.

#![allow(clippy::print_stdout, reason = "the demo tells a story")]

mod pipeline;
mod suppliers;
mod wheel;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};
use serde_json::Value;

use self::pipeline::Pipeline;
use crate::steps::Steps;

/// Emptied at every start.
pub(crate) const AREA: &str = "target/demo";
/// Where evidence is written, as a release job would publish it.
pub(crate) const DIST: &str = "dist";
/// The public key that every bundle of the demo is signed with.
pub(crate) const PUBLIC_KEY: &str = "target/demo/data/keys/signer.pub";
const HOTPASS_LOCK: &str = "shared/documents/fixtures/lockfiles/hotpass.uv.lock";

/// What comes out of a build, and what it is.
const EVIDENCE: [(&str, &str); 8] = [
    ("sbom/hotpass-sbom.json", "SBOM: CycloneDX 1.6 with package URLs, hashes, graph"),
    ("provenance/provenance.json", "in-toto Statement v1 with SLSA provenance v1"),
    ("checksums.txt", "SHA-256 of artefacts, SBOM and provenance"),
    ("bundles/provenance.sigstore.json", "Sigstore bundle v0.3 that signs the provenance"),
    ("bundles/sbom.sigstore.json", "Sigstore bundle that signs a reference to the SBOM"),
    ("bundles/verdict.sigstore.json", "Sigstore bundle that signs the verdict, a SLSA VSA"),
    ("verdict/report.json", "what policy found, rule by rule"),
    ("build.json", "the build as it was announced"),
];

/// A lockfile with a package that once was malware: policy names it.
const BANNED_LOCK: &str = r#"version = 1
revision = 3
requires-python = ">=3.12"

[[package]]
name = "colourama"
version = "0.1.6"
source = { registry = "https://pypi.org/simple" }
sdist = { url = "https://files.pythonhosted.org/packages/colourama-0.1.6.tar.gz", hash = "sha256:0000000000000000000000000000000000000000000000000000000000000001", size = 1 }

[[package]]
name = "typosquatted"
version = "1.0.0"
source = { virtual = "." }
dependencies = [
    { name = "colourama" },
]
"#;

/// A lockfile whose write was interrupted.
const BROKEN_LOCK: &str = "version = 1\nrevision = 3\n\n[[package]]\nname = \"half\nversion = ";

pub(crate) fn run(steps: &mut Steps) -> anyhow::Result<()> {
    steps.cargo("build --package attestry")?;
    let area = Path::new(AREA);
    if area.exists() {
        fs::remove_dir_all(area).with_context(|| format!("cannot empty {AREA}"))?;
    }
    let mut pipeline = Pipeline::start(&attestry()?, &area.join("data"))?;
    suppliers::advised(&pipeline)?;
    accepted(&pipeline)?;
    verified(&pipeline)?;
    explained(&pipeline)?;
    suppliers::dropped(&pipeline)?;
    suppliers::mapped(&pipeline)?;
    refused(&pipeline)?;
    unreadable(&pipeline)?;
    rebuilt(&mut pipeline)?;
    println!("\nWhere to look next:");
    println!("  {DIST}/               the evidence of the build that passed");
    println!("  {AREA}/        what went in; in data/ the archive, the streams and the key");
    println!("  {AREA}/data/registers/   backlog and risk register, as JSON, CSV and Markdown");
    println!("  README.md           what Attestry is, and how to submit a build of yours");
    println!("  policy/README.md    the rules that judged, and how to write one");
    println!("  docs/               decisions, and the schemas of the events");
    Ok(())
}

/// The program that was just built lies beside this one.
fn attestry() -> anyhow::Result<PathBuf> {
    let program = env::current_exe()?.with_file_name("attestry");
    let here = env::current_dir()?;
    Ok(program.strip_prefix(here).map(Path::to_owned).unwrap_or(program))
}

fn accepted(pipeline: &Pipeline) -> anyhow::Result<()> {
    tell("A release of Hotpass: its real lockfile, and a wheel that stands in for its own");
    let lock =
        fs::read_to_string(HOTPASS_LOCK).with_context(|| format!("cannot read {HOTPASS_LOCK}"))?;
    let source = source("hotpass", &lock)?;
    let wheel = wheel::write(Path::new(DIST), "hotpass", "0.1.0")?;
    pipeline.attestry(0, &submit(&source, &wheel, &format!(" --out {DIST}")))?;

    tell("What came out");
    for (name, meaning) in EVIDENCE {
        let path = Path::new(DIST).join(name);
        let size = fs::metadata(&path).with_context(|| path.display().to_string())?.len();
        println!("  {size:>7} bytes  {:38}  {meaning}", path.display());
    }
    let sbom = read_json("sbom/hotpass-sbom.json")?;
    let components = sbom["components"].as_array().map_or(0, Vec::len);
    ensure!(components > 0, "the SBOM names no component");
    let report = read_json("verdict/report.json")?;
    let verdict = report["result"].as_str().unwrap_or("missing");
    ensure!(verdict == "PASSED", "the verdict is {verdict}");
    println!("The SBOM names {components} components; the verdict is {verdict}.");
    Ok(())
}

fn verified(pipeline: &Pipeline) -> anyhow::Result<()> {
    tell("Does it hold? Offline, with nothing but the public key");
    let bundles = format!("{DIST}/bundles");
    for (file, bundle) in [
        ("hotpass-0.1.0-py3-none-any.whl", "provenance"),
        ("hotpass-0.1.0-py3-none-any.whl", "verdict"),
        ("sbom/hotpass-sbom.json", "sbom"),
    ] {
        let bundle = format!("{bundles}/{bundle}.sigstore.json");
        let verify = format!("verify {DIST}/{file} --bundle {bundle} --key {PUBLIC_KEY}");
        pipeline.attestry(0, &verify)?;
    }
    pipeline.attestry(0, &format!("sbom validate {DIST}/sbom/hotpass-sbom.json"))?;
    println!("\n$ (cd {DIST} && sha256sum --check checksums.txt)");
    let mut sums = Command::new("sha256sum");
    let status = sums.args(["--check", "checksums.txt"]).current_dir(DIST).status();
    ensure!(status.context("cannot run sha256sum")?.success(), "the checksums do not hold");
    Ok(())
}

fn explained(pipeline: &Pipeline) -> anyhow::Result<()> {
    tell("Where does this wheel come from? Its story, from the event to the verdict");
    pipeline.attestry(0, &format!("explain {DIST}/hotpass-0.1.0-py3-none-any.whl"))
}

fn rebuilt(pipeline: &mut Pipeline) -> anyhow::Result<()> {
    tell("The pipeline stops; the archive alone makes the same registry again");
    let place = format!(
        "--registry {AREA}/data/registry/registry.db --archive {AREA}/data/artifacts/supply-chain"
    );
    pipeline.stop()?;
    pipeline.attestry(0, &format!("registry check {place}"))?;
    pipeline.attestry(0, &format!("registry rebuild {place}"))
}

fn refused(pipeline: &Pipeline) -> anyhow::Result<()> {
    tell("A build with a banned component: policy says no (exit code 1), and why");
    let source = source("typosquatted", BANNED_LOCK)?;
    let wheel = wheel::write(&source.join("dist"), "typosquatted", "1.0.0")?;
    pipeline.attestry(1, &submit(&source, &wheel, ""))
}

fn unreadable(pipeline: &Pipeline) -> anyhow::Result<()> {
    tell("A build with a broken lockfile: nothing to judge (exit code 2), and nothing lost");
    let source = source("interrupted", BROKEN_LOCK)?;
    let wheel = wheel::write(&source.join("dist"), "interrupted", "1.0.0")?;
    pipeline.attestry(2, &submit(&source, &wheel, ""))?;
    pipeline.attestry(0, "quarantine list")?;

    tell("The doctor says what is wrong and how to mend it");
    pipeline.attestry(1, "doctor")?;
    pipeline.attestry(0, "quarantine drop --reason lockfile-unreadable")?;
    pipeline.attestry(0, "doctor")
}

/// A source directory with nothing in it but what the pipeline looks at.
fn source(name: &str, lock: &str) -> anyhow::Result<PathBuf> {
    let source = Path::new(AREA).join(name);
    let manifest = format!("[project]\nname = \"{name}\"\nversion = \"0.1.0\"\n");
    fs::create_dir_all(&source)
        .and_then(|()| fs::write(source.join("pyproject.toml"), manifest))
        .and_then(|()| fs::write(source.join("uv.lock"), lock))
        .with_context(|| format!("cannot write below {}", source.display()))?;
    Ok(source)
}

fn submit(source: &Path, wheel: &Path, more: &str) -> String {
    let (source, wheel) = (source.display(), wheel.display());
    format!(
        "build submit --source {source} --artifact {wheel} --kind release --wait=2m --key {PUBLIC_KEY}{more}"
    )
}

fn read_json(name: &str) -> anyhow::Result<Value> {
    let path = Path::new(DIST).join(name);
    let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
    serde_json::from_slice(&bytes).with_context(|| path.display().to_string())
}

fn tell(what: &str) {
    println!("\n== {what}");
}
