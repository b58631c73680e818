//! `attestry policy new`.

use std::{fs, path::PathBuf};

use serde::Serialize;

use crate::{
    failure::Failure,
    output::{self, Format},
};

#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  attestry policy new acme --policy policy && attestry policy test policy"
)]
pub(crate) struct Args {
    /// Name of the package below `attestry`: lower-case letters, digits and _
    #[arg(value_name = "NAME")]
    name: String,
    /// Directory to write to; a new one gets the library that ships with Attestry as well
    #[arg(long, value_name = "DIR", default_value = "policy")]
    policy: PathBuf,
}

#[derive(Serialize)]
struct Written {
    files: Vec<PathBuf>,
}

const RULE: &str = r#"# What this project asks for beyond the library.
package attestry.NAME

import data.attestry.lib

rules := {"ID-001": {
	"title": "The version is told",
	"severity": "medium",
	"remedy": "Submit the build with --product-version",
}}

deny contains finding if {
	not lib.has(input.build, "version")
	finding := lib.finding(rules, "ID-001", "the build has no version", null)
}
"#;

const TEST: &str = r#"package attestry.NAME_test

import data.attestry.NAME

denied := {finding.id | some finding in NAME.deny}

test_a_build_with_a_version_passes if denied == set() with input as {"build": {"version": "1.0"}}

test_a_build_without_one_is_denied if {
	denied == {"ID-001"} with input as {"build": {}}
	denied == {"ID-001"} with input as {"build": {"version": " "}}
}
"#;

pub(crate) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let name = &args.name;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_lowercase())
        || !name.chars().all(fits)
        || name == "lib"
    {
        let why = "write lower-case letters, digits and _, a letter first, and not `lib`";
        return Err(Failure::Input(format!(
            "`{}` is no name of a package: {why}",
            name.escape_debug()
        )));
    }
    let mut files: Vec<(String, String)> = Vec::new();
    if !args.policy.exists() {
        files.extend(::policy::library().map(|(path, text)| (path.to_owned(), text.to_owned())));
    }
    let fill = |text: &str| {
        text.replace("NAME", name).replace("ID-", &format!("{}-", name.to_uppercase()))
    };
    files.push((format!("{name}.rego"), fill(RULE)));
    files.push((format!("{name}_test.rego"), fill(TEST)));
    let mut written = Written { files: Vec::new() };
    for (path, _) in &files {
        let path = args.policy.join(path);
        if path.exists() {
            return Err(Failure::Input(format!("{} exists: choose another name", path.display())));
        }
    }
    for (path, text) in files {
        let path = args.policy.join(path);
        let made = path.parent().map_or(Ok(()), fs::create_dir_all);
        made.and_then(|()| fs::write(&path, text))
            .map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?;
        written.files.push(path);
    }
    let text: String = written.files.iter().map(|it| format!("wrote {}\n", it.display())).collect();
    output::result(format, &text, &written)
}
