//! What a supplier's document takes from its manifest to its receipt and into the registry, beside the
//! least that it can cost.

mod document;
pub(crate) mod floor;
mod large;
mod many;
mod place;
mod report;
pub(crate) mod service;
mod supplier;

use std::{fs, path::PathBuf};

use anyhow::Context;
use document::{Order, Shape};
use jiff::Timestamp;
use large::Setup;
use serde::Serialize;

use crate::{now, pipeline::Sync, report as files};

/// Times documents of suppliers from one large one to many small ones, each beside its floor.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask bench ingest\n  cargo xtask bench ingest --components 50000 --small 0\n  cargo xtask bench ingest --components 50000 --seed 7 --write large.cdx.json"
)]
pub(crate) struct Args {
    /// Components of a document; repeat for several [default: 200 5000 50000 80000 200000]; above 85000 components tell only what they are
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    components: Vec<u32>,
    /// Documents of each size; the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Components of a document that is too large; 0 leaves it out
    #[arg(long, default_value_t = 500_000)]
    refused: u32,
    /// Small documents; 0 leaves them out
    #[arg(long, default_value_t = 10_000)]
    small: u32,
    /// Suppliers that send the small documents
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    suppliers: u32,
    /// When the broker's disk is synced
    #[arg(long, value_enum, default_value = "always")]
    sync: Sync,
    /// Seed of the documents
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    seed: u64,
    /// Few and small documents: whether it works, not how fast it is
    #[arg(long)]
    quick: bool,
    /// Write a document to FILE and measure nothing
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// When the document that is written says that it was made [default: now]
    #[arg(long, requires = "write", value_name = "TIME")]
    timestamp: Option<Timestamp>,
    /// Where the numbers are written
    #[arg(long, value_name = "FILE", default_value = "target/bench/ingest.json")]
    json: PathBuf,
}

/// Everything that was measured.
#[derive(Debug, Default, Serialize)]
struct Measured {
    profile: &'static str,
    sync: Option<Sync>,
    seed: u64,
    documents: Vec<large::Row>,
    /// One of the sizes again, as documents that have to be read as a whole.
    whole: Option<large::Row>,
    at_once: Option<large::Crowd>,
    refused: Option<large::Refused>,
    many: Option<many::Many>,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    let sizes: Vec<usize> = match (&args.components[..], args.quick) {
        ([], true) => vec![200, 1_000],
        ([], false) => vec![200, 5_000, 50_000, 80_000, 200_000],
        (given, _) => given.iter().map(|it| *it as usize).collect(),
    };
    if let Some(file) = &args.write {
        return write(args, file, sizes[0]);
    }
    let runs = if args.quick { 1 } else { args.runs as usize };
    let setup = Setup { sync: args.sync, runs, seed: args.seed, order: Order::VersionFirst };
    let mut measured = Measured {
        profile: files::profile(),
        sync: Some(args.sync),
        seed: args.seed,
        ..Measured::default()
    };
    for &components in &sizes {
        let row = setup.row(components).await?;
        println!("{}", report::line(&row));
        measured.documents.push(row);
    }
    let crowded = if args.quick { 1_000 } else { 50_000 };
    if sizes.contains(&crowded) {
        let setup = Setup { order: Order::VersionLast, ..setup };
        measured.whole = Some(setup.row(crowded).await?);
        measured.at_once = Some(setup.crowd(crowded).await?);
    }
    if args.refused > 0 && !args.quick {
        measured.refused = Some(setup.refused(args.refused as usize).await?);
    }
    let (small, suppliers) = if args.quick { (40, 4) } else { (args.small, args.suppliers) };
    if small > 0 {
        let many = many::measure(args.sync, small as usize, suppliers as usize, args.seed).await?;
        measured.many = Some(many);
    }
    println!("\n{}", report::table(&measured));
    files::write(&args.json, &serde_json::to_string_pretty(&measured)?)
}

fn write(args: &Args, file: &PathBuf, components: usize) -> anyhow::Result<()> {
    let timestamp = args.timestamp.unwrap_or_else(now);
    let order = Order::VersionFirst;
    let shape = Shape { supplier: "acme", components, seed: args.seed, timestamp, order };
    let document = shape.document();
    fs::write(file, &document).with_context(|| format!("cannot write {}", file.display()))?;
    println!("{}: {components} components, {} bytes", file.display(), document.len());
    println!("Only in it: {}", shape.probe());
    Ok(())
}
