//! The tables for people.

use std::fmt::{self, Write};

use super::{Measured, large::Row};
use crate::{processes::Usage, stats::percentile};

const MIB: f64 = 1024.0 * 1024.0;
const MB: f64 = 1_000_000.0;

/// One size on one line.
pub(super) fn line(row: &Row) -> String {
    format!(
        "{} components, {:.1} MB: upload {:.0} ms, receipt {:.0} ms, done {:.0} ms, floor {:.0} ms, ratio {:.2}",
        row.components,
        row.bytes as f64 / MB,
        row.upload_ms,
        row.receipt_ms,
        row.done_ms,
        row.floor_ms,
        row.ratio
    )
}

pub(super) fn table(measured: &Measured) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    write(&mut out, measured).unwrap_or_default();
    out
}

fn write(out: &mut String, measured: &Measured) -> fmt::Result {
    writeln!(out, "{} build; medians in ms\n", measured.profile)?;
    writeln!(
        out,
        "| components | MB | upload | receipt | queryable too | floor: parse | schema | transaction | together | ratio |\n|---|---|---|---|---|---|---|---|---|---|"
    )?;
    for (row, note) in rows(measured) {
        let floor = |of: fn(&super::floor::Times) -> f64| {
            percentile(&mut row.floor.iter().map(of).collect::<Vec<_>>(), 50)
        };
        writeln!(
            out,
            "| {}{note} | {:.1} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | **{:.2}** |",
            row.components,
            row.bytes as f64 / MB,
            row.upload_ms,
            row.receipt_ms,
            row.done_ms,
            floor(|it| it.parse_ms),
            floor(|it| it.validate_ms),
            floor(|it| it.transaction_ms),
            row.floor_ms,
            row.ratio
        )?;
    }
    writeln!(
        out,
        "\n| documents | process | peak MiB | times the document | CPU ms per document |\n|---|---|---|---|---|"
    )?;
    for (row, note) in rows(measured) {
        memory(out, &format!("{}{note}", row.components), row.bytes, &row.processes)?;
        let times = row.floor_peak_bytes as f64 / row.bytes as f64;
        let peak = row.floor_peak_bytes as f64 / MIB;
        writeln!(out, "| {}{note} | floor | {peak:.0} | {times:.1} | - |", row.components)?;
    }
    if let Some(crowd) = &measured.at_once {
        let what = format!("{} × {} at once", crowd.documents, crowd.components);
        memory(out, &what, crowd.bytes, &crowd.processes)?;
        writeln!(out, "\nLast receipt of {what}: {:.0} ms", crowd.receipts_ms)?;
    }
    if let Some(refused) = &measured.refused {
        writeln!(
            out,
            "\n{} components, {:.1} MB: refused by {} after {:.0} ms",
            refused.components,
            refused.bytes as f64 / MB,
            refused.rule,
            refused.receipt_ms
        )?;
        memory(out, "refused", refused.bytes, &refused.processes)?;
    }
    many(out, measured)
}

fn rows(measured: &Measured) -> impl Iterator<Item = (&Row, &'static str)> {
    let one_by_one = measured.documents.iter().map(|row| (row, ""));
    one_by_one.chain(measured.whole.iter().map(|row| (row, ", as a whole")))
}

fn memory(out: &mut String, what: &str, bytes: usize, processes: &[Usage]) -> fmt::Result {
    for usage in processes {
        writeln!(
            out,
            "| {what} | {} | {:.0} | {:.1} | {:.1} |",
            usage.process,
            usage.peak_memory_bytes as f64 / MIB,
            usage.peak_memory_bytes as f64 / bytes as f64,
            usage.cpu_ms_per_build
        )?;
    }
    Ok(())
}

fn many(out: &mut String, measured: &Measured) -> fmt::Result {
    let Some(many) = &measured.many else { return Ok(()) };
    writeln!(
        out,
        "\n{} documents of {} components, {:.1} MB in all, of {} suppliers: uploaded in {:.1} s, last receipt after {:.1} s, last mapped after {:.1} s",
        many.documents,
        many.components,
        many.bytes as f64 / MB,
        many.suppliers,
        many.upload_seconds,
        many.receipts_seconds,
        many.mapped_seconds
    )?;
    let floor = &many.floor_ms;
    writeln!(
        out,
        "{:.0} documents/s; floor {:.0}/s on one thread (parse {:.2} ms, schema {:.2} ms, transaction {:.2} ms); raw publishes of the same messages {:.0}/s\n",
        many.documents_per_second,
        many.floor_per_second,
        floor.parse_ms,
        floor.validate_ms,
        floor.transaction_ms,
        many.raw_publish_per_second
    )?;
    writeln!(out, "| process | peak MiB | CPU ms per document |\n|---|---|---|")?;
    for usage in &many.processes {
        let peak = usage.peak_memory_bytes as f64 / MIB;
        writeln!(out, "| {} | {peak:.0} | {:.2} |", usage.process, usage.cpu_ms_per_build)?;
    }
    Ok(())
}
