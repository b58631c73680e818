//! What operators watch of the registrar. Names are in `docs/metrics.md`.

use std::sync::LazyLock;

use jiff::Timestamp;
use prometheus::{
    IntCounter, IntGauge, IntGaugeVec, register_int_counter, register_int_gauge,
    register_int_gauge_vec,
};

/// A metric whose name is a constant.
macro_rules! metric {
    ($name:ident: $type:ty = $make:expr) => {
        #[allow(clippy::expect_used, reason = "names are constants; a clash shows in every test")]
        pub(crate) static $name: LazyLock<$type> = LazyLock::new(|| $make.expect("registers"));
    };
}

metric!(UNACCOUNTED: IntGauge = register_int_gauge!(
    "attestry_unaccounted_events",
    "Events that were acknowledged although nothing followed, and holes in streams: must be 0"
));
metric!(BUILDS: IntGaugeVec = register_int_gauge_vec!(
    "attestry_builds",
    "Builds that entered, by where they are: passed, failed, quarantined, dropped, in-progress",
    &["state"]
));
metric!(BEHIND: IntGauge = register_int_gauge!(
    "attestry_registrar_behind",
    "Messages that streams hold and the registry does not"
));
metric!(NEWEST_SBOM: IntGaugeVec = register_int_gauge_vec!(
    "attestry_supplier_newest_sbom_timestamp_seconds",
    "When the newest SBOM of a supplier was ingested that was accepted",
    &["supplier"]
));
metric!(RECORDED: IntCounter = register_int_counter!(
    "attestry_recorded_total",
    "Records that this process put into the registry"
));
metric!(UNSEALED: IntGauge = register_int_gauge!(
    "attestry_unsealed_records",
    "Records that are in the registry and not yet in a segment of the archive"
));
metric!(SEGMENTS: IntGauge = register_int_gauge!(
    "attestry_segments",
    "Number of the last segment in the archive"
));
metric!(ACTIVE: IntGauge = register_int_gauge!(
    "attestry_registrar_active",
    "1 in the one registrar that keeps the registry, 0 in those that stand by"
));

/// Most suppliers with a label of their own.
const LABEL_VALUES_MAX: usize = 200;

/// Sets when each supplier's newest SBOM was ingested, by supplier in order; of those without a label of
/// their own, `other`, the stalest counts.
pub(crate) fn newest_sboms(newest: &[(String, Timestamp)]) {
    let (own, others) = newest.split_at(newest.len().min(LABEL_VALUES_MAX));
    for (supplier, at) in own {
        NEWEST_SBOM.with_label_values(&[supplier]).set(at.as_second());
    }
    if let Some(stalest) = others.iter().map(|(_, at)| at).min() {
        NEWEST_SBOM.with_label_values(&["other"]).set(stalest.as_second());
    }
}

/// They exist from the start instead of with the first event.
pub(crate) fn announce() {
    for gauge in [&UNACCOUNTED, &BEHIND, &UNSEALED, &SEGMENTS, &ACTIVE] {
        LazyLock::force(gauge);
    }
    LazyLock::force(&RECORDED);
    LazyLock::force(&BUILDS);
    LazyLock::force(&NEWEST_SBOM);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suppliers_without_a_label_of_their_own_are_as_fresh_as_the_stalest() {
        let second = |second| Timestamp::from_second(second).expect("in range");
        let newest: Vec<_> = (0..LABEL_VALUES_MAX + 3)
            .map(|it| (format!("s-{it:04}"), second(1000 - it as i64)))
            .collect();
        newest_sboms(&newest);
        let of = |supplier: &str| NEWEST_SBOM.with_label_values(&[supplier]).get();
        assert_eq!((of("s-0000"), of("s-0199"), of("other")), (1000, 801, 798));
    }
}
