//! Requests that fail on demand, so many times.

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Whose token it is.
    User,
    /// Issues.
    List,
    /// A new issue.
    Create,
    /// An issue with other words, or at another place.
    Edit,
    /// A new comment.
    Comment,
    /// Comments.
    Comments,
}

/// How a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done, and this is answered.
    Status(u16),
    /// Nothing is done: too many requests; `retry-after` in seconds.
    RetryAfter(u16, u32),
    /// Nothing is done: the hour's requests are spent, for so many seconds more by the server's clock.
    Spent(i64),
    /// Nothing is done: a secondary limit, which names no time.
    Secondary,
    /// It is done, and 500 is answered.
    AnswerLost,
    /// It is done, and nothing is ever answered.
    Silent,
    /// It is done, and half of the answer arrives.
    Cut,
    /// Nothing is done, and nothing is ever answered.
    Hung,
}

#[derive(Default)]
pub(crate) struct Faults(Vec<(Operation, Fault, u32)>);

impl Faults {
    pub(crate) fn add(&mut self, operation: Operation, fault: Fault, times: u32) {
        self.0.push((operation, fault, times));
    }

    /// How this request fails, if it does.
    pub(crate) fn next(&mut self, operation: Operation) -> Option<Fault> {
        let (.., fault, times) =
            self.0.iter_mut().find(|(of, _, times)| *of == operation && *times > 0)?;
        *times -= 1;
        Some(*fault)
    }
}

impl Fault {
    /// Whether what is asked is done all the same.
    pub(crate) fn does(self) -> bool {
        matches!(self, Self::AnswerLost | Self::Silent | Self::Cut)
    }
}
