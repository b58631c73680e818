//! Everything that is submitted, from both sides.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{builds::Build, drops::Drop};

/// What CI and suppliers submit.
pub(crate) struct Work {
    /// Builds in order.
    pub(crate) builds: Vec<Build>,
    /// Drops in order.
    pub(crate) drops: Vec<Drop>,
}

/// One thing to submit.
#[derive(Clone, Copy)]
pub(crate) enum Piece<'a> {
    /// By CI.
    Build(&'a Build),
    /// By a supplier.
    Drop(&'a Drop),
}

impl Work {
    /// How many answers there must be.
    pub(crate) fn len(&self) -> usize {
        self.builds.len() + self.drops.len()
    }

    /// Builds and drops side by side, each in its order, from the first to the last.
    pub(crate) fn pieces(&self) -> Vec<Piece<'_>> {
        let builds = placed(self.builds.iter().map(Piece::Build));
        let drops = placed(self.drops.iter().map(Piece::Drop));
        let mut pieces: Vec<(f64, Piece<'_>)> = builds.into_iter().chain(drops).collect();
        pieces.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        pieces.into_iter().map(|(_, piece)| piece).collect()
    }

    /// What people call each, by its correlation.
    pub(crate) fn names(&self) -> HashMap<Uuid, String> {
        let builds = self.builds.iter().map(|it| (it.event.id, it.event.data.run.to_string()));
        builds.chain(self.drops.iter().map(|it| (it.id(), it.name()))).collect()
    }
}

/// Each piece with its place between the first (0) and the last (1).
fn placed<'a>(pieces: impl ExactSizeIterator<Item = Piece<'a>>) -> Vec<(f64, Piece<'a>)> {
    let count = pieces.len() as f64;
    pieces.enumerate().map(|(index, piece)| (index as f64 / count, piece)).collect()
}
