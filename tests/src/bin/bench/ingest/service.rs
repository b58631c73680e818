//! A service as a process of this program. An optimised program takes minutes to link, and there are four.

use std::{error::Error, iter};

use backlog_mapper::{Mapper, MapperError};
use bus::Bus;
use clap::Parser;
use registrar::{Registrar, RegistrarError};
use signer::Signer;
use supplier_ingest::{ReceiptDelivery, SupplierIngest, stand_at_doors};
use worker::Process;

/// Which service, and what it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its name
    name: String,
    /// Its own arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    flags: Vec<String>,
}

/// Does what the service's own program does, until it is ended.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let Args { name, flags } = args;
    let ran = match name.as_str() {
        super::place::INGEST => ingest(parsed(&name, flags)).await,
        super::place::MAPPER => mapper(parsed(&name, flags)).await,
        "signer" => signer(parsed(&name, flags)).await,
        "registrar" => registrar(parsed(&name, flags)).await,
        _ => anyhow::bail!("{name} is no service that a supplier's document meets"),
    };
    ran.map_err(|error| anyhow::anyhow!("{name}: {error}"))
}

type Ran = Result<(), Box<dyn Error>>;

fn parsed<A: Parser>(name: &str, flags: Vec<String>) -> A {
    A::parse_from(iter::once(name.to_owned()).chain(flags))
}

async fn ingest(args: supplier_ingest::Args) -> Ran {
    let settings = args.ingest.load()?;
    let process = Process::start(super::place::INGEST, args.worker.process)?;
    let passports = settings.passports.clone();
    let ingest = SupplierIngest::new(process.archive.clone(), settings);
    let receipts = ReceiptDelivery::new(process.archive.clone());
    let doors = async |bus: &Bus| stand_at_doors(bus, &passports).await;
    Ok(process.run_both(&args.worker.events, ingest, receipts, doors).await?)
}

async fn mapper(args: backlog_mapper::Args) -> Ran {
    let backlog_mapper::Args { mapper: settings, worker } = args;
    let process = Process::start(backlog_mapper::NAME, worker.process)?;
    let archive = process.archive.clone();
    let kept = process.connected::<MapperError>(async |connected, mut shutdown| {
        let mapper = tokio::select! {
            () = &mut shutdown => return Ok(()),
            opened = Mapper::open_in_turn(&archive, &settings, &connected.health) => opened?,
        };
        Ok(mapper.run(shutdown, &connected.bus, &worker.events, &connected.health).await?)
    });
    Ok(kept.await?)
}

async fn signer(args: signer::Args) -> Ran {
    let identity = args.signing.load()?;
    let process = Process::start("signer", args.worker.process)?;
    let signer = Signer::new(process.archive.clone(), identity, args.signing.generation);
    Ok(process.run(&args.worker.events, signer).await?)
}

async fn registrar(args: registrar::Args) -> Ran {
    let process = Process::start(registrar::NAME, args.process)?;
    let registrar = Registrar::new(process.archive.clone(), args.registrar);
    let kept = process.connected::<RegistrarError>(async |connected, shutdown| {
        registrar.run(shutdown, &connected.bus, &connected.health).await
    });
    Ok(kept.await?)
}
