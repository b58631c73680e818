//! `attestry policy replay`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use ::policy::{Evaluator, Finding, Limits, Report};
use bus::Bus;
use events::{Digest, Envelope, EvidenceSigned, Role, Scope, VerdictResult};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::eval::load;
use crate::{
    client::{self, ClientArgs},
    commands::verdict,
    failure::Failure,
    output::{self, Format, plain},
};

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  attestry policy replay sha256:$(sha256sum app.whl | cut -d' ' -f1)\n  attestry policy replay sha256:… --policy stricter"
)]
pub(crate) struct Args {
    /// Digest of an artifact that was judged, sha256:HEX
    #[arg(value_name = "DIGEST")]
    digest: Digest,
    /// Only this project's build [default: every project's]
    #[arg(long, value_name = "NAME")]
    project: Option<Scope>,
    /// Another policy, a directory or an OPA bundle (*.tar.gz) [default: the one that judged then]
    #[arg(long, value_name = "DIR")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    client: ClientArgs,
}

/// What the gate wrote down.
#[derive(Deserialize)]
struct Decision {
    documents: BTreeMap<String, Option<Digest>>,
    input: BTreeMap<String, Box<RawValue>>,
}

#[derive(Serialize)]
struct Replayed<'a> {
    build: uuid::Uuid,
    project: &'a str,
    before: Judgement<'a>,
    now: Judgement<'a>,
    /// Whether both say the same of everything.
    same: bool,
    gone: Vec<&'a Finding>,
    new: Vec<&'a Finding>,
}

#[derive(Serialize)]
struct Judgement<'a> {
    result: VerdictResult,
    policy: Digest,
    errors: &'a [String],
}

pub(crate) async fn run(args: Args, format: Format) -> Result<(), Failure> {
    let bus = args.client.connect().await?;
    let verdicts = verdict::latest(&bus, args.digest, args.project.as_ref()).await?;
    if verdicts.is_empty() {
        return Err(Failure::Unknown(format!("no verdict on {}", args.digest)));
    }
    let mut same = true;
    for signed in &verdicts {
        same &= replay(&bus, signed, &args, format).await?;
    }
    match same {
        true => Ok(()),
        false => Err(Failure::No(String::new())),
    }
}

async fn replay(
    bus: &Bus,
    signed: &Envelope<EvidenceSigned>,
    args: &Args,
    format: Format,
) -> Result<bool, Failure> {
    let before: Report = serde_json::from_slice(&document(bus, signed, Role::Report).await?)
        .map_err(Failure::unknown)?;
    let input = input(bus, &document(bus, signed, Role::Decision).await?).await?;
    let policy = match &args.policy {
        Some(directory) => load(Some(directory))?,
        None => {
            let files = document(bus, signed, Role::Policy).await?;
            Evaluator::of_canonical(&files, Limits::default()).map_err(Failure::unknown)?
        }
    };
    let now = policy.build(&input).map_err(Failure::unknown)?;
    let (said, says) = (findings(&before), findings(&now));
    let missing = |of: &BTreeMap<Key<'_>, &Finding>, key: &Key<'_>| !of.contains_key(key);
    let gone: Vec<_> =
        said.iter().filter(|(key, _)| missing(&says, key)).map(|(_, it)| *it).collect();
    let new: Vec<_> =
        says.iter().filter(|(key, _)| missing(&said, key)).map(|(_, it)| *it).collect();
    // What was waived then is found again; replaying asks the policy alone.
    let same_result = before.result == now.result || !before.waived.is_empty();
    let same = same_result && before.errors == now.errors && gone.is_empty() && new.is_empty();
    let replayed = Replayed {
        build: signed.correlation,
        project: signed.scope.as_str(),
        before: Judgement::of(&before),
        now: Judgement::of(&now),
        same,
        gone,
        new,
    };
    output::result(format, &plain(&replayed.text()), &replayed)?;
    Ok(same)
}

/// The document with this part in the verdict.
async fn document(
    bus: &Bus,
    signed: &Envelope<EvidenceSigned>,
    role: Role,
) -> Result<bytes::Bytes, Failure> {
    let Some(document) = signed.data.documents.iter().find(|it| it.role == role) else {
        let why = "the verdict was made by a release that did not write down what it judged";
        return Err(Failure::unknown(why));
    };
    client::document(bus, document.digest).await
}

/// What policies saw, with the documents that were taken out of it.
async fn input(bus: &Bus, decision: &[u8]) -> Result<String, Failure> {
    let mut decision: Decision = serde_json::from_slice(decision).map_err(Failure::unknown)?;
    for (field, digest) in decision.documents {
        let Some(digest) = digest else { continue };
        let bytes = client::document(bus, digest).await?;
        let raw = serde_json::from_slice::<Box<RawValue>>(&bytes).map_err(Failure::unknown)?;
        decision.input.insert(field, raw);
    }
    serde_json::to_string(&decision.input).map_err(Failure::unknown)
}

/// Which list it stands in, and what it says of what.
type Key<'a> = (&'static str, &'a str, Option<&'a str>, &'a str);

fn findings(report: &Report) -> BTreeMap<Key<'_>, &Finding> {
    let lists =
        [("violation", &report.violations), ("warning", &report.warnings), ("info", &report.infos)];
    let waived = report.waived.iter().map(|it| &it.finding);
    let waived = waived.map(|it| {
        (("violation", it.id.as_str(), it.component.as_deref(), it.message.as_str()), it)
    });
    lists
        .into_iter()
        .flat_map(|(kind, list)| {
            list.iter().map(move |it| {
                ((kind, it.id.as_str(), it.component.as_deref(), it.message.as_str()), it)
            })
        })
        .chain(waived)
        .collect()
}

impl<'a> Judgement<'a> {
    fn of(report: &'a Report) -> Self {
        Self { result: report.result, policy: report.policy_digest, errors: &report.errors }
    }

    fn text(&self) -> String {
        let result = match self.result {
            VerdictResult::Passed => "PASSED",
            VerdictResult::Failed => "FAILED",
        };
        format!("{result} by policy {}", self.policy)
    }
}

impl Replayed<'_> {
    fn text(&self) -> String {
        let mut text = format!("Build {} of {}\n", self.build, self.project);
        text.push_str(&format!("  then  {}\n  now   {}\n", self.before.text(), self.now.text()));
        let rules: BTreeSet<&String> = self.before.errors.iter().chain(self.now.errors).collect();
        for error in rules {
            text.push_str(&format!("  error {error}\n"));
        }
        for (sign, list) in [("-", &self.gone), ("+", &self.new)] {
            for Finding { id, component, message, .. } in list {
                let component = component.as_deref().map(|it| format!(" {it}")).unwrap_or_default();
                text.push_str(&format!("  {sign} {id}{component}: {message}\n"));
            }
        }
        if self.same {
            text.push_str("  the same in every finding\n");
        }
        text
    }
}
