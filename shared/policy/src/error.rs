//! Why a policy bundle cannot judge.

use std::{fmt, io};

/// A place in a policy file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Path below the policy directory.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A policy directory that is refused as a whole; nothing in it judges.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file or directory cannot be read.
    #[error("{file}: cannot be read: {error}; check that it exists and is readable")]
    Read {
        /// The file or directory.
        file: String,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// A name or a text is not UTF-8.
    #[error("{file}: is not UTF-8; save it as UTF-8")]
    NotUtf8 {
        /// The file.
        file: String,
    },
    /// More bytes than a bundle may have.
    #[error(
        "{file}: the policies and data are larger than {max} bytes together; split or shorten them"
    )]
    TooLarge {
        /// The file with which the limit was passed.
        file: String,
        /// The limit in bytes.
        max: u64,
    },
    /// A file that is no OPA bundle, or one with something in it that none may have.
    #[error(
        "{file}: {problem}; make the bundle anew from a directory: `opa build --bundle DIR --output bundle.tar.gz`"
    )]
    Tarball {
        /// The entry, or the bundle.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Nobody who may has signed it.
    #[error("{problem}")]
    Unsigned {
        /// Who signed instead, or that nobody did, and the remedy.
        problem: String,
    },
    /// More files or deeper directories than a bundle may have.
    #[error("{file}: too many files or too deep; name a directory that holds policies only")]
    TooManyFiles {
        /// The directory with which the limit was passed.
        file: String,
    },
    /// Data where it would not be loaded.
    #[error(
        "{file}: data is read from `data.json` at the top of the policy directory only; move it there"
    )]
    MisplacedData {
        /// The file.
        file: String,
    },
    /// `data.json` is not usable.
    #[error("data.json: {problem}")]
    Data {
        /// What is wrong, where, and the remedy.
        problem: String,
    },
    /// The text is not Rego v1, or its rules contradict each other.
    #[error(
        "{message}\n(Rego v1 is expected: `if` before bodies, `contains` for sets; Rego v0 belongs into the folder `v0`)"
    )]
    Rego {
        /// The engine's message with file, line and column.
        message: String,
    },
    /// The text in `v0/` is not Rego v0.
    #[error("{message}\n(Rego v0 is expected in the folder `v0`; move Rego v1 out of it)")]
    RegoV0 {
        /// The engine's message with file, line and column.
        message: String,
    },
    /// A package in `v0/` with a name that is kept for Rego v1.
    #[error(
        "{position}: package `{package}` may not be Rego v0; name it otherwise (letters, digits and _, not attestry), or rewrite it in Rego v1 and move it out of `v0/`"
    )]
    V0Package {
        /// Where it is declared.
        position: Position,
        /// Its name.
        package: String,
    },
    /// No package in `v0/` judges.
    #[error(
        "{position}: no policy in `v0/` defines `allow`, `violation` or `deny`; define one, or remove the folder"
    )]
    V0JudgesNothing {
        /// The first package.
        position: Position,
    },
    /// A package that would never be judged.
    #[error(
        "{position}: package `{package}` would never be judged; name it `attestry.<name>`, or `attestry.lib.<name>` for helpers"
    )]
    ForeignPackage {
        /// Where it is declared.
        position: Position,
        /// Its name.
        package: String,
    },
    /// A package without a rule that judges.
    #[error(
        "{position}: package `{package}` defines none of `deny`, `warn`, `info`; define one, or name it `attestry.lib.<name>`"
    )]
    JudgesNothing {
        /// Where it is declared.
        position: Position,
        /// Its name.
        package: String,
    },
    /// No `deny` anywhere.
    #[error(
        "no policy defines `deny`, so nothing could ever fail; add a file with `package attestry.<name>` and a `deny contains … if …` rule"
    )]
    Empty,
    /// A function that neither the bundle nor the engine has, or that a gate may not use.
    #[error("{position}: `{function}` {problem}")]
    Function {
        /// The call.
        position: Position,
        /// The function's name.
        function: String,
        /// What is wrong with it and the remedy.
        problem: &'static str,
    },
    /// A head that can be undefined while its rule goes on.
    #[error(
        "{position}: the head of `{rule}` holds something that can be undefined, and the engine would then forget what the rule has found; bind it to a variable in the body: `x := …`"
    )]
    UndefinableHead {
        /// The part of the head.
        position: Position,
        /// The rule's name.
        rule: String,
    },
    /// A `default` that a rule of another file asks for.
    #[error(
        "{position}: `{rule}` has a `default` and is asked for in {used_in}, where the engine would then lose other values; write `{rule} := … if … else := …`, or move it there"
    )]
    DefaultElsewhere {
        /// The default.
        position: Position,
        /// Its name.
        rule: String,
        /// The file that asks for it.
        used_in: String,
    },
    /// A rule that needs itself.
    #[error(
        "{position}: recursion: {cycle}; break the circle (if a local variable has the name of a rule, rename it)"
    )]
    Recursion {
        /// The first rule of the circle.
        position: Position,
        /// The rules of the circle.
        cycle: String,
    },
    /// A chain of rules too long for the engine's stack.
    #[error("{position}: `{rule}` needs a chain of more than {max} rules; flatten it")]
    TooDeep {
        /// The rule at the head of the chain.
        position: Position,
        /// Its name.
        rule: String,
        /// The longest chain allowed.
        max: usize,
    },
    /// A rule that no verdict depends on: most often a misspelt `deny`.
    #[error(
        "{position}: rule `{rule}` is used by no `deny`, `warn` or `info`, nor by `supplier` of `attestry.sbom`; correct its name, use it, or remove it"
    )]
    Unused {
        /// The rule.
        position: Position,
        /// Its name.
        rule: String,
    },
    /// The process that judges refuses it, with the text of another of these.
    #[error("{0}")]
    Refused(String),
    /// There is no process that could judge.
    #[error(transparent)]
    Sandbox(#[from] crate::SandboxError),
    /// The sample document could not be judged.
    #[error("judging a sample document failed: {reason}")]
    Sample {
        /// Why.
        reason: String,
    },
}
