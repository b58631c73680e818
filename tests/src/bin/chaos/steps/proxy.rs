//! Between supplier-ingest and the broker: passes everything on, and stops at the message that takes a step.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use events::{DocumentSubmitted, EvidenceReady, Priority, subject};
use serde::Deserialize;
use supplier_ingest::{ReceiptDelivery, SupplierIngest};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
    time::timeout,
};
use worker::Handler;

use super::{Side, Step, Trap};

/// How long the broker's answer is waited for before the kill happens without it.
const ANSWER_LIMIT: std::time::Duration = std::time::Duration::from_secs(1);
const BUFFER: usize = 64 * 1024;
/// What ends a line, and a payload.
const END: usize = b"\r\n".len();

/// Passes connections on to the broker at `port` until it is dropped.
pub(crate) async fn serve(listener: TcpListener, port: u16, trap: Arc<Trap>) {
    let mut relays = JoinSet::new();
    loop {
        tokio::select! {
            Ok((client, _)) = listener.accept() => {
                // A connection that fails is made again by the client.
                let trap = trap.clone();
                relays.spawn(async move { relay(client, port, &trap).await.ok() });
            }
            Some(_) = relays.join_next() => {}
        }
    }
}

/// An answer that the client must not hear.
type Withheld = Mutex<Option<(Vec<u8>, oneshot::Sender<()>)>>;

async fn relay(mut client: TcpStream, port: u16, trap: &Trap) -> anyhow::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let withheld = Withheld::default();
    // Whichever ends first closes both: whoever lost the other side is to notice.
    tokio::select! {
        ended = requests(from_client, to_server, trap, &withheld) => ended,
        ended = answers(from_server, to_client, &withheld) => ended,
    }
}

async fn answers(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    withheld: &Withheld,
) -> anyhow::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        let read = &buffer[..count];
        let heard = {
            let mut withheld = withheld.lock().unwrap_or_else(PoisonError::into_inner);
            withheld.take_if(|(inbox, _)| read.windows(inbox.len()).any(|it| it == *inbox))
        };
        if let Some((_, heard)) = heard {
            heard.send(()).ok();
            // Until the connection is over.
            return std::future::pending().await;
        }
        to.write_all(read).await?;
    }
}

async fn requests(
    from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    trap: &Trap,
    withheld: &Withheld,
) -> anyhow::Result<()> {
    let mut from = BufReader::with_capacity(BUFFER, from);
    let mut frame = Vec::new();
    loop {
        frame.clear();
        if from.read_until(b'\n', &mut frame).await? == 0 {
            return Ok(());
        }
        let line = String::from_utf8_lossy(&frame).trim_end().to_owned();
        let Some(publish) = Publish::of(&line)? else {
            to.write_all(&frame).await?;
            continue;
        };
        let header = frame.len();
        frame.resize(header + publish.bytes + END, 0);
        from.read_exact(&mut frame[header..]).await?;
        let payload = &frame[header + publish.headers..header + publish.bytes];
        let reached = publish.step(payload).and_then(|step| trap.reached(step));
        let Some(reached) = reached else {
            to.write_all(&frame).await?;
            continue;
        };
        if let (Side::After, Some(inbox)) = (reached.side, publish.reply) {
            let (heard, answered) = oneshot::channel();
            let wanted = Some((inbox.as_bytes().to_vec(), heard));
            *withheld.lock().unwrap_or_else(PoisonError::into_inner) = wanted;
            to.write_all(&frame).await?;
            timeout(ANSWER_LIMIT, answered).await.ok();
        }
        reached.die().await;
        return Ok(());
    }
}

/// The first line of a message from a client.
#[derive(Debug, PartialEq, Eq)]
struct Publish<'a> {
    subject: &'a str,
    reply: Option<&'a str>,
    /// Bytes of headers, the first of those that follow.
    headers: usize,
    /// Bytes that follow, the line's end after them not counted.
    bytes: usize,
}

impl<'a> Publish<'a> {
    /// None for any other line of the protocol.
    fn of(line: &'a str) -> anyhow::Result<Option<Self>> {
        let tokens: Vec<&str> = line.split_ascii_whitespace().collect();
        let (subject, reply, headers, bytes) = match tokens.as_slice() {
            ["PUB", subject, bytes] => (subject, None, "0", bytes),
            ["PUB", subject, reply, bytes] => (subject, Some(*reply), "0", bytes),
            ["HPUB", subject, headers, bytes] => (subject, None, *headers, bytes),
            ["HPUB", subject, reply, headers, bytes] => (subject, Some(*reply), *headers, bytes),
            _ => return Ok(None),
        };
        let headers = headers.parse().context(line.to_owned())?;
        Ok(Some(Self { subject, reply, headers, bytes: bytes.parse().context(line.to_owned())? }))
    }

    /// The step that this message takes.
    fn step(&self, payload: &[u8]) -> Option<Step> {
        let starts = |prefix: &str| self.subject.starts_with(prefix);
        if starts("$JS.ACK.") {
            let lane = |worker: &str| {
                let consumer = format!("{worker}-{}", Priority::Background);
                self.subject.split('.').any(|it| it == consumer)
            };
            return match payload {
                b"+ACK" if lane(SupplierIngest::NAME) => Some(Step::ReadyAck),
                b"+ACK" if lane(ReceiptDelivery::NAME) => Some(Step::ReceiptAck),
                _ => None,
            };
        }
        match self.subject {
            _ if starts(&format!("{}.", subject::stage::<DocumentSubmitted>())) => {
                Some(Step::Submitted)
            }
            _ if starts(&format!("{}.", subject::stage::<EvidenceReady>())) => Some(Step::Ready),
            _ if starts("receipts.") => Some(Step::Receipt),
            _ if starts("$JS.API.STREAM.MSG.GET.") => {
                let question: Question = serde_json::from_slice(payload).ok()?;
                match (question.next_by_subj, question.last_by_subj) {
                    (Some(next), _) if next.contains(".manifest.") => Some(Step::Look),
                    (_, Some(last)) if last.contains(".chunk.") => Some(Step::Fetch),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// What somebody wants of a stream.
#[derive(Deserialize)]
struct Question {
    next_by_subj: Option<String>,
    last_by_subj: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(line: &str, payload: &[u8]) -> Option<Step> {
        Publish::of(line).unwrap()?.step(payload)
    }

    #[test]
    fn messages_are_known_by_the_steps_that_they_take() {
        let ack = |stream: &str, consumer: &str| {
            format!("PUB $JS.ACK.{stream}.{consumer}.1.7.7.17.0 _INBOX.a.b 4")
        };
        let asked = "PUB $JS.API.STREAM.MSG.GET.ATTESTRY_INGEST_ACME _INBOX.a 44";
        let background = ack("ATTESTRY_DOCUMENT_SUBMITTED", "supplier-ingest-background");
        let delivery = ack("ATTESTRY_EVIDENCE_SIGNED", "receipt-delivery-background");
        for (line, payload, expected) in [
            (
                "HPUB attestry.v1.document.submitted.background.x.y _INBOX.a 10 20",
                "",
                Step::Submitted,
            ),
            (asked, r#"{"seq":7,"next_by_subj":"ingest.acme.manifest.*"}"#, Step::Look),
            (asked, r#"{"last_by_subj":"ingest.acme.chunk.ab.0"}"#, Step::Fetch),
            (
                "HPUB attestry.v1.evidence.ready.background.x.supplier-ingest.y _INBOX.a 1 2",
                "",
                Step::Ready,
            ),
            (&background, "+ACK", Step::ReadyAck),
            ("HPUB receipts.acme.drop-1 _INBOX.a 10 20", "", Step::Receipt),
            (&delivery, "+ACK", Step::ReceiptAck),
        ] {
            assert_eq!(step(line, payload.as_bytes()), Some(expected), "{line}");
        }
        assert_eq!(step(&background, b"+WPI"), None);
        assert_eq!(step(asked, br#"{"seq":7}"#), None);
        assert_eq!(step(asked, b""), None);
        assert_eq!(step("PUB $JS.API.INFO _INBOX.a 0", b""), None);
        assert_eq!(step("SUB _INBOX.a 1", b""), None);
        assert!(Publish::of("PUB a b").is_err());
    }
}
