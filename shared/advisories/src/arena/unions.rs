//! Which records tell of one vulnerability.

/// Sets of records; each is named by its smallest member.
pub(super) struct Unions(Vec<u32>);

impl Unions {
    /// Each of `len` records alone.
    pub(super) fn new(len: u32) -> Self {
        Self((0..len).collect())
    }

    pub(super) fn smallest(&mut self, mut member: u32) -> u32 {
        while self.0[member as usize] != member {
            // Halves the way for the next one who asks.
            self.0[member as usize] = self.0[self.0[member as usize] as usize];
            member = self.0[member as usize];
        }
        member
    }

    pub(super) fn join(&mut self, left: u32, right: u32) {
        let (left, right) = (self.smallest(left), self.smallest(right));
        self.0[left.max(right) as usize] = left.min(right);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_sets_are_named_by_their_smallest_member() {
        let mut unions = Unions::new(6);
        for (left, right) in [(5, 3), (1, 5), (2, 4)] {
            unions.join(left, right);
        }
        let names: Vec<_> = (0..6).map(|it| unions.smallest(it)).collect();
        assert_eq!(names, [0, 1, 2, 1, 2, 1]);
    }
}
