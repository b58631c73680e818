//! Which event is next: urgent ones more often, no priority never.

use bus::{Bus, BusError, Delivery, Lane, LaneGauge, Place, Waiting};
use events::Priority;
use tokio::select;

use crate::Handler;

/// Of ten events, while all lanes have some.
const WEIGHTS: [i32; 3] = [6, 3, 1];

/// The three lanes of one worker.
pub(crate) struct Lanes {
    lanes: [Lane; 3],
    turns: Turns<Waiting>,
    /// Places of what was given back: nothing is asked for in its stead before [`Self::next`].
    vacant: Vec<Place>,
}

impl Lanes {
    /// Opens the lanes, with room for `room` waiting deliveries together.
    pub(crate) async fn open<H: Handler>(bus: &Bus, room: usize) -> Result<Self, BusError> {
        let each = (room / WEIGHTS.len()).max(1);
        let open = |priority| bus.lane::<H::Input>(H::NAME, H::INPUT_FROM, priority, each);
        let [release, pr, background] = Priority::ALL;
        let lanes = [open(release).await?, open(pr).await?, open(background).await?];
        Ok(Self { lanes, turns: Turns::default(), vacant: Vec::new() })
    }

    /// The next delivery. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Delivery> {
        self.vacant.clear();
        loop {
            let [release, pr, background] = &mut self.lanes;
            for (head, lane) in self.turns.heads.iter_mut().zip([&mut *release, pr, background]) {
                if head.is_none() {
                    *head = lane.try_next();
                }
            }
            if let Some(waiting) = self.turns.take() {
                return Some(waiting.take());
            }
            let (index, next) = select! {
                next = release.next() => (0, next),
                next = pr.next() => (1, next),
                next = background.next() => (2, next),
            };
            self.turns.heads[index] = Some(next?);
        }
    }

    /// Lets other replicas have what waits here behind long work.
    pub(crate) async fn give_back(&mut self) {
        for (head, lane) in self.turns.heads.iter_mut().zip(&mut self.lanes) {
            while let Some(waiting) = head.take().or_else(|| lane.try_next()) {
                self.vacant.extend(waiting.give_back().await);
            }
        }
    }

    pub(crate) fn gauges(&self) -> Vec<LaneGauge> {
        self.lanes.iter().map(Lane::gauge).collect()
    }

    /// Stops pulling and gives back what waits here.
    pub(crate) async fn stop(mut self) {
        for head in self.turns.heads.into_iter().flatten() {
            head.give_back().await;
        }
        futures::future::join_all(self.lanes.iter_mut().map(Lane::stop)).await;
    }
}

/// Smooth weighted round robin over the lanes whose head is there.
struct Turns<T> {
    heads: [Option<T>; 3],
    credit: [i32; 3],
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self { heads: [None, None, None], credit: [0; 3] }
    }
}

impl<T> Turns<T> {
    fn take(&mut self) -> Option<T> {
        let present = |index: &usize| self.heads[*index].is_some();
        let indices: Vec<usize> = (0..WEIGHTS.len()).filter(present).collect();
        for index in &indices {
            self.credit[*index] += WEIGHTS[*index];
        }
        // The first of equals: lanes are in order of urgency.
        let chosen = indices.iter().copied().rev().max_by_key(|index| self.credit[*index])?;
        self.credit[chosen] -= indices.iter().map(|index| WEIGHTS[*index]).sum::<i32>();
        self.heads[chosen].take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(turns: usize, full: [bool; 3]) -> [usize; 3] {
        let mut lanes = Turns::default();
        let mut served = [0; 3];
        for _ in 0..turns {
            for (index, head) in lanes.heads.iter_mut().enumerate() {
                if full[index] {
                    *head = Some(index);
                }
            }
            if let Some(index) = lanes.take() {
                served[index] += 1;
            }
        }
        served
    }

    #[test]
    fn full_lanes_share_by_weight() {
        assert_eq!(served(100, [true, true, true]), [60, 30, 10]);
    }

    #[test]
    fn lane_alone_gets_every_turn() {
        assert_eq!(served(10, [false, false, true]), [0, 0, 10]);
    }

    #[test]
    fn background_waits_at_most_ten_turns() {
        for start in 0..20 {
            let mut lanes = Turns { heads: [Some(0), Some(1), Some(2)], credit: [0; 3] };
            for _ in 0..start {
                lanes.take();
                lanes.heads = [Some(0), Some(1), Some(2)];
            }
            let turn = (1..=20).find(|_| {
                let taken = lanes.take();
                lanes.heads = [Some(0), Some(1), Some(2)];
                taken == Some(2)
            });
            assert!(turn.is_some_and(|turn| turn <= 10), "after {start} turns: {turn:?}");
        }
    }

    #[test]
    fn nothing_waiting_is_nothing_taken() {
        assert_eq!(served(5, [false; 3]), [0; 3]);
    }
}
