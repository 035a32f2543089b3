//! Mistakes in settings, secrets, tables, accounts and at Amazon.

use aws_sdk_dynamodb::types::TimeToLiveSpecification;
use local_stack::{
    CLIENT_SECRET_ARN, Options, WEBHOOK_SECRET, WEBHOOK_SECRET_ARN,
    accounts::Fault as Accounts,
    amazon::{Client, Kind, SHOP_CLIENT_ID, SHOP_CLIENT_SECRET},
    dynamodb::Fault,
    seed,
};

use crate::{
    here::{Here, nobody},
    run::run,
};

const ANOTHER_SECRET: &str =
    "amzn1.oa2-cs.v1.0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stack_that_is_right_is_called_right() {
    let here = Here::start().await;
    let ran = here.look().await;
    ran.is_right();
    assert_eq!(ran.ended("not checked"), ["links-kept"], "{}", ran.out);
    assert_eq!(ran.ended("advice"), ["accounts-rows"], "Mia's address: {}", ran.out);
    let end = "34 checks: 32 ok, 0 wrong, 1 with advice, 1 not checked.\n";
    assert!(ran.out.ends_with(end), "{}", ran.out);
    assert!(ran.out.contains(&format!("{}/auth/amazon/callback, which must be", here.stack.url)));
    assert!(!ran.out.contains('\x1b'), "colours are for terminals");
    // The first is no question at all: somebody is there.
    let reads = ["?", "Describe", "GetItem ", "Query ", "Scan "];
    let requests = here.stack.dynamodb.requests().into_iter();
    let writes = requests.filter(|one| !reads.iter().any(|read| one.starts_with(read)));
    let writes: Vec<_> = writes.collect();
    assert_eq!(writes, ["PutItem tickets"; 2], "the states of two sign-ins");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_system_over_a_wire_that_is_right_is_called_right() {
    for kind in ["webhook", "function"] {
        let here = Here::with(Options::with(&[("Accounts", kind)])).await;
        here.look().await.is_right();
        let asked = here.stack.accounts.questions();
        let harmless = ["find_by_email", "accounts_check"];
        assert!(asked.iter().all(|one| harmless.contains(&one.as_str())), "{kind}: {asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobodys_secrets_are_told() {
    let mut here = Here::with(Options::with(&[("Accounts", "webhook")])).await;
    here.say("TRUSTED_PROXY", &format!("x-forwarded-for={CLIENT_SECRET_ARN}"));
    let right = here.look().await.out;
    here.stack.secrets.set(CLIENT_SECRET_ARN, &format!("{ANOTHER_SECRET}\nx"));
    here.stack.secrets.set(WEBHOOK_SECRET_ARN, &format!("{WEBHOOK_SECRET}x"));
    here.stack.accounts.fault("", 0, None, Accounts::Status(500));
    let wrong = here.look().await.out;
    let half = |secret: &'static str| &secret[secret.len() / 2..];
    let mut secrets = vec![
        half(SHOP_CLIENT_SECRET),
        half(ANOTHER_SECRET),
        half(WEBHOOK_SECRET),
        "__Host-lwa_login=",
    ];
    secrets.extend(seed::ACCOUNTS.iter().map(|account| account.email));
    secrets.extend(seed::ACCOUNTS.iter().filter_map(|account| account.password));
    for secret in secrets {
        assert!(!right.contains(secret) && !wrong.contains(secret), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_cannot_be_are_named() {
    let mut here = Here::start().await;
    for (name, value) in [
        ("SESSION_IDLE_SECONDS", "0"),
        ("REGISTRATION_FIELDS", "phone"),
        ("TICKETS_TABLE", ""),
        ("PROFILE_SYNC", "email=always"),
        ("TRUSTED_PROXY", "x-forwarded-for"),
        ("LWA_SCOPE_DATA", "profile"),
    ] {
        let right = here.settings.get(name).cloned().unwrap_or_default();
        here.say(name, value);
        here.look().await.is_wrong("settings", &[name]);
        here.say(name, &right);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_apis_own_address_is_not_the_sites() {
    let mut here = Here::start().await;
    here.say("PUBLIC_URL", "https://abc123.execute-api.eu-central-1.amazonaws.com");
    here.look().await.is_wrong("public-url", &["PUBLIC_URL"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_stand_in_is_none() {
    let mut here = Here::start().await;
    here.say("LWA_API_URL", "");
    here.look().await.is_wrong("stand-ins", &["LWA_API_URL", "LWA_AUTHORIZE_URL is set"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dynamodb_that_is_not_there_is_missed() {
    let mut here = Here::start().await;
    here.say("AWS_ENDPOINT_URL_DYNAMODB", &nobody().await);
    here.look().await.is_wrong("endpoints", &["AWS_ENDPOINT_URL_DYNAMODB", "DynamoDB: nobody"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_secret_that_is_not_there_is_missed() {
    let mut here = Here::start().await;
    here.say("LWA_CLIENT_SECRET_ARN", &CLIENT_SECRET_ARN.replace("login-with", "login-without"));
    here.look().await.is_wrong("client-secret", &["LWA_CLIENT_SECRET_ARN", "no such secret"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_secret_of_another_region_is_out_of_reach() {
    let mut here = Here::start().await;
    here.say("LWA_CLIENT_SECRET_ARN", &CLIENT_SECRET_ARN.replace("us-east-1", "eu-central-1"));
    let words = ["LWA_CLIENT_SECRET_ARN", "it is in eu-central-1"];
    here.look().await.is_wrong("client-secret", &words);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_secret_that_is_none_is_told_from_one() {
    let here = Here::start().await;
    for (stored, seen) in [
        (format!("{{\"client_secret\":\"{SHOP_CLIENT_SECRET}\\n\"}}"), "a line break"),
        (format!("{{\"ClientSecret\":\"{SHOP_CLIENT_SECRET}\"}}"), "called client_secret"),
        (SHOP_CLIENT_ID.to_owned(), "it is the client id"),
        ("change-me-before-going-live".to_owned(), "until somebody puts"),
        (" ".to_owned(), "it is empty"),
    ] {
        here.stack.secrets.set(CLIENT_SECRET_ARN, &stored);
        let words = ["LWA_CLIENT_SECRET_ARN", seen];
        here.look().await.is_wrong("client-secret-shape", &words);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_secret_that_amazon_does_not_know_is_wrong() {
    let here = Here::start().await;
    here.stack.secrets.set(CLIENT_SECRET_ARN, ANOTHER_SECRET);
    here.look().await.is_wrong("client", &["LWA_CLIENT_SECRET_ARN", "invalid_client"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhooks_secret_that_is_none_is_told_from_one() {
    let here = Here::start().await;
    here.stack.secrets.set(WEBHOOK_SECRET_ARN, "nobody-decided-on-one-yet");
    here.look().await.is_wrong("webhook-secret", &["ACCOUNTS_WEBHOOK_SECRET_ARN", "whsec_"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxys_secret_that_is_not_there_is_missed() {
    let mut here = Here::start().await;
    let arn = CLIENT_SECRET_ARN.replace("login-with-amazon", "proxy");
    here.say("TRUSTED_PROXY", &format!("x-forwarded-for={arn}"));
    here.look().await.is_wrong("proxy-secret", &["TRUSTED_PROXY"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_not_there_or_another_one_is_told() {
    let mut here = Here::start().await;
    here.say("TICKETS_TABLE", "nowhere");
    here.look().await.is_wrong("tables", &["TICKETS_TABLE", "no table nowhere"]);
    here.say("TICKETS_TABLE", "tickets");
    here.say("IDENTITIES_TABLE", "sessions");
    here.look().await.is_wrong("tables", &["the key of IDENTITIES_TABLE"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_never_expire_and_links_that_do_are_wrong() {
    let here = Here::start().await;
    for (table, on, seen) in [
        ("tickets", false, "rows of TICKETS_TABLE never expire"),
        ("tickets", true, ""),
        ("identities", true, "rows of IDENTITIES_TABLE expire"),
    ] {
        let ttl = TimeToLiveSpecification::builder().attribute_name("ttl").enabled(on);
        let update = here.stack.dynamodb.client().update_time_to_live().table_name(table);
        update.time_to_live_specification(ttl.build().unwrap()).send().await.unwrap();
        if !seen.is_empty() {
            here.look().await.is_wrong("tables-expire", &[seen]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_of_accounts_is_what_the_settings_say_or_that_is_wrong() {
    let mut here = Here::start().await;
    for (name, value, id, seen) in [
        ("ACCOUNTS_TABLE", "nowhere", "accounts-table", "no table nowhere"),
        ("ACCOUNTS_ATTRIBUTES", "id=user_id", "accounts-table", "not user_id"),
        ("ACCOUNTS_EMAIL_INDEX", "by_mail", "accounts-index", "no index by_mail"),
        ("ACCOUNTS_ATTRIBUTES", "email=mail", "accounts-index", "not mail"),
        ("ACCOUNTS_ATTRIBUTES", "email=mail,email_key=email", "accounts-rows", "has an address"),
        ("ACCOUNTS_ATTRIBUTES", "status=name", "accounts-rows", "none may enter"),
        ("ACCOUNTS_ATTRIBUTES", "password_hash=name", "accounts-rows", "is supported"),
    ] {
        let right = here.settings.get(name).cloned().unwrap_or_default();
        here.say(name, value);
        here.look().await.is_wrong(id, &[name, seen]);
        here.say(name, &right);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_that_does_not_answer_as_it_must_is_wrong() {
    let here = Here::with(Options::with(&[("Accounts", "webhook")])).await;
    let found = serde_json::json!({ "accounts": [{ "id": "ann" }] });
    for (fault, seen) in [
        (Accounts::Status(401), "A question is answered (C01: it answered 401)"),
        (Accounts::Text("<p>Welcome".to_owned()), "something else than a JSON object"),
        (Accounts::Says(found), "by an address that nobody has"),
    ] {
        here.stack.accounts.clear_faults();
        here.stack.accounts.fault("", 0, None, fault);
        here.look().await.is_wrong("accounts", &["ACCOUNTS_WEBHOOK_URL", seen]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_that_is_not_there_is_missed() {
    let mut here = Here::with(Options::with(&[("Accounts", "webhook")])).await;
    here.say("ACCOUNTS_WEBHOOK_URL", &nobody().await);
    here.look().await.is_wrong("accounts", &["ACCOUNTS_WEBHOOK_URL", "Nobody answers"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_fails_is_named() {
    let here = Here::start().await;
    here.stack.set("link", "TICKETS_TABLE", None);
    here.look().await.is_wrong("answers", &["link answers 503 unavailable", "log"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_client_id_than_the_settings_have_is_seen() {
    let here = Here::start().await;
    here.stack.set("login", "LWA_CLIENT_ID", Some("amzn1.application-oa2-client.0123"));
    here.look().await.is_wrong("return-url", &["LWA_CLIENT_ID"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_that_cannot_write_is_wrong() {
    let here = Here::start().await;
    let refused = Fault::Refused("AccessDeniedException");
    here.stack.dynamodb.fault("UpdateItem tickets", 0, None, refused.clone());
    here.stack.dynamodb.fault("PutItem tickets", 0, None, refused);
    here.look().await.is_wrong("cookies-arrive", &["503 unavailable", "TICKETS_TABLE"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_not_there_is_missed() {
    let mut here = Here::start().await;
    here.say("SIGN_IN_PATH", "/nowhere");
    here.look().await.is_wrong("pages", &["SIGN_IN_PATH: it answered 404"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_amazon_that_is_not_there_is_missed() {
    let mut here = Here::start().await;
    here.say("LWA_API_URL", &nobody().await);
    here.look().await.is_wrong("amazon", &["LWA_API_URL"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_return_url_that_amazon_does_not_allow_is_wrong() {
    let here = Here::start().await;
    let unregistered = Client::new(SHOP_CLIENT_ID, Kind::Web, Some(SHOP_CLIENT_SECRET));
    *here.stack.amazon.world().client_mut(SHOP_CLIENT_ID).unwrap() = unregistered;
    here.look().await.is_wrong("allowed-return-url", &["Allowed Return URLs", "LWA_CLIENT_ID"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_that_cannot_read_the_secret_is_wrong() {
    let here = Here::start().await;
    let arn = CLIENT_SECRET_ARN.replace("login-with", "login-without");
    here.stack.set("callback", "LWA_CLIENT_SECRET_ARN", Some(&arn));
    here.look().await.is_wrong("callback", &["503 unavailable", "LWA_CLIENT_SECRET_ARN"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn televisions_that_amazon_does_not_know_are_wrong() {
    let mut here = Here::start().await;
    here.say("LWA_DEVICE_CLIENT_ID", "amzn1.application-oa2-client.0123");
    here.look().await.is_wrong("device", &["LWA_DEVICE_CLIENT_ID"]);
}

#[tokio::test]
async fn what_there_is_not_cannot_be_looked_at() {
    for (arguments, said) in [
        (&[][..], "Say one of --stack, --local and --env-file."),
        (&["--stack"], "missing argument for option"),
        (&["--env-file", "nowhere.env"], "nowhere.env cannot be read: "),
        (&["--env-file", "Cargo.toml"], "Cargo.toml has a line that is none"),
    ] {
        let ran = run(arguments, &[]).await;
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.err.starts_with(said), "{}", ran.err);
    }
    let help = run(&["--help"], &[]).await;
    assert!(help.status == 0 && help.out.starts_with("lwa-doctor --stack NAME"));
}
