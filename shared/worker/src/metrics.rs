//! What operators watch. Names are in `docs/metrics.md`; base units, counters end in `_total`.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};

use archive::Room;
use bus::StreamState;
use prometheus::{
    Encoder, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    TextEncoder, register_gauge_vec, register_histogram_vec, register_int_counter_vec,
    register_int_gauge, register_int_gauge_vec,
};

/// Most values of a label whose values come from outside; the rest count as `other`.
const LABEL_VALUES_MAX: usize = 200;

struct Metrics {
    events: IntCounterVec,
    duration: HistogramVec,
    lag: IntGaugeVec,
    oldest: GaugeVec,
    quarantined: IntGaugeVec,
    redeliveries: IntCounterVec,
    paused: IntGaugeVec,
    verdicts: IntCounterVec,
    signatures: IntCounterVec,
    signatures_pending: IntGauge,
    policy_refused: IntGauge,
    promoted_failing: IntGauge,
    overrides: IntCounterVec,
    waivers: IntGaugeVec,
    shadow_verdicts: IntCounterVec,
    supplier_documents: IntCounterVec,
    supplier_rejections: IntCounterVec,
    stream_bytes: IntGaugeVec,
    stream_max_bytes: IntGaugeVec,
    stream_blocked: IntGaugeVec,
    archive_free: IntGauge,
    archive_reserve: IntGauge,
}

#[allow(clippy::expect_used, reason = "names are constants; a clash shows in every test")]
static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
    Metrics {
    events: register_int_counter_vec!(
        "attestry_events_total",
        "Deliveries, by what became of them: handled, retried, outage, quarantined, unsettled",
        &["worker", "outcome"]
    )
    .expect("registers"),
    duration: register_histogram_vec!(
        HistogramOpts::new("attestry_event_duration_seconds", "Time from delivery to settlement")
            .buckets(vec![
                0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0
            ]),
        &["worker"]
    )
    .expect("registers"),
    lag: register_int_gauge_vec!(
        Opts::new("attestry_stage_lag", "Events that no replica has settled yet"),
        &["worker"]
    )
    .expect("registers"),
    oldest: register_gauge_vec!(
        Opts::new(
            "attestry_oldest_pending_seconds",
            "Age of the oldest event that no replica has settled yet"
        ),
        &["worker"]
    )
    .expect("registers"),
    quarantined: register_int_gauge_vec!(
        Opts::new("attestry_quarantined", "Events that lie in quarantine"),
        &["worker", "reason"]
    )
    .expect("registers"),
    redeliveries: register_int_counter_vec!(
        "attestry_redeliveries_total",
        "Deliveries that the broker had delivered before",
        &["worker"]
    )
    .expect("registers"),
    paused: register_int_gauge_vec!(
        Opts::new("attestry_paused", "1 while the worker waits for a dependency that is away"),
        &["worker", "dependency"]
    )
    .expect("registers"),
    verdicts: register_int_counter_vec!(
        "attestry_verdicts_total",
        "Verdicts made",
        &["project", "result"]
    )
    .expect("registers"),
    promoted_failing: register_int_gauge!(
        "attestry_promoted_failing",
        "Promoted builds of which the last verdict is FAILED"
    )
    .expect("registers"),
    overrides: register_int_counter_vec!(
        "attestry_overrides_total",
        "Verdicts that somebody overrode",
        &["project"]
    )
    .expect("registers"),
    waivers: register_int_gauge_vec!(
        "attestry_waivers",
        "Waivers by what is so of them; one may be several",
        &["state"]
    )
    .expect("registers"),
    shadow_verdicts: register_int_counter_vec!(
        "attestry_shadow_verdicts_total",
        "Verdicts of the shadow policy, by whether it says the same",
        &["agrees"]
    )
    .expect("registers"),
    signatures: register_int_counter_vec!(
        "attestry_signatures_total",
        "Statements signed, by predicate type",
        &["predicate_type"]
    )
    .expect("registers"),
    signatures_pending: register_int_gauge!(
        "attestry_signatures_pending",
        "Events whose statements are not signed yet, for whatever reason"
    )
    .expect("registers"),
    policy_refused: register_int_gauge!(
        "attestry_policy_refused",
        "1 while the policy directory holds something that cannot judge, and the policy before it does"
    )
    .expect("registers"),
    supplier_documents: register_int_counter_vec!(
        "attestry_supplier_documents_total",
        "Documents decided on, by what was decided: accepted, rejected",
        &["supplier", "outcome"]
    )
    .expect("registers"),
    supplier_rejections: register_int_counter_vec!(
        "attestry_supplier_rejections_total",
        "Documents rejected, by the rule that weighed most against them",
        &["supplier", "rule"]
    )
    .expect("registers"),
    stream_bytes: register_int_gauge_vec!(
        Opts::new("attestry_stream_bytes", "Bytes that a stream keeps"),
        &["stream"]
    )
    .expect("registers"),
    stream_max_bytes: register_int_gauge_vec!(
        Opts::new("attestry_stream_max_bytes", "Bytes that a stream may keep; -1 without a limit"),
        &["stream"]
    )
    .expect("registers"),
    stream_blocked: register_int_gauge_vec!(
        Opts::new(
            "attestry_stream_blocked",
            "1 while a stream takes nothing until its disk has room and nats-server is restarted"
        ),
        &["stream"]
    )
    .expect("registers"),
    archive_free: register_int_gauge!(
        "attestry_archive_free_bytes",
        "Bytes that are free on the archive's volume, the reserve included"
    )
    .expect("registers"),
    archive_reserve: register_int_gauge!(
        "attestry_archive_reserve_bytes",
        "Bytes that documents leave free on the archive's volume"
    )
    .expect("registers"),
}
});

/// Everything in the Prometheus text format.
pub fn text() -> prometheus::Result<Vec<u8>> {
    LazyLock::force(&METRICS);
    let mut text = Vec::new();
    TextEncoder::new().encode(&prometheus::gather(), &mut text)?;
    Ok(text)
}

/// The worker that signs.
const SIGNER: &str = "signer";

/// Whether the policy directory holds something that is refused.
pub fn policy_refused(is_refused: bool) {
    METRICS.policy_refused.set(i64::from(is_refused));
}

/// A verdict was made.
pub fn verdict(project: &str, result: &str) {
    static PROJECTS: LazyLock<Capped> = LazyLock::new(Capped::default);
    METRICS.verdicts.with_label_values(&[PROJECTS.label(project), result]).inc();
}

/// A verdict was overridden.
pub fn overridden(project: &str) {
    static PROJECTS: LazyLock<Capped> = LazyLock::new(Capped::default);
    METRICS.overrides.with_label_values(&[PROJECTS.label(project)]).inc();
}

/// How many waivers are in a state.
pub fn waivers(state: &str, count: usize) {
    METRICS.waivers.with_label_values(&[state]).set(i64::try_from(count).unwrap_or(i64::MAX));
}

/// The shadow policy was asked.
pub fn shadow_verdict(agrees: bool) {
    let agrees = if agrees { "yes" } else { "no" };
    METRICS.shadow_verdicts.with_label_values(&[agrees]).inc();
}

/// How many promoted builds would fail now.
pub fn promoted_failing(builds: usize) {
    METRICS.promoted_failing.set(i64::try_from(builds).unwrap_or(i64::MAX));
}

/// A statement was signed.
pub fn signature(predicate_type: &str) {
    static TYPES: LazyLock<Capped> = LazyLock::new(Capped::default);
    METRICS.signatures.with_label_values(&[TYPES.label(predicate_type)]).inc();
}

/// A submitted document was decided on; the rule that rejected it, if one did.
pub fn supplier_document(supplier: &str, outcome: &str, rule: Option<&str>) {
    static SUPPLIERS: LazyLock<Capped> = LazyLock::new(Capped::default);
    static RULES: LazyLock<Capped> = LazyLock::new(Capped::default);
    let supplier = SUPPLIERS.label(supplier);
    METRICS.supplier_documents.with_label_values(&[supplier, outcome]).inc();
    if let Some(rule) = rule {
        METRICS.supplier_rejections.with_label_values(&[supplier, RULES.label(rule)]).inc();
    }
}

/// The worker exists: its counters start at zero instead of with the first event.
pub(crate) fn announce(worker: &str) {
    for outcome in ["handled", "retried", "outage", "quarantined", "unsettled"] {
        METRICS.events.with_label_values(&[worker, outcome]);
    }
    METRICS.redeliveries.with_label_values(&[worker]);
    METRICS.lag.with_label_values(&[worker]);
    METRICS.oldest.with_label_values(&[worker]);
}

pub(crate) fn settled(worker: &str, outcome: &str, took: Duration) {
    METRICS.events.with_label_values(&[worker, outcome]).inc();
    METRICS.duration.with_label_values(&[worker]).observe(took.as_secs_f64());
}

pub(crate) fn redelivered(worker: &str) {
    METRICS.redeliveries.with_label_values(&[worker]).inc();
}

pub(crate) fn paused(worker: &str, dependency: &str, is: bool) {
    METRICS.paused.with_label_values(&[worker, dependency]).set(i64::from(is));
}

pub(crate) fn backlog(worker: &str, lag: u64, oldest: Duration) {
    METRICS.lag.with_label_values(&[worker]).set(count(lag));
    if worker == SIGNER {
        METRICS.signatures_pending.set(count(lag));
    }
    METRICS.oldest.with_label_values(&[worker]).set(oldest.as_secs_f64());
}

/// Depth of the quarantine by reason; reasons of before that are gone now fall to zero.
pub(crate) fn quarantine_depth(
    worker: &str,
    seen: &mut HashSet<String>,
    depth: &BTreeMap<String, u64>,
) {
    seen.extend(depth.keys().cloned());
    for reason in &*seen {
        let entries = depth.get(reason).copied().unwrap_or_default();
        METRICS.quarantined.with_label_values(&[worker, reason]).set(count(entries));
    }
}

/// How full streams are, and whether they take anything.
pub(crate) fn streams(states: &[StreamState]) {
    for StreamState { name, bytes, max_bytes, blocked, .. } in states {
        METRICS.stream_bytes.with_label_values(&[name]).set(count(*bytes));
        METRICS.stream_max_bytes.with_label_values(&[name]).set(*max_bytes);
        METRICS.stream_blocked.with_label_values(&[name]).set(i64::from(*blocked));
    }
}

/// Room on the archive's volume.
pub(crate) fn archive_room(room: Room) {
    METRICS.archive_free.set(count(room.free));
    METRICS.archive_reserve.set(count(room.reserve));
}

fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Values of one label, as many as Prometheus should keep.
#[derive(Default)]
struct Capped(Mutex<HashSet<String>>);

impl Capped {
    fn label<'a>(&self, value: &'a str) -> &'a str {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !values.contains(value) {
            if values.len() >= LABEL_VALUES_MAX {
                return "other";
            }
            values.insert(value.to_owned());
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_from_outside_are_capped() {
        let capped = Capped::default();
        for index in 0..LABEL_VALUES_MAX {
            assert_ne!(capped.label(&index.to_string()), "other");
        }
        assert_eq!(capped.label("one too many"), "other");
        assert_eq!(capped.label("0"), "0");
    }
}
