//! `private-sigstore`: an instance for labs, until it is stopped; see `lib.rs`.

use std::{io::Write as _, net::SocketAddr, path::PathBuf};

use anyhow::Context as _;
use clap::Parser;
use private_sigstore::{Claims, PrivateSigstore};

/// A Sigstore of one's own on loopback, for tests and labs; it proves nothing to anybody else
#[derive(Parser)]
#[command(after_help = "Example:\n  private-sigstore --dir target/sigstore")]
struct Args {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:7557", value_name = "ADDR")]
    listen: SocketAddr,
    /// Where trusted_root.json, signing_config.json, trust_config.json and a token are written
    #[arg(long, default_value = "target/sigstore", value_name = "DIR")]
    dir: PathBuf,
    /// Whom the token is about: an email address, or a URI
    #[arg(long, default_value = "signer@example.com", value_name = "ID")]
    identity: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let sigstore = PrivateSigstore::start(args.listen).await?;
    let email = args.identity.contains('@').then(|| args.identity.clone());
    let claims = Claims { sub: args.identity, email, ..Claims::default() };
    loop {
        // A token ends after five minutes, and who reads the file wants one that goes on for a while.
        sigstore.write_files(&args.dir, claims.clone())?;
        writeln!(std::io::stdout(), "{} has its files in {}", sigstore.url(), args.dir.display())?;
        tokio::select! {
            () = tokio::time::sleep(std::time::Duration::from_secs(120)) => {}
            stopped = tokio::signal::ctrl_c() => return stopped.context("cannot wait for Ctrl-C"),
        }
    }
}
