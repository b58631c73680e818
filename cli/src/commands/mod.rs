//! One file per command, named as it is typed.

pub(crate) mod advisories;
pub(crate) mod backlog;
pub(crate) mod build;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod link;
pub(crate) mod policy;
pub(crate) mod quarantine;
pub(crate) mod registry;
pub(crate) mod report;
pub(crate) mod retention;
pub(crate) mod risk;
pub(crate) mod sbom;
pub(crate) mod search;
pub(crate) mod signatures;
pub(crate) mod supplier;
pub(crate) mod trusted_root;
pub(crate) mod up;
pub(crate) mod verdict;
pub(crate) mod verify;
pub(crate) mod vex;
pub(crate) mod waiver;
