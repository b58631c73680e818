//! Passports: files that operators write, by hand or with this command.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use attestation::{PublicKey, trust::IdentityEntry};
use bus::UserKey;
use clap::builder::PossibleValuesParser;
use events::{Label, SupplierId};
use serde::Serialize;
use supplier_ingest::{
    Limits, Passport, PassportDirectory,
    passport::{Grade, Key, Mode, TOLERABLE},
};

use super::access::UserArgs;
use crate::{
    client::ClientArgs,
    failure::Failure,
    output::{self, Format, note},
    trust::IdentityArgs,
};

#[derive(clap::Args)]
pub(crate) struct DirectoryArgs {
    /// Directory of passports
    #[arg(long, env, value_name = "DIR", default_value = "data/passports")]
    pub(super) passports: PathBuf,
}

impl DirectoryArgs {
    pub(super) fn path(&self) -> &Path {
        &self.passports
    }
}

#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  attestry supplier add acme --name 'Acme Ltd' --key acme.pub --product widget --namespace pkg:pypi/"
)]
pub(crate) struct AddArgs {
    /// Its id: part of its subjects and of its passport's file name
    #[arg(value_name = "ID")]
    supplier: SupplierId,
    /// Its name for people
    #[arg(long, value_name = "NAME")]
    name: Label,
    /// Public key that signs for it, PEM; repeat for several
    #[arg(long, value_name = "FILE", required_unless_present_any = ["identity", "identity_regexp"])]
    key: Vec<PathBuf>,
    #[command(flatten)]
    identity: IdentityArgs,
    /// Product that it may speak for; repeat for several [default: any]
    #[arg(long, value_name = "NAME")]
    product: Vec<String>,
    /// What the purls of its products begin with, such as pkg:npm/%40acme/ [default: anything]
    #[arg(long, value_name = "PREFIX")]
    namespace: Vec<String>,
    /// Whom to write to
    #[arg(long, value_name = "ADDRESS")]
    contact: Vec<Label>,
    /// Age of a document, in days, above which it is too old
    #[arg(long, value_name = "DAYS", default_value_t = 365)]
    max_age_days: u32,
    /// Grade that its SBOMs must have at least [default: any will do]
    #[arg(long, value_name = "GRADE", value_parser = grade)]
    minimum_grade: Option<Grade>,
    /// Only warn of that problem, which real generators cause; repeat for several [default: dependency-cycle,
    /// self-dependency and dangling-reference]
    #[arg(long, value_name = "CODE", value_parser = PossibleValuesParser::new(TOLERABLE))]
    tolerate: Vec<String>,
    /// Accept what breaks the trust policy, with a warning
    #[arg(long)]
    warn_only: bool,
    /// Its VEX documents do not count
    #[arg(long)]
    no_vex: bool,
    #[command(flatten)]
    user: UserArgs,
    /// Write over a passport that is there
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    directory: DirectoryArgs,
    #[command(flatten)]
    client: ClientArgs,
}

fn grade(text: &str) -> Result<Grade, String> {
    let mut letters = text.chars().map(|it| it.to_ascii_uppercase());
    let grade = letters.next().and_then(Grade::of).filter(|_| letters.next().is_none());
    grade.ok_or_else(|| "is none of A, B, C, D and F".to_owned())
}

#[derive(clap::Args)]
#[command(after_help = "Example:\n  attestry supplier show acme")]
pub(crate) struct ShowArgs {
    /// Its id
    #[arg(value_name = "ID")]
    supplier: SupplierId,
    #[command(flatten)]
    directory: DirectoryArgs,
}

/// A passport as machines get it.
#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    name: &'a str,
    mode: Mode,
    contacts: &'a [Label],
    products: &'a [String],
    namespaces: &'a [String],
    formats: &'a [String],
    spec_versions: &'a [String],
    max_age_days: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum_grade: Option<Grade>,
    grade_by: &'static str,
    vex: bool,
    tolerates: &'a [String],
    keys: Vec<ShownKey<'a>>,
    identities: &'a [IdentityEntry],
    nkey: Option<&'a UserKey>,
    limits: &'a Limits,
    digest: events::Digest,
}

#[derive(Serialize)]
struct ShownKey<'a> {
    label: &'a str,
    fingerprint: String,
    development: bool,
    not_before: Option<jiff::Timestamp>,
    not_after: Option<jiff::Timestamp>,
}

pub(super) async fn add(args: AddArgs, format: Format) -> Result<(), Failure> {
    let file = args.directory.passports.join(format!("{}.toml", args.supplier));
    may_write(&file, args.replace)?;
    let keys = args.key.iter().map(read_key).collect::<Result<_, _>>()?;
    let nkey = args.user.key(&args.supplier)?;
    let identity = args.identity.entry()?;
    let defaults = Passport::new(args.supplier, args.name, keys);
    let passport = Passport {
        identities: identity.into_iter().collect(),
        mode: if args.warn_only { Mode::Warn } else { Mode::Enforce },
        contacts: args.contact,
        products: args.product,
        namespaces: args.namespace,
        max_age_days: args.max_age_days,
        vex: !args.no_vex,
        minimum_grade: args.minimum_grade,
        tolerates: match args.tolerate.is_empty() {
            true => defaults.tolerates.clone(),
            false => args.tolerate,
        },
        nkey,
        ..defaults
    };
    // What is written is what will be read.
    let text = passport.to_toml();
    let passport = Passport::parse(&text).map_err(Failure::input)?;
    write(&file, &text)?;
    match args.client.connect_if_there().await {
        Some(bus) => {
            bus.open_door(&passport.id, &passport.limits.of_door()).await?;
            bus.close().await;
        }
        None => note("No broker answers: supplier-ingest opens the door when it next starts."),
    }
    if passport.nkey.is_some() {
        note(&format!(
            "The broker of `attestry up` lets it in within seconds; for one of your own: attestry supplier nats-config {}",
            passport.id
        ));
    }
    let text =
        format!("Added {} as {}; its passport is {}", passport.name, passport.id, file.display());
    output::result(format, &text, &Shown::of(&passport))
}

fn may_write(file: &Path, replace: bool) -> Result<(), Failure> {
    if file.exists() && !replace {
        let why = "is there already; edit it, or give --replace";
        return Err(Failure::Input(format!("{}: {why}", file.display())));
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let at_fault = |why: String| Failure::Input(format!("{}: {why}", file.display()));
    let directory = file.parent().map_or_else(|| PathBuf::from("."), PathBuf::from);
    fs::create_dir_all(&directory).map_err(|error| at_fault(error.to_string()))?;
    // The worker reads it while it is written: it must see the old one or the new one.
    let beside = directory.join(format!(".{}.new", std::process::id()));
    let written = fs::File::create(&beside).and_then(|mut it| {
        it.write_all(text.as_bytes())?;
        it.sync_all()
    });
    written.and_then(|()| fs::rename(&beside, file)).map_err(|error| at_fault(error.to_string()))
}

fn read_key(path: &PathBuf) -> Result<Key, Failure> {
    let at_fault = |why: String| Failure::Input(format!("{}: {why}", path.display()));
    let pem = fs::read_to_string(path).map_err(|error| at_fault(error.to_string()))?;
    let key = PublicKey::from_pem(&pem).map_err(|error| at_fault(error.to_string()))?;
    let name = path.file_stem().and_then(|it| it.to_str()).unwrap_or("key");
    let label = Label::of(name);
    Ok(Key { label, key, development: false, not_before: None, not_after: None })
}

pub(super) fn list(args: &DirectoryArgs, format: Format) -> Result<(), Failure> {
    let passports = PassportDirectory::open(&args.passports).map_err(Failure::input)?;
    let suppliers = passports.suppliers().map_err(Failure::unknown)?;
    if suppliers.is_empty() && format == Format::Text {
        note(&format!("No passport in {}", args.passports.display()));
    }
    for supplier in suppliers {
        let passport = read(&passports, &supplier)?;
        let text = format!(
            "{:<20} {} ({}, {})",
            passport.id,
            passport.name,
            signers(&passport),
            match passport.mode {
                Mode::Enforce => "enforced",
                Mode::Warn => "warns only",
            }
        );
        output::result(format, &text, &Shown::of(&passport))?;
    }
    Ok(())
}

/// How many keys and identities sign for a supplier.
fn signers(passport: &Passport) -> String {
    let count = |count: usize, one: &str, many: &str| match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {many}"),
    };
    let keys = count(passport.keys.len(), "key", "keys");
    match passport.identities.len() {
        0 => keys,
        identities => format!("{keys}, {}", count(identities, "identity", "identities")),
    }
}

pub(super) fn show(args: &ShowArgs, format: Format) -> Result<(), Failure> {
    let directory = &args.directory.passports;
    let passports = PassportDirectory::open(directory).map_err(Failure::input)?;
    let file = passports.file(&args.supplier);
    if !file.exists() {
        let why = format!("{} has no passport in {}", args.supplier, directory.display());
        return Err(Failure::No(why));
    }
    let passport = read(&passports, &args.supplier)?;
    let mut text = format!("# {}\n{}", file.display(), passport.to_toml());
    for key in &passport.keys {
        text.push_str(&format!("# {} is {}\n", key.label, key.key.fingerprint()));
    }
    output::result(format, &text, &Shown::of(&passport))
}

/// The passport of `supplier`, by whose file.
pub(super) fn read(
    passports: &PassportDirectory,
    supplier: &SupplierId,
) -> Result<Passport, Failure> {
    let file = passports.file(supplier);
    let at_fault = |why: String| Failure::Input(format!("{}: {why}", file.display()));
    let text = fs::read_to_string(&file).map_err(|error| at_fault(error.to_string()))?;
    Passport::parse(&text).map_err(|error| at_fault(error.to_string()))
}

impl<'a> Shown<'a> {
    fn of(passport: &'a Passport) -> Self {
        let key = |it: &'a Key| ShownKey {
            label: it.label.as_str(),
            fingerprint: it.key.fingerprint(),
            development: it.development,
            not_before: it.not_before,
            not_after: it.not_after,
        };
        Self {
            id: passport.id.as_str(),
            name: passport.name.as_str(),
            mode: passport.mode,
            contacts: &passport.contacts,
            products: &passport.products,
            namespaces: &passport.namespaces,
            formats: &passport.formats,
            spec_versions: &passport.spec_versions,
            max_age_days: passport.max_age_days,
            minimum_grade: passport.minimum_grade,
            grade_by: passport.grade_by.as_str(),
            vex: passport.vex,
            tolerates: &passport.tolerates,
            keys: passport.keys.iter().map(key).collect(),
            identities: &passport.identities,
            nkey: passport.nkey.as_ref(),
            limits: &passport.limits,
            digest: passport.digest,
        }
    }
}
