//! The whole library over SBOMs of growing size, beside OPA: `cargo xtask bench policy`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a benchmark")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use events::VerdictResult;
use policy::{Bundle, DEFAULT_TIME_LIMIT};
use serde_json::{Map, Value, json};

/// As in the gate.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [usize; 3] = [200, 5_000, 50_000];
const LIMIT: Duration = Duration::from_secs(120);
const ROUNDS: usize = 7;

fn main() {
    if let Some(file) = std::env::args().skip_while(|it| it != "--peak").nth(1) {
        let text = fs::read_to_string(file).unwrap();
        drop(Bundle::shipped(LIMIT).unwrap().evaluate(&text));
        return println!("{}", peak().unwrap());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let place = root.join("target/bench-policy");
    fs::create_dir_all(&place).unwrap();
    let library = Bundle::shipped(LIMIT).unwrap();
    let nothing = idle(&place);
    println!(
        "| components | MB | reading ms | judging ms | together ms | peak MiB | per s, 1 thread | per s, 2 threads | OPA ms |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for size in SIZES {
        let text = input(size).to_string();
        let file = place.join(format!("{size}.json"));
        fs::write(&file, &text).unwrap();
        let report = library.evaluate(&text);
        assert_eq!(report.result, VerdictResult::Passed, "{}", report.text());
        let together = median(|| drop(library.evaluate(&text)));
        let reading = median(|| drop(nothing.evaluate(&text)));
        let opa = opa(&root, &file).map_or("-".to_owned(), |ms| format!("{ms:.0}"));
        println!(
            "| {size} | {:.1} | {reading:.1} | {:.1} | {together:.1} | {:.0} | {:.1} | {:.1} | {opa} |",
            text.len() as f64 / 1e6,
            together - reading,
            peak_of(&file),
            rate(1, &library, &text),
            rate(2, &library, &text),
        );
    }
}

/// A bundle that reads its input and asks nothing.
fn idle(place: &Path) -> Bundle {
    let directory = place.join("idle");
    fs::create_dir_all(&directory).unwrap();
    let rule = "package attestry.idle\n\ndeny contains finding if {\n\tfinding := input.never\n}\n";
    fs::write(directory.join("idle.rego"), rule).unwrap();
    Bundle::load(&directory, DEFAULT_TIME_LIMIT).unwrap()
}

/// Most memory that a process of its own needs to judge the file once, in MiB.
fn peak_of(file: &Path) -> f64 {
    let itself = std::env::current_exe().unwrap();
    let said = Command::new(itself).arg("--peak").arg(file).output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().parse::<f64>().unwrap() / 1024.0
}

/// What the system says of this process, in KiB.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Milliseconds.
fn median(run: impl Fn()) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

/// Judgements per second of so many threads together.
fn rate(threads: usize, library: &Bundle, text: &str) -> f64 {
    let begun = Instant::now();
    let until = Duration::from_millis(1500);
    let work = || {
        let mut done = 0_u32;
        while begun.elapsed() < until {
            drop(library.evaluate(text));
            done += 1;
        }
        done
    };
    let done: u32 = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|it| it.join().unwrap()).sum()
    });
    f64::from(done) / begun.elapsed().as_secs_f64()
}

/// What OPA needs for the same, if `cargo xtask interop policy` has fetched it.
fn opa(root: &Path, input: &Path) -> Option<f64> {
    let tools: PathBuf = root.join("target/interop/opa");
    let script = root.join("tests/interop/policy_time.py");
    let policy = root.join("policy");
    let said =
        Command::new("python3").arg(script).args([&tools, &policy]).arg(input).output().ok()?;
    String::from_utf8(said.stdout).ok()?.trim().parse().ok()
}

/// A build that passes, with an SBOM of so many components.
fn input(size: usize) -> Value {
    let artifact = "1f148121b804b2d30f7b87856b0840eba32af90607328a5756802771f8dbff57";
    let digest = format!("sha256:{artifact}");
    let component = |number: usize| {
        json!({
            "bom-ref": format!("pkg:pypi/package-{number}@1.{number}"), "type": "library",
            "name": format!("package-{number}"), "version": format!("1.{number}"),
            "purl": format!("pkg:pypi/package-{number}@1.{number}"), "scope": "required",
            "licenses": [{ "expression": "MIT" }],
            "hashes": [{ "alg": "SHA-256", "content": artifact }],
            "evidence": { "occurrences": [{ "location": "uv.lock", "line": number }] },
            "properties": [
                { "name": "attestry:dependency:relationship", "value": "transitive" },
                { "name": "attestry:package:source", "value": "registry" },
            ],
        })
    };
    let dependency = |number: usize| {
        let next: Vec<String> = (1..4)
            .map(|step| number * 3 + step)
            .filter(|it| *it < size)
            .map(|it| format!("pkg:pypi/package-{it}@1.{it}"))
            .collect();
        json!({ "ref": format!("pkg:pypi/package-{number}@1.{number}"), "dependsOn": next })
    };
    let signature = |kind: &str| json!({ "predicate_type": kind, "statement": digest, "verified": true, "development_key": false });
    json!({
        "schema": "attestry.policy-input/v1", "time": "2026-11-22T18:15:12Z", "environment": "pr", "project": "app",
        "build": {
            "project": "app", "kind": "pr", "run": "1", "builder": { "id": "https://ci.example/builder" },
            "source": { "repository": "https://git.example/app", "commit": "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
            "artifacts": [{ "name": "app.whl", "digest": digest, "size": 5 }], "inputs": [],
        },
        "sbom": {
            "bomFormat": "CycloneDX", "specVersion": "1.6",
            "metadata": { "component": { "bom-ref": "root", "type": "application", "name": "app", "version": "1",
                "hashes": [{ "alg": "SHA-256", "content": artifact }] } },
            "components": (0..size).map(component).collect::<Vec<_>>(),
            "dependencies": (0..size).map(dependency).collect::<Vec<_>>(),
        },
        "index": {
            "components": size, "sha256": { artifact: true }, "repeated": [],
            "packages": (0..size).map(|it| (format!("pkg:pypi/package-{it}"), json!([it]))).collect::<Map<_, _>>(),
            "licenses": { "MIT": { "components": (0..size).collect::<Vec<_>>(), "alternatives": [["MIT"]] } },
            "lacking": { "name": [], "version": [], "purl": [], "license": [], "sha256": [] },
        },
        "sbom_digest": digest, "sbom_comparison": null,
        "provenance": {
            "_type": "https://in-toto.io/Statement/v1", "predicateType": "https://slsa.dev/provenance/v1",
            "subject": [{ "name": "app.whl", "digest": { "sha256": artifact } }],
            "predicate": {
                "buildDefinition": { "buildType": "https://ci.example/type", "resolvedDependencies": [
                    { "uri": "git+https://git.example/app", "digest": { "gitCommit": "da39a3ee5e6b4b0d3255bfef95601890afd80709" } }] },
                "runDetails": { "builder": { "id": "https://ci.example/builder" } },
            },
        },
        "signatures": [
            signature("https://slsa.dev/provenance/v1"), signature("https://in-toto.io/attestation/reference/v0.1")],
        "findings": [], "finding_count": 0, "advisories": { "digest": digest, "records": 3 },
        "config": { "allow_development_key": false },
    })
}
