//! `attestry supplier scorecard`: how suppliers do.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

use backlog_mapper::queries::{ProductFindings, SUPPLIER_FINDINGS, SupplierQuestion};
use bus::Bus;
use events::SupplierId;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use registrar::queries::{SCORECARD, SUPPLIERS, ScorecardQuery, SuppliersQuery};
use registry::{
    Scorecard, Summary,
    scorecard::{Graded, PAGE, Product},
};
use serde::Serialize;

use crate::{
    client::{self, ClientArgs},
    commands::backlog,
    failure::Failure,
    output::{self, Format, note, plain},
};

/// As they are told, the worst first.
const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "unknown"];

#[derive(clap::Args)]
#[command(
    after_help = "Open findings come from the backlog mapper; where it does not answer, they are told as not known.\n\nExit codes: 0 told; 1 the supplier has submitted nothing; 3 the registrar does not answer.\n\nExamples:\n  attestry supplier scorecard\n  attestry supplier scorecard acme --since 2026-10-01\n  attestry supplier scorecard acme --format json"
)]
pub(crate) struct Args {
    /// The supplier [default: every one, in a line each]
    #[arg(value_name = "ID")]
    supplier: Option<SupplierId>,
    /// Count only what was decided then or later: a day, or a time in RFC 3339
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
    #[command(flatten)]
    client: ClientArgs,
}

/// A supplier's scorecard, with what is open against its products.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    card: &'a Scorecard,
    /// None where the mapper did not answer.
    findings: Option<&'a [ProductFindings]>,
}

/// A supplier in one line, with what is open against its products.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    /// By severity; none where the mapper did not answer.
    open_findings: Option<BTreeMap<&'a str, u64>>,
}

fn since(text: &str) -> Result<Timestamp, String> {
    if let Ok(day) = text.parse::<Date>() {
        let start = day.to_zoned(TimeZone::UTC).map_err(|error| error.to_string())?;
        // A time has a date in front of it, which would be taken for the whole.
        if !text.contains([':', 'T', 't']) {
            return Ok(start.timestamp());
        }
    }
    text.parse().map_err(|_| "write it as 2026-10-01 or 2026-10-01T12:00:00Z".to_owned())
}

pub(super) async fn run(args: Args, format: Format) -> Result<(), Failure> {
    let bus = args.client.connect().await?;
    #[allow(clippy::disallowed_methods, reason = "how old something is depends on the time of day")]
    let now = Timestamp::now();
    match args.supplier {
        Some(supplier) => one(&bus, supplier, args.since, now, format).await,
        None => all(&bus, args.since, now, format).await,
    }
}

async fn one(
    bus: &Bus,
    supplier: SupplierId,
    since: Option<Timestamp>,
    now: Timestamp,
    format: Format,
) -> Result<(), Failure> {
    let query = ScorecardQuery { supplier: supplier.clone(), since };
    let card: Option<Scorecard> = client::ask(bus, SCORECARD, &query).await?;
    let Some(card) = card else {
        return Err(Failure::No(format!(
            "{supplier} has submitted nothing that the registry knows"
        )));
    };
    let findings = findings(bus, &SupplierQuestion::Of(supplier)).await;
    let told = Told { card: &card, findings: findings.as_deref() };
    let mut text = String::new();
    // Writing to a String cannot fail.
    write(&mut text, &told, now).unwrap_or_default();
    output::result(format, &plain(&text), &told)
}

async fn all(
    bus: &Bus,
    since: Option<Timestamp>,
    now: Timestamp,
    format: Format,
) -> Result<(), Failure> {
    let findings = findings(bus, &SupplierQuestion::All).await;
    let mut open: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for product in findings.iter().flatten() {
        let of = open.entry(&product.supplier).or_default();
        product.open.iter().for_each(|(at, count)| *of.entry(at).or_default() += count);
    }
    let summaries = summaries(bus, since).await?;
    for summary in &summaries {
        let of = || open.get(summary.supplier.as_str()).cloned().unwrap_or_default();
        let line = Line { summary, open_findings: findings.as_ref().map(|_| of()) };
        output::result(format, &plain(&in_one_line(&line, now)), &line)?;
    }
    if summaries.is_empty() {
        note("no supplier has submitted anything that the registry knows");
    }
    Ok(())
}

/// Every supplier in one line, by what was decided at `since` or later.
pub(in crate::commands) async fn summaries(
    bus: &Bus,
    since: Option<Timestamp>,
) -> Result<Vec<Summary>, Failure> {
    let (mut all, mut query) = (Vec::new(), SuppliersQuery { after: None, since });
    loop {
        let page: Vec<Summary> = client::ask(bus, SUPPLIERS, &query).await?;
        let count = page.len();
        all.extend(page);
        let Some(last) = all.last().filter(|_| count == PAGE) else { return Ok(all) };
        let last = last.supplier.parse().map_err(|error| {
            Failure::Unknown(format!("the registry names a supplier that has no id: {error}"))
        })?;
        query.after = Some(last);
    }
}

/// What the mapper says; a scorecard without it is still worth having.
async fn findings(bus: &Bus, question: &SupplierQuestion) -> Option<Vec<ProductFindings>> {
    let asked = backlog::ask(bus, SUPPLIER_FINDINGS, question).await;
    match asked.and_then(|answer| backlog::parsed(&answer)) {
        Ok(findings) => Some(findings),
        Err(why) => {
            note(&format!("open findings are not known: {why}"));
            None
        }
    }
}

fn in_one_line(line: &Line<'_>, now: Timestamp) -> String {
    let Summary { supplier, accepted, rejected, unanswered, newest_sbom, last_grade, .. } =
        line.summary;
    let grade = last_grade.as_deref().unwrap_or("-");
    let newest = newest_sbom.map_or("no SBOM".to_owned(), |at| format!("SBOM {}", age(at, now)));
    let open = line.open_findings.as_ref();
    let open = open.map_or("open findings not known".to_owned(), |it| severities(it));
    format!(
        "{supplier}  {accepted} accepted, {rejected} rejected, {unanswered} unanswered  grade {grade}  {newest}  {open}"
    )
}

fn write(out: &mut String, told: &Told<'_>, now: Timestamp) -> fmt::Result {
    let Scorecard { summary, rejections, grades, products, more } = told.card;
    let Summary { supplier, documents, accepted, rejected, unanswered, .. } = summary;
    writeln!(out, "{supplier}")?;
    writeln!(
        out,
        "  documents  {documents} decided: {accepted} accepted, {rejected} rejected; {unanswered} unanswered"
    )?;
    for it in rejections {
        writeln!(out, "  rejected   {} by {}", it.documents, it.rule)?;
    }
    products.iter().try_for_each(|it| product(out, it, now))?;
    open(out, told.findings)?;
    grades.iter().try_for_each(|it| graded(out, it))?;
    match more {
        0 => Ok(()),
        _ => writeln!(out, "  and {more} more entries; --format json has no more either"),
    }
}

fn product(out: &mut String, product: &Product, now: Timestamp) -> fmt::Result {
    let Product { document, ingested_at, parsed, documents } = product;
    let name = parsed.product.as_deref().unwrap_or("a product without name");
    let ingested = age(*ingested_at, now);
    writeln!(out, "  product    {name}: newest of {}, {ingested}", counted(*documents, "SBOM"))?;
    let grade = parsed.grade.as_deref().map(|it| format!("grade {it}"));
    let made = parsed.made_at.map(|it| format!("made {it:.0}"));
    let signer = match &parsed.signer {
        Some(signer) => format!("signed by {signer}"),
        None => "no signature verified".to_owned(),
    };
    let known: Vec<_> =
        [parsed.format.clone(), grade, made, Some(signer)].into_iter().flatten().collect();
    writeln!(out, "    {document}\n    {}", known.join(", "))
}

fn open(out: &mut String, findings: Option<&[ProductFindings]>) -> fmt::Result {
    let Some(findings) = findings else { return writeln!(out, "  open       not known") };
    for it in findings {
        let open = it.open.iter().map(|(severity, count)| (severity.as_str(), *count)).collect();
        writeln!(out, "  open       {}: {}", it.product, severities(&open))?;
        if it.suppressed > 0 {
            writeln!(out, "    {} suppressed", it.suppressed)?;
        }
    }
    Ok(())
}

fn graded(out: &mut String, it: &Graded) -> fmt::Result {
    let Graded { ingested_at, product, grade, result, .. } = it;
    let product = product.as_deref().unwrap_or("a product without name");
    writeln!(out, "  graded     {grade}  {ingested_at:.0}  {product}, {result}")
}

/// How many findings are open, the worst first.
fn severities(open: &BTreeMap<&str, u64>) -> String {
    let known = SEVERITIES.iter().filter_map(|it| Some((it, open.get(it)?)));
    let told: Vec<_> = known.map(|(severity, count)| format!("{count} {severity}")).collect();
    match told.is_empty() {
        true => "no open findings".to_owned(),
        false => format!("open findings: {}", told.join(", ")),
    }
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// How long ago something was, in days.
fn age(at: Timestamp, now: Timestamp) -> String {
    let days = now.duration_since(at).max(SignedDuration::ZERO).as_hours() / 24;
    match days {
        0 => "less than a day old".to_owned(),
        1 => "1 day old".to_owned(),
        _ => format!("{days} days old"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn since_is_a_day_or_a_time() {
        let day = since("2026-10-01").expect("a day");
        assert_eq!(day.to_string(), "2026-10-01T00:00:00Z");
        assert_eq!(
            since("2026-10-01T12:00:00Z").expect("a time").to_string(),
            "2026-10-01T12:00:00Z"
        );
        for wrong in ["yesterday", "", "2026-13-01", "2026-10-01T12:00:00"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn scorecard_is_told_with_everything_that_it_has() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let card: Scorecard = serde_json::from_value(json!({
            "supplier": "acme", "documents": 3, "accepted": 2, "rejected": 1, "unanswered": 1,
            "newest_sbom": "2026-11-01T00:00:00Z", "last_grade": "B",
            "rejections": [{ "rule": "SUP-003", "documents": 1 }],
            "grades": [{
                "ingested_at": "2026-11-01T00:00:00Z", "product": "widget", "grade": "B",
                "result": "accepted",
            }],
            "products": [{
                "document": digest, "ingested_at": "2026-11-01T00:00:00Z", "documents": 2,
                "product": "widget", "format": "cyclonedx 1.6", "grade": "B",
                "made_at": "2026-10-31T00:00:00Z", "signer": "acme release",
            }],
            "more": 0,
        }))
        .expect("a scorecard");
        let findings: Vec<ProductFindings> = serde_json::from_value(json!([{
            "supplier": "acme", "product": "widget", "document": digest,
            "open": { "high": 2, "critical": 1 }, "suppressed": 3,
        }]))
        .expect("findings");
        let now = "2026-11-03T01:00:00Z".parse().expect("a time");
        let tell = |findings: Option<&[ProductFindings]>| {
            let mut text = String::new();
            write(&mut text, &Told { card: &card, findings }, now).expect("writes");
            text
        };
        let expected = format!(
            "acme
  documents  3 decided: 2 accepted, 1 rejected; 1 unanswered
  rejected   1 by SUP-003
  product    widget: newest of 2 SBOMs, 2 days old
    {digest}
    cyclonedx 1.6, grade B, made 2026-10-31T00:00:00Z, signed by acme release
  open       widget: open findings: 1 critical, 2 high
    3 suppressed
  graded     B  2026-11-01T00:00:00Z  widget, accepted
"
        );
        assert_eq!(tell(Some(&findings)), expected);
        assert!(tell(None).contains("  open       not known\n"));
        let line =
            Line { summary: &card.summary, open_findings: Some(BTreeMap::from([("low", 1)])) };
        assert_eq!(
            in_one_line(&line, now),
            "acme  2 accepted, 1 rejected, 1 unanswered  grade B  SBOM 2 days old  open findings: 1 low"
        );
        let told = serde_json::to_value(Told { card: &card, findings: None }).expect("encodes");
        assert_eq!((&told["findings"], &told["accepted"]), (&json!(null), &json!(2)));
    }
}
