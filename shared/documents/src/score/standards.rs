//! The American lists: CISA's minimum elements of 2026, and NTIA's of 2021, which they replace.

use super::Level::{Additional, Required};
use super::rules::{
    Judge::{Component, Document},
    Rule, author, coverage, data_format, generation_context, hash, identifiers, licence, name,
    producer, relationship, sbom_version, signature, timestamp, tool_name, tool_version, version,
};

const AUTHOR: Rule = Rule {
    id: "sbom-author",
    name: "SBOM author",
    level: Required,
    judge: Document("/metadata", author),
    why: "Whoever finds a mistake has to know whom to tell.",
    remedy: "Name a person in `metadata.authors` or an organization in `metadata.manufacturer`; \
             a tool is no author.",
};
const TIMESTAMP: Rule = Rule {
    id: "timestamp",
    name: "SBOM timestamp",
    level: Required,
    judge: Document("/metadata/timestamp", timestamp),
    why: "Without a date nobody can tell which of two SBOMs holds.",
    remedy: "Write `metadata.timestamp` such as 2026-01-31T12:00:00Z.",
};
const NAME: Rule = Rule {
    id: "component-name",
    name: "Component name",
    level: Required,
    judge: Component(name),
    why: "What has no name cannot be looked up.",
    remedy: "Write the name that its producer gives it into `name`.",
};
const VERSION: Rule = Rule {
    id: "component-version",
    name: "Component version",
    level: Required,
    judge: Component(version),
    why: "A vulnerability is in some versions and not in others.",
    remedy: "Write `version`; a component without one takes the date of its file.",
};
const IDENTIFIERS: Rule = Rule {
    id: "software-identifiers",
    name: "Software identifiers",
    level: Required,
    judge: Component(identifiers),
    why: "Advisories are found by identifier; names alone are ambiguous.",
    remedy: "Write at least one of `purl`, `cpe`, `swid`, `omniborId` and `swhid`.",
};
const PRODUCER: Rule = Rule {
    id: "component-producer",
    name: "Component producer",
    level: Required,
    judge: Component(producer),
    why: "Two producers may use one name, and somebody has to be asked for a fix.",
    remedy: "Name who makes it in `manufacturer`, `authors` or `supplier`, as its package's metadata does.",
};
const RELATIONSHIP: Rule = Rule {
    id: "dependency-relationship",
    name: "Dependency relationship",
    level: Required,
    judge: Component(relationship),
    why: "Only the graph tells how a vulnerable component got there, and who has to act.",
    remedy: "Give each component an entry in `dependencies`, an empty one if it needs nothing; \
             make the SBOM from a lockfile that knows edges.",
};

/// Elements of 2026. Coverage is a practice there, and here as far as a document can show it.
pub(super) const CISA: &[Rule] = &[
    AUTHOR,
    Rule {
        id: "author-signature",
        name: "SBOM author signature",
        level: Additional,
        judge: Document("", signature),
        why: "A signature shows that the author wrote it, and that nobody changed it since.",
        remedy: "Sign it: a signature beside the document (a Sigstore bundle) counts as well, \
                 which the document alone cannot tell.",
    },
    Rule {
        id: "data-format",
        name: "Data format name and version",
        level: Required,
        judge: Document("", data_format),
        why: "What breaks its own format cannot be processed by machines.",
        remedy: "Mend what `attestry sbom validate` tells, or the tool that wrote it.",
    },
    Rule {
        id: "generation-context",
        name: "Generation context",
        level: Required,
        judge: Document("/metadata/lifecycles", generation_context),
        why: "An SBOM made from sources knows other things than one made from binaries.",
        remedy: "Write `metadata.lifecycles` with a `phase` such as build (CycloneDX 1.5 and later).",
    },
    TIMESTAMP,
    Rule {
        id: "tool-name",
        name: "Tool name",
        level: Required,
        judge: Document("/metadata/tools", tool_name),
        why: "Tools see and overlook different things.",
        remedy: "Name the generator in `metadata.tools`.",
    },
    Rule {
        id: "tool-version",
        name: "Tool version",
        level: Required,
        judge: Document("/metadata/tools", tool_version),
        why: "A mistake of a tool is in some of its versions and not in others.",
        remedy: "Write the generator's `version` in `metadata.tools`.",
    },
    Rule {
        id: "sbom-version",
        name: "SBOM version",
        level: Required,
        judge: Document("/serialNumber", sbom_version),
        why: "It tells a correction from another SBOM.",
        remedy: "Write `serialNumber` (urn:uuid:…) and `version`.",
    },
    Rule {
        id: "coverage",
        name: "Coverage",
        level: Required,
        judge: Document("/compositions", coverage),
        why: "A list that does not say whether it is complete proves the absence of nothing.",
        remedy: "Say in `compositions` what is complete, incomplete or unknown.",
    },
    PRODUCER,
    NAME,
    VERSION,
    IDENTIFIERS,
    Rule {
        id: "component-hash",
        name: "Component hash",
        level: Required,
        judge: Component(hash),
        why: "Only a hash says that the file at hand is the one that is meant.",
        remedy: "Write `hashes` with SHA-256 or stronger, of the component or of its `distribution` \
                 references; lockfiles with hashes have them.",
    },
    Rule {
        id: "component-licence",
        name: "Component licence",
        level: Required,
        judge: Component(licence),
        why: "It decides whether the component may be used and passed on.",
        remedy: "Write `licenses` with an SPDX identifier or expression, as its package's metadata does.",
    },
    RELATIONSHIP,
];

/// "Data Fields" of 2021.
pub(super) const NTIA: &[Rule] = &[
    Rule { id: "supplier", name: "Supplier name", ..PRODUCER },
    NAME,
    VERSION,
    Rule { id: "unique-identifiers", name: "Other unique identifiers", ..IDENTIFIERS },
    RELATIONSHIP,
    Rule { id: "author", name: "Author of SBOM data", ..AUTHOR },
    Rule { name: "Timestamp", ..TIMESTAMP },
];
