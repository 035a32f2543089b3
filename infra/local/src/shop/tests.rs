use aws_sdk_dynamodb::types::AttributeValue;
use axum::{Json, http::StatusCode as Status};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::{
    Stack,
    server::{self, Server},
};

/// The cookie that the stand-in for `/auth/session` knows.
const AMAZON: &str = "__Host-lwa_session=lin";

/// A shop in a street of its own.
struct Street {
    stack: Stack,
    http: reqwest::Client,
    url: String,
    _server: Server,
}

/// What came back.
struct Reply {
    status: u16,
    location: String,
    set_cookie: String,
    text: String,
}

impl Reply {
    /// The cookie as a browser sends it back.
    fn cookie(&self) -> &str {
        self.set_cookie.split(';').next().unwrap()
    }

    fn shows(&self, what: &str) -> bool {
        self.text.contains(what)
    }

    /// Whether the page knows the visitor by this name.
    fn knows(&self, name: &str) -> bool {
        self.shows(&format!(r#"id="who">{name}<"#))
    }

    fn offers_amazon(&self) -> bool {
        self.shows("/auth/amazon/login")
    }
}

impl Street {
    async fn open() -> Self {
        let stack = Stack::doors().await.unwrap();
        let http = server::http().unwrap();
        let listener = server::listen(0).await.unwrap();
        let url = server::url(&listener);
        let shop = Shop {
            accounts: stack.dynamodb.client(),
            table: "accounts".to_owned(),
            email_index: "by_email".to_owned(),
            auth_url: format!("{url}/auth"),
            origin: url.clone(),
            mail: Mail::new(stack.queue.reader(), None),
            key: Key::parse(crate::WEBHOOK_SECRET).unwrap(),
            now: Box::new(|| domain::Clock::System.now()),
            http: http.clone(),
            authorize_url: stack.amazon.authorize_url(),
        };
        let site =
            Router::new().route("/auth/session", get(session)).fallback_service(router(shop));
        let server = Server::start_on(listener, site);
        Self { stack, http, url, _server: server }
    }

    async fn send(&self, request: RequestBuilder) -> Reply {
        let response = request.send().await.unwrap();
        let header =
            |name| response.headers().get(name).map_or("", |value| value.to_str().unwrap());
        let [location, set_cookie] = ["location", "set-cookie"].map(|name| header(name).to_owned());
        let status = response.status().as_u16();
        Reply { status, location, set_cookie, text: response.text().await.unwrap() }
    }

    async fn get(&self, path: &str, cookie: &str) -> Reply {
        self.send(self.http.get(format!("{}{path}", self.url)).header("cookie", cookie)).await
    }

    fn form(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.url)).header("cookie", cookie).form(fields)
    }

    async fn post(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Reply {
        self.send(self.form(path, cookie, fields).header("origin", &self.url)).await
    }

    async fn sign_in(&self, email: &str, password: &str) -> Reply {
        self.post("/sign-in", "", &[("email", email), ("password", password)]).await
    }

    /// Asks for a link and follows it to a new password.
    async fn reset(&self, email: &str, cookie: &str, password: &str) -> (String, Reply) {
        let sent = self.post("/reset-password", "", &[("email", email)]).await;
        let link = sent.text.split("/reset-password/new?token=").nth(1).unwrap();
        let token = link.split('"').next().unwrap().to_owned();
        let fields = [("token", token.as_str()), ("password", password)];
        let changed = self.post("/reset-password/new", cookie, &fields).await;
        (token, changed)
    }

    /// What the table keeps for the account's password.
    async fn hash(&self, id: &str) -> String {
        let key = AttributeValue::S(id.to_owned());
        let client = self.stack.dynamodb.client();
        let row = client.get_item().table_name("accounts").key("id", key).send().await.unwrap();
        let hash = row.item.unwrap().remove("password_hash");
        hash.map_or(String::new(), |hash| hash.as_s().unwrap().clone())
    }
}

/// Says who is signed in, as the function does.
async fn session(request: Request) -> (Status, Json<Value>) {
    let cookies = request.headers().get("cookie").map_or("", |value| value.to_str().unwrap());
    if !cookies.split("; ").any(|cookie| cookie == AMAZON) {
        return (Status::UNAUTHORIZED, Json(json!({"signed_in": false})));
    }
    let session = json!({
        "signed_in": true,
        "account": {"id": "lin", "name": "Lin <Linked>"},
        "session": {
            "id": "s", "kind": "browser", "how": "amazon",
            "started_at": "2026-11-20T09:30:00Z", "expires_at": "2026-11-27T09:30:00Z",
        },
        "csrf": "the-form-token",
    });
    (Status::OK, Json(session))
}

#[tokio::test]
async fn a_visitor_signs_in_at_the_desk_until_they_sign_out() {
    let street = Street::open().await;
    let fields = [
        ("email", "ann@example.com"),
        ("password", "ann-local-password"),
        ("return_to", "/checkout"),
    ];

    let welcome = street.post("/sign-in", "", &fields).await;

    assert_eq!((welcome.status, &*welcome.location), (303, "/checkout"));
    assert!(welcome.set_cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"));
    let checkout = street.get("/checkout", welcome.cookie()).await;
    assert!(checkout.knows("Ann Local") && checkout.shows("Deliver to Ann Local"));
    assert!(!checkout.offers_amazon() && checkout.shows(r#"action="/sign-out""#));

    let bye = street.post("/sign-out", welcome.cookie(), &[]).await;

    assert_eq!((bye.status, &*bye.location), (303, "/"));
    assert!(bye.set_cookie.contains("Max-Age=0"));
    assert!(street.get("/checkout", welcome.cookie()).await.knows("Guest"));
}

#[tokio::test]
async fn nobody_comes_in_without_the_right_password_and_an_open_account() {
    let street = Street::open().await;
    for (email, password) in [
        ("ann@example.com", "bob-local-password"),
        ("ann@example.com", ""),
        ("nobody@example.com", "ann-local-password"),
        ("", "ann-local-password"),
        ("otto@example.com", "ann-local-password"),
        ("dora@example.com", "dora-local-password"),
        ("kim@example.com", "kim-local-password"),
    ] {
        let refused = street.sign_in(email, password).await;
        assert_eq!((refused.status, &*refused.set_cookie), (401, ""), "{email}");
        assert!(refused.shows(r#"id="wrong""#) && refused.offers_amazon(), "{email}");
    }
}

#[tokio::test]
async fn a_newcomer_registers_and_an_address_has_one_account() {
    let street = Street::open().await;
    let newcomer =
        |email| [("email", email), ("name", "Nora New"), ("password", "nora-new-password")];

    let welcome = street.post("/register", "", &newcomer("Nora@Example.com")).await;
    let again = street.post("/register", "", &newcomer("nora@example.com")).await;
    let ann = street.post("/register", "", &newcomer("ANN@example.com")).await;

    assert_eq!(welcome.status, 303);
    assert!(street.get("/account", welcome.cookie()).await.knows("Nora New"));
    assert_eq!((again.status, &*again.set_cookie), (409, ""));
    assert_eq!(ann.status, 409);
    assert_eq!(street.sign_in("nora@example.com", "nora-new-password").await.status, 303);
    for (field, odd) in [("email", "nora"), ("name", " "), ("password", "short")] {
        let mut fields = newcomer("other@example.com");
        fields.iter_mut().filter(|(name, _)| *name == field).for_each(|(_, value)| *value = odd);
        let refused = street.post("/register", "", &fields).await;
        assert_eq!((refused.status, &*refused.set_cookie), (422, ""), "{field}");
    }
}

#[tokio::test]
async fn a_reset_changes_the_password_once_and_ends_what_the_old_one_opened() {
    let street = Street::open().await;
    let before = street.hash("ann").await;
    let old = street.sign_in("ann@example.com", "ann-local-password").await;

    let (token, changed) =
        street.reset("Ann@example.com", old.cookie(), "ann-second-password").await;

    assert!(changed.shows("Your password is changed") && changed.knows("Guest"));
    assert!(changed.shows(r#"id="continue" href="/sign-in""#));
    let after = street.hash("ann").await;
    assert!(after.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && after != before);
    assert!(street.get("/", old.cookie()).await.knows("Guest"));
    assert_eq!(street.sign_in("ann@example.com", "ann-local-password").await.status, 401);
    assert_eq!(street.sign_in("ann@example.com", "ann-second-password").await.status, 303);

    let fields = [("token", token.as_str()), ("password", "ann-third-password")];
    assert_eq!(street.post("/reset-password/new", "", &fields).await.status, 410);
    assert_eq!(street.get(&format!("/reset-password/new?token={token}"), "").await.status, 410);
    assert_eq!(street.hash("ann").await, after);
}

#[tokio::test]
async fn a_password_that_is_too_short_does_not_use_the_link_up() {
    let street = Street::open().await;

    let (token, refused) = street.reset("ann@example.com", "", "short").await;

    assert_eq!(refused.status, 422);
    let form = street.get(&format!("/reset-password/new?token={token}"), "").await;
    assert_eq!(form.status, 200);
}

#[tokio::test]
async fn a_reset_gives_a_first_password_and_leads_back_to_linking() {
    let street = Street::open().await;

    let (_, changed) =
        street.reset("otto@example.com", "__Host-lwa_ticket=t", "otto-first-password").await;

    assert!(changed.shows(r#"href="/auth/amazon/link">Continue linking with Amazon</a>"#));
    assert_eq!(street.sign_in("otto@example.com", "otto-first-password").await.status, 303);
}

#[tokio::test]
async fn asking_for_a_reset_tells_nobody_which_addresses_have_an_account() {
    let street = Street::open().await;

    let sent = street.post("/reset-password", "", &[("email", "nobody@example.com")]).await;

    assert_eq!(sent.status, 200);
    assert!(sent.shows("If nobody@example.com has an account") && sent.shows("No new mail."));
    assert!(sent.shows("Your Amazon password is changed at"));
    assert!(sent.shows(r#"href="https://www.amazon.com""#));
}

#[tokio::test]
async fn login_with_amazon_is_offered_wherever_a_guest_can_sign_in() {
    let street = Street::open().await;
    for (path, back) in [
        ("/", "%2F"),
        ("/checkout", "%2Fcheckout"),
        ("/sign-in", "%2F"),
        ("/sign-in?return_to=/checkout", "%2Fcheckout"),
        ("/register?return_to=/account", "%2Faccount"),
        ("/sign-in?return_to=//evil.example", "%2F"),
        ("/sign-in?return_to=/%5Cevil.example", "%2F"),
        ("/sign-in?return_to=https://evil.example", "%2F"),
    ] {
        let page = street.get(path, "").await;
        let button = format!(r#"href="/auth/amazon/login?return_to={back}">Login with Amazon</a>"#);
        assert!(page.shows(&button), "{path}");
    }
    assert!(!street.get("/sign-in", "").await.shows(r#"id="cancelled""#));
    assert!(street.get("/sign-in?amazon=cancelled", "").await.shows(r#"id="cancelled""#));
}

#[tokio::test]
async fn who_came_through_amazon_is_known_everywhere_and_can_log_out() {
    let street = Street::open().await;
    let cookies = format!("theme=dark; {AMAZON}");
    for path in ["/", "/checkout", "/account", "/reset-password", "/shop-that-is-not"] {
        let page = street.get(path, &cookies).await;
        if path == "/shop-that-is-not" {
            assert_eq!(page.status, 404);
            continue;
        }
        assert!(page.knows("Lin &#60;Linked&#62;") && !page.offers_amazon(), "{path}");
        assert!(page.shows(r#"action="/auth/logout""#), "{path}");
        assert!(page.shows(r#"name="csrf" value="the-form-token""#), "{path}");
    }
    let account = street.get("/account", &cookies).await;
    for told in ["amazon", "2026-11-20T09:30:00Z", "2026-11-27T09:30:00Z"] {
        assert!(account.shows(&format!(">{told}</dd>")), "{told}");
    }
    let no_form = street.get("/sign-in?return_to=/checkout", &cookies).await;
    assert_eq!((no_form.status, &*no_form.location), (303, "/checkout"));
}

#[tokio::test]
async fn who_is_signed_in_twice_leaves_by_both_doors() {
    let street = Street::open().await;
    let desk = street.sign_in("ann@example.com", "ann-local-password").await;
    let both = format!("{}; {AMAZON}", desk.cookie());
    assert!(street.get("/", &both).await.shows(r#"action="/sign-out""#));

    let bye = street.post("/sign-out", &both, &[("csrf", "the-form-token")]).await;

    // 307: the browser sends the form once more, to where it is told.
    assert_eq!((bye.status, &*bye.location), (307, "/auth/logout"));
    assert!(street.get("/", desk.cookie()).await.knows("Guest"));
}

#[tokio::test]
async fn a_guest_signs_in_before_seeing_an_account() {
    let street = Street::open().await;
    for cookie in ["", "shop_session=made-up", "__Host-lwa_session=made-up"] {
        let guest = street.get("/account", cookie).await;
        assert_eq!((guest.status, &*guest.location), (303, "/sign-in?return_to=%2Faccount"));
    }
}

#[tokio::test]
async fn a_form_of_another_site_does_nothing() {
    let street = Street::open().await;
    let fields = [("email", "ann@example.com"), ("password", "ann-local-password")];
    for origin in [None, Some("null"), Some("http://evil.example"), Some("http://127.0.0.1")] {
        let mut form = street.form("/sign-in", "", &fields);
        if let Some(origin) = origin {
            form = form.header("origin", origin);
        }
        let refused = street.send(form).await;
        assert_eq!((refused.status, &*refused.set_cookie), (403, ""), "{origin:?}");
    }
}

#[tokio::test]
async fn what_is_typed_is_shown_as_text() {
    let street = Street::open().await;

    let page = street.sign_in(r#""><script>alert(1)</script>"#, "x").await;

    assert!(page.shows("alert(1)") && !page.shows("<script>"));
}

#[tokio::test]
async fn a_basket_is_carried_through_the_sign_in() {
    let street = Street::open().await;
    let bread = street.post("/basket", "", &[("product", "0")]).await;
    let honey = street.post("/basket", bread.cookie(), &[("product", "3")]).await;
    let desk = street.sign_in("ann@example.com", "ann-local-password").await;

    let bill = street.get("/checkout", &format!("{}; {}", honey.cookie(), desk.cookie())).await;

    assert!(bill.shows("Bread") && bill.shows("Honey") && bill.shows("$9.95"));
    assert!(bill.shows("Deliver to Ann Local"));
    assert_eq!(street.post("/basket", "", &[("product", "99")]).await.status, 404);
    let odd = street.get("/checkout", "shop_basket=1.99.x.-1").await;
    assert!(odd.shows("Basket (1)"));
}

#[tokio::test]
async fn while_the_accounts_are_out_of_reach_nobody_is_let_in() {
    let street = Street::open().await;
    let fault = crate::dynamodb::Fault::Refused("ResourceNotFoundException");
    street.stack.dynamodb.fault("", 0, None, fault);

    let sorry = street.sign_in("ann@example.com", "ann-local-password").await;

    assert_eq!((sorry.status, &*sorry.set_cookie), (503, ""));
    assert!(sorry.shows(r#"data-page="problem""#));
}

#[tokio::test]
async fn one_page_runs_one_script_and_no_other_page_runs_any() {
    let street = Street::open().await;
    let policy = async |path: &str| {
        let response = street.http.get(format!("{}{path}", street.url)).send().await.unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        (policy, response.text().await.unwrap())
    };
    let (own, page) = policy("/app").await;
    let scripts: Vec<_> = page.split("<script>").skip(1).collect();
    let [script] = scripts[..] else { panic!("{page}") };
    let script = script.split("</script>").next().unwrap();
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(script));
    assert!(own.contains(&format!("; script-src 'sha256-{hash}'; connect-src 'self';")), "{own}");
    assert!(own.starts_with("default-src 'none';") && !own.contains("unsafe"), "{own}");
    for path in ["/", "/sign-in", "/checkout", "/register", "/nowhere"] {
        let (policy, page) = policy(path).await;
        assert!(
            !policy.contains("script-src") && policy.starts_with("default-src 'none'"),
            "{path}"
        );
        assert!(!page.contains("<script"), "{path}");
    }
}
