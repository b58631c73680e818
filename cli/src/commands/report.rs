//! `attestry report`: what somebody answers for, over some time.

mod posture;
mod quarter;
mod render;

use backlog_mapper::{
    export::{
        Form,
        json::{Backlog, Risks},
    },
    queries::{BACKLOG, BacklogQuestion, RISK, RiskQuestion},
};
use bus::Bus;
use jiff::Timestamp;
use policy_gate::standing::{Standing, WAIVERS};
use registrar::queries::{RECONCILE, Reconciled};
use serde::{Serialize, de::DeserializeOwned};

use self::{
    posture::{Posture, Sources},
    quarter::Quarter,
};
use super::{backlog, supplier};
use crate::{
    client::{self, ANSWER_PATIENCE, ClientArgs},
    failure::Failure,
    output::{self, Format, note},
};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Tell how the supply chain stands after a quarter, for DevOps, Security and Compliance
    #[command(
        after_help = "A part whose service does not answer is told as not known, never as 0.\n\nExit codes: 0 told; 3 the backlog mapper does not answer.\n\nExamples:\n  attestry report posture\n  attestry report posture --quarter 2026Q3 --format markdown > posture-2026Q3.md"
    )]
    Posture(Args),
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which quarter, such as 2026Q3 [default: the one that is running, up to now]
    #[arg(long, value_name = "YYYYQn")]
    quarter: Option<Quarter>,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    let Command::Posture(args) = command;
    #[allow(clippy::disallowed_methods, reason = "which quarter is running depends on the day")]
    let now = Timestamp::now();
    let quarter = args.quarter.unwrap_or_else(|| Quarter::of(now));
    if quarter.begins() > now {
        return Err(Failure::input(format!("{quarter} has not begun")));
    }
    let bus = args.client.connect().await?;
    let until = quarter.ends().min(now);
    let posture = Posture::of(quarter, until, sources(&bus, quarter, until).await?);
    output::result(format, &render::markdown(&posture), &posture)
}

/// Everything that there is to know; what does not answer is not known.
async fn sources(bus: &Bus, quarter: Quarter, until: Timestamp) -> Result<Sources, Failure> {
    let backlog: Backlog = told(bus, BACKLOG, &BacklogQuestion::Export(Form::Json))
        .await?
        .ok_or_else(|| Failure::unknown("the backlog mapper has no backlog"))?;
    let risks = async |time| {
        let question = RiskQuestion::ExportAsOf(Form::Json, time);
        told::<Risks>(bus, RISK, &question).await.map(|it| it.map(|it| it.risks))
    };
    let reconciled = client::ask::<Reconciled>(bus, RECONCILE, &()).await;
    Ok(Sources {
        entries: backlog.entries,
        risks_before: risks(quarter.begins()).await?,
        risks_after: risks(until).await?,
        waivers: waivers(bus).await,
        reconciliation: unless_away("the registrar", reconciled).map(|it| it.reconciliation),
        suppliers: unless_away(
            "the registrar",
            supplier::summaries(bus, Some(quarter.begins())).await,
        ),
    })
}

async fn told<T: DeserializeOwned>(
    bus: &Bus,
    topic: &str,
    question: &impl Serialize,
) -> Result<Option<T>, Failure> {
    let answer = backlog::ask(bus, topic, question).await?;
    answer.map(|it| serde_json::from_str(&it).map_err(Failure::unknown)).transpose()
}

async fn waivers(bus: &Bus) -> Option<Vec<Standing>> {
    let answer = bus.ask(WAIVERS, "".into(), ANSWER_PATIENCE).await;
    let answer = unless_away("the policy gate", answer.map_err(Failure::from))?;
    serde_json::from_slice(&answer).ok()
}

fn unless_away<T>(who: &str, answer: Result<T, Failure>) -> Option<T> {
    answer.inspect_err(|error| note(&format!("{who} does not answer: {error}"))).ok()
}
