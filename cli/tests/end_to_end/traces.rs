//! One trace goes through every worker, and out to the collector that is named.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

use crate::place::{LIMIT, LOCK, Place, wait_until};

const TRACE: [u8; 16] = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes();

#[test]
fn trace_that_ci_began_reaches_the_collector_from_every_worker() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = collector.local_addr().unwrap();
    let (sender, requests) = mpsc::channel();
    thread::spawn(move || {
        for stream in collector.incoming() {
            if sender.send(answer(stream.unwrap())).is_err() {
                return;
            }
        }
    });
    let place = Place::with_lock(LOCK);
    let up = place.up_tracing_to(&format!("http://{address}"));
    place.submit("--traceparent 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").expect(0);

    wait_until("the mapper has answered", || {
        !place.attestry("doctor").stdout.contains("ATTESTRY_BACKLOG_MAPPED: 0 messages")
    });

    // What was not sent by then is sent before the process ends.
    up.terminate();

    let mut spans = 0;
    // The generator's, the gate's, the mapper's, and both of the signer's.
    while spans < 5 {
        let (path, body) = requests.recv_timeout(LIMIT).expect("every span arrives");
        assert_eq!(path, "/v1/traces");
        spans += body.windows(TRACE.len()).filter(|it| **it == TRACE).count();
    }
    assert_eq!(spans, 5);
}

/// Path and body of one OTLP request, which is told that all is well.
fn answer(stream: TcpStream) -> (String, Vec<u8>) {
    let mut reader = BufReader::new(&stream);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let header = header.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let well = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    (&stream).write_all(well.as_bytes()).unwrap();
    (first.split(' ').nth(1).unwrap().to_owned(), body)
}
