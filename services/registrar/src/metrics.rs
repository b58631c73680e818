//! What operators watch of the registrar. Names are in `docs/metrics.md`.

use std::sync::LazyLock;

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

/// They exist from the start instead of with the first event.
pub(crate) fn announce() {
    for gauge in [&UNACCOUNTED, &BEHIND, &UNSEALED, &SEGMENTS, &ACTIVE] {
        LazyLock::force(gauge);
    }
    LazyLock::force(&RECORDED);
    LazyLock::force(&BUILDS);
}
