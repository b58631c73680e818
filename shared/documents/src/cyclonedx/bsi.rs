//! What BSI TR-03183-2 wants to know of a file, where its name tells it.

/// Properties of the BSI's CycloneDX taxonomy that the name of a file vouches for (TR-03183-2,
/// 5.2.2): an archive whose parts are still told apart is `structured`.
pub(super) fn properties(file_name: &str) -> &'static [(&'static str, &'static str)] {
    let name = file_name.to_ascii_lowercase();
    let ends_with = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    if ends_with(&ARCHIVES) {
        &[
            ("bsi:component:executable", "non-executable"),
            ("bsi:component:archive", "archive"),
            ("bsi:component:structured", "structured"),
        ]
    } else if ends_with(&RUNNABLE_ARCHIVES) {
        // Whether one can be started depends on what is in it.
        &[("bsi:component:archive", "archive"), ("bsi:component:structured", "structured")]
    } else if ends_with(&EXECUTABLES) {
        &[("bsi:component:executable", "executable"), ("bsi:component:archive", "no archive")]
    } else {
        &[]
    }
}

const ARCHIVES: [&str; 13] = [
    ".whl", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tar", ".crate", ".gem",
    ".nupkg", ".deb", ".rpm", ".egg",
];
const RUNNABLE_ARCHIVES: [&str; 6] = [".jar", ".war", ".ear", ".zip", ".pyz", ".apk"];
const EXECUTABLES: [&str; 4] = [".exe", ".dll", ".so", ".dylib"];
