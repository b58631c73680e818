//! Container images: OCI layouts, as folders or tar archives, and what `docker save` writes.

use std::{
    fs::File,
    io::{self, Read, Seek},
    path::Path,
};

use events::Digest;

mod blobs;
mod layers;
mod manifest;

use crate::{
    budget::Budget,
    contents::{Outcome, Scan},
    packed, tar,
};
use blobs::Blobs;

/// Whether the archive has an image's list of contents in its root.
pub(crate) fn is_image(archive: &mut dyn Read, budget: &Budget) -> io::Result<bool> {
    let (mut has_list, mut has_blobs) = (false, false);
    tar::each(archive, budget, &mut |entry, _| {
        let path = String::from_utf8_lossy(&entry.path);
        match path.trim_start_matches("./") {
            manifest::OCI_INDEX | manifest::DOCKER_MANIFEST => has_list = true,
            blobs::OCI_LAYOUT => has_blobs = true,
            path => has_blobs |= path.contains(".tar") || path.starts_with("blobs/sha256/"),
        }
        Ok(())
    })?;
    Ok(has_list && has_blobs)
}

/// What the images in an archive hold.
pub(crate) fn archive(file: &mut File, name: &str, scan: Scan<'_>) -> io::Result<Outcome> {
    let mut head = Vec::new();
    (&mut *file).take(4).read_to_end(&mut head)?;
    file.rewind()?;
    let mut blobs = match packed::Packing::of(&head) {
        None => Blobs::in_archive(file.try_clone()?, scan.budget)?,
        // Blobs are read in the order of layers, so the archive has to be where that is possible.
        Some(_) => {
            let mut unpacked = tempfile::tempfile()?;
            io::copy(&mut packed::unpacked(Box::new(file), scan)?, &mut unpacked)?;
            unpacked.rewind()?;
            Blobs::in_archive(unpacked, scan.budget)?
        }
    };
    Ok(images(&mut blobs, name, scan))
}

/// What the images in an OCI layout hold, with the digest of the image if there is one, or else of
/// the list of them; none if the folder is no such layout.
pub(crate) fn layout(
    dir: &Path,
    name: &str,
    scan: Scan<'_>,
) -> io::Result<Option<(Digest, Outcome)>> {
    if !dir.join(blobs::OCI_LAYOUT).is_file() {
        return Ok(None);
    }
    let mut blobs = Blobs::in_folder(dir);
    let Some(index) = blobs.json(manifest::OCI_INDEX)? else { return Ok(None) };
    let digest = manifest::only_image(&index).unwrap_or_else(|| Digest::of(&index));
    Ok(Some((digest, images(&mut blobs, name, scan))))
}

fn images(blobs: &mut Blobs, name: &str, scan: Scan<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    let (images, problems) = manifest::images(blobs);
    for problem in problems {
        outcome.append(Outcome::missing(name, problem));
    }
    let several = images.len() > 1;
    for image in images {
        // Two images may have files of one path.
        let place = if several { format!("{name}!/{}", image.label) } else { name.to_owned() };
        outcome.append(layers::read(blobs, &image, &place, scan));
    }
    outcome
}
