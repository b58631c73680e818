//! Answers whoever asks for the backlog, the risk register, or where something is.

use std::time::Duration;

use bus::{Bus, Query};
use bytes::Bytes;
use events::{Digest, SupplierId};
use futures::StreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use tracing::warn;

pub use crate::store::ProductFindings;
use crate::{
    Mapper,
    export::{Form, Table, render},
    register::View,
    store::{Reader, StoreError},
    tickets,
};

/// Topic of [`BacklogQuestion`].
pub const BACKLOG: &str = "backlog";
/// Topic of [`RiskQuestion`].
pub const RISK: &str = "risk";
/// Topic of a term to look for, a [`String`].
pub const SEARCH: &str = "search";
/// Topic of [`SupplierQuestion`]; the answer is a list of [`ProductFindings`].
pub const SUPPLIER_FINDINGS: &str = "supplier-findings";
/// Most bytes of one answer; the rest is asked for with an offset.
const ANSWER_BYTES: usize = 512 * 1024;

/// A question, and from which byte on the answer is wanted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Asked<Q> {
    /// What is asked.
    pub question: Q,
    /// From which byte on.
    pub offset: usize,
}

/// What is asked about the backlog.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BacklogQuestion {
    /// All of it.
    Export(Form),
    /// All of it as it was at that time.
    ExportAsOf(Form, Timestamp),
    /// The entry with this id.
    Show(String),
}

/// What is asked about the risk register.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskQuestion {
    /// All of it.
    Export(Form),
    /// All of it as it was at that time.
    ExportAsOf(Form, Timestamp),
}

/// What is asked about suppliers' products.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SupplierQuestion {
    /// Those of every supplier.
    All,
    /// Those of this one.
    Of(SupplierId),
}

/// First line of an answer, as JSON; bytes of the answer follow the line break.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// There is an answer.
    Known {
        /// Its bytes in all.
        size: usize,
        /// Their digest: another one means that the answer has changed since the last part.
        digest: Digest,
    },
    /// There is nothing of that name.
    Nothing,
    /// It could not be found out.
    Error(String),
}

/// Answers questions for as long as it is polled.
pub(crate) async fn answer(bus: &Bus, mapper: &Mapper) {
    futures::join!(
        listen(bus, mapper, BACKLOG, backlog),
        listen(bus, mapper, RISK, risk),
        listen(bus, mapper, SEARCH, search),
        listen(bus, mapper, SUPPLIER_FINDINGS, supplier_findings),
        tickets::answer(bus, mapper),
    );
}

/// What there is to say, or nothing.
type Found = Result<Option<String>, StoreError>;

async fn listen<Q: for<'de> Deserialize<'de> + Send + 'static>(
    bus: &Bus,
    mapper: &Mapper,
    topic: &'static str,
    find: fn(&Reader, &View<'_>, Q) -> Found,
) {
    loop {
        let queries = match bus.queries(topic).await {
            Ok(queries) => queries,
            Err(error) => {
                warn!(%error, topic, "Failed to listen for queries; trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        tokio::pin!(queries);
        while let Some(query) = queries.next().await {
            let (mapper, question) = (mapper.clone(), query.question().clone());
            let answered = spawn_blocking(move || part(&mapper, &question, find)).await;
            let failed = |error: tokio::task::JoinError| head(&Head::Error(error.to_string()));
            reply(query, answered.unwrap_or_else(failed)).await;
        }
    }
}

pub(crate) async fn reply(query: Query, answer: Bytes) {
    if let Err(error) = query.answer(answer).await {
        warn!(%error, "Failed to answer a query");
    }
}

fn part<Q: for<'de> Deserialize<'de>>(
    mapper: &Mapper,
    question: &[u8],
    find: fn(&Reader, &View<'_>, Q) -> Found,
) -> Bytes {
    let found = || {
        let asked: Asked<Q> = serde_json::from_slice(question).map_err(|it| it.to_string())?;
        let answer = || {
            let index = mapper.index()?;
            let view = View { config: mapper.config(), index: index.as_ref() };
            find(&Reader::open(mapper.store().path())?, &view, asked.question)
        };
        Ok((answer().map_err(|error: StoreError| error.to_string())?, asked.offset))
    };
    told(found())
}

/// An answer, from a byte on.
pub(crate) fn told(found: Result<(Option<String>, usize), String>) -> Bytes {
    match found {
        Ok((Some(text), offset)) => {
            let bytes = text.as_bytes();
            let mut answer =
                Vec::from(head(&Head::Known { size: bytes.len(), digest: Digest::of(bytes) }));
            let start = offset.min(bytes.len());
            answer.extend_from_slice(&bytes[start..bytes.len().min(start + ANSWER_BYTES)]);
            answer.into()
        }
        Ok((None, _)) => head(&Head::Nothing),
        Err(why) => head(&Head::Error(why)),
    }
}

fn head(head: &Head) -> Bytes {
    // Texts and numbers always encode.
    let mut line = serde_json::to_vec(head).unwrap_or_default();
    line.push(b'\n');
    line.into()
}

fn backlog(reader: &Reader, view: &View<'_>, question: BacklogQuestion) -> Found {
    match question {
        BacklogQuestion::Export(form) => {
            let register = reader.register(view.config, view.index, worker::now())?;
            Ok(Some(render(&register, Table::Backlog, form)))
        }
        BacklogQuestion::ExportAsOf(form, time) => as_of(reader, Table::Backlog, form, time),
        BacklogQuestion::Show(id) => {
            let entry = reader.entry(&id, view.config, view.index)?;
            Ok(entry.map(|entry| serde_json::to_string(&entry)).transpose()?)
        }
    }
}

fn risk(reader: &Reader, view: &View<'_>, question: RiskQuestion) -> Found {
    match question {
        RiskQuestion::Export(form) => Ok(Some(render(
            &reader.register(view.config, view.index, worker::now())?,
            Table::Risk,
            form,
        ))),
        RiskQuestion::ExportAsOf(form, time) => as_of(reader, Table::Risk, form, time),
    }
}

fn as_of(reader: &Reader, table: Table, form: Form, time: Timestamp) -> Found {
    Ok(reader.register_as_of(time)?.map(|register| render(&register, table, form)))
}

fn search(reader: &Reader, view: &View<'_>, term: String) -> Found {
    let hits = reader.search(&term, view.config, view.index)?;
    if hits.is_empty() {
        return Ok(None);
    }
    Ok(Some(serde_json::to_string(&hits)?))
}

fn supplier_findings(reader: &Reader, _: &View<'_>, question: SupplierQuestion) -> Found {
    let of = match &question {
        SupplierQuestion::All => None,
        SupplierQuestion::Of(supplier) => Some(supplier),
    };
    Ok(Some(serde_json::to_string(&reader.supplier_findings(of)?)?))
}

#[cfg(test)]
mod tests {
    use archive::Archive;
    use serde_json::json;

    use super::*;
    use crate::{
        MapperArgs,
        testing::{JINJA, TORCH, day, full_index, now, project, sbom},
    };

    fn mapper(directory: &std::path::Path) -> Mapper {
        let archive = Archive::open(&directory.join("archive").display().to_string());
        let args = MapperArgs { store: directory.join("backlog.db"), ..MapperArgs::default() };
        Mapper::open(archive.expect("opens"), &args).expect("opens")
    }

    fn asked(question: &serde_json::Value, offset: usize) -> Vec<u8> {
        serde_json::to_vec(&json!({ "question": question, "offset": offset })).expect("encodes")
    }

    fn read(answer: &[u8]) -> (Head, &[u8]) {
        let line = answer.iter().position(|byte| *byte == b'\n').expect("a first line");
        (serde_json::from_slice(&answer[..line]).expect("a head"), &answer[line + 1..])
    }

    #[tokio::test]
    async fn long_answer_comes_in_parts_that_make_the_whole() {
        let directory = tempfile::tempdir().expect("temporary");
        let (mapper, index) = (mapper(directory.path()), full_index());
        for number in 0..250 {
            let slot = project(&format!("project-{number}"));
            let arrival = sbom(number, day(1), &slot, &[JINJA, TORCH]);
            mapper.store().record(&arrival, Some(&index), now()).expect("records");
        }
        let mut whole = Vec::new();
        let (size, digest) = loop {
            let question = asked(&json!({ "export": "json" }), whole.len());
            let answer = part(&mapper, &question, backlog);
            assert!(answer.len() <= ANSWER_BYTES + 1024, "{}", answer.len());
            let (Head::Known { size, digest }, bytes) = read(&answer) else { panic!("an answer") };
            whole.extend_from_slice(bytes);
            if whole.len() >= size || bytes.is_empty() {
                break (size, digest);
            }
        };
        assert!(size > ANSWER_BYTES, "{size}");
        assert_eq!((whole.len(), Digest::of(&whole)), (size, digest));
        let read: crate::export::json::Backlog = serde_json::from_slice(&whole).expect("JSON");
        assert_eq!(read.entries.len(), 500);
    }

    #[tokio::test]
    async fn nothing_and_nonsense_are_told_apart() {
        let directory = tempfile::tempdir().expect("temporary");
        let mapper = mapper(directory.path());
        let shown = part(&mapper, &asked(&json!({ "show": "X-1" }), 0), backlog);
        assert_eq!(read(&shown).0, Head::Nothing);
        assert_eq!(read(&part(&mapper, &asked(&json!("jinja2"), 0), search)).0, Head::Nothing);
        let nonsense = part(&mapper, b"{}", backlog);
        assert!(matches!(read(&nonsense).0, Head::Error(_)), "{nonsense:?}");
        let beyond = part(&mapper, &asked(&json!({ "export": "csv" }), usize::MAX), risk);
        assert!(matches!(read(&beyond), (Head::Known { .. }, [])), "{beyond:?}");
    }
}
