//! Secrets Manager does not answer, or not with a secret.

use std::time::Duration;

use futures_util::future::join_all;
use local_stack::{
    CLIENT_SECRET_ARN, Options, Stack, Timestamp,
    amazon::{Endpoint, SHOP_CLIENT_ID, SHOP_CLIENT_SECRET},
    secrets::Fault,
};
use tests::{
    Browser, Flow,
    stage::{Stage, timed},
};

use crate::{
    door::{Deed, Door},
    ending::{Pages, UNAVAILABLE, VISITORS, come_back, rows, without_amazon, wrong_with_ending},
};

const NOON: Timestamp = Timestamp(1_800_000_000);
const NEW: &str = "amzn1.oa2-cs.v1.new";

/// Something that is wrong with the secret.
#[derive(Clone, Debug)]
enum Trouble {
    /// With getting it.
    Fault(Fault),
    /// With what it says.
    Value(&'static str),
    /// With the way there.
    Deed(Deed),
    /// Nobody listens there.
    Nobody,
}

/// A site whose functions find Secrets Manager behind a door.
struct Site {
    door: Door,
    stack: Stack,
}

fn quick() -> Vec<Trouble> {
    let errors = [
        "AccessDeniedException",
        "ResourceNotFoundException",
        "DecryptionFailure",
        "InvalidRequestException",
        "InternalServiceError",
        "ThrottlingException",
        "ExpiredTokenException",
        "?",
    ];
    let values = [
        "",
        " \n",
        "{",
        "{}",
        "{\"client_secret\":",
        "{\"client_secret\":\"\"}",
        "{\"client_secret\":7}",
        "{\"client_secret\":null}",
        "{\"client_secret\":{\"client_secret\":\"x\"}}",
        "{\"secret\":\"x\"}",
        "{\"Client_Secret\":\"x\"}",
    ];
    let mut all: Vec<_> = errors.map(|error| Trouble::Fault(Fault::Refused(error))).into();
    all.extend(values.map(Trouble::Value));
    all.extend([Fault::Broken, Fault::Binary].map(Trouble::Fault));
    all.extend([Deed::ResetUnread, Deed::Say(Vec::new())].map(Trouble::Deed));
    all.push(Trouble::Nobody);
    all
}

fn slow() -> Vec<Trouble> {
    [Fault::Silent, Fault::Late(Duration::from_secs(3))].map(Trouble::Fault).into()
}

impl Site {
    async fn new(stopped_at: Option<Timestamp>) -> Self {
        let door = Door::new().await;
        let url = door.url.clone();
        let environment = [("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), url)].into();
        let options = Options { environment, stopped_at, ..Options::default() };
        let stack = options.start().await.unwrap();
        door.lead_to(&stack.secrets.url);
        Self { door, stack }
    }

    async fn begin(&self, trouble: &Trouble) {
        match trouble {
            Trouble::Fault(fault) => self.stack.secrets.fault(Some(fault.clone())),
            Trouble::Value(value) => self.stack.secrets.set(CLIENT_SECRET_ARN, value),
            Trouble::Deed(deed) => self.door.set(Some((0, deed.clone()))),
            Trouble::Nobody => self.door.shut().await,
        }
    }

    async fn end(&self, trouble: &Trouble) {
        match trouble {
            Trouble::Fault(_) => self.stack.secrets.fault(None),
            Trouble::Value(_) => self.stack.secrets.set(CLIENT_SECRET_ARN, SHOP_CLIENT_SECRET),
            Trouble::Deed(_) => self.door.set(None),
            Trouble::Nobody => self.door.open().await,
        }
    }

    /// How often a secret was asked for since the last time.
    fn reads(&self) -> usize {
        let reads = self.door.asked().len();
        self.door.forget();
        reads
    }

    fn redemptions(&self) -> usize {
        self.stack.amazon.calls_of(Endpoint::Token).len()
    }

    /// Amazon knows another secret from now on, and only that.
    fn rotate_at_amazon(&self) {
        let mut world = self.stack.amazon.world();
        world.client_mut(SHOP_CLIENT_ID).unwrap().secret = Some(NEW.to_owned());
    }
}

/// Lets one trouble after the other meet a process that has no secret yet.
async fn suffer_cold(flow: Flow, troubles: Vec<Trouble>, pages: &Pages) -> (usize, Vec<String>) {
    let site = Site::new(None).await;
    let stack = &site.stack;
    let seed = stack.dynamodb.snapshot().unwrap();
    let stage = Stage::set(stack, &seed, flow).await;
    let mut wrong = Vec::new();
    for (turn, trouble) in troubles.iter().enumerate() {
        stack.amazon.reset();
        let visitor = stage.visitor();
        let before = rows(stack);
        stack.restart("callback");
        site.reads();
        site.begin(trouble).await;
        let (answer, late) = timed(come_back(stack, &visitor, turn % 2 == 1)).await;
        let mut found = Vec::from_iter(late);
        // The SDK tries three times.
        let reads = site.reads();
        if reads > 3 || !stack.amazon.calls().is_empty() {
            found.push(format!("{reads} reads, and {:?}", stack.amazon.calls()));
        }
        site.end(trouble).await;
        let end = (&answer, UNAVAILABLE);
        found.extend(wrong_with_ending(&stage, &visitor, end, (pages, &before)).await);
        found.extend(stage.wrong_when_repeated(visitor).await);
        wrong.extend(found.into_iter().map(|one| format!("{flow:?}, {trouble:?}: {one}")));
    }
    (troubles.len(), wrong)
}

#[tokio::test]
async fn k05_m04_r28_without_the_secret_nobody_comes_in_and_nothing_is_half_done() {
    let pages = Pages::default();
    let (quick, slow) = (quick(), slow());
    let parts = quick.chunks(8).flat_map(|part| VISITORS.map(|flow| (flow, part.to_vec())));
    let slow = slow.into_iter().zip([Flow::Newcomer, Flow::Known]);
    let pieces = slow.map(|(trouble, flow)| (flow, vec![trouble])).chain(parts);
    let all = join_all(pieces.map(|(flow, troubles)| suffer_cold(flow, troubles, &pages))).await;
    let runs: usize = all.iter().map(|(runs, _)| runs).sum();
    let wrong: Vec<_> = all.into_iter().flat_map(|(_, wrong)| wrong).collect();
    println!("secrets: {runs} runs, {} violations", wrong.len());
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// Lets one trouble after the other meet a process that has the secret already.
async fn suffer_warm(troubles: &[Trouble]) {
    let site = Site::new(Some(NOON)).await;
    let sign_in = async || {
        let browser = Browser::new(&site.stack);
        let (answer, late) = timed(browser.sign_in_at_amazon("lin", "/")).await;
        assert_eq!(late, None);
        (answer.status, answer.code().to_owned())
    };
    let (enters, fails) = ((303, String::new()), (503, "unavailable".to_owned()));
    for (turn, trouble) in (0..).zip(troubles) {
        let begin = NOON + Duration::from_hours(2 * turn);
        let after = |seconds| site.stack.set_clock(begin + Duration::from_secs(seconds)).unwrap();
        after(0);
        site.reads();
        assert_eq!((sign_in().await, site.reads()), (enters.clone(), 1), "{trouble:?}: fresh");

        site.begin(trouble).await;
        after(299);
        assert_eq!((sign_in().await, site.reads()), (enters.clone(), 0), "{trouble:?}: kept");
        for seconds in [300, 3_599] {
            after(seconds);
            assert_eq!(sign_in().await, enters, "{trouble:?}: {seconds} s old");
            assert!((0..=3).contains(&site.reads()), "{trouble:?}: {seconds} s old");
        }
        after(3_600);
        let redemptions = site.redemptions();
        assert_eq!(sign_in().await, fails, "{trouble:?}: too old");
        assert_eq!(site.redemptions(), redemptions, "{trouble:?}: too old");
        site.end(trouble).await;
        assert_eq!(sign_in().await, enters, "{trouble:?}: over");
        assert_eq!(site.stack.processes("callback").len(), 1, "{trouble:?}");
    }
}

#[tokio::test]
async fn m04_r28_a_secret_outlives_an_outage_of_an_hour_in_a_process_that_has_it() {
    let (quick, slow) = (quick(), slow());
    join_all(slow.chunks(1).chain(quick.chunks(3)).map(suffer_warm)).await;
}

#[tokio::test]
async fn r5_r28_who_needs_no_secret_reads_none() {
    let site = Site::new(None).await;
    let seed = site.stack.dynamodb.snapshot().unwrap();
    for flow in without_amazon() {
        let stage = Stage::set(&site.stack, &seed, flow).await;
        for function in Stack::functions().unwrap() {
            site.stack.restart(&function);
        }
        let visitor = stage.visitor();
        site.door.set(Some((0, Deed::ResetUnread)));
        let answer = visitor.act().await;
        assert_eq!((answer.status, answer.code()), flow.ending(), "{flow:?}");
        assert_eq!(visitor.standing().await, stage.clean, "{flow:?}");
        assert_eq!(site.door.asked(), [""; 0], "{flow:?}");
        site.door.set(None);
    }
}

/// Where at Amazon a visitor is; and who they are when they come back.
async fn at_amazon(browser: &Browser<'_>, stack: &Stack) -> String {
    let url = browser.begin("/").await;
    stack.amazon.allow(&url, "lin").unwrap()
}

#[tokio::test]
async fn l10_r29_a_secret_that_was_rotated_while_the_visitor_was_at_amazon_costs_one_read_and_one_call()
 {
    let site = Site::new(None).await;
    let browser = Browser::new(&site.stack);
    let back = at_amazon(&browser, &site.stack).await;
    site.rotate_at_amazon();
    site.stack.secrets.set(CLIENT_SECRET_ARN, NEW);
    // Nobody has the old one.
    assert_eq!(browser.come_back(&back).await.status, 303);
    assert_eq!((site.reads(), site.redemptions()), (1, 1));

    // This process has it.
    let site = Site::new(None).await;
    let browser = Browser::new(&site.stack);
    assert_eq!(browser.sign_in_at_amazon("lin", "/").await.status, 303);
    let back = at_amazon(&browser, &site.stack).await;
    site.rotate_at_amazon();
    site.stack.secrets.set(CLIENT_SECRET_ARN, &format!("{{\"client_secret\":\"{NEW}\"}}"));
    assert_eq!(browser.come_back(&back).await.status, 303);
    assert_eq!((site.reads(), site.redemptions()), (2, 3));
    // From now on it has the new one.
    assert_eq!(browser.sign_in_at_amazon("lin", "/").await.status, 303);
    assert_eq!((site.reads(), site.redemptions()), (0, 4));
}

#[tokio::test]
async fn l10_a_secret_that_only_amazon_has_rotated_is_tried_once() {
    let site = Site::new(None).await;
    let browser = Browser::new(&site.stack);
    assert_eq!(browser.sign_in_at_amazon("lin", "/").await.status, 303);
    site.rotate_at_amazon();
    site.reads();
    let page = browser.sign_in_at_amazon("lin", "/").await;
    assert_eq!((page.status, page.code()), (503, "unavailable"));
    assert_eq!((site.reads(), site.redemptions()), (1, 2));

    // Nor is it tried again where nobody knows a newer one.
    site.begin(&Trouble::Fault(Fault::Broken)).await;
    let page = browser.sign_in_at_amazon("lin", "/").await;
    assert_eq!((page.status, page.code()), (503, "unavailable"));
    assert_eq!(site.redemptions(), 3);
    site.end(&Trouble::Fault(Fault::Broken)).await;
    site.stack.secrets.set(CLIENT_SECRET_ARN, NEW);
    assert_eq!(browser.sign_in_at_amazon("lin", "/").await.status, 303);
    assert_eq!(site.redemptions(), 5);
}

#[tokio::test]
async fn l10_however_many_come_back_after_a_rotation_each_process_reads_once_more() {
    let site = Site::new(None).await;
    let browsers: Vec<_> = (0..12).map(|_| Browser::new(&site.stack)).collect();
    let all = async || {
        let all = browsers.iter().map(|browser| browser.sign_in_at_amazon("lin", "/"));
        join_all(all).await.iter().all(|answer| answer.status == 303)
    };
    assert!(all().await);
    let processes = site.stack.processes("callback").len();
    site.rotate_at_amazon();
    site.stack.secrets.set(CLIENT_SECRET_ARN, NEW);
    let (_, before) = (site.reads(), site.redemptions());
    assert!(all().await);
    let reads = site.reads();
    assert!((1..=processes).contains(&reads), "{reads} reads by {processes} processes");
    assert_eq!(site.redemptions(), before + browsers.len() + reads);
}
