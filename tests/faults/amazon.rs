//! Amazon does not answer, or not as documented.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use local_stack::{
    Options, Stack,
    amazon::{Call, Customer, Endpoint, Fault, SHOP_CLIENT_ID, SHOP_CLIENT_SECRET},
    dynamodb::Snapshot,
};
use tests::{
    Browser, Flow,
    stage::{Findings, Stage, side_by_side, timed},
};

use crate::{
    cases::{self, Case, ENDPOINTS},
    ending::{Pages, VISITORS, come_back, rows, wrong_with_ending},
};

/// What goes wrong for one visitor, one thing after the other.
type Piece = (Flow, Vec<Case>);

/// What of Amazon's calls is not as it should be.
fn wrong_with_calls(calls: &[Call], expected: [usize; 3]) -> Vec<String> {
    let mut wrong = Vec::new();
    let of = |at| calls.iter().filter(|call| call.endpoint() == Some(at)).count();
    let made = ENDPOINTS.map(of);
    if made != expected || made.iter().sum::<usize>() != calls.len() {
        wrong.push(format!("calls: {made:?} of {}, not {expected:?}", calls.len()));
    }
    for call in calls {
        let names = |names: &[String], wanted: &[&str]| names.iter().eq(wanted.iter());
        let has = |name: &str| call.headers.iter().any(|header| header == name);
        let form =
            ["grant_type", "code", "redirect_uri", "client_id", "client_secret", "code_verifier"];
        // The secret goes into the body of one kind of call, and nowhere else.
        let fits = match call.endpoint() {
            Some(Endpoint::Token) => {
                call.method == "POST"
                    && names(&call.query, &[])
                    && names(&call.fields, &form)
                    && !has("authorization")
            }
            Some(Endpoint::TokenInfo) => {
                call.method == "GET"
                    && names(&call.query, &["access_token"])
                    && !has("authorization")
            }
            Some(Endpoint::Profile) => {
                call.method == "GET" && names(&call.query, &[]) && call.carriers == ["bearer"]
            }
            Some(Endpoint::CodePair) | None => false,
        };
        if !fits || has("cookie") || has("referer") {
            wrong.push(format!("a call that should not be: {call:?}"));
        }
    }
    wrong
}

/// What the functions' logs tell of all that went through these browsers.
fn wrong_with_logs(stack: &Stack, secrets: &BTreeSet<String>) -> Vec<String> {
    let logs = stack.logs();
    let others = [SHOP_CLIENT_SECRET, "Atza|", "Atzr|", "@example.com", "amzn1.account"];
    // Paths and times that travel in the cookies are no secrets.
    let secrets = secrets.iter().map(String::as_str).filter(|text| text.len() >= 18);
    let found = |secret: &&str| logs.iter().any(|line| line.contains(*secret));
    secrets.chain(others).filter(found).map(|secret| format!("{secret} is logged")).collect()
}

/// Lets one thing after the other go wrong for one visitor.
async fn suffer(
    (stack, seed): (&Stack, &Snapshot),
    (flow, cases): &Piece,
    pages: &Pages,
    findings: &mut Findings,
) {
    let stage = Stage::set(stack, seed, *flow).await;
    let mut secrets = BTreeSet::new();
    for (turn, case) in cases.iter().enumerate() {
        stack.amazon.reset();
        let visitor = stage.visitor();
        let before = rows(stack);
        for (at, fault, times) in &case.faults {
            stack.amazon.fault(*at, fault.clone(), *times);
        }
        let (answer, late) = timed(come_back(stack, &visitor, turn % 3 == 2)).await;
        for (at, ..) in &case.faults {
            stack.amazon.clear_faults(*at);
        }
        let mut wrong = wrong_with_calls(&stack.amazon.calls(), case.calls);
        wrong.extend(late);
        let end = (&answer, case.ending);
        wrong.extend(wrong_with_ending(&stage, &visitor, end, (pages, &before)).await);
        secrets.append(&mut visitor.browser.secrets());
        wrong.extend(stage.wrong_when_repeated(visitor).await);
        if turn + 1 == cases.len() {
            wrong.extend(wrong_with_logs(stack, &secrets));
        }
        findings.run(&format!("{flow:?}, {case:?}"), wrong);
    }
}

async fn campaign(what: &str, pieces: &[Piece]) {
    let pages = Pages::default();
    side_by_side(what, pieces, async |stack, seed, piece, findings| {
        suffer((stack, seed), piece, &pages, findings).await;
    })
    .await;
}

/// Everybody suffers a part of it.
fn shared(cases: &[Case]) -> impl Iterator<Item = Piece> {
    let part = |turn| cases.iter().skip(turn).step_by(VISITORS.len()).cloned().collect();
    VISITORS.into_iter().enumerate().map(move |(turn, flow)| (flow, part(turn)))
}

/// Everybody suffers all of it.
async fn all_at(what: &str, at: Endpoint) {
    let cases = [cases::common(at), cases::rare(at)].concat();
    let parts = cases.chunks(40).flat_map(|part| VISITORS.map(|flow| (flow, part.to_vec())));
    campaign(what, &parts.collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn r1_r2_r3_r4_a23_l09_r02_r06_r07_r08_whatever_the_token_endpoint_says_a_code_goes_out_once()
{
    all_at("token", Endpoint::Token).await;
}

#[tokio::test]
async fn e24_e25_l06_l08_n13_r07_r08_r09_a_token_that_tokeninfo_does_not_vouch_for_opens_nothing() {
    all_at("tokeninfo", Endpoint::TokenInfo).await;
}

#[tokio::test]
async fn e11_e24_e25_k05_l02_r07_r08_r11_a_profile_that_is_none_is_nobodys() {
    all_at("profile", Endpoint::Profile).await;
}

#[tokio::test]
async fn l04_r03_an_amazon_that_hangs_or_drips_is_given_up_in_time() {
    let mut pieces = Vec::<Piece>::new();
    for at in ENDPOINTS {
        for case in cases::slow(at) {
            pieces.extend(VISITORS.map(|flow| (flow, vec![case.clone()])));
        }
    }
    campaign("slow", &pieces).await;
}

#[tokio::test]
async fn l05_r10_amazon_may_stumble_once_where_nothing_changes() {
    let mut pieces = Vec::<Piece>::new();
    for at in [Endpoint::TokenInfo, Endpoint::Profile] {
        let slow = cases::passing(at, cases::slow(at));
        pieces.extend(slow.into_iter().map(|case| (Flow::Newcomer, vec![case])));
        let all = [cases::common(at), cases::rare(at)].concat();
        pieces.extend(shared(&cases::passing(at, all)));
    }
    campaign("once", &pieces).await;
}

#[tokio::test]
async fn r4_r09_two_wrong_answers_at_once_do_not_make_a_right_one() {
    let pieces: Vec<_> = shared(&cases::pairs()).collect();
    campaign("pairs", &pieces).await;
}

#[tokio::test]
async fn l13_customers_who_come_at_once_get_nothing_of_each_other() {
    let stack = Options::default().start().await.unwrap();
    let logins: Vec<_> = (0..60).map(|n| format!("visitor-{n}")).collect();
    stack.amazon.world().customers.extend(logins.iter().map(|login| Customer::new(login)));
    // Answers wait for each other, and every process handles many customers.
    for at in ENDPOINTS {
        stack.amazon.fault(at, Fault::Late(5), None);
    }
    for _ in 0..2 {
        let told = join_all(logins.iter().map(async |login| {
            let browser = Browser::new(&stack);
            let answer = browser.sign_in_at_amazon(login, "/").await;
            assert_eq!(answer.status, 303, "{login}: {}", answer.text);
            browser.fetch("/auth/session", None).await.json()
        }));
        for (login, told) in logins.iter().zip(told.await) {
            assert_eq!(told["account"]["name"], login.as_str(), "{told}");
            let id = told["account"]["id"].as_str().unwrap();
            let account = stack.dynamodb.get("accounts", &[("id", id)]).unwrap();
            assert_eq!(account["email"]["S"], format!("{login}@example.com"));
            let amazon_id = stack.amazon.user_id(login, SHOP_CLIENT_ID);
            let link = [("pk", &*format!("AMAZON#{amazon_id}"))];
            assert_eq!(stack.dynamodb.get("identities", &link).unwrap()["account_id"]["S"], id);
        }
    }
}

/// The most memory that a process ever had, in KiB.
fn peak(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

#[tokio::test]
async fn l07_r08_a_gigabyte_from_amazon_takes_no_memory() {
    let stack = Options::default().start().await.unwrap();
    let browser = Browser::new(&stack);
    assert_eq!(browser.sign_in_at_amazon("lin", "/").await.status, 303);
    let [process] = stack.processes("callback")[..] else { panic!("one process so far") };
    let before = peak(process);
    for at in ENDPOINTS {
        for fault in [Fault::Endless, Fault::GzipBomb] {
            stack.amazon.fault(at, fault.clone(), None);
            let page = browser.sign_in_at_amazon("lin", "/").await;
            assert_eq!((page.status, page.code()), (503, "unavailable"), "{at:?} {fault:?}");
            stack.amazon.clear_faults(at);
        }
    }
    assert_eq!(stack.processes("callback"), [process], "it lives on");
    let grown = peak(process) - before;
    println!("{before} KiB before, {grown} more at most");
    assert!(grown < 4 * 1024, "{before} KiB before, {grown} more");
}
