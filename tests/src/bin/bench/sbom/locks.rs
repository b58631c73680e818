//! Lockfiles to measure: real ones, and made-up ones of any size.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

/// A lockfile in a folder of its own, under its own name.
pub(super) struct Lock {
    pub(super) name: String,
    pub(super) folder: PathBuf,
    pub(super) packages: usize,
    file: String,
}

/// Formats that lockfiles are made up in: JSON, and two shapes of TOML.
pub(super) const KINDS: [Kind; 3] = [Kind::Npm, Kind::Uv, Kind::Cargo];

/// A format that can be made up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Npm,
    Uv,
    Cargo,
}

/// Names that tools give their lockfiles, of those that are measured.
const NAMES: [&str; 5] = ["uv.lock", "package-lock.json", "Cargo.lock", "go.mod", "poetry.lock"];
/// Most packages that one of a made-up lockfile asks for.
const MOST_DEPENDENCIES: usize = 5;

impl Kind {
    pub(super) fn file_name(self) -> &'static str {
        match self {
            Self::Npm => "package-lock.json",
            Self::Uv => "uv.lock",
            Self::Cargo => "Cargo.lock",
        }
    }
}

impl Lock {
    /// A copy of the lockfile at `path`, and of the manifest that lies with it, in `folder`.
    pub(super) fn real(path: &Path, folder: &Path) -> anyhow::Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let file = NAMES.into_iter().find(|it| name.ends_with(it)).unwrap_or(&name).to_owned();
        fs::create_dir_all(folder)?;
        fs::copy(path, folder.join(&file)).with_context(|| path.display().to_string())?;
        let prefix = name.strip_suffix(&file).unwrap_or_default();
        for manifest in ["pyproject.toml", "package.json", "Cargo.toml", "go.sum"] {
            let beside = path.with_file_name(format!("{prefix}{manifest}"));
            if beside.is_file() {
                fs::copy(beside, folder.join(manifest))?;
            }
        }
        let packages = super::count(&folder.join(&file))?;
        Ok(Self { name, folder: folder.to_owned(), packages, file })
    }

    /// A lockfile of so many packages, the same for the same seed.
    pub(super) fn made_up(
        kind: Kind,
        packages: usize,
        seed: u64,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let mut random = fastrand::Rng::with_seed(seed);
        let text = match kind {
            Kind::Npm => npm(packages, &mut random),
            Kind::Uv => uv(packages, &mut random),
            Kind::Cargo => cargo(packages, &mut random),
        };
        fs::create_dir_all(folder)?;
        let file = kind.file_name().to_owned();
        fs::write(folder.join(&file), text)?;
        Ok(Self { name: format!("made-up {file}"), folder: folder.to_owned(), packages, file })
    }

    /// Commands of the peers that read this format, by name.
    pub(super) fn peers(&self, tools: &Path) -> Vec<(&'static str, Vec<String>)> {
        let words = |program: &str, rest: &str| {
            let program = tools.join(program).display().to_string();
            [program].into_iter().chain(rest.split(' ').map(str::to_owned)).collect::<Vec<_>>()
        };
        let kind = match self.file.as_str() {
            "package-lock.json" => "js",
            "Cargo.lock" => "rust",
            "go.mod" => "go",
            _ => "python",
        };
        let cdxgen = format!("-t {kind} --no-install-deps --no-recurse --no-banner -o .bom.json .");
        let mut peers = vec![
            ("cdxgen", words("sbom-npm/node_modules/.bin/cdxgen", &cdxgen)),
            ("syft", words("sbom-venv/bin/syft", "scan dir:. -o cyclonedx-json -q")),
        ];
        if self.file == "uv.lock" && self.folder.join("pyproject.toml").exists() {
            let export = "export --format cyclonedx1.5 --frozen --offline -q --all-extras";
            peers.push(("uv export", words("sbom-venv/bin/uv", export)));
        }
        if self.file == "package-lock.json" && self.folder.join("package.json").exists() {
            let npm = "--package-lock-only --ignore-npm-errors --output-file -";
            peers.push(("cyclonedx-npm", words("sbom-npm/node_modules/.bin/cyclonedx-npm", npm)));
        }
        peers
    }
}

/// What package `of` asks for: a few of those before it.
fn asked(of: usize, random: &mut fastrand::Rng) -> Vec<usize> {
    let count = random.usize(0..=MOST_DEPENDENCIES.min(of));
    let mut asked: Vec<usize> = (0..count).map(|_| random.usize(0..of)).collect();
    asked.sort_unstable();
    asked.dedup();
    asked
}

fn hex(digits: usize, random: &mut fastrand::Rng) -> String {
    (0..digits).map(|_| random.digit(16)).collect()
}

/// Base64 of 64 bytes.
fn sha512(random: &mut fastrand::Rng) -> String {
    let text: String = (0..85).map(|_| random.alphanumeric()).collect();
    format!("sha512-{text}A==")
}

fn npm(packages: usize, random: &mut fastrand::Rng) -> String {
    let mut text = String::from(
        "{\n  \"name\": \"made-up\",\n  \"version\": \"1.0.0\",\n  \"lockfileVersion\": 3,\n  \"packages\": {\n    \"\": {\"name\": \"made-up\", \"version\": \"1.0.0\", \"dependencies\": {\"package-0\": \"*\"}}",
    );
    for number in 0..packages {
        let url = format!(
            "https://registry.npmjs.org/package-{number}/-/package-{number}-1.0.{number}.tgz"
        );
        let asked = asked(number, random);
        let asked: Vec<_> =
            asked.iter().map(|it| format!("\"package-{it}\": \"^1.0.0\"")).collect();
        text.push_str(&format!(
            ",\n    \"node_modules/package-{number}\": {{\n      \"version\": \"1.0.{number}\",\n      \"resolved\": \"{url}\",\n      \"integrity\": \"{}\",\n      \"license\": \"MIT\",\n      \"dependencies\": {{{}}}\n    }}",
            sha512(random),
            asked.join(", ")
        ));
    }
    text + "\n  }\n}\n"
}

fn uv(packages: usize, random: &mut fastrand::Rng) -> String {
    let mut text = String::from(
        "version = 1\nrevision = 3\nrequires-python = \">=3.11\"\n\n[[package]]\nname = \"made-up\"\nversion = \"1.0.0\"\nsource = { editable = \".\" }\ndependencies = [\n    { name = \"package-0\" },\n]\n",
    );
    for number in 0..packages {
        let asked = asked(number, random);
        let asked: String =
            asked.iter().map(|it| format!("    {{ name = \"package-{it}\" }},\n")).collect();
        let place = format!("https://files.pythonhosted.org/packages/{}", hex(30, random));
        text.push_str(&format!(
            "\n[[package]]\nname = \"package-{number}\"\nversion = \"1.0.{number}\"\nsource = {{ registry = \"https://pypi.org/simple\" }}\ndependencies = [\n{asked}]\nsdist = {{ url = \"{place}/package_{number}-1.0.{number}.tar.gz\", hash = \"sha256:{}\", size = 1 }}\nwheels = [\n    {{ url = \"{place}/package_{number}-1.0.{number}-py3-none-any.whl\", hash = \"sha256:{}\", size = 1 }},\n]\n",
            hex(64, random),
            hex(64, random)
        ));
    }
    text
}

fn cargo(packages: usize, random: &mut fastrand::Rng) -> String {
    let mut text = String::from(
        "version = 4\n\n[[package]]\nname = \"made-up\"\nversion = \"1.0.0\"\ndependencies = [\n \"package-0\",\n]\n",
    );
    for number in 0..packages {
        let asked: String =
            asked(number, random).iter().map(|it| format!(" \"package-{it}\",\n")).collect();
        text.push_str(&format!(
            "\n[[package]]\nname = \"package-{number}\"\nversion = \"1.0.{number}\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{}\"\ndependencies = [\n{asked}]\n",
            hex(64, random)
        ));
    }
    text
}
