//! Urgent events go first, and no priority starves.

use e2e_tests::{Broker, Journal, Replica, Tested, build_of, eventually, publish_all, seconds};
use events::Priority;

#[tokio::test(flavor = "multi_thread")]
async fn releases_go_first_and_background_is_not_starved() {
    const EACH: usize = 300;
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let of = |priority: Priority| {
        let event = move |index| build_of("acme/hotpass", &format!("{priority}-{index}"), priority);
        (0..EACH).map(event).collect::<Vec<_>>()
    };
    let [release, pr, background] = [Priority::Release, Priority::Pr, Priority::Background].map(of);
    // The least urgent came first.
    publish_all(&bus, &[background.clone(), pr.clone(), release.clone()].concat()).await;
    let journal = Journal::default();
    let handler = Tested::new(&journal, async |_| {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        Ok(())
    });
    let replica = Replica::start(&broker, handler, 1, 10).await;

    eventually(seconds(50), "all handled", async || journal.handled() == 3 * EACH).await;
    eventually(seconds(5), "settled", async || broker.all_settled().await).await;
    replica.stop().await;
    let first: Vec<_> = journal.effects().into_iter().take(100).collect();
    let count = |events: &[events::Envelope<_>]| {
        events.iter().filter(|event| first.contains(&event.id)).count()
    };
    let counts = [count(&release), count(&pr), count(&background)];
    assert!(counts[0] >= 50 && counts[0] > counts[1] && counts[1] > counts[2], "{counts:?}");
    assert!(counts[2] >= 5, "{counts:?}");
}
