//! A submission's story, and that of an advisory index.

use std::fmt::{self, Write};

use registry::story::{Decision, Parsed, Submission, SubmittedDocument, Update};

use super::{at, attempt, document, entry, event, list, mapped, more, state, statement};

/// From what was dropped to what the backlog has from it.
pub(super) fn submission(out: &mut String, story: &Submission) -> fmt::Result {
    let state = state(story.state);
    match &story.submitted {
        Some(it) => {
            let name = it.name.as_deref().unwrap_or("a manifest that cannot be read");
            writeln!(out, "{state}  {name} of {} {}", it.sender, it.scope)?;
        }
        None => writeln!(out, "{state}  a document whose submission is not known")?,
    }
    writeln!(out, "  submission {}", story.correlation)?;
    if let Some(it) = &story.submitted {
        submitted(out, it)?;
    }
    if let Some(it) = &story.decision {
        decision(out, it)?;
    }
    if let Some(first) = story.registered_by.filter(|it| *it != story.correlation) {
        writeln!(out, "  registered already, by submission {first}")?;
    }
    if let Some(it) = &story.mapped {
        mapped(out, it)?;
    }
    story.documents.iter().try_for_each(|it| document(out, it))?;
    list(out, "signatures", &story.statements, statement)?;
    list(out, "events", &story.events, event)?;
    list(out, "retried", &story.attempts, attempt)?;
    list(out, "quarantine", &story.quarantine, entry)?;
    more(out, story.more)
}

/// An advisory index and what the backlog has from it.
pub(super) fn update(out: &mut String, story: &Update) -> fmt::Result {
    let records = story.records.map(|it| format!(" with {it} records")).unwrap_or_default();
    writeln!(out, "{}  an index of advisories{records}", state(story.state))?;
    writeln!(out, "  update     {}", story.correlation)?;
    if let Some(index) = story.index {
        writeln!(out, "  index      {index}")?;
    }
    if let Some(it) = &story.mapped {
        mapped(out, it)?;
    }
    list(out, "events", &story.events, event)?;
    list(out, "retried", &story.attempts, attempt)?;
    list(out, "quarantine", &story.quarantine, entry)?;
    more(out, story.more)
}

fn submitted(out: &mut String, it: &SubmittedDocument) -> fmt::Result {
    writeln!(out, "  submitted  {}, as {}", at(it.submitted_at), it.submission)?;
    if let Some(digest) = it.document {
        writeln!(out, "  document   {digest}")?;
    }
    if let Some(digest) = it.bundle {
        writeln!(out, "  with       {digest}, its signature")?;
    }
    match &it.unreadable {
        Some(why) => writeln!(out, "  unreadable {why}"),
        None => Ok(()),
    }
}

fn decision(out: &mut String, decision: &Decision) -> fmt::Result {
    let kind = decision.kind.as_deref().map(|it| format!(" as {it}")).unwrap_or_default();
    let rule = decision.rule.as_deref().map(|it| format!(" by {it}")).unwrap_or_default();
    let signed = match decision.signed_at {
        Some(time) => format!("signed {}", at(time)),
        None => "not signed yet".to_owned(),
    };
    let (result, time) = (decision.result.as_str(), at(decision.ingested_at));
    writeln!(out, "  decided    {result}{kind}{rule} {time}, {signed}")?;
    let Parsed { product, format, made_at, signer, grade } = &decision.parsed;
    let made = made_at.map(|it| format!("made {}", at(it)));
    let grade = grade.as_ref().map(|it| format!("grade {it}"));
    let about = product.as_ref().map(|it| format!("about {it}"));
    let known: Vec<_> = [about, format.clone(), made, grade].into_iter().flatten().collect();
    if !known.is_empty() {
        writeln!(out, "  read       {}", known.join(", "))?;
    }
    if let Some(signer) = signer {
        writeln!(out, "  signed by  {signer}, verified")?;
    }
    if let Some(policy) = decision.policy {
        writeln!(out, "  by policy  {policy}")?;
    }
    match decision.receipt {
        Some(bundle) => writeln!(out, "  receipt    {bundle}"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rejected_document_names_its_rule_and_what_was_registered_before() {
        let digest = |digit: &str| format!("sha256:{}", digit.repeat(64));
        let (own, first) =
            ("0b6f6ed1-9d5d-5d6c-b3a3-6a2b2c1b0f0e", "7c9e6679-7425-40de-944b-e07fc1f90ae7");
        let story: Submission = serde_json::from_value(json!({
            "correlation": own,
            "sender": "supplier", "scope": "acme", "submission": "s-1",
            "name": "widget.cdx.json", "document": digest("a"), "bundle": digest("b"),
            "submitted_at": "2026-11-22T12:00:00Z",
            "state": "rejected",
            "decision": {
                "result": "rejected", "kind": "sbom", "rule": "sbom/supplier-named",
                "policy": digest("c"), "ingested_at": "2026-11-22T12:00:01Z",
                "signed_at": "2026-11-22T12:00:02Z", "receipt": digest("d"),
                "product": "widget", "format": "cyclonedx 1.6", "grade": "C", "signer": "acme release",
            },
            "registered_by": first,
            "mapped": {
                "findings": 1, "suppressed": 0, "opened": ["B-1"], "closed": [],
                "time": "2026-11-22T12:00:03Z",
            },
            "events": [], "documents": [], "statements": [], "attempts": [], "quarantine": [],
            "more": 0,
        }))
        .expect("a story");
        let mut text = String::new();
        submission(&mut text, &story).expect("writes");

        let expected = format!(
            "REJECTED  widget.cdx.json of supplier acme
  submission {own}
  submitted  2026-11-22T12:00:00.000Z, as s-1
  document   {}
  with       {}, its signature
  decided    rejected as sbom by sbom/supplier-named 2026-11-22T12:00:01.000Z, signed 2026-11-22T12:00:02.000Z
  read       about widget, cyclonedx 1.6, grade C
  signed by  acme release, verified
  by policy  {}
  receipt    {}
  registered already, by submission {first}
  mapped     1 finding, 0 suppressed, 2026-11-22T12:00:03.000Z
  advisories none were there; run attestry advisories sync
  opened     B-1
",
            digest("a"),
            digest("b"),
            digest("c"),
            digest("d"),
        );
        assert_eq!(text, expected);
    }
}
