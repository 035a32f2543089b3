//! The way to Amazon is closed, or what comes along it is not even HTTP.

use futures_util::future::join_all;
use local_stack::{Options, Stack};
use tests::{
    Flow,
    stage::{Stage, timed},
};

use crate::{
    door::{Deed, Door},
    ending::{Pages, UNAVAILABLE, VISITORS, come_back, rows, without_amazon, wrong_with_ending},
};

/// A stack whose functions find Amazon behind a door.
async fn behind_a_door() -> (Door, Stack) {
    let door = Door::new().await;
    let stack = Options::with(&[("LwaApiUrl", &*door.url)]).start().await.unwrap();
    door.lead_to(&stack.amazon.url);
    (door, stack)
}

/// What ends at once.
fn quick() -> Vec<Deed> {
    let said = [
        "",
        "H",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff1\r\n{}",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nx: \0\r\n\r\n{}",
        "HTTP/1.1 999 ?\r\n\r\n",
        "HTTP/1.1 007 OK\r\n\r\n{}",
        "HTTP/9.9 200 OK\r\n\r\n{}",
        "HTTP/0.9 200 OK\r\n\r\n{}",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
        "SSH-2.0-OpenSSH_9.9\r\n",
        "\x16\x03\x01\x02\x00\x01\x00",
        "{\"access_token\":\"Atza|x\",\"token_type\":\"bearer\"}",
        "<html>",
        "\r\n\r\n\r\n\r\n",
        "\0\0\0\0",
    ];
    let mut deeds: Vec<_> = said.map(|text| Deed::Say(text.into())).into();
    let preface = b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\x01\0\0\0\x05\0\xff\xff\xff";
    deeds.push(Deed::Say(preface.to_vec()));
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n{{}}", "a".repeat(1 << 20));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n{{}}", "x: y\r\n".repeat(100_000));
    deeds.extend([long, many].map(|text| Deed::Say(text.into())));
    deeds.extend([
        Deed::ResetUnread,
        Deed::ResetAfter(1),
        Deed::ResetAfter(100),
        Deed::SayAndReset(b"HTTP/1.1 200 OK\r\n".to_vec()),
        Deed::SayAndReset(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec()),
        Deed::SayForEver(b"x: y\r\n".to_vec()),
        Deed::SayForEver(vec![0; 65_536]),
    ]);
    deeds
}

/// What makes the visitor wait.
fn slow() -> Vec<Deed> {
    vec![
        Deed::Ignore,
        Deed::SayAndHold(Vec::new()),
        Deed::SayAndHold(b"HTTP/1.1 200 OK\r\n".to_vec()),
        Deed::SayAndHold(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec()),
        Deed::SayForEver(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()),
    ]
}

/// Lets one thing after the other happen to one visitor: at the first call, and at the two after it.
async fn suffer(flow: Flow, deeds: Vec<Deed>, pages: &Pages) -> (usize, Vec<String>) {
    let (door, stack) = behind_a_door().await;
    let seed = stack.dynamodb.snapshot().unwrap();
    let stage = Stage::set(&stack, &seed, flow).await;
    let runs = deeds.iter().flat_map(|deed| [(0, deed), (1, deed)]);
    let mut wrong = Vec::new();
    for (turn, (after, deed)) in runs.clone().enumerate() {
        stack.amazon.reset();
        let visitor = stage.visitor();
        let before = rows(&stack);
        door.set(Some((after, deed.clone())));
        let (answer, late) = timed(come_back(&stack, &visitor, turn % 3 == 2)).await;
        let asked = door.asked();
        door.set(None);
        let mut found = Vec::from_iter(late);
        // At most: a code goes out once, what comes after it twice, whether or not it was read.
        let connections = if after == 0 { 1 } else { 5 };
        let codes = asked.iter().filter(|path| *path == "/auth/o2/token").count();
        if !(after + 1..=connections).contains(&asked.len()) || codes > 1 {
            found.push(format!("{} connections: {asked:?}", asked.len()));
        }
        let end = (&answer, UNAVAILABLE);
        found.extend(wrong_with_ending(&stage, &visitor, end, (pages, &before)).await);
        found.extend(stage.wrong_when_repeated(visitor).await);
        let what: String = format!("{deed:?}").chars().take(160).collect();
        wrong.extend(found.into_iter().map(|one| format!("{flow:?}, {after}, {what}: {one}")));
    }
    (runs.count(), wrong)
}

async fn campaign(what: &str, pieces: Vec<(Flow, Vec<Deed>)>) {
    let pages = Pages::default();
    let all = pieces.into_iter().map(|(flow, deeds)| suffer(flow, deeds, &pages));
    let all = join_all(all).await;
    let runs: usize = all.iter().map(|(runs, _)| runs).sum();
    let wrong: Vec<_> = all.into_iter().flat_map(|(_, wrong)| wrong).collect();
    println!("{what}: {runs} runs, {} violations", wrong.len());
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[tokio::test]
async fn l06_r01_r02_r08_what_is_not_even_http_is_no_answer() {
    let deeds = quick();
    let part = |turn| deeds.iter().skip(turn).step_by(VISITORS.len()).cloned().collect();
    let pieces = VISITORS.into_iter().enumerate().map(|(turn, flow)| (flow, part(turn)));
    campaign("connections", pieces.collect()).await;
}

#[tokio::test]
async fn l04_r03_a_connection_that_leads_nowhere_is_given_up_in_time() {
    let pieces = slow().into_iter().zip(VISITORS.into_iter().cycle());
    campaign("slow connections", pieces.map(|(deed, flow)| (flow, vec![deed])).collect()).await;
}

#[tokio::test]
async fn r01_nobody_listens_at_amazon() {
    let (door, stack) = behind_a_door().await;
    let seed = stack.dynamodb.snapshot().unwrap();
    let pages = Pages::default();
    for flow in VISITORS {
        let stage = Stage::set(&stack, &seed, flow).await;
        let visitor = stage.visitor();
        let before = rows(&stack);
        door.shut().await;
        let (answer, late) = timed(come_back(&stack, &visitor, false)).await;
        let end = (&answer, UNAVAILABLE);
        let mut wrong = wrong_with_ending(&stage, &visitor, end, (&pages, &before)).await;
        door.open().await;
        wrong.extend(late);
        wrong.extend(stage.wrong_when_repeated(visitor).await);
        assert!(wrong.is_empty(), "{flow:?}\n{}", wrong.join("\n"));
    }
}

#[tokio::test]
async fn r5_l12_without_amazon_everything_else_goes_on() {
    let (door, stack) = behind_a_door().await;
    let seed = stack.dynamodb.snapshot().unwrap();
    let mut wrong = Vec::new();
    for flow in without_amazon() {
        let stage = Stage::set(&stack, &seed, flow).await;
        let visitor = stage.visitor();
        door.set(Some((0, Deed::ResetUnread)));
        let answer = visitor.act().await;
        if (answer.status, answer.code()) != flow.ending() {
            wrong.push(format!("{flow:?}: {} {}", answer.status, answer.text));
        }
        let standing = visitor.standing().await;
        if standing != stage.clean {
            wrong.push(format!("{flow:?}: {standing:?}, not {:?}", stage.clean));
        }
        if !door.asked().is_empty() {
            wrong.push(format!("{flow:?}: Amazon was called {} times", door.asked().len()));
        }
        door.set(None);
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
