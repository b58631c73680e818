//! What operators watch is there under the documented names, and Prometheus can read it.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::collections::HashSet;

use e2e_tests::{Broker, Journal, Replica, Tested, builds, eventually, get, publish_all, seconds};
use events::{BuildCompleted, Envelope, EvidenceReady};
use worker::{Context, HandleError, Handler};

/// Metrics are of the process, where other tests have workers too: this one has a name of its own.
struct Measured(Tested);

impl Handler for Measured {
    const NAME: &'static str = "measured";
    type Input = BuildCompleted;
    type Output = EvidenceReady;

    async fn handle(
        &self,
        event: &Envelope<BuildCompleted>,
        context: &Context,
    ) -> Result<Vec<EvidenceReady>, HandleError> {
        self.0.handle(event, context).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_what_became_of_every_event() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let journal = Journal::default();
    let handler = Tested::new(&journal, async |call| match call.event.data.run.as_str() {
        "run-0" => Err(HandleError::permanent("lockfile-rotten", "it smells")),
        "run-1" if call.run == 1 => Err(HandleError::transient("not yet")),
        "run-2" => std::future::pending().await,
        _ => Ok(()),
    });
    let replica = Replica::start(&broker, Measured(handler), 4, 10).await;
    let address = replica.health.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
    publish_all(&bus, &builds(10)).await;

    let expected = [
        r#"attestry_events_total{outcome="handled",worker="measured"} 8"#,
        r#"attestry_events_total{outcome="retried",worker="measured"} 1"#,
        r#"attestry_events_total{outcome="quarantined",worker="measured"} 1"#,
        r#"attestry_events_total{outcome="outage",worker="measured"} 0"#,
        r#"attestry_events_total{outcome="unsettled",worker="measured"} 0"#,
        r#"attestry_event_duration_seconds_count{worker="measured"} 10"#,
        r#"attestry_redeliveries_total{worker="measured"} 1"#,
        r#"attestry_stage_lag{worker="measured"} 1"#,
        r#"attestry_quarantined{reason="lockfile-rotten",worker="measured"} 1"#,
    ];
    let mut text = String::new();
    let complete = tokio::time::timeout(seconds(12), async {
        while !expected.iter().all(|line| text.lines().any(|it| it == *line)) {
            text = get(address, "/metrics").await.1;
            tokio::time::sleep(seconds(1) / 5).await;
        }
    });
    assert!(complete.await.is_ok(), "{text}");
    let oldest = "attestry_oldest_pending_seconds{worker=\"measured\"} ";
    let age = text.lines().find_map(|line| line.strip_prefix(oldest)).unwrap();
    assert!(age.parse::<f64>().unwrap() > 1.0, "{age}");
    is_well_formed(&text);
    eventually(seconds(1), "live", async || get(address, "/live").await.0 == 200).await;
}

/// Every sample belongs to a family with help and type before it, and ends in a number.
fn is_well_formed(text: &str) {
    let (mut helped, mut typed) = (HashSet::new(), HashSet::new());
    let mut samples = HashSet::new();
    for line in text.lines() {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match words.as_slice() {
            ["#", "HELP", family, _] => assert!(helped.insert(*family), "twice: {line}"),
            ["#", "TYPE", family, "counter" | "gauge" | "histogram"] => {
                assert!(typed.insert(*family), "twice: {line}");
            }
            _ => {
                let (series, value) = line.rsplit_once(' ').unwrap();
                assert!(value.parse::<f64>().is_ok(), "{line}");
                assert!(samples.insert(series), "twice: {line}");
                let name = series.split('{').next().unwrap();
                let family = ["_bucket", "_sum", "_count"]
                    .iter()
                    .find_map(|suffix| name.strip_suffix(suffix).filter(|it| typed.contains(it)))
                    .unwrap_or(name);
                assert!(helped.contains(family) && typed.contains(family), "{line}");
            }
        }
    }
    assert!(text.ends_with('\n'));
}
