//! Which images there are, and of which layers (OCI image specification, index and manifest; Docker
//! image specification 1.2 for `manifest.json`).

use events::Digest;
use serde::Deserialize;

use super::blobs::Blobs;

pub(super) const OCI_INDEX: &str = "index.json";
pub(super) const DOCKER_MANIFEST: &str = "manifest.json";
/// Most images of one artifact that are read.
const MAX_IMAGES: usize = 16;
/// Most layers of one image: storage drivers admit 128.
const MAX_LAYERS: usize = 1024;
/// How deep lists of images may lie in others.
const MAX_DEPTH: u32 = 3;

/// One image.
pub(super) struct Image {
    /// What tells it from others: its platform, or the beginning of its digest.
    pub(super) label: String,
    /// Lowest first.
    pub(super) layers: Vec<Layer>,
}

/// One layer.
pub(super) struct Layer {
    /// Name of its file.
    pub(super) file: String,
    /// What it should have, where the manifest says.
    pub(super) digest: Option<LayerDigest>,
}

/// A digest of a layer as it is stored, or of its tar archive.
#[derive(Clone, Copy)]
pub(super) enum LayerDigest {
    Stored(Digest),
    Unpacked(Digest),
}

#[derive(Deserialize)]
struct Index {
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    variant: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
    /// Of an index that lies where a manifest was looked for.
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerImage {
    config: Option<String>,
    #[serde(default)]
    layers: Vec<String>,
}

#[derive(Deserialize)]
struct DockerConfig {
    rootfs: Option<RootFs>,
}

#[derive(Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Vec<String>,
}

/// The images, and what keeps others from being told.
pub(super) fn images(blobs: &mut Blobs) -> (Vec<Image>, Vec<String>) {
    let (mut images, mut problems) = (Vec::new(), Vec::new());
    match read::<Index>(blobs, OCI_INDEX) {
        Ok(Some(index)) => collect(blobs, &index.manifests, 0, &mut images, &mut problems),
        Ok(None) => docker(blobs, &mut images, &mut problems),
        Err(problem) => problems.push(problem),
    }
    (images, problems)
}

/// Digest of the only image that an index names.
pub(super) fn only_image(index: &[u8]) -> Option<Digest> {
    let index: Index = serde_json::from_slice(index).ok()?;
    let [image] = &index.manifests[..] else { return None };
    image.digest.parse().ok()
}

fn collect(
    blobs: &mut Blobs,
    descriptors: &[Descriptor],
    depth: u32,
    images: &mut Vec<Image>,
    problems: &mut Vec<String>,
) {
    if depth > MAX_DEPTH {
        return problems.push("its lists of images lie too deep in one another".to_owned());
    }
    for descriptor in descriptors {
        if images.len() >= MAX_IMAGES {
            return problems.push(format!("has more than the {MAX_IMAGES} images that are read"));
        }
        // Attestations that BuildKit stores beside the images they are about.
        if descriptor.platform.as_ref().is_some_and(|it| it.os == "unknown") {
            continue;
        }
        match verified(blobs, &descriptor.digest) {
            Ok(manifest) if !manifest.manifests.is_empty() => {
                collect(blobs, &manifest.manifests, depth + 1, images, problems);
            }
            // A signature or another artifact that is no image.
            Ok(manifest) if !is_image(&manifest) => {}
            Ok(manifest) if manifest.layers.len() > MAX_LAYERS => {
                problems.push(format!("an image has more than {MAX_LAYERS} layers"));
            }
            Ok(manifest) => {
                let label = label(descriptor);
                let is_taken = images.iter().any(|it| it.label == label);
                let label = if is_taken { short(&descriptor.digest) } else { label };
                let layers = manifest.layers.iter().map(oci_layer).collect();
                images.push(Image { label, layers });
            }
            Err(problem) => problems.push(problem),
        }
    }
}

fn is_image(manifest: &Manifest) -> bool {
    let Some(config) = &manifest.config else { return !manifest.layers.is_empty() };
    config.media_type.contains(".image.") || config.media_type.contains("docker.container")
}

fn label(descriptor: &Descriptor) -> String {
    let Some(platform) = &descriptor.platform else { return short(&descriptor.digest) };
    let parts = [Some(&platform.os), Some(&platform.architecture), platform.variant.as_ref()];
    parts.into_iter().flatten().filter(|it| !it.is_empty()).cloned().collect::<Vec<_>>().join("-")
}

fn short(digest: &str) -> String {
    digest.rsplit(':').next().unwrap_or(digest).chars().take(12).collect()
}

fn oci_layer(descriptor: &Descriptor) -> Layer {
    Layer {
        file: blob(&descriptor.digest),
        digest: descriptor.digest.parse().ok().map(LayerDigest::Stored),
    }
}

fn blob(digest: &str) -> String {
    format!("blobs/{}", digest.replacen(':', "/", 1))
}

/// The manifest of this digest, if its bytes have it.
fn verified(blobs: &mut Blobs, digest: &str) -> Result<Manifest, String> {
    let bytes = blobs.json(&blob(digest)).map_err(|error| error.to_string())?;
    let bytes = bytes.ok_or_else(|| format!("the image {digest} is named but not in it"))?;
    match digest.parse::<Digest>() {
        Ok(digest) if Digest::of(&bytes) != digest => {
            return Err(format!("the manifest {digest} has another digest: the image was changed"));
        }
        Err(_) => return Err(format!("the digest {digest} of an image is no SHA-256")),
        Ok(_) => {}
    }
    serde_json::from_slice(&bytes).map_err(|error| format!("the manifest {digest}: {error}"))
}

/// What `docker save` wrote before it wrote OCI layouts.
fn docker(blobs: &mut Blobs, images: &mut Vec<Image>, problems: &mut Vec<String>) {
    let list = match read::<Vec<DockerImage>>(blobs, DOCKER_MANIFEST) {
        Ok(list) => list.unwrap_or_default(),
        Err(problem) => return problems.push(problem),
    };
    if list.len() > MAX_IMAGES {
        problems.push(format!("has more than the {MAX_IMAGES} images that are read"));
    }
    for image in list.into_iter().take(MAX_IMAGES) {
        let name = image.config.unwrap_or_default();
        let config = match read::<DockerConfig>(blobs, &name) {
            Ok(config) => config,
            Err(problem) => {
                problems.push(problem);
                None
            }
        };
        let diff_ids = config.and_then(|it| it.rootfs).map(|it| it.diff_ids).unwrap_or_default();
        if image.layers.len() > MAX_LAYERS {
            problems.push(format!("an image has more than {MAX_LAYERS} layers"));
            continue;
        }
        let layer = |(at, file): (usize, String)| {
            let digest = diff_ids.get(at).and_then(|it| it.parse().ok());
            Layer { file, digest: digest.map(LayerDigest::Unpacked) }
        };
        let layers = image.layers.into_iter().enumerate().map(layer).collect();
        images.push(Image { label: short(name.trim_end_matches(".json")), layers });
    }
}

fn read<T: for<'a> Deserialize<'a>>(blobs: &mut Blobs, name: &str) -> Result<Option<T>, String> {
    let bytes = blobs.json(name).map_err(|error| format!("{name}: {error}"))?;
    let parse = |bytes: Vec<u8>| serde_json::from_slice(&bytes);
    bytes.map(parse).transpose().map_err(|error| format!("{name}: {error}"))
}
