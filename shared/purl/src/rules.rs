//! What the types ask of their packages (the type definitions of ECMA-427's registry).

use crate::{Purl, PurlError, shortened};

/// Brings the parts into the form that the type asks for.
pub(crate) fn normalize(purl: &mut Purl) {
    let kind = purl.kind.as_str();
    let of_github = is_github(purl);
    let namespace = has_lower_namespace(kind) || of_github;
    let name = has_lower_name(kind) || of_github || is_databricks(purl);
    let version = matches!(kind, "huggingface" | "oci" | "pypi" | "vscode-extension");
    if namespace {
        purl.namespace = purl.namespace.take().map(lower);
    }
    if name {
        purl.name = lower(std::mem::take(&mut purl.name));
    }
    if version {
        purl.version = purl.version.take().map(lower);
    }
    if purl.kind == "pypi" && purl.name.contains('_') {
        purl.name = purl.name.replace('_', "-");
    }
}

/// `text` in lower case; most is already, and is not copied.
fn lower(text: String) -> String {
    let is_lower = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    // All are looked at, for that is faster than to stop at the first.
    if text.bytes().fold(true, |all, byte| all & is_lower(byte)) {
        text
    } else {
        text.to_lowercase()
    }
}

/// Whether the type's packages are what they claim.
pub(crate) fn check(purl: &Purl) -> Result<(), PurlError> {
    let kind = purl.kind.as_str();
    match &purl.namespace {
        None if needs_namespace(kind) => {
            return Err(PurlError::NoNamespace(kind.to_owned()));
        }
        Some(_) if admits_no_namespace(kind) => {
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

fn has_lower_namespace(kind: &str) -> bool {
    matches!(
        kind,
        "alpm"
            | "apk"
            | "bitbucket"
            | "brew"
            | "composer"
            | "deb"
            | "github"
            | "hex"
            | "luarocks"
            | "qpkg"
            | "rpm"
            | "vscode-extension"
            | "yocto"
    )
}

fn has_lower_name(kind: &str) -> bool {
    matches!(
        kind,
        "alpm"
            | "apk"
            | "bitbucket"
            | "bitnami"
            | "brew"
            | "composer"
            | "deb"
            | "github"
            | "hex"
            | "luarocks"
            | "oci"
            | "otp"
            | "pub"
            | "pypi"
            | "vscode-extension"
            | "yocto"
    )
}

/// Not those that tools often leave out without harm: `golang` (`stdlib`), `maven`, `apk`, `deb`, `rpm`.
fn needs_namespace(kind: &str) -> bool {
    matches!(
        kind,
        "alpm"
            | "bitbucket"
            | "composer"
            | "git"
            | "github"
            | "huggingface"
            | "swift"
            | "vscode-extension"
    )
}

fn admits_no_namespace(kind: &str) -> bool {
    matches!(
        kind,
        "bazel"
            | "bitnami"
            | "cargo"
            | "chrome-extension"
            | "cocoapods"
            | "conda"
            | "cran"
            | "gem"
            | "hackage"
            | "julia"
            | "mlflow"
            | "nuget"
            | "oci"
            | "opam"
            | "otp"
            | "pub"
            | "pypi"
            | "vcpkg"
    )
}

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
