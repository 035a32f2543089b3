use std::collections::{BTreeMap, BTreeSet};

use domain::{Clock, Timestamp, login::Logins};
use local_stack::specimen::Specimen;
use web::{Reply, Settings, reply_to};

use crate::{handler::Login, open};

const NOON: Timestamp = Timestamp(1_795_167_000);

async fn login(settings: &[(&str, &str)]) -> Login {
    let own = [
        ("PUBLIC_URL", "https://shop.example"),
        ("LWA_CLIENT_ID", "amzn1.application-oa2-client.0123"),
    ];
    let all = own.iter().chain(settings);
    let settings: Settings =
        all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Login { clock: Clock::Stopped(NOON), ..open(&settings).await.unwrap() }
}

async fn reply(login: &Login, specimen: &Specimen) -> Reply {
    reply_to(login, &specimen.event()).await.unwrap()
}

fn location(reply: &Reply) -> (String, BTreeMap<String, String>) {
    let url = reply.headers()["location"].to_str().unwrap();
    let (page, query) = url.split_once('?').unwrap();
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let query: BTreeMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(query.len(), pairs.len(), "no parameter comes twice: {url}");
    (page.to_owned(), query)
}

fn remembered(reply: &Reply) -> Logins {
    let cookie = reply.headers()["set-cookie"].to_str().unwrap();
    let (pair, attributes) = cookie.split_once(';').unwrap();
    assert_eq!(attributes, " Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600");
    Logins::parse(pair.strip_prefix("__Host-lwa_login=").unwrap())
}

#[tokio::test]
async fn a09_a_visitor_is_sent_to_amazon_with_all_that_amazon_asks_for() {
    let reply = reply(&login(&[]).await, &Specimen::of("login")).await;

    assert_eq!(reply.status(), 303);
    let (page, query) = location(&reply);
    assert_eq!(page, "https://www.amazon.com/ap/oa");
    let mut logins = remembered(&reply);
    let state = domain::State::presented(&query["state"]).unwrap();
    let begun = logins.finish(&state).unwrap();
    assert_eq!(begun.return_to.as_str(), "/basket");
    assert_eq!(begun.started_at, NOON);
    for (name, value) in [
        ("client_id", "amzn1.application-oa2-client.0123"),
        ("scope", "profile"),
        ("response_type", "code"),
        ("redirect_uri", "https://shop.example/auth/amazon/callback"),
        ("code_challenge", begun.verifier.challenge().expose()),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(query[name], value);
    }
    assert_eq!(query.len(), 7, "{query:?}");
}

#[tokio::test]
async fn a09_a10_no_two_sign_ins_have_a_secret_in_common_and_all_have_a_proper_challenge() {
    let login = login(&[]).await;
    let mut secrets = BTreeSet::new();
    for _ in 0..1000 {
        let reply = reply(&login, &Specimen::of("login")).await;
        let (_, query) = location(&reply);
        let state = domain::State::presented(&query["state"]).unwrap();
        let verifier = remembered(&reply).finish(&state).unwrap().verifier;
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(query["code_challenge"], verifier.challenge().expose());
        assert_ne!(query["code_challenge"], verifier.expose());
        for secret in [state.expose(), verifier.expose()] {
            assert!(secrets.insert(secret.to_owned()));
            assert_eq!(secret.len(), 43, "256 bits");
        }
    }
}

#[tokio::test]
async fn the_region_the_scope_and_what_is_essential_are_the_operators() {
    let data = r#"{"profile":{"essential":true}}"#;
    let settings =
        [("LWA_REGION", "fe"), ("LWA_SCOPE", "profile postal_code"), ("LWA_SCOPE_DATA", data)];
    let reply = reply(&login(&settings).await, &Specimen::of("login")).await;
    let (page, query) = location(&reply);
    assert_eq!(page, "https://apac.account.amazon.com/ap/oa");
    assert_eq!(query["scope"], "profile postal_code");
    assert_eq!(query["scope_data"], data);
}

#[tokio::test]
async fn b01_a_visitor_never_leaves_the_site_by_return_to() {
    let login = login(&[]).await;
    for (asked, taken) in [
        ("/basket?a=b", "/basket?a=b"),
        ("//evil.com", "/"),
        ("https://evil.com", "/"),
        ("/auth/logout", "/"),
        ("", "/"),
    ] {
        let specimen = Specimen::of("login").query(&[("return_to", asked)]);
        let reply = reply(&login, &specimen).await;
        let (_, query) = location(&reply);
        let state = domain::State::presented(&query["state"]).unwrap();
        let begun = remembered(&reply).finish(&state).unwrap();
        assert_eq!(begun.return_to.as_str(), taken, "{asked}");
    }
    let twice = Specimen::of("login").raw_query("return_to=/a&return_to=/b");
    assert_eq!(reply(&login, &twice).await.status(), 400);
}

#[tokio::test]
async fn a21_six_tabs_are_kept_apart() {
    let login = login(&[]).await;
    let (mut cookie, mut states) = (String::new(), Vec::new());
    for tab in 0..6 {
        let path = format!("/tab/{tab}");
        let specimen = Specimen::of("login")
            .query(&[("return_to", &path)])
            .cookie("__Host-lwa_login", &cookie);
        let reply = reply(&login, &specimen).await;
        cookie = remembered(&reply).print();
        states.push((location(&reply).1["state"].clone(), path));
    }
    let mut logins = Logins::parse(&cookie);
    for (state, path) in states {
        let begun = logins.finish(&domain::State::presented(&state).unwrap()).unwrap();
        assert_eq!(begun.return_to.as_str(), path);
    }
}

#[tokio::test]
async fn a18_another_site_cannot_sign_a_visitor_in_without_a_click() {
    let login = login(&[]).await;
    for specimen in [
        Specimen::of("login-cross-site"),
        Specimen::of("login")
            .without_header("sec-fetch-site")
            .header("referer", "https://evil.example/"),
        Specimen::of("login")
            .without_header("sec-fetch-site")
            .header("referer", "https://shop.example.evil/"),
    ] {
        let reply = reply(&login, &specimen).await;
        assert_eq!(reply.status(), 200);
        assert!(!reply.headers().contains_key("set-cookie"));
        let web::lambda_http::Body::Text(page) = reply.body() else { panic!() };
        assert!(page.contains(r#"href="/auth/amazon/login?return_to=%2Fbasket""#), "{page}");
        assert!(page.contains("Login with Amazon"));
    }
    for site in ["same-origin", "same-site", "none"] {
        let specimen = Specimen::of("login").header("sec-fetch-site", site);
        assert_eq!(reply(&login, &specimen).await.status(), 303, "{site}");
    }
}

#[tokio::test]
async fn j12_looking_ahead_begins_nothing() {
    let login = login(&[]).await;
    for specimen in [
        Specimen::of("login-prefetch"),
        Specimen::of("login").header("sec-fetch-dest", "iframe"),
        Specimen::of("login").header("sec-fetch-dest", "image"),
    ] {
        let reply = reply(&login, &specimen).await;
        assert_eq!(reply.status(), 204);
        assert!(!reply.headers().contains_key("set-cookie"));
        assert!(!reply.headers().contains_key("location"));
    }
}

#[tokio::test]
async fn a16_the_host_that_a_caller_names_counts_for_nothing() {
    let hostile = Specimen::of("login")
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example");
    let reply = reply(&login(&[]).await, &hostile).await;
    let (_, query) = location(&reply);
    assert_eq!(query["redirect_uri"], "https://shop.example/auth/amazon/callback");
}

#[tokio::test]
async fn n08_only_get_begins_a_sign_in() {
    for method in ["POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"] {
        let reply = reply(&login(&[]).await, &Specimen::of("login").method(method)).await;
        assert_eq!(reply.status(), 405, "{method}");
        assert_eq!(reply.headers()["allow"], "GET");
        assert!(!reply.headers().contains_key("set-cookie"));
    }
}

#[test]
fn r24_settings_that_cannot_be_are_named() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (name, value) in
        [("PUBLIC_URL", ""), ("LWA_CLIENT_ID", ""), ("LWA_AUTHORIZE_URL", "https://evil.example/")]
    {
        let settings: Settings =
            [("PUBLIC_URL", "https://shop.example"), ("LWA_CLIENT_ID", "x"), (name, value)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into_iter()
                .collect();
        let error = runtime.block_on(open(&settings)).err().unwrap();
        assert!(error.to_string().contains(name), "{error}");
    }
}
