//! `attestry risk`: what known vulnerabilities mean for each product, and suppliers that fail.

use backlog_mapper::{
    export::{Form, json::Risks},
    queries::{RISK, RiskQuestion},
    risk::RiskRow,
};

use super::backlog::{Export, ask, parsed};
use crate::{
    client::ClientArgs,
    failure::Failure,
    output::{self, Format, note},
};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// List risks, the greatest exposure first
    #[command(after_help = "Example:\n  attestry risk list")]
    List {
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Print the risk register as a document: Markdown, unless --format says json or csv
    #[command(
        after_help = "Examples:\n  attestry risk export -o risk-register.md\n  attestry risk export --format json\n  attestry risk export --as-of 2026-09-30"
    )]
    Export(Export),
}

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    match command {
        Command::List { client } => {
            let bus = client.connect().await?;
            let answer = ask(&bus, RISK, &RiskQuestion::Export(Form::Json)).await?;
            let register: Risks = parsed(&answer)?;
            list(&register.risks, format)
        }
        Command::Export(export) => {
            export.run(RISK, RiskQuestion::Export, RiskQuestion::ExportAsOf, format).await
        }
    }
}

fn list(risks: &[RiskRow], format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        return risks.iter().try_for_each(|risk| output::result(format, "", risk));
    }
    if risks.is_empty() {
        note(
            "no risk: no product has or had a known vulnerability, and nothing is or was wrong with a supplier",
        );
        return Ok(());
    }
    let lines: Vec<String> = risks.iter().map(text).collect();
    output::result(format, &output::plain(&lines.join("\n")), &())
}

fn text(risk: &RiskRow) -> String {
    let RiskRow { id, impact, likelihood, exposure, owner, .. } = risk;
    format!(
        "{id}  {}  exposure {exposure} = impact {impact} × likelihood {likelihood}  {owner}\n  {}\n  {}\n  {}",
        risk.status.as_str(),
        risk.description,
        risk.surface,
        risk.mitigation
    )
}
