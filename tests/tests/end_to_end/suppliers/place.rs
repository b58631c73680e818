//! Where suppliers and we meet: a broker, an archive, passports, keys, and the services in between.

use std::fs;

use archive::Archive;
use attestation::{
    PublicKey, Receipt, SigningKey, Statement, Trust, TrustedKey, VerifyError, verify_bundle,
};
use bus::{Bus, DoorLimits};
use bytes::Bytes;
use e2e_tests::{Broker, Workers, eventually, quarantined, seconds};
use events::{
    CHUNK_BYTES, Digest, DocumentSubmitted, Envelope, Input, Label, Manifest, Sender, SubmissionId,
    SupplierId,
};
use serde_json::{Value, json};
use signer::{Signer, SigningIdentity};
use supplier_ingest::{
    IngestArgs, Passport, ReceiptDelivery, Settings, SupplierIngest,
    passport::{Key, Mode},
    stand_at_doors,
};
use tempfile::TempDir;
use uuid::Uuid;

/// Everything of one test; gone when the test is.
pub(super) struct Place {
    pub(super) broker: Broker,
    pub(super) bus: Bus,
    pub(super) archive: Archive,
    pub(super) workers: Workers,
    pub(super) directory: TempDir,
    /// Signs what suppliers send; every passport has it.
    suppliers_key: SigningKey,
    our_key: SigningKey,
}

/// A signed receipt.
pub(super) struct Answer {
    pub(super) bundle: Vec<u8>,
    /// What the signature covers.
    pub(super) statement: Statement,
    pub(super) receipt: Receipt,
}

impl Place {
    /// A place where nobody works yet, with a passport of each of `suppliers`.
    pub(super) async fn start(suppliers: &[&str]) -> Self {
        Self::start_on(Broker::start().await, suppliers).await
    }

    /// As [`Place::start`], on a broker with settings of its own.
    pub(super) async fn start_on(broker: Broker, suppliers: &[&str]) -> Self {
        let bus = broker.bus().await;
        let directory = tempfile::tempdir().unwrap();
        let archive = Archive::open(directory.path().join("archive").to_str().unwrap()).unwrap();
        let place = Self {
            broker,
            bus,
            archive,
            workers: Workers::default(),
            directory,
            suppliers_key: SigningKey::generate().unwrap(),
            our_key: SigningKey::generate().unwrap(),
        };
        fs::create_dir(place.directory.path().join("passports")).unwrap();
        for supplier in suppliers {
            place.give_passport(supplier, place.suppliers_key.public_key());
            place.bus.open_door(&id(supplier), &DoorLimits::default()).await.unwrap();
        }
        place
    }

    /// A place where everybody works, with `replicas` of supplier-ingest.
    pub(super) async fn busy(suppliers: &[&str], replicas: usize) -> Self {
        Self::start(suppliers).await.at_work(replicas).await
    }

    /// This place, once everybody works.
    pub(super) async fn at_work(self, replicas: usize) -> Self {
        let mut place = self;
        for _ in 0..replicas {
            place.stand_at_doors().await;
            place.run_ingest().await;
        }
        place
    }

    /// Writes the passport of `supplier`, who signs with `key`; one that is there is replaced.
    pub(super) fn give_passport(&self, supplier: &str, key: &PublicKey) {
        self.write_passport(supplier, key, Mode::Enforce);
    }

    /// Writes a passport of `supplier` by which the policy only warns.
    pub(super) fn trust(&self, supplier: &str) {
        self.write_passport(supplier, self.suppliers_key.public_key(), Mode::Warn);
    }

    /// Adds `limits` to the passport of `supplier`, which has none yet.
    pub(super) fn limit(&self, supplier: &str, limits: &str) {
        let file = self.directory.path().join(format!("passports/{supplier}.toml"));
        let text = fs::read_to_string(&file).unwrap();
        fs::write(file, format!("{text}\n[limits]\n{limits}\n")).unwrap();
    }

    fn write_passport(&self, supplier: &str, key: &PublicKey, mode: Mode) {
        let label = Label::of("release");
        let (key, not_before, not_after) = (key.clone(), None, None);
        let key = Key { label, key, development: false, not_before, not_after };
        let name = format!("{supplier} Ltd, {}", key.key.hint());
        let passport = Passport::new(id(supplier), Label::of(&name), vec![key]);
        // The documents of the tests have a date of their own.
        let passport = Passport { max_age_days: 36_500, mode, tolerates: vec![], ..passport };
        let file = self.directory.path().join(format!("passports/{supplier}.toml"));
        fs::write(file, passport.to_toml()).unwrap();
    }

    pub(super) fn ingest(&self) -> SupplierIngest {
        SupplierIngest::new(self.archive.clone(), self.settings())
    }

    /// Starts a worker that decides, and whoever brings its decisions to the suppliers.
    pub(super) async fn run_ingest(&mut self) {
        let (ingest, delivery) = (self.ingest(), ReceiptDelivery::new(self.archive.clone()));
        let key = SigningKey::from_pem(&self.our_key.to_pem()).unwrap();
        let signer = Signer::new(self.archive.clone(), SigningIdentity::of_key(key), 1);
        self.workers.run(&self.broker, ingest).await;
        self.workers.run(&self.broker, signer).await;
        self.workers.run(&self.broker, delivery).await;
    }

    pub(super) async fn stand_at_doors(&mut self) {
        let (bus, passports) = (self.broker.bus().await, self.settings().passports);
        self.workers.spawn(async move { stand_at_doors(&bus, &passports).await });
    }

    fn settings(&self) -> Settings {
        let passports = self.directory.path().join("passports");
        let args = IngestArgs {
            passports,
            trusted_root: None,
            policy: None,
            policy_timeout: 60,
            advisories: None,
            policy_memory: 2048,
        };
        args.load().unwrap()
    }

    /// Uploads `bytes` as `supplier` would.
    pub(super) async fn upload(&self, supplier: &str, path: &str, bytes: &Bytes) -> Input {
        let digest = Digest::of(bytes);
        let chunks = self.bus.drop_document(&id(supplier), digest, bytes).await.unwrap();
        Input { path: path.parse().unwrap(), digest, size: bytes.len() as u64, chunks }
    }

    /// Signs and uploads `document`, and returns the manifest that makes it a submission.
    pub(super) async fn uploaded(&self, supplier: &str, document: &Bytes) -> Manifest {
        let bundle = self.suppliers_key.sign_file(document).unwrap().into();
        Manifest {
            document: self.upload(supplier, "document.json", document).await,
            bundle: Some(self.upload(supplier, "document.json.sigstore.json", &bundle).await),
        }
    }

    /// Signs `document`: the manifest that makes it a submission, and what has to be uploaded before.
    pub(super) fn signed(&self, document: &Bytes) -> (Manifest, Vec<(Input, Bytes)>) {
        let bundle: Bytes = self.suppliers_key.sign_file(document).unwrap().into();
        let input = |path: &str, bytes: &Bytes| Input {
            path: path.parse().unwrap(),
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
            chunks: bytes.len().div_ceil(CHUNK_BYTES).try_into().unwrap(),
        };
        let manifest = Manifest {
            document: input("document.json", document),
            bundle: Some(input("document.json.sigstore.json", &bundle)),
        };
        let parts = vec![
            (manifest.document.clone(), document.clone()),
            (input("document.json.sigstore.json", &bundle), bundle),
        ];
        (manifest, parts)
    }

    /// Signs, uploads and submits `document`.
    pub(super) async fn submit(&self, supplier: &str, submission: &str, document: &Bytes) {
        let manifest = self.uploaded(supplier, document).await;
        self.bus.drop_manifest(&id(supplier), &named(submission), &manifest).await.unwrap();
    }

    /// Drops a manifest of these bytes, as a supplier without our command does.
    pub(super) async fn drop_raw(&self, supplier: &str, submission: &str, bytes: impl Into<Bytes>) {
        self.broker.inject(&format!("ingest.{supplier}.manifest.{submission}"), bytes).await;
    }

    /// The signed receipt of a submission, once it is there.
    pub(super) async fn answer(&self, supplier: &str, submission: &str) -> Answer {
        let (supplier, submission) = (id(supplier), named(submission));
        let mut found = None;
        let what = format!("{supplier}/{submission} has its receipt");
        eventually(seconds(60), &what, async || {
            // A broker that was busy is asked again.
            found = self.bus.receipt(&supplier, &submission).await.ok().flatten();
            found.is_some()
        })
        .await;
        let bundle = found.unwrap().payload;
        let statement = self.verified(&bundle, self.our_key.public_key()).unwrap();
        let receipt: Receipt = statement.predicate().unwrap();
        assert_eq!(receipt.decision.from, Sender::Supplier(supplier));
        Answer { bundle, statement, receipt }
    }

    /// The statement in `bundle`, if `key` signed it.
    pub(super) fn verified(
        &self,
        bundle: &[u8],
        key: &PublicKey,
    ) -> Result<Statement, VerifyError> {
        let mut keys = Trust::new();
        let label = "ours".to_owned();
        keys.add(TrustedKey::new(label, key.clone())).unwrap();
        verify_bundle(bundle, &keys).map(|it| it.statement)
    }

    /// The event of a submission, once a manifest was let in.
    pub(super) async fn let_in(
        &self,
        supplier: &str,
        submission: &str,
    ) -> Envelope<DocumentSubmitted> {
        let (scope, event) = (supplier.parse().unwrap(), self::submission(supplier, submission));
        let waited = self.bus.wait_for::<DocumentSubmitted>(&scope, None, event);
        let found = tokio::time::timeout(seconds(30), waited).await.expect("within 30 s");
        found.unwrap().expect("not quarantined")
    }

    pub(super) async fn assert_nothing_in_quarantine(&self) {
        let entries = quarantined(&self.bus).await;
        assert!(entries.is_empty(), "{entries:?}");
    }
}

pub(super) fn id(supplier: &str) -> SupplierId {
    supplier.parse().unwrap()
}

pub(super) fn named(submission: &str) -> SubmissionId {
    submission.parse().unwrap()
}

/// The id of a submission's event.
pub(super) fn submission(supplier: &str, submission: &str) -> Uuid {
    DocumentSubmitted::id_of(&Sender::Supplier(id(supplier)), &named(submission))
}

/// An SBOM of `product` in `version` that nothing speaks against, with one component from PyPI.
pub(super) fn sbom(product: &str, version: &str, component: &str) -> Bytes {
    let (name, component_version) = component.split_once('@').unwrap();
    let purl = format!("pkg:pypi/{component}");
    let root = format!("pkg:pypi/{product}@{version}");
    let text = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": "2026-01-01T00:00:00Z",
            "component": {
                "type": "application", "bom-ref": root, "name": product, "version": version,
                "purl": root
            }
        },
        "components": [{
            "type": "library", "bom-ref": purl, "name": name, "version": component_version,
            "purl": purl
        }],
        "dependencies": [{ "ref": root, "dependsOn": [purl] }, { "ref": purl }]
    });
    bytes(&text)
}

pub(super) fn bytes(json: &Value) -> Bytes {
    serde_json::to_vec(json).unwrap().into()
}
