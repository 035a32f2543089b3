//! How much may be handed over.

use domain::{Clock, Timestamp};
use local_stack::{Options, dynamodb};

use super::{NOON, Setting, app, ending, is, setting, told};
use crate::settings::open;

const PROXY_ARN: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:proxy";
const JUNK: &str = "Atza|IwEBIJunk";

impl Setting {
    /// Hands junk over from this address so often.
    async fn junk(&self, times: usize, address: &str) -> Vec<(u16, String)> {
        let mut endings = Vec::new();
        for _ in 0..times {
            endings.push(ending(&self.reply(app(JUNK).from(address)).await));
        }
        endings
    }
}

#[tokio::test]
async fn g07_an_address_has_thirty_tries_in_ten_minutes_whatever_it_hands_over() {
    let mut at = setting().await;
    let endings = at.junk(30, "192.0.2.1").await;
    assert!(endings.iter().all(|ending| *ending == is(401, "token_rejected")));
    let calls = at.stack.amazon.calls().len();

    let reply = at.reply(at.app("lin").from("192.0.2.1")).await;
    assert_eq!(ending(&reply), is(429, "too_many_attempts"), "a good token too");
    let wait = 600 - NOON.0 % 600;
    assert_eq!(reply.headers()["retry-after"], wait.to_string().as_str());
    assert_eq!(told(&reply)["retry_after"], wait);
    assert_eq!(at.stack.amazon.calls().len(), calls, "and nobody was asked");
    assert_eq!(at.reply(at.app("lin").from("192.0.2.2")).await.status(), 200, "another address");

    at.handoff.entrance.clock = Clock::Stopped(Timestamp(NOON.0 + wait - 1));
    assert_eq!(at.junk(1, "192.0.2.1").await, [is(429, "too_many_attempts")]);
    at.handoff.entrance.clock = Clock::Stopped(Timestamp(NOON.0 + wait));
    assert_eq!(at.junk(1, "192.0.2.1").await, [is(401, "token_rejected")], "a new window");
}

#[tokio::test]
async fn g07_a_network_of_ipv6_is_one_address() {
    let at = setting().await;
    for host in 0..30 {
        at.junk(1, &format!("2001:db8:1:2::{host:x}")).await;
    }
    assert_eq!(at.junk(1, "2001:db8:1:2:ffff::1").await, [is(429, "too_many_attempts")]);
    assert_eq!(at.junk(1, "2001:db8:1:3::1").await, [is(401, "token_rejected")]);
}

#[tokio::test]
async fn g07_over_all_addresses_so_much_is_handed_over_in_a_minute() {
    let at = setting().await;
    // What many have handed over already, in this minute.
    let [_, all] = domain::handoff::limits("192.0.2.1".parse().unwrap(), NOON);
    let key = [("pk", format!("LIMIT#{}", all.key)), ("sk", all.window.to_string())];
    let row = serde_json::json!({
        "pk": {"S": key[0].1}, "sk": {"S": key[1].1}, "taken": {"N": "2999"}, "ttl": {"N": "1"},
    });
    at.stack.dynamodb.put("tickets", &row).unwrap();
    assert_eq!(at.junk(1, "192.0.2.1").await, [is(401, "token_rejected")]);
    let reply = at.reply(app(JUNK).from("192.0.2.2")).await;
    assert_eq!(ending(&reply), is(429, "too_many_attempts"));
    assert_eq!(reply.headers()["retry-after"], (60 - NOON.0 % 60).to_string().as_str());
}

#[tokio::test]
async fn g07_an_address_without_tries_left_takes_none_from_the_others() {
    let at = setting().await;
    at.junk(40, "192.0.2.1").await;
    let [_, all] = domain::handoff::limits("192.0.2.1".parse().unwrap(), NOON);
    let key = [("pk", &*format!("LIMIT#{}", all.key)), ("sk", &*all.window.to_string())];
    assert_eq!(at.stack.dynamodb.get("tickets", &key).unwrap()["taken"]["N"], "30");
}

#[tokio::test]
async fn m09_where_the_limits_do_not_answer_nothing_is_taken() {
    for call in 0..2 {
        let at = setting().await;
        let fault = dynamodb::Fault::Refused("ThrottlingException");
        at.stack.dynamodb.fault("UpdateItem tickets", call, None, fault);
        let reply = at.reply(at.app("lin")).await;
        assert_eq!(ending(&reply), is(503, "unavailable"));
        assert!(at.stack.amazon.calls().is_empty());
    }
}

// Behind a proxy.

/// A stack that trusts a proxy which shows this secret.
async fn behind_a_proxy(header: &str) -> Setting {
    let own = [
        ("PublicUrl", "https://shop.example"),
        ("TrustedProxyHeader", header),
        ("TrustedProxySecretArn", PROXY_ARN),
    ];
    let stack = Options::with(&own).doors().await.unwrap();
    stack.secrets.set(PROXY_ARN, "a secret of the proxy");
    let mut handoff = open(&stack.settings("handoff").into_iter().collect()).await.unwrap();
    handoff.entrance.clock = Clock::Stopped(NOON);
    Setting { stack, handoff }
}

#[tokio::test]
async fn g07_behind_a_proxy_each_client_has_its_own_tries() {
    let at = behind_a_proxy("X-Forwarded-For").await;
    let ask = |list: &str| {
        let specimen = app(JUNK).from("130.176.1.1").header("x-forwarded-for", list);
        specimen.header("x-lwa-proxy-secret", "a secret of the proxy")
    };
    for number in 0..30 {
        // Whatever the client has written in front of it.
        let list = format!("198.51.100.{number}, 192.0.2.1, 130.176.1.1");
        assert_eq!(ending(&at.reply(ask(&list)).await), is(401, "token_rejected"));
    }
    let again = at.reply(ask("192.0.2.2, 192.0.2.1, 130.176.1.1")).await;
    assert_eq!(ending(&again), is(429, "too_many_attempts"));
    let other = at.reply(ask("192.0.2.1, 192.0.2.2, 130.176.1.1")).await;
    assert_eq!(ending(&other), is(401, "token_rejected"));
    assert_eq!(at.stack.secrets.calls(), 1, "read once");
}

#[tokio::test]
async fn g07_nobody_who_does_not_know_the_proxys_secret_is_believed() {
    let at = behind_a_proxy("x-real-ip").await;
    let mut endings = Vec::new();
    for number in 0..31 {
        let specimen =
            app(JUNK).from("203.0.113.9").header("x-real-ip", &format!("192.0.2.{number}"));
        let specimen = match number % 4 {
            0 => specimen,
            1 => specimen.header("x-lwa-proxy-secret", "guessed"),
            2 => specimen.header("x-lwa-proxy-secret", ""),
            _ => specimen.header("x-lwa-proxy-secret", "A secret of the proxy"),
        };
        endings.push(ending(&at.reply(specimen).await));
    }
    let last = endings.pop().unwrap();
    assert!(endings.iter().all(|ending| *ending == is(401, "token_rejected")));
    assert_eq!(last, is(429, "too_many_attempts"), "all of them came from one address");
}

#[tokio::test]
async fn g07_a_secret_that_cannot_be_read_closes_and_is_not_needed_by_others() {
    let at = behind_a_proxy("x-real-ip").await;
    at.stack.secrets.break_down(true);
    let claimed = app(JUNK).header("x-real-ip", "192.0.2.1").header("x-lwa-proxy-secret", "x");
    assert_eq!(ending(&at.reply(claimed).await), is(503, "unavailable"));
    assert!(at.stack.amazon.calls().is_empty());
    assert_eq!(ending(&at.reply(app(JUNK)).await), is(401, "token_rejected"));
}

#[tokio::test]
async fn a_setting_that_is_wrong_is_named() {
    let stack = Options::with(&[("PublicUrl", "https://shop.example")]).doors().await.unwrap();
    for (name, value) in [
        ("TRUSTED_PROXY", "x-forwarded-for"),
        ("TRUSTED_PROXY", "x-forwarded-for=hunter2"),
        ("LWA_ACCEPTED_CLIENT_IDS", "amzn1.application-oa2-client.a b"),
        ("LWA_CLIENT_ID", ""),
        ("LWA_CLIENT_SECRET_ARN", ""),
    ] {
        let mut settings = stack.settings("handoff");
        settings.insert(name.to_owned(), value.to_owned());
        let error = open(&settings.into_iter().collect()).await.err().unwrap();
        assert!(error.to_string().contains(name), "{error}");
    }
}
