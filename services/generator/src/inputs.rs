//! What the uploads of a build say: packages, and what could not be read.

use std::collections::HashSet;

use bytes::Bytes;
use documents::{
    inventory::{ArtifactContents, Inventory, Missing},
    lockfile::{self, File},
};
use events::BuildCompleted;
use worker::HandleError;

/// A document that was uploaded with a build.
pub(crate) struct Upload {
    pub(crate) path: String,
    pub(crate) bytes: Bytes,
    /// Whether the archive has it already.
    pub(crate) archived: bool,
}

/// What the inputs of a build say.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub(crate) inventories: Vec<Inventory>,
    pub(crate) missing: Vec<Missing>,
}

impl Inputs {
    /// Reads all that can be read of `uploads`, which are the inputs of `build`. The rest is told as
    /// missing; policy says what that means.
    ///
    /// # Errors
    /// There are lockfiles and none can be read: then an SBOM would say nothing.
    pub(crate) fn read(build: &BuildCompleted, uploads: &[Upload]) -> Result<Self, HandleError> {
        let (contents, files): (Vec<_>, Vec<_>) =
            uploads.iter().partition(|it| is_contents(&it.path));
        let files: Vec<File<'_>> =
            files.iter().map(|it| File { path: &it.path, bytes: &it.bytes }).collect();
        let (mut inventories, failed) = lockfile::parse_all(&files);
        // What artifacts hold does not stand in for what all lockfiles were to say.
        if let Some(first) = failed.first()
            && inventories.is_empty()
        {
            return Err(HandleError::permanent("lockfile-unreadable", first));
        }
        let mut missing = Vec::new();
        let parts = lockfile::included(&files);
        let known: HashSet<&str> = inventories
            .iter()
            .map(|it| it.path.as_str())
            .chain(failed.iter().map(|it| it.path.as_str()))
            .chain(parts.iter().map(String::as_str))
            .collect();
        for file in &files {
            if !known.contains(file.path) && !lockfile::is_companion(file.path) {
                missing.push(gap(file.path, "no lockfile of this name is known; leave it out"));
            }
        }
        for upload in contents {
            match contents_of(build, upload) {
                Ok(contents) => {
                    let (within, unread) = contents.into_parts();
                    inventories.extend(within);
                    missing.extend(unread);
                }
                Err(reason) => missing.push(gap(&upload.path, &reason)),
            }
        }
        missing.extend(failed.into_iter().map(Missing::from));
        missing.sort_by(|a, b| (&a.path, a.line, &a.reason).cmp(&(&b.path, b.line, &b.reason)));
        Ok(Self { inventories, missing })
    }
}

/// Whether an input tells what an artifact holds, rather than being a lockfile.
pub(crate) fn is_contents(path: &str) -> bool {
    path.ends_with(ArtifactContents::SUFFIX)
}

/// What one artifact of `build` holds: nobody tells it of another file.
fn contents_of(build: &BuildCompleted, upload: &Upload) -> Result<ArtifactContents, String> {
    let contents = ArtifactContents::read(&upload.bytes).map_err(|error| error.to_string())?;
    let name = contents.artifact();
    if upload.path.strip_suffix(ArtifactContents::SUFFIX) != Some(name) {
        return Err(format!("tells what `{name}` holds; name it `{name}.inventory.json`"));
    }
    match build.artifacts.iter().find(|it| it.name.as_str() == name) {
        None => {
            Err(format!("the build has no artifact `{name}`; submit the file that was scanned"))
        }
        Some(artifact) if artifact.digest != contents.digest() => Err(format!(
            "tells what {} holds, but the build's `{name}` is {}; submit the file that was scanned",
            contents.digest(),
            artifact.digest
        )),
        Some(_) => Ok(contents),
    }
}

fn gap(path: &str, reason: &str) -> Missing {
    Missing { path: path.to_owned(), line: None, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use events::Digest;

    use super::*;
    use crate::testing::{LOCK, build};

    fn upload(path: &str, bytes: &[u8]) -> Upload {
        let bytes = Bytes::copy_from_slice(bytes);
        Upload { path: path.to_owned(), bytes, archived: false }
    }

    fn wheel_of(bytes: &[u8]) -> Vec<u8> {
        let inventory = lockfile::parse("uv.lock", LOCK.as_bytes()).expect("reads");
        let inventory = Inventory { path: "app.whl!/uv.lock".to_owned(), ..inventory };
        let gap = gap("app.whl!/lib.so", "is damaged");
        let digest = Digest::of(bytes);
        ArtifactContents::new("app.whl".to_owned(), digest, vec![inventory], vec![gap]).write()
    }

    #[test]
    fn lockfile_that_cannot_be_read_is_missing_and_the_others_are_there() {
        let uploads = [
            upload("uv.lock", LOCK.as_bytes()),
            upload("web/uv.lock", b"version = 1\n<<<<<<< HEAD\n"),
            upload("notes.lock", b"?"),
        ];

        let read = Inputs::read(&build().data, &uploads).expect("the rest is read");

        assert_eq!(read.inventories.len(), 1);
        let [unknown, conflict] = read.missing.as_slice() else { panic!("{:?}", read.missing) };
        assert_eq!(unknown.path, "notes.lock");
        assert_eq!((conflict.path.as_str(), conflict.line), ("web/uv.lock", Some(2)));
        assert!(conflict.reason.starts_with("an unresolved merge conflict"), "{conflict:?}");
    }

    #[test]
    fn what_a_list_includes_is_a_part_of_it_and_not_missing() {
        let uploads = [
            upload("requirements.txt", b"-r base.in\n-r requirements-dev.txt\n"),
            upload("base.in", b"idna==3.15\n"),
            upload("requirements-dev.txt", b"attrs==26.1.0\n"),
        ];

        let read = Inputs::read(&build().data, &uploads).expect("reads");

        let [list] = read.inventories.as_slice() else { panic!("{:?}", read.inventories) };
        assert_eq!(list.packages.len(), 2);
        assert_eq!(read.missing, []);
    }

    #[test]
    fn part_of_a_list_that_cannot_be_read_is_missing() {
        for (line, reason) in [
            ("-r gone.in", "it includes `gone.in`, which is not at hand; mend it"),
            ("-r base.in", "`base.in`, which has in line 2: an unresolved merge conflict;"),
            ("-c base.in", "`base.in`, which has in line 2: an unresolved merge conflict;"),
            ("-r ../uv.lock", "`../uv.lock`, which has in line 1: syntax error:"),
        ] {
            let uploads = [
                upload("app/base.in", b"idna==3.15\n<<<<<<< HEAD\n"),
                upload("app/requirements.txt", format!("a==1\n{line}\n").as_bytes()),
                upload("uv.lock", LOCK.as_bytes()),
            ];
            let read = Inputs::read(&build().data, &uploads).expect("the rest is read");

            let read_too: Vec<_> = read.inventories.iter().map(|it| it.path.as_str()).collect();
            assert_eq!(read_too, ["app/requirements.txt", "uv.lock"], "{line}");
            let mut gaps = read.missing.iter().filter(|it| it.path == "app/requirements.txt");
            let gap = gaps.next().expect("told");
            assert_eq!(gap.line, Some(2));
            assert!(gap.reason.contains(reason), "{line}: {gap:?}");
        }
    }

    #[test]
    fn nothing_but_broken_lockfiles_is_an_error_with_place() {
        let error = Inputs::read(&build().data, &[upload("uv.lock", b"\n=")]).expect_err("refused");

        let HandleError::Permanent { code, detail } = error else { panic!("{error:?}") };
        assert_eq!(code, "lockfile-unreadable");
        assert!(detail.starts_with("uv.lock:2:"), "{detail}");
    }

    #[test]
    fn contents_of_an_artifact_are_read_and_so_is_what_is_missing_of_it() {
        let contents = [upload("app.whl.inventory.json", &wheel_of(b"wheel"))];

        let read = Inputs::read(&build().data, &contents).expect("reads");

        assert_eq!(read.inventories[0].artifact.as_deref(), Some("app.whl"));
        assert_eq!(read.missing[0].path, "app.whl!/lib.so");
    }

    #[test]
    fn contents_of_another_file_are_not_believed() {
        let broken = upload("app.whl.inventory.json", b"{}");
        let other = upload("app.whl.inventory.json", &wheel_of(b"other"));
        let misnamed = upload("b.whl.inventory.json", &wheel_of(b"wheel"));
        for (upload, reason) in [
            (broken, "no list of an artifact's contents"),
            (other, "but the build's `app.whl` is sha256:"),
            (misnamed, "name it `app.whl.inventory.json`"),
        ] {
            let read = Inputs::read(&build().data, &[upload]).expect("missing, not poison");
            assert!(read.inventories.is_empty());
            assert!(read.missing[0].reason.contains(reason), "{:?}", read.missing);
        }
    }
}
