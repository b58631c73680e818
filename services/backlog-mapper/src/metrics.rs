//! What operators watch of the mapper. Names are in `docs/metrics.md`.

use std::sync::LazyLock;

use prometheus::{IntCounter, IntGaugeVec, opts, register_int_counter, register_int_gauge_vec};

use crate::store::Counts;

const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "unknown"];
const STATES: [&str; 2] = ["open", "suppressed"];

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
        for state in STATES {
            let count = counts.get(&(severity.to_owned(), state.to_owned()));
            let count = count.copied().unwrap_or_default();
            let gauge = FINDINGS.with_label_values(&[severity, state]);
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
}
