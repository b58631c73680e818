//! `attestry policy`: writing policies, trying them, and repeating what they said.

mod eval;
mod new;
mod replay;
mod test;

pub(super) use eval::load;

use crate::{failure::Failure, output::Format};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Run the test_… rules beside policies, as OPA does
    Test(test::Args),
    /// Judge documents at hand, offline
    Eval(eval::Args),
    /// Begin a policy: a rule and its test, ready to be changed
    New(new::Args),
    /// Judge a build again, by the policy of then or another, and show what differs
    Replay(replay::Args),
}

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    match command {
        Command::Test(args) => test::run(&args, format),
        Command::Eval(args) => eval::run(&args, format),
        Command::New(args) => new::run(&args, format),
        Command::Replay(args) => replay::run(args, format).await,
    }
}
