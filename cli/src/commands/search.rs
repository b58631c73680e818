//! `attestry search`: where something is, in which products, and what is known against it.

use std::fmt::{self, Write};

use backlog_mapper::{
    queries::SEARCH,
    store::{Hit, Hits},
};

use super::backlog::{ask, parsed};
use crate::{
    client::ClientArgs,
    failure::Failure,
    output::{self, Format},
};

#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 found; 1 nowhere; 3 the backlog mapper does not answer.\n\nExamples:\n  attestry search pkg:pypi/jinja2\n  attestry search jinja2\n  attestry search cpe:2.3:a:palletsprojects:jinja\n  attestry search CVE-2024-22195\n  attestry search sha256:$(sha256sum sbom.json | cut -d' ' -f1) --format json"
)]
pub(crate) struct Args {
    /// Package URL in any spelling, with or without version; CPE or the first parts of one; name of a
    /// component, product, project or supplier; id of a vulnerability; digest of a document, sha256:HEX
    #[arg(value_name = "TERM")]
    term: String,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) async fn run(args: Args, format: Format) -> Result<(), Failure> {
    let term = args.term.trim();
    if term.is_empty() {
        let why = "nothing to look for; give a purl, a CPE, a name, the id of a vulnerability or a digest";
        return Err(Failure::input(why));
    }
    let bus = args.client.connect().await?;
    let answer = ask(&bus, SEARCH, &term).await?;
    if answer.is_none() {
        return Err(Failure::No(format!("no document, component or finding is about {term}")));
    }
    let hits: Hits = parsed(&answer)?;
    output::result(format, &output::plain(&text(&hits)), &hits)
}

fn text(hits: &Hits) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    write(&mut text, hits).unwrap_or_default();
    text
}

fn write(out: &mut String, hits: &Hits) -> fmt::Result {
    hits.products.iter().try_for_each(|hit| product(out, hit))?;
    if !hits.findings.is_empty() {
        writeln!(out, "findings")?;
    }
    for hit in &hits.findings {
        let (found, slot) = (&hit.finding.found, &hit.slot);
        let vulnerability = &found.vulnerability;
        let component = hit.finding.component();
        let fixed = vulnerability.fixed.as_ref().map(|it| format!(", fixed in {it}"));
        let (id, severity) = (&vulnerability.id, vulnerability.severity);
        let fixed = fixed.unwrap_or_default();
        writeln!(
            out,
            "  {id}  {severity}{fixed}  {component}  in {} of {} {}",
            slot.product, slot.kind, slot.scope
        )?;
        if let Some(suppressed) = &hit.finding.suppressed {
            writeln!(out, "    suppressed: {suppressed}")?;
        }
    }
    if !hits.entries.is_empty() {
        writeln!(out, "backlog")?;
    }
    for entry in &hits.entries {
        writeln!(out, "  {}  {}  {}", entry.id, entry.status.as_str(), entry.title)?;
    }
    if hits.truncated {
        writeln!(out, "and more: ask for something narrower")?;
    }
    Ok(())
}

fn product(out: &mut String, hit: &Hit) -> fmt::Result {
    let Hit { slot, component, current, document, ingested_at, first_seen, documents } = hit;
    let when = if *current { "now" } else { "before" };
    writeln!(out, "{} of {} {}, {when}", slot.product, slot.kind, slot.scope)?;
    if let Some(component) = component {
        let purl = component.purl.as_deref().unwrap_or("no purl");
        let version = component.version.as_deref().unwrap_or("no version");
        writeln!(out, "  component  {} {version}  {purl}", component.name)?;
        if let Some(written) = &component.written {
            writeln!(out, "  written    {written}, which is not the canonical form")?;
        }
        if let Some(cpe) = &component.cpe {
            writeln!(out, "  cpe        {cpe}")?;
        }
    }
    writeln!(out, "  document   {document}, ingested {ingested_at:.0}")?;
    let documents = if *documents == 1 { "1 document" } else { &format!("{documents} documents") };
    writeln!(out, "  seen       in {documents}, first {first_seen:.0}")
}
