//! F-EVENT: whatever reaches the six functions is answered as promised, and is never their fault.
//!
//! An input that begins with `{` is an event as it is. Any other is a request as people write it: method
//! and path, headers, an empty line, the body; in it `{csrf}` stands for the form's token of the ticket
//! or the session that comes along.
#![no_main]

#[path = "../../../functions/callback/src/answer.rs"]
mod answer;
#[path = "../../../functions/callback/src/handler.rs"]
mod callback;
#[path = "../../../functions/link/src/handler.rs"]
mod link;
#[path = "../../../functions/login/src/handler.rs"]
mod login;
#[path = "../../../functions/logout/src/handler.rs"]
mod logout;
#[allow(dead_code)]
mod probe;
#[path = "../../../functions/register/src/handler.rs"]
mod register;
#[path = "../../../functions/session/src/handler.rs"]
mod session;
mod tables;

use std::time::Duration;

use accounts::{Accounts, Attributes, Table};
use aws_sdk_dynamodb::Client;
use domain::{
    Clock, LinkTicket, SessionToken, Timestamp, amazon::Authorization, session::Lifetimes,
    notice::Destination, sign_in::Policy, sync::ProfileSync,
};
use entrance::Entrance;
use libfuzzer_sys::fuzz_target;
use secret::Secret;
use serde_json::{Map, Value, json};
use store::{Identities, Sessions, Tickets};
use tokio::runtime::Runtime;
use web::{Handle, Reply, Settings, lambda_http::Body, reply_to};

/// When `events/` happened.
const NOON: Timestamp = Timestamp(1_795_167_000);

/// Tables in which whatever is asked for is there, in a state that its key decides.
fn answer(operation: &str, asked: &Value) -> (u16, String) {
    let table = asked["TableName"].as_str().unwrap_or_default();
    let key = |name: &str| asked["Key"][name]["S"].as_str().unwrap_or_default();
    let found = match (operation, table) {
        ("GetItem", "tickets") => ticket(key("pk"), key("sk")),
        ("GetItem", "sessions") => session_row(key("sk")),
        ("GetItem", "identities") => match key("pk") {
            "AMAZON#amzn1.account.LINKED" => {
                Some(json!({ "account_id": {"S": "ann"}, "epoch": {"N": "0"} }))
            }
            _ => None,
        },
        ("GetItem", "accounts") => Some(json!({
            "id": {"S": key("id")}, "email": {"S": "ann@example.com"}, "name": {"S": "Ann"},
            "password_hash": {"S": "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YWJjZGVmZ2hpamtsbW5vcA"},
        })),
        ("Query", _) => {
            let ann = asked["ExpressionAttributeValues"][":email"]["S"] == "ann@example.com";
            let rows = if ann { vec![json!({ "id": {"S": "ann"} })] } else { Vec::new() };
            return (200, json!({ "Items": rows, "Count": rows.len() }).to_string());
        }
        // Every state has been used before, by somebody else: Amazon is not asked.
        ("PutItem", "tickets") if asked["Item"]["sk"]["S"] == "STATE" => {
            let refused = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
            return (400, json!({ "__type": refused }).to_string());
        }
        _ => None,
    };
    (200, found.map_or_else(|| json!({}), |row| json!({ "Item": row })).to_string())
}

fn ticket(pk: &str, sk: &str) -> Option<Value> {
    let kind = sk.bytes().next().unwrap_or_default() % 6;
    if pk.starts_with("STATE#") || pk.starts_with("LIMIT#") || kind == 5 {
        return None;
    }
    let mut row = json!({
        "pk": {"S": pk}, "sk": {"S": sk}, "return_to": {"S": "/basket"}, "account_id": {"S": "ann"},
        "attempts_left": {"N": "5"}, "started_at": {"N": NOON.0.to_string()},
        "expires_at": {"N": (NOON.0 + 900).to_string()},
    });
    row["purpose"]["S"] =
        ["link", "register", "switch", "register", "link"][usize::from(kind)].into();
    let linked = sk.len() % 2 == 0 || kind == 2;
    row["amazon_user_id"]["S"] =
        if linked { "amzn1.account.LINKED" } else { "amzn1.account.NEW" }.into();
    if kind == 3 {
        row["amazon_email"] = json!({ "S": "nora@example.com" });
    }
    if kind == 4 {
        row["used"] = json!({ "BOOL": true });
    }
    Some(row)
}

fn session_row(sk: &str) -> Option<Value> {
    let kind = match sk.bytes().next().unwrap_or_default() % 3 {
        _ if sk == "META" => return None,
        0 => "browser",
        1 => "app",
        _ => return None,
    };
    let now = NOON.0.to_string();
    Some(json!({
        "account_id": {"S": "ann"}, "id": {"S": "id"}, "kind": {"S": kind}, "how": {"S": "amazon"},
        "started_at": {"N": now}, "last_seen": {"N": now},
        "expires_at": {"N": (NOON.0 + 900).to_string()},
    }))
}

fn entrance(client: &Client) -> Entrance {
    let fields = [(
        "REGISTRATION_FIELDS".to_owned(),
        r#"[{"name":"phone","label":"Phone","type":"tel","required":true,"pattern":"[0-9]{5,15}"},
            {"name":"size","label":{"en":"Size","de":"Größe"},"type":"select","options":["S","M"]}]"#
            .to_owned(),
    )];
    let fields = fields.into_iter().collect::<Settings>().registration_fields().unwrap();
    let week = Duration::from_secs(604_800);
    Entrance {
        clock: Clock::Stopped(NOON),
        policy: Policy { registration_open: true },
        fields,
        sync: ProfileSync::default(),
        lifetimes: Lifetimes { idle: Duration::from_secs(43_200), total: week },
        notices: Destination::Nowhere,
        accounts: Accounts::Table(Table {
            client: client.clone(),
            table: "accounts".into(),
            email_index: "by_email".into(),
            attributes: Attributes::default(),
            digest: None,
        }),
        identities: Identities { client: client.clone(), table: "identities".into() },
        sessions: sessions(client),
        tickets: Tickets { client: client.clone(), table: "tickets".into() },
    }
}

fn sessions(client: &Client) -> Sessions {
    Sessions { client: client.clone(), table: "sessions".into() }
}

/// The six functions.
struct House {
    runtime: Runtime,
    callback: callback::Callback,
    link: link::Link,
    login: login::Login,
    logout: logout::Logout,
    register: register::Register,
    session: session::Session,
}

impl House {
    fn new() -> Self {
        let (runtime, client, site) = (probe::runtime(), tables::client(answer), probe::site());
        let (clock, link_path) = (Clock::Stopped(NOON), "/auth/amazon/link".to_owned());
        Self {
            runtime,
            callback: callback::Callback {
                site: site.clone(),
                entrance: entrance(&client),
                amazon: lwa::Client {
                    http: lwa::http().unwrap(),
                    api: "http://127.0.0.1:9".into(),
                    client_id: "client".into(),
                    redirect_uri: site.redirect_uri(),
                },
                client_secret: Secret::given("secret".into()),
                link_path: link_path.clone(),
                register_path: "/auth/amazon/register".into(),
            },
            link: link::Link { site: site.clone(), entrance: entrance(&client) },
            login: login::Login {
                clock,
                site: site.clone(),
                authorization: Authorization {
                    client_id: "client".into(),
                    scope: "profile".into(),
                    scope_data: String::new(),
                    redirect_uri: site.redirect_uri(),
                },
            },
            logout: logout::Logout { site: site.clone(), sessions: sessions(&client) },
            register: register::Register {
                site: site.clone(),
                entrance: entrance(&client),
                link_path,
            },
            session: session::Session {
                clock,
                site,
                idle: Duration::from_secs(43_200),
                sessions: sessions(&client),
            },
        }
    }

    /// Routes as the template does.
    fn answer(&self, event: &str, path: &str) -> Option<Reply> {
        match path {
            "/auth/amazon/callback" | "/auth/amazon/switch" => self.reply(&self.callback, event),
            "/auth/amazon/link" | "/auth/amazon/link/forgot" | "/auth/amazon/link/cancel" => {
                self.reply(&self.link, event)
            }
            "/auth/amazon/login" => self.reply(&self.login, event),
            "/auth/amazon/register" => self.reply(&self.register, event),
            "/auth/logout" => self.reply(&self.logout, event),
            _ => self.reply(&self.session, event),
        }
    }

    fn reply(&self, handler: &impl Handle, event: &str) -> Option<Reply> {
        self.runtime.block_on(reply_to(handler, event)).ok()
    }
}

/// The event of a request as people write it.
fn event(text: &str) -> Value {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (method, uri) = lines.next().unwrap_or_default().split_once(' ').unwrap_or(("GET", "/"));
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let (mut headers, mut cookies) = (Map::new(), Vec::new());
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        match name {
            "cookie" => cookies.extend(value.split("; ")),
            _ => drop(headers.insert(name.to_owned(), value.into())),
        }
    }
    let held =
        |name: &str| cookies.iter().find_map(|cookie| cookie.strip_prefix(name)?.strip_prefix('='));
    let session = held("__Host-lwa_session").map(SessionToken::presented).and_then(Result::ok);
    let ticket = held("__Host-lwa_ticket").map(LinkTicket::presented).and_then(Result::ok);
    let csrf = ticket.map(|ticket| ticket.csrf()).or(session.map(|session| session.csrf()));
    let body = match csrf {
        Some(csrf) => body.replace("{csrf}", csrf.expose()),
        None => body.to_owned(),
    };
    json!({
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "cookies": cookies,
        "headers": headers,
        "requestContext": { "http": { "method": method, "path": path }, "requestId": "id" },
        "body": body,
        "isBase64Encoded": false,
    })
}

/// The statuses and codes that callers were promised, but for those that are our fault.
const CODES: &[(&str, u16)] = &[
    ("start_over", 400),
    ("bad_request", 400),
    ("wrong_password", 401),
    ("csrf", 403),
    ("no_password", 403),
    ("not_found", 404),
    ("method_not_allowed", 405),
    ("already_linked", 409),
    ("ticket_expired", 410),
    ("too_large", 413),
    ("unsupported_media_type", 415),
    ("invalid_fields", 422),
];

/// Makes sure that a reply is one that was promised.
fn is_promised(reply: &Reply) {
    let (status, headers) = (reply.status().as_u16(), reply.headers());
    for (name, value) in [
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("referrer-policy", "same-origin"),
        ("strict-transport-security", "max-age=31536000"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ] {
        assert!(headers.get_all(name).iter().eq([value]), "{name}");
    }
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.ends_with("frame-ancestors 'none'; base-uri 'none'"), "{policy}");
    for (name, value) in headers {
        let repeated = headers.get_all(name).iter().count() > 1;
        assert!(name == "set-cookie" || !repeated, "{name}");
        assert!(value.to_str().is_ok(), "{value:?}");
        let ours =
            value.as_bytes().ends_with(b"; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
        let lives = value.to_str().unwrap().contains("; Secure; HttpOnly; SameSite=Lax; Max-Age=");
        assert!(name != "set-cookie" || ours || lives, "{value:?}");
    }
    if let Some(location) = headers.get("location") {
        let location = location.to_str().unwrap();
        let amazon = location.starts_with("https://www.amazon.com/ap/oa?");
        assert!(amazon || location.starts_with("https://shop.example/"), "{location}");
    }
    let body = match reply.body() {
        Body::Text(text) => text.as_str(),
        _ => "",
    };
    let code = match headers.get("content-type").map(|kind| kind.to_str().unwrap()) {
        Some("text/html; charset=utf-8") => {
            let (_, code) = body.split_once("<main data-code=\"").unwrap();
            code.split_once('"').unwrap().0.to_owned()
        }
        Some("application/problem+json") => {
            let problem: Value = serde_json::from_str(body).unwrap();
            assert_eq!(problem["status"], status);
            problem["code"].as_str().unwrap().to_owned()
        }
        Some("application/json") => {
            serde_json::from_str::<Value>(body).unwrap();
            "ok".to_owned()
        }
        kind => {
            assert!(kind.is_none() && body.is_empty());
            "ok".to_owned()
        }
    };
    let fine = code == "ok" && [200, 204, 303, 401].contains(&status);
    assert!(fine || CODES.contains(&(code.as_str(), status)), "{status} {code}");
}

thread_local!(static HOUSE: House = House::new());

fuzz_target!(|text: &str| {
    let raw = text.trim_start().starts_with('{');
    let event = if raw { text.to_owned() } else { event(text).to_string() };
    let read: Option<Value> = serde_json::from_str(&event).ok();
    let path = read.as_ref().and_then(|event| event["rawPath"].as_str()).unwrap_or_default();
    let reply = HOUSE.with(|house| house.answer(&event, path));
    assert_eq!(reply.is_some(), read.is_some());
    if let Some(reply) = reply {
        is_promised(&reply);
    }
});
