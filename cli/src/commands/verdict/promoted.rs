//! What each project promoted last.

use bus::Bus;
use events::{Scope, VerdictResult};
use policy_gate::{promoted::Promoted, queries::PROMOTED};

use crate::{
    client::ANSWER_PATIENCE,
    failure::Failure,
    output::{self, Format, note, plain},
};

/// Lists them; no is the answer if one would fail now.
pub(super) async fn list(
    bus: &Bus,
    project: Option<&Scope>,
    format: Format,
) -> Result<(), Failure> {
    let all = ask(bus, project).await?;
    if all.is_empty() {
        note("nothing was promoted");
    }
    let mut failing = 0;
    for promoted in &all {
        let Promoted { project, build, version, latest, .. } = promoted;
        let (result, since) = match latest.result {
            VerdictResult::Passed => ("PASSED", ""),
            VerdictResult::Failed => ("FAILED", ", though it was promoted"),
        };
        failing += usize::from(latest.result == VerdictResult::Failed);
        let version = version.as_ref().map_or("", |it| it.as_str());
        let mut text = format!(
            "{result}  {project} {version}\n  build {build}, judged {}{since}\n",
            latest.time
        );
        if latest.story != *build {
            text.push_str(&format!(
                "  verdict {}: attestry explain {}\n",
                latest.story, latest.story
            ));
        }
        output::result(format, &plain(&text), promoted)?;
    }
    match failing {
        0 => Ok(()),
        _ => Err(Failure::No(format!("{failing} of {} promoted builds would fail now", all.len()))),
    }
}

/// What is promoted, of one project or all.
pub(super) async fn ask(bus: &Bus, project: Option<&Scope>) -> Result<Vec<Promoted>, Failure> {
    let mut all: Vec<Promoted> = Vec::new();
    loop {
        let last = all.last().map(|it| it.project.to_string()).unwrap_or_default();
        let answer = bus.ask(PROMOTED, last.into(), ANSWER_PATIENCE).await?;
        let page: Vec<Promoted> = serde_json::from_slice(&answer)
            .map_err(|_| Failure::unknown("the policy-gate cannot look into its archive now"))?;
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    all.retain(|it| project.is_none_or(|name| *name == it.project));
    Ok(all)
}
