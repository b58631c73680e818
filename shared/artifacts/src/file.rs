//! One artifact: a wheel, jar, crate, program or image, known by its bytes.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use documents::inventory::ArtifactContents;
use events::{Digest, Digester};
use rustix::fs::OFlags;

use crate::{
    Limits, binary,
    budget::Budget,
    contents::{Contents, Outcome, Scan},
    finish, image,
    packed::{self, Packing},
    tar, zip,
};

/// What the artifact at `path` is made of; none where it is of no kind that tells.
///
/// Nothing of it is run, and nothing is unpacked to the disk under a name from it. Archives in it
/// are looked into as well. What cannot be read, or is more than `limits` admit, is told as missing.
/// A directory is read if it is an OCI image layout.
///
/// # Errors
/// The artifact cannot be read at all, or is neither a regular file nor a directory.
pub fn scan_file(path: &Path, limits: &Limits) -> io::Result<Option<ArtifactContents>> {
    let name = path.file_name().map_or_else(|| ".".into(), |name| name.to_string_lossy());
    let name = name.replace(char::is_control, "\u{fffd}");
    let budget = Budget::new(limits);
    let scan = Scan { limits, budget: &budget, depth: 0 };
    let read = match path.is_dir() {
        true => image::layout(path, &name, scan)?,
        false => {
            let mut file = open(path)?;
            let digest = digest(&mut file)?;
            outcome(&mut file, &name, scan)?.map(|outcome| (digest, outcome))
        }
    };
    Ok(read.map(|(digest, mut outcome)| {
        outcome.inventories.sort_by(|a, b| a.path.cmp(&b.path));
        outcome.missing.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
        finish::mark_root(&mut outcome.inventories, &name);
        ArtifactContents::new(name, digest, outcome.inventories, outcome.missing)
    }))
}

fn outcome(file: &mut File, name: &str, scan: Scan<'_>) -> io::Result<Option<Outcome>> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    (&mut *file).take(512).read_to_end(&mut head)?;
    if binary::is_binary(&head) {
        file.seek(SeekFrom::Start(0))?;
        return Ok(Some(match scan.budget.hold(file, scan.limits.held_bytes) {
            Ok(bytes) => binary::read(name, &bytes, scan),
            Err(error) => Outcome::missing(name, error),
        }));
    }
    if tar::is_tar(&head) || Packing::of(&head).is_some() {
        return archive(file, name, scan).map(Some);
    }
    Ok(zip::is_zip(file).then(|| Contents::of_zip(name, scan, file)))
}

/// What an image in a tar archive holds, or else any tar archive, compressed or not.
fn archive(file: &mut File, name: &str, scan: Scan<'_>) -> io::Result<Outcome> {
    file.seek(SeekFrom::Start(0))?;
    let budget = Budget::new(scan.limits);
    let first = Scan { budget: &budget, ..scan };
    let is_image = packed::unpacked(Box::new(&mut *file), first)
        .and_then(|mut archive| image::is_image(&mut *archive, &budget));
    file.seek(SeekFrom::Start(0))?;
    // What is broken is told by the second reading, with all that could be read before.
    let outcome = match is_image {
        Ok(true) => image::archive(file, name, scan),
        Ok(false) | Err(_) => scan.stream(name, file),
    };
    Ok(outcome.unwrap_or_else(|error| Outcome::missing(name, error)))
}

/// Opens a regular file, or a link to one, without waiting for whoever may write to it.
fn open(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("is not a regular file")),
    }
}

fn digest(file: &mut File) -> io::Result<Digest> {
    let mut digester = Digester::default();
    let mut piece = vec![0; 256 * 1024];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(digester.finish()),
            Ok(read) => digester.update(&piece[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
