//! What operators watch of the mapper. Names are in `docs/metrics.md`.

use std::sync::LazyLock;

use prometheus::{
    IntCounter, IntCounterVec, IntGaugeVec, opts, register_int_counter, register_int_counter_vec,
    register_int_gauge_vec,
};
use tickets::Report;

use crate::{finding::Finding, store::Counts};

const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "unknown"];

#[allow(clippy::expect_used, reason = "names are constants; a clash shows in every test")]
static FINDINGS: LazyLock<IntGaugeVec> = LazyLock::new(|| {
    let opts = opts!(
        "attestry_findings",
        "Known vulnerabilities in components of current documents, by whether they count"
    );
    register_int_gauge_vec!(opts, &["severity", "state"]).expect("registers")
});

#[allow(clippy::expect_used, reason = "names are constants; a clash shows in every test")]
pub(crate) static REGISTERS_FAILED: LazyLock<IntCounter> = LazyLock::new(|| {
    register_int_counter!(
        "attestry_register_write_failures_total",
        "Attempts to write the registers' files that failed"
    )
    .expect("registers")
});

/// Sets the gauges; they exist from the start instead of with the first finding.
pub(crate) fn findings(counts: &Counts) {
    LazyLock::force(&REGISTERS_FAILED);
    for severity in SEVERITIES {
        for state in Finding::STATES {
            let count = counts.get(&(severity.to_owned(), state.to_owned()));
            let count = count.copied().unwrap_or_default();
            let gauge = FINDINGS.with_label_values(&[severity, state]);
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
}

#[allow(clippy::expect_used, reason = "names are constants; a clash shows in every test")]
static TICKETS_OPEN: LazyLock<IntGaugeVec> = LazyLock::new(|| {
    let opts = opts!("attestry_tickets_open", "Open tickets of backlog entries");
    register_int_gauge_vec!(opts, &["tracker"]).expect("registers")
});

#[allow(clippy::expect_used, reason = "names are constants; a clash shows in every test")]
static TICKET_STEPS: LazyLock<IntCounterVec> = LazyLock::new(|| {
    let opts = opts!("attestry_ticket_steps_total", "Changes to tickets, by what became of them");
    register_int_counter_vec!(opts, &["tracker", "outcome"]).expect("registers")
});

#[allow(clippy::expect_used, reason = "names are constants; a clash shows in every test")]
static TICKET_RUNS_STOPPED: LazyLock<IntCounterVec> = LazyLock::new(|| {
    let opts = opts!(
        "attestry_ticket_runs_stopped_total",
        "Runs that a tracker's outage, limit or refusal ended before their time"
    );
    register_int_counter_vec!(opts, &["tracker"]).expect("registers")
});

/// Counts what a run did. Trackers are those of the operator's file.
pub(crate) fn tickets(report: &Report) {
    let tracker = report.tracker.as_str();
    TICKETS_OPEN.with_label_values(&[tracker]).set(i64::try_from(report.open).unwrap_or(i64::MAX));
    TICKET_STEPS.with_label_values(&[tracker, "done"]).inc_by(report.steps);
    TICKET_STEPS.with_label_values(&[tracker, "failed"]).inc_by(report.failures);
    let stopped = TICKET_RUNS_STOPPED.with_label_values(&[tracker]);
    stopped.inc_by(u64::from(report.stopped.is_some()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_is_counted_whatever_its_state() {
        let of = |state: &str, count| (("high".to_owned(), state.to_owned()), count);
        findings(&Counts::from([of("open", 3), of("accepted", 2), of("suppressed", 1)]));

        let told = Finding::STATES.map(|it| FINDINGS.with_label_values(&["high", it]).get());
        assert_eq!(told, [3, 2, 1]);
    }
}
