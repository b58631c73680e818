//! How a real server starts, stops, dies and comes back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "clippy knows tests, not their helpers"
)]

use std::{fs, net::TcpStream, path::Path, process::Command, time::Duration};

use broker::{Binary, BrokerError, Options, Search, Server, default_cache_dir, find_or_fetch};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    time::{sleep, timeout},
};

async fn binary() -> Binary {
    let cache = default_cache_dir().expect("a home directory");
    find_or_fetch(&Search::new(cache)).await.unwrap()
}

async fn server(dir: &TempDir) -> Server {
    Server::start(&binary().await, Options::new(dir.path())).await.unwrap()
}

fn is_listening(server: &Server) -> bool {
    TcpStream::connect(("127.0.0.1", server.port())).is_ok()
}

/// Sends one request in the protocol of NATS and returns the reply.
async fn request(server: &Server, subject: &str, payload: &str) -> String {
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    let (reader, mut writer) = stream.into_split();
    let commands = format!(
        "CONNECT {{\"verbose\":false}}\r\nSUB reply 1\r\nPUB {subject} reply {}\r\n{payload}\r\n",
        payload.len()
    );
    writer.write_all(commands.as_bytes()).await.unwrap();
    let mut lines = BufReader::new(reader).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.starts_with("MSG ") {
            return lines.next_line().await.unwrap().unwrap();
        }
    }
    panic!("the server hung up");
}

#[tokio::test]
async fn streams_survive_kill_and_restart_on_the_same_port() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = server(&dir).await;
    let port = server.port();
    let stream = r#"{"name":"KEPT","subjects":["kept"],"storage":"file"}"#;
    let reply = request(&server, "$JS.API.STREAM.CREATE.KEPT", stream).await;
    assert!(reply.contains(r#""did_create":true"#), "{reply}");
    let reply = request(&server, "kept", "evidence").await;
    assert!(reply.contains(r#""seq":1"#), "{reply}");

    server.kill();
    assert!(!server.is_running() && !is_listening(&server));
    server.restart().await.unwrap();
    assert_eq!(server.port(), port);
    let reply = request(&server, "$JS.API.STREAM.INFO.KEPT", "").await;
    assert!(reply.contains(r#""messages":1"#), "{reply}");
}

#[tokio::test]
async fn stopped_server_frees_its_store() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = server(&dir).await;
    first.stop().await.unwrap();
    first.stop().await.expect("stopping twice does no harm");
    assert!(!is_listening(&first));
    drop(first);
    server(&dir).await;
}

#[tokio::test]
async fn two_servers_at_once_have_their_own_ports() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (one, two) = tokio::join!(server(&one), server(&two));
    assert_ne!(one.url(), two.url());
    assert!(is_listening(&one) && is_listening(&two));
}

#[tokio::test]
async fn second_server_on_a_store_is_refused_with_the_first_ones_process() {
    let dir = tempfile::tempdir().unwrap();
    let _first = server(&dir).await;
    let error = Server::start(&binary().await, Options::new(dir.path())).await.unwrap_err();
    let pid = fs::read_to_string(dir.path().join("nats-server.pid")).unwrap();
    assert!(error.to_string().contains(&format!("(process {pid})")), "{error}");
    assert!(matches!(error, BrokerError::InUse { .. }));
}

#[tokio::test]
async fn paused_server_stays_silent_until_it_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = server(&dir).await;
    server.pause().unwrap();
    let silence = timeout(Duration::from_millis(300), request(&server, "$JS.API.INFO", "")).await;
    assert!(silence.is_err(), "a paused server answered {silence:?}");
    server.resume().unwrap();
    assert!(request(&server, "$JS.API.INFO", "").await.contains("\"streams\":0"));

    server.pause().unwrap();
    server.stop().await.expect("a paused server stops too");
    assert!(server.pause().unwrap_err().to_string().contains("it does not run"));
}

#[tokio::test]
async fn server_that_dies_by_itself_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = server(&dir).await;
    let pid = fs::read_to_string(dir.path().join("nats-server.pid")).unwrap();
    assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
    let noticed = async {
        while server.is_running() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(5), noticed).await.expect("its end is noticed");
}

#[tokio::test]
async fn dropped_server_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let server = server(&dir).await;
    let port = server.port();
    drop(server);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[tokio::test]
async fn broken_configuration_is_shown_in_the_servers_own_words() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { extra_config: "no_such_setting {".into(), ..Options::new(dir.path()) };
    let error = Server::start(&binary().await, options).await.unwrap_err().to_string();
    assert!(
        error.contains("ended at its start") && error.contains("Parse error on line 10"),
        "{error}"
    );
}

#[tokio::test]
async fn configuration_is_read_again_and_a_broken_one_leaves_the_one_before_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let included = dir.path().join("more.conf");
    fs::write(&included, "max_control_line: 1KB").unwrap();
    let options =
        Options { extra_config: "include \"more.conf\"".into(), ..Options::new(dir.path()) };
    let mut server = Server::start(&binary().await, options).await.unwrap();
    let connection = tokio::net::TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    let mut lines = BufReader::new(connection).lines();
    assert!(lines.next_line().await.unwrap().unwrap().starts_with("INFO"));

    fs::write(&included, "no_such_setting {").unwrap();
    let refused = server.reload().await.unwrap_err().to_string();
    assert!(refused.contains("stays in force") && refused.contains("Parse error"), "{refused}");
    assert!(request(&server, "$JS.API.INFO", "").await.contains("\"streams\":0"));
    fs::write(&included, "max_control_line: 2KB").unwrap();
    server.reload().await.unwrap();
    lines.get_mut().write_all(b"PING\r\n").await.unwrap();
    let answer = timeout(Duration::from_secs(10), lines.next_line()).await.unwrap().unwrap();
    assert!(answer.is_some_and(|it| it == "PONG" || it.starts_with("INFO")), "it is connected");
    server.stop().await.unwrap();
    assert!(server.reload().await.unwrap_err().to_string().contains("does not run"));
}

#[tokio::test]
async fn streams_from_before_there_were_accounts_are_the_accounts() {
    let dir = tempfile::tempdir().unwrap();
    let mut before = server(&dir).await;
    let created = request(&before, "$JS.API.STREAM.CREATE.S", r#"{"name":"S","subjects":["s"]}"#);
    assert!(created.await.contains("\"name\":\"S\""));
    assert!(request(&before, "s", "kept").await.contains("\"seq\":1"));
    before.stop().await.unwrap();
    drop(before);

    let options = |account: &str| Options {
        extra_config: format!(
            "accounts {{ {account} {{ jetstream: enabled, users: [ {{ user: a, password: b }} ] }} }}\n\
             no_auth_user: a"
        ),
        account: Some(account.to_owned()),
        ..Options::new(dir.path())
    };
    for _ in 0..2 {
        let mut now = Server::start(&binary().await, options("OURS")).await.unwrap();
        let state = request(&now, "$JS.API.STREAM.INFO.S", "").await;
        assert!(state.contains("\"messages\":1"), "{state}");
        now.stop().await.unwrap();
    }
}

#[tokio::test]
async fn log_that_somebody_filled_is_emptied() {
    let dir = tempfile::tempdir().unwrap();
    let server = server(&dir).await;
    let length = || fs::metadata(server.log_path()).unwrap().len();
    let before = length();
    server.trim_log().unwrap();
    assert_eq!(length(), before, "a short one stays");
    fs::OpenOptions::new().append(true).open(server.log_path()).unwrap().set_len(2 << 20).unwrap();
    server.trim_log().unwrap();
    assert_eq!(length(), 0);
}

#[tokio::test]
async fn port_in_use_is_an_error_although_somebody_answers_there() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = server(&one).await;
    let options = Options { port: Some(first.port()), ..Options::new(two.path()) };
    let error = Server::start(&binary().await, options).await.unwrap_err().to_string();
    assert!(error.contains("address already in use"), "{error}");
}

#[tokio::test]
async fn store_that_is_a_file_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Server::start(&binary().await, Options::new(file.path())).await.unwrap_err();
    assert!(error.to_string().contains(file.path().to_str().unwrap()), "{error}");
}

/// Runs itself again as a process that starts a server and is killed.
#[tokio::test]
async fn server_does_not_outlive_a_killed_parent() {
    const STORE: &str = "BROKER_TEST_STORE";
    if let Some(store) = std::env::var_os(STORE) {
        let server = Server::start(&binary().await, Options::new(store)).await.unwrap();
        fs::write(server.log_path().with_extension("up"), server.port().to_string()).unwrap();
        sleep(Duration::from_secs(60)).await;
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "server_does_not_outlive_a_killed_parent"])
        .env(STORE, dir.path())
        .spawn()
        .unwrap();
    let port: u16 = within(|| read_port(&dir.path().join("nats-server.up"))).await;
    parent.kill().unwrap();
    parent.wait().unwrap();
    within(|| TcpStream::connect(("127.0.0.1", port)).is_err().then_some(())).await;
    server(&dir).await;
}

fn read_port(path: &Path) -> Option<u16> {
    fs::read_to_string(path).ok()?.parse().ok()
}

async fn within<T>(mut ready: impl FnMut() -> Option<T>) -> T {
    for _ in 0..2000 {
        if let Some(value) = ready() {
            return value;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("not within 20 s");
}
