//! A supplier's documents, and what known vulnerabilities make of them and of our own release.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use serde_json::json;

use super::{AREA, PUBLIC_KEY, pipeline::Pipeline, tell};

/// Real OSV records, a small part of what there is.
const ADVISORIES: &str = "shared/advisories/fixtures/osv";
/// What a supplier's product is made of: ripgrep's lockfile of 2018.
const SUPPLIERS_LOCK: &str = "shared/documents/fixtures/lockfiles/ripgrep-v1.Cargo.lock";
/// A vulnerability in that lockfile.
const SUPPLIERS_VULNERABILITY: &str = "CVE-2022-24713";
/// A vulnerability in Hotpass's lockfile, which Hotpass does not meet.
const OUR_VULNERABILITY: &str = "CVE-2017-14158";
/// How long the mapper may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Before the first build: what is known to be vulnerable.
pub(super) fn advised(pipeline: &Pipeline) -> anyhow::Result<()> {
    tell("What is known to be vulnerable: OSV records become one index, for gate and backlog");
    pipeline.attestry(
        0,
        &format!("advisories sync --from {ADVISORIES} --advisories {AREA}/data/advisories"),
    )
}

pub(super) fn dropped(pipeline: &Pipeline) -> anyhow::Result<()> {
    let area = Path::new(AREA).join("supplier");
    fs::create_dir_all(&area).with_context(|| format!("cannot write {}", area.display()))?;
    tell("A supplier gets a passport: a key that signs for it, and the product it may speak for");
    openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out acme.pem", &area)?;
    openssl("pkey -in acme.pem -pubout -out acme.pub", &area)?;
    let (at, passports) = (area.display(), format!("--passports {AREA}/data/passports"));
    pipeline.attestry(
        0,
        &format!("supplier add acme --name Acme --key {at}/acme.pub --product ripgrep {passports}"),
    )?;

    tell("It drops a signed SBOM, and gets a signed receipt: accepted");
    let sbom = area.join("ripgrep.cdx.json");
    let shown = sbom.display();
    pipeline
        .attestry(0, &format!("sbom generate {SUPPLIERS_LOCK} --project ripgrep -o {shown}"))?;
    pipeline.attestry(0, &format!("supplier sign {shown} --key {at}/acme.pem"))?;
    let submit = |supplier: &str, file: &str| {
        let bundle = format!("--bundle {shown}.sigstore.json");
        format!(
            "supplier submit --supplier {supplier} {file} {bundle} --wait=1m --key {PUBLIC_KEY}"
        )
    };
    pipeline.attestry(0, &submit("acme", &shown.to_string()))?;

    tell("The same with one version changed after signing: rejected (exit code 1), and why");
    let tampered = tampered(&sbom, &area)?;
    pipeline.attestry(1, &submit("acme", &tampered.display().to_string()))?;

    tell("From a supplier that nobody knows: rejected");
    pipeline.attestry(1, &submit("unheard-of", &shown.to_string()))
}

/// The document, changed as if by somebody on the way.
fn tampered(sbom: &Path, area: &Path) -> anyhow::Result<PathBuf> {
    let text = fs::read_to_string(sbom)?;
    let changed = text.replace("1.0.2", "1.5.5");
    ensure!(changed != text, "nothing to change in {}", sbom.display());
    let path = area.join("tampered.cdx.json");
    fs::write(&path, changed)?;
    Ok(path)
}

pub(super) fn mapped(pipeline: &Pipeline) -> anyhow::Result<()> {
    tell(
        "What that means: one backlog entry per fix, with owner and due date, and a risk register",
    );
    for vulnerability in [SUPPLIERS_VULNERABILITY, OUR_VULNERABILITY] {
        until_open(pipeline, vulnerability)?;
    }
    pipeline.attestry(0, "backlog list")?;
    pipeline.attestry(0, "risk list")?;
    pipeline.attestry(0, &format!("search {SUPPLIERS_VULNERABILITY}"))?;

    tell("Hotpass never runs that code, and says so: a VEX statement closes the entry");
    let vex = Path::new(AREA).join("hotpass.openvex.json");
    fs::write(&vex, not_affected().to_string())?;
    let add = format!("vex add {} --project hotpass --key {PUBLIC_KEY}", vex.display());
    pipeline.attestry(0, &add)?;
    pipeline.attestry(0, "backlog export --format markdown")?;
    pipeline.attestry(0, "risk export --format markdown")
}

fn not_affected() -> serde_json::Value {
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.com/vex/hotpass-1",
        "author": "Hotpass",
        "timestamp": "2026-11-22T09:00:00Z",
        "version": 1,
        "statements": [{
            "vulnerability": { "name": OUR_VULNERABILITY },
            "products": [{
                "@id": "pkg:pypi/hotpass",
                "subcomponents": [{ "@id": "pkg:pypi/scrapy" }],
            }],
            "status": "not_affected",
            "justification": "vulnerable_code_not_in_execute_path",
            "impact_statement": "Hotpass crawls no site that it was not told to crawl",
        }],
    })
}

/// The mapper works behind the verdict: nobody who ships waits for it.
fn until_open(pipeline: &Pipeline, vulnerability: &str) -> anyhow::Result<()> {
    let began = Instant::now();
    while !pipeline.output("backlog export --format json")?.contains(vulnerability) {
        ensure!(began.elapsed() < LIMIT, "{vulnerability} is not in the backlog after {LIMIT:?}");
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

fn openssl(arguments: &str, directory: &Path) -> anyhow::Result<()> {
    println!("\n$ (cd {} && openssl {arguments})", directory.display());
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(directory)
        .output()
        .context("cannot run openssl")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "openssl failed: {said}");
    Ok(())
}
