//! What the types ask of their packages (the type definitions of ECMA-427's registry).

use crate::{Purl, PurlError, shortened};

/// Brings the parts into the form that the type asks for.
pub(crate) fn normalize(purl: &mut Purl) {
    let is_lower = |list: &[&str]| list.contains(&purl.kind.as_str());
    let namespace = is_lower(&LOWER_NAMESPACE) || is_github(purl);
    let name = is_lower(&LOWER_NAME) || is_github(purl) || is_databricks(purl);
    let version = is_lower(&["huggingface", "oci", "pypi", "vscode-extension"]);
    if namespace {
        purl.namespace = purl.namespace.take().map(|it| it.to_lowercase());
    }
    if name {
        purl.name = purl.name.to_lowercase();
    }
    if version {
        purl.version = purl.version.take().map(|it| it.to_lowercase());
    }
    if purl.kind == "pypi" {
        purl.name = purl.name.replace('_', "-");
    }
}

/// Whether the type's packages are what they claim.
pub(crate) fn check(purl: &Purl) -> Result<(), PurlError> {
    let kind = purl.kind.as_str();
    match &purl.namespace {
        None if NAMESPACE_REQUIRED.contains(&kind) => {
            return Err(PurlError::NoNamespace(kind.to_owned()));
        }
        Some(_) if NAMESPACE_PROHIBITED.contains(&kind) => {
            return Err(PurlError::Namespace(kind.to_owned()));
        }
        _ => {}
    }
    let demanded = match kind {
        "julia" => Some("uuid"),
        "swid" => Some("tag_id"),
        _ => None,
    };
    if let Some(key) = demanded.filter(|key| !purl.qualifiers.contains_key(*key)) {
        return Err(PurlError::NoQualifier(key));
    }
    let name_fits = match kind {
        "chrome-extension" => {
            purl.name.len() == 32 && purl.name.bytes().all(|byte| matches!(byte, b'a'..=b'p'))
        }
        // Modules have colons, distributions have not.
        "cpan" => !purl.name.contains("::"),
        _ => true,
    };
    if !name_fits {
        return Err(PurlError::Name(shortened(&purl.name)));
    }
    match purl.version.as_deref() {
        Some(version) if kind == "chrome-extension" && !is_chrome_version(version) => {
            Err(PurlError::Version(shortened(version)))
        }
        _ => Ok(()),
    }
}

/// Whether everything after the namespace's one segment is the name: repositories on a git host.
pub(crate) fn name_is_path(kind: &str) -> bool {
    kind == "git"
}

/// Sorted, as all of these lists.
const LOWER_NAMESPACE: [&str; 13] = [
    "alpm",
    "apk",
    "bitbucket",
    "brew",
    "composer",
    "deb",
    "github",
    "hex",
    "luarocks",
    "qpkg",
    "rpm",
    "vscode-extension",
    "yocto",
];
const LOWER_NAME: [&str; 16] = [
    "alpm",
    "apk",
    "bitbucket",
    "bitnami",
    "brew",
    "composer",
    "deb",
    "github",
    "hex",
    "luarocks",
    "oci",
    "otp",
    "pub",
    "pypi",
    "vscode-extension",
    "yocto",
];
/// Not those that tools often leave out without harm: `golang` (`stdlib`), `maven`, `apk`, `deb`, `rpm`.
const NAMESPACE_REQUIRED: [&str; 8] =
    ["alpm", "bitbucket", "composer", "git", "github", "huggingface", "swift", "vscode-extension"];
const NAMESPACE_PROHIBITED: [&str; 18] = [
    "bazel",
    "bitnami",
    "cargo",
    "chrome-extension",
    "cocoapods",
    "conda",
    "cran",
    "gem",
    "hackage",
    "julia",
    "mlflow",
    "nuget",
    "oci",
    "opam",
    "otp",
    "pub",
    "pypi",
    "vcpkg",
];

/// GitHub takes no notice of case, other hosts do.
fn is_github(purl: &Purl) -> bool {
    let host = purl.namespace.as_deref();
    purl.kind == "git" && host.is_some_and(|it| matches!(it, "github" | "github.com"))
}

/// Names of models are without case there, and nowhere else.
fn is_databricks(purl: &Purl) -> bool {
    let server = purl.qualifiers.get("repository_url");
    purl.kind == "mlflow" && server.is_some_and(|url| url.contains("databricks"))
}

fn is_chrome_version(version: &str) -> bool {
    let is_number = |it: &str| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit());
    version.split('.').count() <= 4 && version.split('.').all(is_number)
}
