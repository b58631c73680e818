//! The document that the rule set `supplier` judges; see docs/policy.md.

use std::{borrow::Cow, collections::BTreeMap};

use documents::{
    bom::{self, Bom},
    score::Score,
};
use events::{Accepted, Digest, DocumentKind};
use jiff::Timestamp;
use purl::{Purl, package_of};
use serde::Serialize;

use super::{
    Contents, Signature, Submission,
    signature::Told,
    suspicion::{Suspicion, Suspicions},
};
use crate::passport::{Grade, Mode, Passport};

#[derive(Serialize)]
pub(super) struct Input<'a> {
    schema: &'static str,
    time: Timestamp,
    supplier: Supplier<'a>,
    document: Document<'a>,
    index: Index,
    signature: &'a Told,
}

/// What rules would otherwise look through all components for.
#[derive(Serialize)]
struct Index {
    /// Numbers of components by package URL without version, qualifiers and subpath.
    packages: BTreeMap<String, Vec<usize>>,
}

#[derive(Serialize)]
struct Supplier<'a> {
    id: &'a str,
    name: &'a str,
    namespaces: &'a [String],
    products: &'a [String],
    formats: &'a [String],
    spec_versions: &'a [String],
    max_age_days: u32,
    /// The grades that are good enough; null if any is.
    grades: Option<Vec<&'static str>>,
    require_signature: bool,
    mode: Mode,
    vex: bool,
    tolerates: &'a [String],
}

#[derive(Serialize)]
struct Document<'a> {
    digest: Digest,
    size: usize,
    kind: DocumentKind,
    format: &'a str,
    spec_version: Option<&'a str>,
    serial: Option<&'a str>,
    timestamp: Option<Timestamp>,
    subject: Option<Component<'a>>,
    declared_supplier: Option<&'a str>,
    grade: Option<Graded>,
    /// The SBOM of this product that stands now.
    standing: Option<Standing<'a>>,
    components: Vec<Component<'a>>,
    statements: usize,
    problems: Vec<Problem<'a>>,
    problem_count: usize,
}

#[derive(Serialize)]
struct Graded {
    standard: &'static str,
    score: u8,
    grade: &'static str,
}

#[derive(Serialize)]
struct Standing<'a> {
    document: Digest,
    timestamp: Option<Timestamp>,
    accepted_at: &'a Timestamp,
}

#[derive(Serialize)]
struct Component<'a> {
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    bom_ref: Option<&'a str>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Cow<'a, str>>,
    // To Rego's functions on text, null is an error, and what is not there is not asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<&'a str>,
}

#[derive(Serialize)]
struct Problem<'a> {
    code: &'a str,
    pointer: String,
    message: String,
}

impl<'a> Input<'a> {
    pub(super) fn of(
        submission: &'a Submission,
        passport: &'a Passport,
        contents: &'a Contents,
        signature: &'a Signature,
    ) -> Self {
        let suspicions = contents.bom.as_ref().map_or_else(Suspicions::default, |bom| {
            Suspicions::of(bom, passport, submission.advisories.as_ref())
        });
        Self {
            schema: "attestry.supplier-input/v1",
            time: submission.now,
            supplier: Supplier::of(passport),
            document: Document {
                grade: contents.score(Some(passport)).map(Graded::of),
                standing: submission.standing.as_ref().map(Standing::of),
                ..Document::of(contents, suspicions)
            },
            index: Index::of(contents.bom.as_ref()),
            signature: &signature.told,
        }
    }
}

impl Index {
    fn of(bom: Option<&Bom>) -> Self {
        let mut packages: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let components = bom.map(|it| it.components.as_slice()).unwrap_or_default();
        for (number, component) in components.iter().enumerate() {
            if let Some(package) = component.purl.as_deref().and_then(package_of) {
                packages.entry(package).or_default().push(number);
            }
        }
        Self { packages }
    }
}

impl<'a> Supplier<'a> {
    fn of(passport: &'a Passport) -> Self {
        let grades = |minimum: Grade| {
            let enough = Grade::ALL.into_iter().filter(|it| *it <= minimum);
            enough.map(Grade::as_str).collect()
        };
        Self {
            id: passport.id.as_str(),
            name: passport.name.as_str(),
            namespaces: &passport.namespaces,
            products: &passport.products,
            formats: &passport.formats,
            spec_versions: &passport.spec_versions,
            max_age_days: passport.max_age_days,
            grades: passport.minimum_grade.map(grades),
            require_signature: true,
            mode: passport.mode,
            vex: passport.vex,
            tolerates: &passport.tolerates,
        }
    }
}

impl<'a> Document<'a> {
    fn of(contents: &'a Contents, suspicions: Suspicions) -> Self {
        let bom = contents.bom.as_ref();
        let listed = bom.map(|it| it.problems.as_slice()).unwrap_or_default();
        let counted: usize = bom.map_or(0, |it| it.problem_counts.values().sum());
        let suspicious = suspicions.told.into_iter().map(|it| {
            let Suspicion { code, place, message } = it;
            Problem { code, pointer: place, message }
        });
        let listed = listed.iter().map(|it| Problem {
            code: it.code,
            pointer: it.pointer.clone(),
            message: it.message.clone(),
        });
        Self {
            digest: contents.digest,
            size: contents.size,
            kind: contents.kind,
            format: contents.format,
            spec_version: contents.spec_version,
            serial: bom.and_then(|it| it.serial.as_deref()),
            timestamp: contents.timestamp,
            subject: bom.and_then(|it| it.subject.as_ref()).map(Component::of_subject),
            declared_supplier: bom.and_then(|it| it.supplier.as_deref()),
            grade: None,
            standing: None,
            components: bom
                .map(|it| it.components.iter().map(Component::of).collect())
                .unwrap_or_default(),
            statements: contents.statements,
            problems: suspicious.chain(listed).collect(),
            problem_count: counted + suspicions.count,
        }
    }
}

impl Graded {
    fn of(score: &Score) -> Self {
        Self {
            standard: score.standard.as_str(),
            score: score.score,
            // There is no other letter.
            grade: Grade::of(score.grade).unwrap_or(Grade::F).as_str(),
        }
    }
}

impl<'a> Standing<'a> {
    fn of(standing: &'a Accepted) -> Self {
        let Accepted { document, made_at, accepted_at, .. } = standing;
        Self { document: *document, timestamp: *made_at, accepted_at }
    }
}

impl<'a> Component<'a> {
    /// Of an image the version stands in the purl alone: it is the digest.
    fn of_subject(subject: &'a bom::Component) -> Self {
        let version_of = |purl: &str| Some(Purl::canonicalize(purl).ok()?.version()?.to_owned());
        let mut component = Self::of(subject);
        if component.version.is_none() {
            component.version = component.purl.and_then(version_of).map(Cow::Owned);
        }
        component
    }

    fn of(component: &'a bom::Component) -> Self {
        Self {
            bom_ref: component.bom_ref.as_deref(),
            name: &component.name,
            version: component.version.as_deref().map(Cow::Borrowed),
            purl: component.purl.as_deref(),
        }
    }
}
