//! Signing and verifying beside what lies below them, in one run: `cargo xtask bench signing`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a benchmark")]

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use attestation::{
    Artifact, IdentityRule, Reference, SigningKey, Statement, Subject, SubjectRule, Trust,
    TrustRoot, TrustedKey, predicate::reference::Attester, verify_artifact, verify_bundle,
};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
        UnparsedPublicKey,
    },
};
use events::Digest;
use sigstore_verify::{
    VerificationPolicy, Verifier,
    trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot},
    types::{Bundle, Sha256Hash, pae},
};

const KEYLESS: &[u8] =
    include_bytes!("../fixtures/conformance/happy-path-intoto-in-dsse-v3/bundle.sigstore.json");
const FILE: &[u8] = include_bytes!("../fixtures/conformance/a.txt");
const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(150);

fn main() {
    println!("| operation | per second | of the floor |\n|---|---|---|");
    signing();
    verifying();
    large_file();
}

/// Operations per second of each, in turns, so that all meet the same machine: medians.
fn race<const N: usize>(mut runners: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut rates = [const { Vec::new() }; N];
    for _ in 0..ROUNDS {
        for (runner, rates) in runners.iter_mut().zip(&mut rates) {
            let (begun, mut done) = (Instant::now(), 0_u32);
            while begun.elapsed() < ROUND {
                runner();
                done += 1;
            }
            rates.push(f64::from(done) / begun.elapsed().as_secs_f64());
        }
    }
    rates.map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    })
}

fn row(what: &str, rate: f64, floor: f64) {
    println!("| {what} | {rate:.0} | {:.0} % |", 100.0 * rate / floor);
}

fn signing() {
    let attester = Attester { id: "https://acme.example/ci".to_owned() };
    let subject = Subject { name: Some("app".into()), uri: None, digest: Digest::of(b"app") };
    let claim = Reference { attester, references: vec![] };
    let statement = Statement::new(&[subject], &claim).unwrap();
    let key = SigningKey::generate().unwrap();
    let pem = pem::parse(key.to_pem()).unwrap();
    let raw = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pem.contents()).unwrap();
    let (random, kind) = (SystemRandom::new(), "application/vnd.in-toto+json");
    let message = pae(kind, statement.as_bytes());
    let bundle = key.sign_statement(&statement).unwrap();
    let mut trust = Trust::new();
    trust.add(TrustedKey::new("key", key.public_key().clone())).unwrap();
    let signature = raw.sign(&random, &message).unwrap();
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, raw.public_key().as_ref());

    let rates = race([
        &mut || {
            black_box(raw.sign(&random, &message).unwrap());
        },
        &mut || drop(black_box(key.sign_statement(&statement).unwrap())),
        &mut || public.verify(&message, signature.as_ref()).unwrap(),
        &mut || drop(black_box(verify_bundle(&bundle, &trust).unwrap())),
    ]);
    row("P-256 signature, aws-lc alone", rates[0], rates[0]);
    row("a small statement signed into a bundle", rates[1], rates[0]);
    row("P-256 signature verified, aws-lc alone", rates[2], rates[2]);
    row("a key's bundle of a small statement verified", rates[3], rates[2]);
}

fn verifying() {
    let root = TrustedRoot::from_json(SIGSTORE_PRODUCTION_TRUSTED_ROOT).unwrap();
    let verifier = Verifier::new(&root).unwrap();
    let digest = Digest::of(FILE);
    let policy = VerificationPolicy::any_identity();
    let (trust, artifact) = (trust(), Artifact::digests(Some(digest), None).unwrap());
    let hash = Sha256Hash::try_from(&digest.as_bytes()[..]).unwrap();
    let text = std::str::from_utf8(KEYLESS).unwrap();

    let rates = race([
        &mut || {
            let bundle = Bundle::from_json(text).unwrap();
            drop(black_box(verifier.verify(hash, &bundle, &policy).unwrap()));
        },
        &mut || drop(black_box(verify_artifact(KEYLESS, &artifact, &trust).unwrap())),
    ]);
    row("a keyless bundle by digest, sigstore-verify alone", rates[0], rates[0]);
    row("a keyless bundle by digest, with identity and statement", rates[1], rates[0]);
}

/// What a file of a megabyte costs beside its digest is one SHA-256 of it.
fn large_file() {
    let file = vec![b'x'; 1_130_000];
    let key = SigningKey::generate().unwrap();
    let bundle = key.sign_file(&file).unwrap();
    let mut trust = Trust::new();
    trust.add(TrustedKey::new("key", key.public_key().clone())).unwrap();
    let rates = race([
        &mut || {
            black_box(Digest::of(&file));
        },
        &mut || {
            let artifact = Artifact::digests(Some(Digest::of(&file)), None).unwrap();
            drop(black_box(verify_artifact(&bundle, &artifact, &trust).unwrap()));
        },
        &mut || drop(black_box(verify_artifact(&bundle, &Artifact::of(&file), &trust).unwrap())),
    ]);
    row("SHA-256 of 1.13 MB", rates[0], rates[0]);
    row("a key's bundle beside a file of 1.13 MB, by its digest", rates[1], rates[0]);
    row("the same, given the file", rates[2], rates[0]);
}

fn trust() -> Trust {
    let issuer = "https://token.actions.githubusercontent.com";
    let subject = SubjectRule::pattern(r"https://github\.com/sigstore-conformance/.*").unwrap();
    let mut trust = Trust::new();
    trust.add_identity(IdentityRule::new("beacon", issuer, subject).unwrap());
    trust.set_root(Arc::new(TrustRoot::public_good().unwrap()));
    trust
}
