//! A disk that can really be full: a small file system in a mount namespace of its own, without root.

use std::{
    fs::{self, File, Permissions},
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use broker::{Binary, Options};
use tempfile::TempDir;

const MOUNT: &str =
    "mount -t tmpfs -o size=16m tmpfs \"$1\" && echo mounted && exec cat > /dev/null";

/// A disk of 16 MiB; it is gone when this is, and lives as long whoever else comes and goes.
pub struct SmallDisk {
    /// Keeps the namespace.
    keeper: Child,
    dir: TempDir,
}

impl SmallDisk {
    /// Mounts one, or says why this machine does not let us.
    pub fn mount() -> Result<Self, String> {
        let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
        fs::create_dir(Self::mounted_at(dir.path())).map_err(|error| error.to_string())?;
        let keeper = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh"])
            .arg(Self::mounted_at(dir.path()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("unshare: {error}"))?;
        let mut disk = Self { keeper, dir };
        let mut said = String::new();
        if let Some(stdout) = disk.keeper.stdout.take() {
            BufReader::new(stdout).read_line(&mut said).map_err(|error| error.to_string())?;
        }
        if said == "mounted\n" {
            return Ok(disk);
        }
        let mut why = String::new();
        if let Some(mut stderr) = disk.keeper.stderr.take() {
            stderr.read_to_string(&mut why).map_err(|error| error.to_string())?;
        }
        Err(why)
    }

    /// Lets a broker keep its streams here, with no limit of its own before the disk's.
    pub fn carries(&self, binary: &mut Binary, options: &mut Options) {
        let enter = self.dir.path().join("nats-server");
        let keeper = self.keeper.id();
        let program = binary.path.display();
        let script = format!(
            "#!/bin/sh\nexec nsenter --user --mount --preserve-credentials --target {keeper} '{program}' \"$@\"\n"
        );
        fs::write(&enter, script).expect("the script is written");
        fs::set_permissions(&enter, Permissions::from_mode(0o755)).expect("and may be run");
        binary.path = enter;
        options.store_dir = self.dir.path().to_owned();
        options.max_store = Some(8 << 30);
    }

    /// Leaves no byte free.
    pub fn fill(&self) {
        let mut ballast = File::create(self.ballast()).expect("the disk can be reached");
        let mut size = 1 << 20;
        while size > 0 {
            match ballast.write(&vec![0; size]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => size /= 2,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Frees what [`SmallDisk::fill`] took.
    pub fn free(&self) -> io::Result<()> {
        fs::remove_file(self.ballast())
    }

    /// Where nats-server keeps its streams, below the directory that it is given.
    fn mounted_at(dir: &Path) -> PathBuf {
        dir.join("jetstream")
    }

    /// A file on the disk, seen from outside its namespace.
    fn ballast(&self) -> PathBuf {
        let inside = Self::mounted_at(self.dir.path()).join("ballast");
        let root = PathBuf::from(format!("/proc/{}/root", self.keeper.id()));
        root.join(inside.strip_prefix("/").expect("an absolute path"))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Both fail only for a process that has ended already.
        self.keeper.kill().ok();
        self.keeper.wait().ok();
    }
}
