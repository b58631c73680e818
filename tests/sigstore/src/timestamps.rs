//! A timestamp authority (RFC 3161), for which openssl answers.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tokio::process::Command;

use crate::{
    authority::{Authority, pem_of},
    keys::unb64,
};

/// `ts_config` of openssl; without `certs`, which would put the chain into each answer.
const CONFIG: &str = "
[tsa]
default_tsa = this
[this]
dir = .
serial = serial
signer_digest = sha256
default_policy = 1.3.6.1.4.1.57264.2
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = yes
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
";

pub(crate) struct Timestamps {
    /// Where its key lies.
    dir: tempfile::TempDir,
    /// Its certificate, DER.
    pub(crate) certificate: Vec<u8>,
    /// What issued it.
    pub(crate) authority: Authority,
    requests: Mutex<u64>,
}

impl Timestamps {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let authority = Authority::new("timestamp authority")?;
        let (certificate, key) = authority.timestamp_signer()?;
        let dir = tempfile::tempdir()?;
        fs::write(dir.path().join("tsa.key"), key)?;
        fs::write(dir.path().join("tsa.crt"), pem_of(&certificate))?;
        Ok(Self { dir, certificate, authority, requests: Mutex::default() })
    }

    /// The answer, DER, to a query, DER or as Sigstore's own authority takes it in JSON.
    pub(crate) async fn answer(&self, query: &[u8]) -> anyhow::Result<Vec<u8>> {
        let dir = self.request_dir()?;
        fs::write(dir.join("config"), CONFIG)?;
        match serde_json::from_slice(query) {
            Ok(query) => write_query(&dir, &query).await?,
            Err(_) => fs::write(dir.join("query"), query)?,
        }
        let output = Command::new("openssl")
            .args(["ts", "-reply", "-config", "config", "-queryfile", "query", "-out", "answer"])
            .args(["-signer", "../tsa.crt", "-inkey", "../tsa.key"])
            .current_dir(&dir)
            .output()
            .await
            .context("openssl is not there")?;
        ensure!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
        let answer = fs::read(dir.join("answer"))?;
        fs::remove_dir_all(dir)?;
        Ok(answer)
    }

    /// A folder for one request: openssl numbers its answers in a file.
    fn request_dir(&self) -> anyhow::Result<PathBuf> {
        let mut requests =
            self.requests.lock().map_err(|_| anyhow::anyhow!("a request was broken off"))?;
        *requests += 1;
        let dir = self.dir.path().join(requests.to_string());
        fs::create_dir(&dir)?;
        fs::write(dir.join("serial"), format!("{:016X}\n", *requests))?;
        Ok(dir)
    }
}

/// The query that JSON asks for: `artifactHash`, in base64, of `hashAlgorithm`.
async fn write_query(dir: &Path, query: &Value) -> anyhow::Result<()> {
    let hash = unb64(query["artifactHash"].as_str().context("no artifactHash")?)?;
    let algorithm = query["hashAlgorithm"].as_str().unwrap_or("sha256").to_lowercase();
    ensure!(["sha256", "sha384", "sha512"].contains(&&*algorithm), "no hashAlgorithm of ours");
    let output = Command::new("openssl")
        .args(["ts", "-query", "-no_nonce", "-cert", "-out", "query", "-digest"])
        .args([hex::encode(hash), format!("-{algorithm}")])
        .current_dir(dir)
        .output()
        .await?;
    ensure!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
