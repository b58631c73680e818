//! What goes wrong and when: drawn from the seed before anything is submitted.

use std::{fmt, time::Duration};

use fastrand::Rng;

/// No fault comes before this part of everything is answered, and none after the last.
const FIRST: f64 = 0.02;
const LAST: f64 = 0.92;
/// One of these for every so many kills, at least one.
const KILLS_PER_PAUSE: usize = 4;
const KILLS_PER_BROKER_PAUSE: usize = 10;
const KILLS_PER_ARCHIVE_LOSS: usize = 8;
const KILLS_PER_POWER_FAILURE: usize = 8;
const KILLS_PER_REGISTRY_LOSS: usize = 20;
/// Deliveries that are not acknowledged come back after ten seconds: some pauses are longer.
const LONGEST_PAUSE: f64 = 15.0;

/// Whom a fault hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The nats-server.
    Broker,
    /// One replica of a service.
    Service(&'static str, usize),
}

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// SIGKILL, and a new process at once.
    Kill(Target),
    /// SIGSTOP, and SIGCONT after a while.
    Pause(Target, Duration),
    /// The archive's directory is gone for a while, and a file is in its place.
    ArchiveAway(Duration),
    /// Everything is killed at once, and what was not synced is lost.
    PowerFailure,
    /// The registrar is killed and its database is gone.
    RegistryLost,
}

/// A fault and its moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Planned {
    /// Builds and drops that are answered by then.
    pub(crate) answered: usize,
    /// How long after that.
    pub(crate) delay: Duration,
    /// What goes wrong.
    pub(crate) fault: Fault,
}

/// What is known when faults are planned.
pub(crate) struct Scope<'a> {
    /// Builds and drops of the run.
    pub(crate) answers: usize,
    /// Kills of services and broker, power failures not counted.
    pub(crate) kills: usize,
    /// The services that run.
    pub(crate) services: &'a [&'static str],
    /// Replicas of each.
    pub(crate) replicas: usize,
}

/// The faults of a run in order. Kills go round, so that each service and the broker get their share.
pub(crate) fn plan(scope: &Scope<'_>, seed: u64) -> Vec<Planned> {
    let mut rng = Rng::with_seed(seed);
    let mut faults = Vec::new();
    let mut round: Vec<Option<&'static str>> = Vec::new();
    for _ in 0..scope.kills {
        if round.is_empty() {
            round.extend(scope.services.iter().map(|it| Some(*it)).chain([None]));
            rng.shuffle(&mut round);
        }
        let target = match round.pop().flatten() {
            Some(service) => Target::Service(service, rng.usize(..scope.replicas)),
            None => Target::Broker,
        };
        faults.push(Fault::Kill(target));
    }
    // An order of kills by rounds, with everything else strewn in.
    for fault in others(scope, &mut rng) {
        faults.insert(rng.usize(..=faults.len()), fault);
    }
    let count = faults.len() as f64;
    let at = |(index, fault), rng: &mut Rng| {
        let part = FIRST + (LAST - FIRST) * (index as f64 + rng.f64()) / count;
        Planned {
            answered: (part * scope.answers as f64) as usize,
            delay: Duration::from_millis(rng.u64(..250)),
            fault,
        }
    };
    (0..).zip(faults).map(|indexed: (usize, Fault)| at(indexed, &mut rng)).collect()
}

fn others(scope: &Scope<'_>, rng: &mut Rng) -> Vec<Fault> {
    let times = |every: usize| if scope.kills == 0 { 0 } else { (scope.kills / every).max(1) };
    let mut faults = Vec::new();
    for _ in 0..times(KILLS_PER_PAUSE) {
        let service = scope.services[rng.usize(..scope.services.len())];
        let target = Target::Service(service, rng.usize(..scope.replicas));
        faults.push(Fault::Pause(target, seconds(rng, 1.0, LONGEST_PAUSE)));
    }
    for _ in 0..times(KILLS_PER_BROKER_PAUSE) {
        faults.push(Fault::Pause(Target::Broker, seconds(rng, 1.0, 6.0)));
    }
    for _ in 0..times(KILLS_PER_ARCHIVE_LOSS) {
        faults.push(Fault::ArchiveAway(seconds(rng, 0.5, 5.0)));
    }
    faults.extend((0..times(KILLS_PER_POWER_FAILURE)).map(|_| Fault::PowerFailure));
    faults.extend((0..times(KILLS_PER_REGISTRY_LOSS)).map(|_| Fault::RegistryLost));
    faults
}

fn seconds(rng: &mut Rng, least: f64, most: f64) -> Duration {
    Duration::from_secs_f64(least + (most - least) * rng.f64())
}

impl Fault {
    /// The fault without its particulars, for counting.
    pub(crate) fn kind(&self) -> String {
        match self {
            Self::Kill(target) => format!("kill {}", target.name()),
            Self::Pause(target, _) => format!("pause {}", target.name()),
            Self::ArchiveAway(_) => "archive away".to_owned(),
            Self::PowerFailure => "power failure".to_owned(),
            Self::RegistryLost => "registry lost".to_owned(),
        }
    }
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::Broker => "broker",
            Self::Service(service, _) => service,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind();
        match self {
            Self::Kill(Target::Service(_, number)) => write!(f, "{kind} {}", number + 1),
            Self::Pause(_, duration) | Self::ArchiveAway(duration) => {
                write!(f, "{kind} for {:.1} s", duration.as_secs_f64())
            }
            _ => f.write_str(&kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: Scope<'_> =
        Scope { answers: 2_000, kills: 50, services: &["generator", "signer"], replicas: 2 };

    #[test]
    fn every_target_gets_its_share_of_the_kills() {
        let planned = plan(&SCOPE, 7);
        let kills = |name: &str| {
            planned.iter().filter(|it| it.fault.kind() == format!("kill {name}")).count()
        };
        let shares = ["generator", "signer", "broker"].map(kills);
        assert_eq!(shares.iter().sum::<usize>(), 50);
        assert!(shares.iter().all(|it| (16..=17).contains(it)), "{shares:?}");
    }

    #[test]
    fn faults_come_in_order_while_answers_are_under_way() {
        let moments: Vec<usize> = plan(&SCOPE, 7).iter().map(|it| it.answered).collect();
        assert!(moments.is_sorted(), "{moments:?}");
        assert!(moments.iter().all(|it| (40..1_840).contains(it)), "{moments:?}");
    }

    #[test]
    fn same_seed_gives_the_same_faults_and_another_seed_others() {
        assert_eq!(plan(&SCOPE, 7), plan(&SCOPE, 7));
        assert_ne!(plan(&SCOPE, 7), plan(&SCOPE, 8));
    }

    #[test]
    fn every_kind_of_fault_is_in_a_short_run() {
        let planned = plan(&Scope { kills: 10, ..SCOPE }, 1);
        let count =
            |wanted: &str| planned.iter().filter(|it| it.fault.kind().starts_with(wanted)).count();
        for kind in ["kill", "pause broker", "archive away", "power failure", "registry lost"] {
            assert!(count(kind) > 0, "{kind}");
        }
        assert!(count("pause") > count("pause broker"));
    }

    #[test]
    fn no_kills_means_no_faults() {
        assert_eq!(plan(&Scope { kills: 0, ..SCOPE }, 1), []);
    }
}
