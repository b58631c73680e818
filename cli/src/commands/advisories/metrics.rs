//! What operators watch of feeds. Names are in `docs/metrics.md`.

use std::sync::LazyLock;

use feeds::{Failed, Feeds};
use jiff::Timestamp;
use prometheus::{
    IntCounter, IntCounterVec, IntGauge, IntGaugeVec, register_int_counter,
    register_int_counter_vec, register_int_gauge, register_int_gauge_vec,
};

/// A metric whose name is a constant.
macro_rules! metric {
    ($name:ident: $type:ty = $make:expr) => {
        #[allow(clippy::expect_used, reason = "names are constants; a clash shows in every test")]
        static $name: LazyLock<$type> = LazyLock::new(|| $make.expect("registers"));
    };
}

metric!(ANSWERED: IntGaugeVec = register_int_gauge_vec!(
    "attestry_feed_last_success_timestamp_seconds",
    "When a feed last gave what it has, or said that it has nothing new; 0 before it ever did",
    &["feed"]
));
metric!(FAILED: IntCounterVec = register_int_counter_vec!(
    "attestry_feed_failures_total",
    "Times that a feed, or a part of it, could not be fetched",
    &["feed"]
));
metric!(SYNCED: IntGauge = register_int_gauge!(
    "attestry_advisories_last_sync_timestamp_seconds",
    "When the index of advisories last had everything that all feeds serve; 0 before it ever did"
));
metric!(SYNCS_FAILED: IntCounter = register_int_counter!(
    "attestry_advisories_sync_failures_total",
    "Syncs after which the index of advisories lacks something, whether a feed failed or it could not be built"
));

/// They exist from the start instead of with the first answer.
pub(super) fn announce(feeds: &[Feeds]) {
    LazyLock::force(&SYNCED);
    LazyLock::force(&SYNCS_FAILED);
    for name in feeds.iter().flat_map(Feeds::names) {
        ANSWERED.with_label_values(&[name]);
        FAILED.with_label_values(&[name]);
    }
}

/// These feeds were asked, and those of them failed.
pub(super) fn asked(feeds: &Feeds, failed: &[Failed], now: Timestamp) {
    for name in feeds.names() {
        match failed.iter().any(|it| it.name == name) {
            true => FAILED.with_label_values(&[name]).inc(),
            false => ANSWERED.with_label_values(&[name]).set(now.as_second()),
        }
    }
}

/// A sync came to its end.
pub(super) fn ended(is_complete: bool, now: Timestamp) {
    match is_complete {
        true => SYNCED.set(now.as_second()),
        false => SYNCS_FAILED.inc(),
    }
}
