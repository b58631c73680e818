//! What a build fetched, as it is given on the command line.

use std::collections::BTreeMap;

use events::{Dependency, DigestSet, Label, PublicUri, without_credentials};
use purl::{Purl, PurlError};

/// `URI@ALGORITHM:HEX`.
pub(super) fn dependency(text: &str) -> Result<Dependency, String> {
    let (uri, digest) = pinned(text)?;
    Ok(Dependency { uri: public(uri)?, digest, name: None, media_type: None })
}

/// `REF@sha256:HEX`, an image as container tools name it.
pub(super) fn base_image(text: &str) -> Result<Dependency, String> {
    let (image, digest) = pinned(text)?;
    let Some((_, hex)) = digest.iter().find(|(algorithm, _)| *algorithm == "sha256") else {
        return Err("give the image's sha256 digest".to_owned());
    };
    let purl = image_purl(image, hex).map_err(|error| format!("`{image}`: {error}"))?;
    let name = Some(Label::of("base-image"));
    Ok(Dependency { uri: public(&purl)?, digest, name, media_type: None })
}

fn pinned(text: &str) -> Result<(&str, DigestSet), String> {
    let pinned = text.rsplit_once('@');
    let pinned = pinned.and_then(|(what, digest)| Some((what, digest.split_once(':')?)));
    let Some((what, (algorithm, hex))) = pinned.filter(|(what, _)| !what.is_empty()) else {
        return Err("add its digest: …@sha256:<64 hex digits>".to_owned());
    };
    let digests = BTreeMap::from([(algorithm.to_owned(), hex.to_owned())]);
    let digests = DigestSet::try_from(digests).map_err(|error| error.to_string())?;
    Ok((what, digests))
}

fn public(uri: &str) -> Result<PublicUri, String> {
    PublicUri::try_from(without_credentials(uri)).map_err(|error| error.to_string())
}

/// `pkg:oci/…`, with the registry that container tools add where none is named.
fn image_purl(image: &str, hex: &str) -> Result<String, PurlError> {
    let (path, tag) = match image.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        _ => (image, None),
    };
    let (first, rest) = path.split_once('/').unwrap_or(("", path));
    let repository = match first {
        "" => format!("docker.io/library/{rest}"),
        host if host.contains(['.', ':']) || host == "localhost" => path.to_owned(),
        _ => format!("docker.io/{path}"),
    };
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    let mut purl = Purl::new("oci", &name)
        .with_version(&format!("sha256:{hex}"))
        .with_qualifier("repository_url", &repository);
    if let Some(tag) = tag {
        purl = purl.with_qualifier("tag", tag);
    }
    purl.checked().map(|purl| purl.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "244fd47e07d1004f0aed9c156aa09083c82bf8944eceb67c946ff7430510a77b";

    #[test]
    fn image_has_its_package_url() {
        for (image, repository) in [
            ("debian", "docker.io/library/debian"),
            ("rust:1.95", "docker.io/library/rust&tag=1.95"),
            ("acme/app", "docker.io/acme/app"),
            ("ghcr.io/acme/App:v1", "ghcr.io/acme/App&tag=v1"),
            ("localhost:5000/app", "localhost:5000/app"),
        ] {
            let found = base_image(&format!("{image}@sha256:{HEX}")).expect(image);
            let uri = found.uri.as_str().replace("%3A", ":").replace("%2F", "/");
            let name = image.rsplit('/').next().expect("one").to_lowercase();
            let name = name.split(':').next().expect("one");
            let expected = format!("pkg:oci/{name}@sha256:{HEX}?repository_url={repository}");
            assert_eq!(uri, expected);
        }
    }

    #[test]
    fn dependency_is_pinned_and_has_no_credentials() {
        let commit = "a".repeat(40);
        let text = format!("git+https://me:pw@git.example/a@refs/tags/v1@gitCommit:{commit}");
        let found = dependency(&text).expect("sound");
        assert_eq!(found.uri.as_str(), "git+https://git.example/a@refs/tags/v1");

        for (text, reason) in [
            ("https://a", "add its digest"),
            ("https://a@1.0", "add its digest"),
            ("@sha256:00", "add its digest"),
            ("https://a@sha256:00", "hex digits"),
            ("https://a@md5:00", "no digest algorithm"),
        ] {
            assert!(dependency(text).expect_err(text).contains(reason), "{text}");
        }
        assert!(
            dependency(&format!("debian@sha256:{HEX}")).expect_err("no URI").contains("scheme")
        );
        assert!(base_image("debian:12").expect_err("no digest").contains("add its digest"));
    }
}
