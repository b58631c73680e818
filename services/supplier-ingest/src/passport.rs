//! A supplier's passport: who may sign for it, and what it may submit.

use std::{fmt, ops::Range, sync::Arc};

use attestation::{
    PublicKey, Trust, TrustRoot, TrustedKey,
    trust::{IdentityEntry, Validity},
};
use bus::UserKey;
use documents::score::Standard;
use events::{Digest, Label, SupplierId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::Limits;

/// Largest passport in bytes.
pub const MAX_PASSPORT_BYTES: usize = 256 * 1024;
/// Codes of problems that a passport may tolerate: real generators make documents with them. What
/// hides something from a reader, `purl-bomb` and `control-character`, is not among them.
pub const TOLERABLE: [&str; 5] = [
    "dependency-cycle",
    "self-dependency",
    "dangling-reference",
    "duplicate-bom-ref",
    "invalid-purl",
];

/// Problems that a passport tolerates where it does not say: circles are what the packages of distributions form, and
/// a reference without target leaves the rest of the graph as it is.
pub const TOLERATED: [&str; 3] = ["dependency-cycle", "self-dependency", "dangling-reference"];
/// Formats that can be read.
pub const FORMATS: [&str; 4] = ["cyclonedx", "spdx", "openvex", "csaf"];
/// Versions of CycloneDX that can be read.
pub const SPEC_VERSIONS: [&str; 6] = ["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];
/// What `version` of a passport's file is read.
pub const VERSION: u32 = 1;

/// Who a supplier is to us.
#[derive(Clone, Debug)]
pub struct Passport {
    /// Its id, as in its subjects.
    pub id: SupplierId,
    /// Its name for people.
    pub name: Label,
    /// Whether what the trust policy finds rejects a document or only warns.
    pub mode: Mode,
    /// Whom to write to.
    pub contacts: Vec<Label>,
    /// Names of products that it may speak for; empty means any.
    pub products: Vec<String>,
    /// What the purls of its own products begin with; empty means anything.
    pub namespaces: Vec<String>,
    /// Formats that are taken from it.
    pub formats: Vec<String>,
    /// Versions of CycloneDX that are taken from it.
    pub spec_versions: Vec<String>,
    /// Age of a document, in days, above which it is too old.
    pub max_age_days: u32,
    /// The grade that its SBOMs must have at least; none: any will do.
    pub minimum_grade: Option<Grade>,
    /// The standard that grades are by.
    pub grade_by: Standard,
    /// Whether its VEX documents count.
    pub vex: bool,
    /// Codes of problems, each of [`TOLERABLE`], that only warn.
    pub tolerates: Vec<String>,
    /// Keys that sign for it.
    pub keys: Vec<Key>,
    /// Identities that sign for it, with certificates of the trusted root.
    pub identities: Vec<IdentityEntry>,
    /// Who it is to the broker.
    pub nkey: Option<UserKey>,
    /// How much it may drop.
    pub limits: Limits,
    /// Digest of the file that says all this.
    pub digest: Digest,
}

/// How much an SBOM tells, from all that a standard asks for to hardly anything.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    clap::ValueEnum,
)]
#[allow(missing_docs, reason = "the names say all there is to say")]
#[value(rename_all = "UPPER")]
pub enum Grade {
    A,
    B,
    C,
    D,
    F,
}

impl Grade {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::F => "F",
        }
    }
}

/// Whether findings reject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// They do.
    #[default]
    Enforce,
    /// They are told in the receipt, and the document is accepted: for the time of getting to know
    /// each other. A document that cannot be read is still rejected.
    Warn,
}

/// A key that signs for a supplier.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its name for people.
    pub label: Label,
    /// The key.
    pub key: PublicKey,
    /// Whether it is the key of a developer's machine.
    pub development: bool,
    /// From when on it counts.
    pub not_before: Option<Timestamp>,
    /// Until when it counts.
    pub not_after: Option<Timestamp>,
}

/// What is wrong with a passport, and where.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct PassportError {
    /// The line, from 1; none if it is the file as a whole.
    pub line: Option<usize>,
    /// What is wrong, and the remedy.
    pub problem: String,
}

impl fmt::Display for PassportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

/// A passport as its file has it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default = "version")]
    version: Spanned<u32>,
    id: SpannedText,
    name: Label,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    contacts: Vec<Label>,
    #[serde(default)]
    products: Vec<String>,
    #[serde(default)]
    namespaces: Vec<SpannedText>,
    #[serde(default = "default_formats")]
    formats: Vec<SpannedText>,
    #[serde(default = "default_spec_versions")]
    spec_versions: Vec<SpannedText>,
    #[serde(default = "default_max_age_days")]
    max_age_days: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minimum_grade: Option<Grade>,
    #[serde(default = "default_standard")]
    grade_by: Standard,
    #[serde(default = "yes")]
    vex: bool,
    #[serde(default = "default_tolerates")]
    tolerates: Vec<SpannedText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nkey: Option<UserKey>,
    #[serde(default, skip_serializing_if = "Limits::are_usual")]
    limits: Limits,
    #[serde(default)]
    keys: Vec<KeyEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    identities: Vec<Spanned<IdentityEntry>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    label: Label,
    pem: SpannedText,
    #[serde(default, skip_serializing_if = "is_false")]
    development: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_before: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_after: Option<Timestamp>,
}

type SpannedText = Spanned<String>;

fn version() -> Spanned<u32> {
    Spanned::new(0..0, VERSION)
}

/// Texts that stand nowhere.
fn spanned<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Vec<SpannedText> {
    texts.into_iter().map(|it| Spanned::new(0..0, it.as_ref().to_owned())).collect()
}

fn default_formats() -> Vec<SpannedText> {
    spanned(FORMATS)
}

fn default_spec_versions() -> Vec<SpannedText> {
    spanned(SPEC_VERSIONS)
}

fn default_tolerates() -> Vec<SpannedText> {
    spanned(TOLERATED)
}

fn default_standard() -> Standard {
    Standard::Ntia
}

fn default_max_age_days() -> u32 {
    365
}

fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_false(value: &bool) -> bool {
    !value
}

fn plain(texts: Vec<SpannedText>) -> Vec<String> {
    texts.into_iter().map(Spanned::into_inner).collect()
}

/// What purls may begin with: a type, and perhaps a namespace or a name.
fn check_namespace(text: &str) -> Result<(), String> {
    let rest = text.strip_prefix("pkg:").filter(|it| !it.contains(['@', '?', '#', ' ']));
    let parts = rest.and_then(|it| it.split_once('/'));
    let example = "write a type and what follows, such as pkg:npm/%40acme/ or pkg:pypi/acme-widget";
    match parts {
        Some((kind, _)) if !kind.is_empty() => Ok(()),
        _ => Err(format!("has {text:?}, which no purl of a package begins with; {example}")),
    }
}

impl Passport {
    /// A passport with what has to be there and the defaults for the rest.
    pub fn new(id: SupplierId, name: Label, keys: Vec<Key>) -> Self {
        Self {
            id,
            name,
            mode: Mode::Enforce,
            contacts: vec![],
            products: vec![],
            namespaces: vec![],
            formats: FORMATS.map(str::to_owned).to_vec(),
            spec_versions: SPEC_VERSIONS.map(str::to_owned).to_vec(),
            max_age_days: default_max_age_days(),
            minimum_grade: None,
            grade_by: default_standard(),
            vex: true,
            tolerates: TOLERATED.map(str::to_owned).to_vec(),
            keys,
            identities: vec![],
            nkey: None,
            limits: Limits::default(),
            digest: Digest::of(b""),
        }
    }

    /// Reads the text of a passport.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line.
    pub fn parse(text: &str) -> Result<Self, PassportError> {
        let at = |span: Range<usize>, problem: String| {
            let line = text.get(..span.start).map(|before| before.matches('\n').count() + 1);
            PassportError { line, problem }
        };
        if text.len() > MAX_PASSPORT_BYTES {
            let problem =
                format!("has {} bytes; at most {MAX_PASSPORT_BYTES} are read", text.len());
            return Err(PassportError { line: None, problem });
        }
        let file: File = toml::from_str(text).map_err(|error| {
            at(error.span().unwrap_or_default(), error.message().replace('\n', " "))
        })?;
        let id = file.id.as_ref().parse::<SupplierId>();
        let id = id.map_err(|error| at(file.id.span(), format!("`id` {error}")))?;
        if *file.version.as_ref() != VERSION {
            let found = file.version.as_ref();
            let problem = format!("`version` is {found}; this release reads {VERSION}");
            return Err(at(file.version.span(), problem));
        }
        for (field, texts, known) in [
            ("tolerates", &file.tolerates, &TOLERABLE[..]),
            ("formats", &file.formats, &FORMATS[..]),
            ("spec_versions", &file.spec_versions, &SPEC_VERSIONS[..]),
        ] {
            let unknown = texts.iter().find(|it| !known.contains(&it.as_ref().as_str()));
            if let Some(text) = unknown {
                let (found, known) = (text.as_ref(), known.join(", "));
                let problem = format!("`{field}` has {found:?}; known are {known}");
                return Err(at(text.span(), problem));
            }
        }
        for namespace in &file.namespaces {
            let wrong = |problem| at(namespace.span(), format!("`namespaces` {problem}"));
            check_namespace(namespace.as_ref()).map_err(wrong)?;
        }
        let mut keys: Vec<Key> = Vec::new();
        for entry in &file.keys {
            let wrong = |problem: String| at(entry.pem.span(), format!("`pem` {problem}"));
            let key = PublicKey::from_pem(entry.pem.as_ref());
            let key = key.map_err(|error| wrong(error.to_string()))?;
            if let Some(twin) = keys.iter().find(|it| it.key == key) {
                return Err(wrong(format!("is the key `{}` again; list it once", twin.label)));
            }
            keys.push(Key {
                label: entry.label.clone(),
                key,
                development: entry.development,
                not_before: entry.not_before,
                not_after: entry.not_after,
            });
        }
        for entry in &file.identities {
            let rule = entry.get_ref().rule();
            rule.map_err(|error| at(entry.span(), error.to_string()))?;
        }
        Ok(Self {
            id,
            name: file.name,
            mode: file.mode,
            contacts: file.contacts,
            products: file.products,
            namespaces: plain(file.namespaces),
            formats: plain(file.formats),
            spec_versions: plain(file.spec_versions),
            max_age_days: file.max_age_days,
            minimum_grade: file.minimum_grade,
            grade_by: file.grade_by,
            vex: file.vex,
            tolerates: plain(file.tolerates),
            keys,
            identities: file.identities.into_iter().map(Spanned::into_inner).collect(),
            nkey: file.nkey,
            limits: file.limits,
            digest: Digest::of(text.as_bytes()),
        })
    }

    /// The text of this passport, as [`Passport::parse`] reads it.
    pub fn to_toml(&self) -> String {
        let entry = |key: &Key| KeyEntry {
            label: key.label.clone(),
            pem: Spanned::new(0..0, key.key.to_pem()),
            development: key.development,
            not_before: key.not_before,
            not_after: key.not_after,
        };
        let file = File {
            version: version(),
            id: Spanned::new(0..0, self.id.to_string()),
            name: self.name.clone(),
            mode: self.mode,
            contacts: self.contacts.clone(),
            products: self.products.clone(),
            namespaces: spanned(&self.namespaces),
            formats: spanned(&self.formats),
            spec_versions: spanned(&self.spec_versions),
            max_age_days: self.max_age_days,
            minimum_grade: self.minimum_grade,
            grade_by: self.grade_by,
            vex: self.vex,
            tolerates: spanned(&self.tolerates),
            nkey: self.nkey.clone(),
            limits: self.limits.clone(),
            keys: self.keys.iter().map(entry).collect(),
            identities: self.identities.iter().map(|it| Spanned::new(0..0, it.clone())).collect(),
        };
        // Texts, numbers and lists of them always encode.
        toml::to_string_pretty(&file).unwrap_or_default()
    }

    /// Who signs for the supplier, asked at `now`: that is when a bundle counts as signed that proves no time.
    pub(crate) fn trust_at(&self, now: Timestamp, root: &Arc<TrustRoot>) -> Trust {
        let mut trust = Trust::new();
        for key in &self.keys {
            let trusted = TrustedKey {
                development: key.development,
                validity: Validity { from: key.not_before, until: key.not_after },
                ..TrustedKey::new(key.label.as_str(), key.key.clone())
            };
            // Each key is in a passport once.
            trust.add(trusted).unwrap_or_default();
        }
        // Each was a rule when the passport was read.
        for rule in self.identities.iter().filter_map(|it| it.rule().ok()) {
            trust.add_identity(rule);
        }
        trust.set_root(Arc::clone(root));
        trust.at(now)
    }
}

#[cfg(test)]
mod tests {
    use attestation::{Artifact, SigningKey, verify_artifact};

    use super::*;

    fn key() -> Key {
        let key = SigningKey::generate().expect("a key").public_key().clone();
        let label = Label::of("release 2026");
        Key { label, key, development: false, not_before: None, not_after: None }
    }

    fn acme(keys: Vec<Key>) -> Passport {
        Passport::new("acme".parse().expect("valid"), Label::of("Acme Ltd"), keys)
    }

    #[test]
    fn passport_reads_as_it_was_written() {
        let mut written = acme(vec![key()]);
        written.products = vec!["widget".to_owned()];
        written.mode = Mode::Warn;
        written.tolerates = vec!["dependency-cycle".to_owned(), "dangling-reference".to_owned()];
        written.keys[0].not_after = Some("2027-01-01T00:00:00Z".parse().expect("valid"));

        let read = Passport::parse(&written.to_toml()).expect("reads");
        assert_eq!(read.to_toml(), written.to_toml());
        assert_eq!(read.keys[0].key, written.keys[0].key);
        assert_eq!(read.tolerates, written.tolerates);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let good = acme(vec![key()]).to_toml();
        let refusal = |text: &str| Passport::parse(text).expect_err("refused").to_string();

        assert!(refusal("id = \"a\"\nnome = \"x\"\n").starts_with("line 2: unknown field"), "typo");
        assert!(
            refusal(&good.replace("\"acme\"", "\"A.B\"")).starts_with("line 2: `id` may"),
            "id"
        );
        let line = good.lines().position(|it| it.starts_with("pem")).expect("there") + 1;
        let broken = good.replace("BEGIN PUBLIC KEY", "BEGIN NOTHING");
        assert!(
            refusal(&broken).starts_with(&format!("line {line}: `pem`")),
            "{}",
            refusal(&broken)
        );
        let entry = good.find("[[keys]]").expect("there");
        let twice = format!("{good}\n{}", &good[entry..]);
        assert!(refusal(&twice).contains("list it once"), "{}", refusal(&twice));
    }

    #[test]
    fn only_harmless_problems_can_be_tolerated() {
        let passport = |tolerates: &str| {
            let text = format!("id = \"acme\"\nname = \"Acme\"\ntolerates = [\n{tolerates}\n]\n");
            Passport::parse(&text).map_err(|error| error.to_string())
        };

        let all = format!("{TOLERABLE:?}");
        assert_eq!(passport(&all[1..all.len() - 1]).expect("reads").tolerates, TOLERABLE);
        for code in ["purl-bomb", "control-character", "Dependency-Cycle", ""] {
            let refused = passport(&format!("\"invalid-purl\",\n\"{code}\"")).expect_err("refused");
            let expected = format!(
                "line 5: `tolerates` has {code:?}; known are dependency-cycle, \
                 self-dependency, dangling-reference, duplicate-bom-ref, invalid-purl"
            );
            assert_eq!(refused, expected);
        }
        assert_eq!(acme(vec![]).tolerates, TOLERATED);
        assert_eq!(passport("").expect("reads").tolerates, [""; 0], "strict if it says so");
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_line() {
        for (entry, why) in [
            ("version = 2", "this release reads 1"),
            ("formats = [\"cyclonedx\", \"cyclone\"]", "known are cyclonedx, spdx, openvex, csaf"),
            ("spec_versions = [\"1.1\"]", "known are 1.2, 1.3"),
            ("namespaces = [\"npm/acme\"]", "no purl of a package begins with"),
            ("namespaces = [\"pkg:npm\"]", "no purl of a package begins with"),
            ("namespaces = [\"pkg:npm/acme@1\"]", "no purl of a package begins with"),
            ("minimum_grade = \"E\"", "unknown variant"),
            ("grade_by = \"iso\"", "unknown variant"),
            ("max_age_days = -1", "integer"),
        ] {
            let text = format!("id = \"acme\"\nname = \"Acme\"\n{entry}\n");
            let refused = Passport::parse(&text).expect_err(entry);
            assert_eq!(refused.line, Some(3), "{entry}: {refused}");
            assert!(refused.problem.contains(why), "{entry}: {refused}");
        }
    }

    #[test]
    fn identities_are_rules_and_what_is_wrong_with_one_is_said() {
        let entry = IdentityEntry {
            label: "release".to_owned(),
            issuer: "https://token.actions.githubusercontent.com".to_owned(),
            identity: None,
            identity_pattern: Some(r"https://github\.com/acme/.*".to_owned()),
            claims: [("ref".to_owned(), "refs/heads/main".to_owned())].into(),
            predicate_types: vec![],
        };
        let passport = Passport { identities: vec![entry.clone()], ..acme(vec![]) };
        let text = passport.to_toml();
        assert_eq!(Passport::parse(&text).expect("reads").identities, [entry]);
        for (from, to, why) in [
            ("ref =", "reference =", "is no claim"),
            (r"\.com/acme/.*", "(", "cannot be used"),
            ("identity_pattern", "identity_like", "unknown field"),
        ] {
            let refused = Passport::parse(&text.replace(from, to)).expect_err("refused");
            assert!(refused.line.is_some() && refused.problem.contains(why), "{refused}");
        }
    }

    #[test]
    fn key_counts_only_within_its_time() {
        let signing = SigningKey::generate().expect("a key");
        let bundle = signing.sign_file(b"{}").expect("signed");
        let root = Arc::new(TrustRoot::public_good().expect("sound"));
        let at = |text: &str| text.parse::<Timestamp>().expect("valid");
        let passport = acme(vec![Key {
            key: signing.public_key().clone(),
            not_before: Some(at("2026-01-01T00:00:00Z")),
            not_after: Some(at("2027-01-01T00:00:00Z")),
            ..key()
        }]);
        let refusal = |time: &str| {
            let trust = passport.trust_at(at(time), &root);
            verify_artifact(&bundle, &Artifact::of(b"{}"), &trust).err().map(|it| it.to_string())
        };

        assert_eq!(refusal("2026-01-01T00:00:00Z"), None);
        for time in ["2025-12-31T23:59:59Z", "2027-01-01T00:00:01Z"] {
            let refusal = refusal(time).expect("refused");
            assert!(
                refusal.contains("is trusted from 2026-01-01T00:00:00Z until 2027"),
                "{refusal}"
            );
        }
    }
}
