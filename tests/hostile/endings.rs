//! Every route, in every way that a request to it can end.

mod own;

use std::collections::BTreeSet;

use local_stack::{
    Options, Stack,
    amazon::{APP_CLIENT_ID, Endpoint, Fault},
    dynamodb,
};
use serde_json::{Value, json};
use tests::{Answer, Ask, Browser};

use crate::pretenders::{at_the_link_page, pretend};

pub(crate) const LOGIN: &str = "/auth/amazon/login";
pub(crate) const CALLBACK: &str = "/auth/amazon/callback";
pub(crate) const SWITCH: &str = "/auth/amazon/switch";
pub(crate) const LINK: &str = "/auth/amazon/link";
pub(crate) const FORGOT: &str = "/auth/amazon/link/forgot";
pub(crate) const CANCEL: &str = "/auth/amazon/link/cancel";
pub(crate) const REGISTER: &str = "/auth/amazon/register";
pub(crate) const TOKEN: &str = "/auth/amazon/token";
pub(crate) const SESSION: &str = "/auth/session";
pub(crate) const VERIFY: &str = "/auth/verify";
pub(crate) const LOGOUT: &str = "/auth/logout";
pub(crate) const ACCEPT: &str = "/auth/session/accept";
pub(crate) const LIFECYCLE: &str = "/auth/lifecycle";
pub(crate) const REAUTHENTICATE: &str = "/auth/reauthenticate";
pub(crate) const CONNECTIONS: &str = "/auth/connections";
pub(crate) const ATTACH: &str = "/auth/connections/amazon/link";
pub(crate) const UNLINK: &str = "/auth/connections/amazon/unlink";
pub(crate) const REVOKE: &str = "/auth/connections/sessions/revoke";
pub(crate) const UNDO: &str = "/auth/connections/undo";
pub(crate) const DEVICE: &str = "/auth/amazon/device";
pub(crate) const POLL: &str = "/auth/amazon/device/poll";

/// Every route, with the methods it takes.
pub(crate) const ROUTES: [(&str, &str); 21] = [
    (LOGIN, "GET"),
    (CALLBACK, "GET"),
    (SWITCH, "POST"),
    (LINK, "GET, POST"),
    (FORGOT, "POST"),
    (CANCEL, "POST"),
    (REGISTER, "GET, POST"),
    (TOKEN, "POST"),
    (SESSION, "GET"),
    (VERIFY, "GET"),
    (LOGOUT, "POST"),
    (ACCEPT, "POST"),
    (LIFECYCLE, "POST"),
    (REAUTHENTICATE, "GET, POST"),
    (CONNECTIONS, "GET"),
    (ATTACH, "POST"),
    (UNLINK, "POST"),
    (REVOKE, "POST"),
    (UNDO, "GET, POST"),
    (DEVICE, "POST"),
    (POLL, "POST"),
];

const FIELDS: &str =
    r#"[{"name":"name","label":"Name"},{"name":"phone","label":"Phone","type":"tel"}]"#;

/// All that was answered, and what must be found nowhere.
#[derive(Default)]
pub(crate) struct Endings {
    pub(crate) answers: Vec<(&'static str, Answer)>,
    /// Cookies, states, codes and form tokens of all browsers.
    pub(crate) secrets: BTreeSet<String>,
}

impl Endings {
    /// Walks through all of them.
    pub(crate) async fn of(stack: &Stack) -> Self {
        let mut all = Self::default();
        all.login(stack).await;
        all.callback(stack).await;
        all.no_account_can_be_entered(stack).await;
        all.link(stack).await;
        all.linking_is_refused(stack).await;
        all.register(stack).await;
        all.switch_and_logout(stack).await;
        all.handoff(stack).await;
        all.televisions(stack).await;
        all.of_ones_own(stack).await;
        all.elsewhere(stack).await;
        all.nobody_answers(stack).await;
        all
    }

    /// A stack on which all of them can be reached.
    pub(crate) async fn stack() -> Stack {
        Options::with(&[("RegistrationFields", FIELDS)]).start().await.unwrap()
    }

    fn note(&mut self, route: &'static str, status: u16, answer: Answer) -> Answer {
        assert_eq!(answer.status, status, "{route}: {}", answer.text);
        self.answers.push((route, answer.clone()));
        answer
    }

    async fn ask(&mut self, route: &'static str, status: u16, ask: Ask<'_>) -> Answer {
        let answer = ask.send().await;
        self.note(route, status, answer)
    }

    /// The same request twice, from whoever wants a page and from whoever wants JSON.
    async fn both<'a>(
        &mut self,
        route: &'static str,
        status: u16,
        ask: impl Fn() -> Ask<'a>,
    ) -> Answer {
        let page = self.ask(route, status, ask()).await;
        self.ask(route, status, ask().header("accept", "application/json")).await;
        page
    }

    async fn login(&mut self, stack: &Stack) {
        let browser = Browser::new(stack);
        let ask = || browser.ask("GET", LOGIN);
        self.ask(LOGIN, 303, ask()).await;
        self.ask(LOGIN, 200, ask().header("sec-fetch-site", "cross-site")).await;
        self.ask(LOGIN, 204, ask().header("sec-purpose", "prefetch")).await;
        self.both(LOGIN, 405, || browser.ask("POST", LOGIN)).await;
        let twice = format!("{LOGIN}?return_to=/a&return_to=/b");
        self.both(LOGIN, 400, || browser.ask("GET", &twice)).await;
        self.secrets.extend(browser.secrets());
    }

    async fn callback(&mut self, stack: &Stack) {
        let browser = Browser::new(stack);
        self.both(CALLBACK, 400, || browser.ask("GET", CALLBACK)).await;
        self.both(CALLBACK, 405, || browser.ask("DELETE", CALLBACK)).await;
        self.ask(CALLBACK, 204, browser.ask("GET", CALLBACK).header("purpose", "prefetch")).await;
        let with_token = format!("{CALLBACK}?access_token=Atza");
        self.both(CALLBACK, 400, || browser.ask("GET", &with_token)).await;
        let at_amazon = browser.begin("/checkout").await;
        let back = stack.amazon.allow(&at_amazon, "lin").unwrap();
        let answer = browser.come_back(&back).await;
        self.note(CALLBACK, 303, answer);
        let answer = browser.come_back(&back).await;
        self.note(CALLBACK, 303, answer);
        let at_amazon = browser.begin("/").await;
        let answer = browser.come_back(&stack.amazon.cancel(&at_amazon).unwrap()).await;
        self.note(CALLBACK, 303, answer);
        for customer in ["ann", "noa", "nora"] {
            let fresh = Browser::new(stack);
            let answer = fresh.sign_in_at_amazon(customer, "/checkout").await;
            self.note(CALLBACK, 303, answer);
            self.secrets.extend(fresh.secrets());
        }
        self.secrets.extend(browser.secrets());
    }

    async fn no_account_can_be_entered(&mut self, stack: &Stack) {
        for id in ["twin", "double"] {
            let row = json!({"id": {"S": id}, "email": {"S": "twin@example.com"}});
            stack.dynamodb.put("accounts", &row).unwrap();
        }
        for (email, status) in
            [("dora@example.com", 403), ("otto@example.com", 403), ("twin@example.com", 409)]
        {
            pretend(stack, "eve", email);
            let browser = Browser::new(stack);
            let answer = browser.sign_in_at_amazon("eve", "/").await;
            self.note(CALLBACK, status, answer);
            let at_amazon = browser.begin("/").await;
            let back = stack.amazon.allow(&at_amazon, "eve").unwrap();
            let ask = browser.ask("GET", &back).header("accept", "application/json");
            self.ask(CALLBACK, status, ask).await;
        }
    }

    async fn link(&mut self, stack: &Stack) {
        let (browser, csrf) = at_the_link_page(stack, "ann", "ann@example.com").await;
        let csrf = csrf.as_str();
        self.both(LINK, 200, || browser.ask("GET", LINK)).await;
        self.both(LINK, 405, || browser.ask("PUT", LINK)).await;
        for route in [FORGOT, CANCEL] {
            self.both(route, 405, || browser.ask("GET", route)).await;
        }
        let post = |route| browser.ask("POST", route).header("origin", &stack.url);
        let form = |fields: &[(&str, &str)]| post(LINK).form(fields);
        self.both(LINK, 401, || form(&[("csrf", csrf), ("password", "not-hers")])).await;
        self.both(LINK, 400, || form(&[("csrf", csrf)])).await;
        self.both(LINK, 413, || form(&[("csrf", csrf), ("password", &"x".repeat(9000))])).await;
        self.both(LINK, 415, || post(LINK).body("text/plain", "csrf=x")).await;
        for route in [LINK, FORGOT, CANCEL] {
            self.both(route, 403, || post(route).form(&[("csrf", "x")])).await;
        }
        let answer = post(FORGOT).form(&[("csrf", csrf)]);
        self.ask(FORGOT, 303, answer).await;
        let copy = browser.copy();
        let right = form(&[("csrf", csrf), ("password", "ann-local-password")]);
        self.ask(LINK, 303, right).await;
        let again = || copy.ask("POST", LINK).header("origin", &stack.url);
        let again = || again().form(&[("csrf", csrf), ("password", "ann-local-password")]);
        self.both(LINK, 410, again).await;
        self.both(LINK, 410, || copy.ask("GET", LINK)).await;
        let (browser, csrf) = at_the_link_page(stack, "sam", "sam@example.com").await;
        let post = |route| browser.ask("POST", route).header("origin", &stack.url);
        let body = json!({"csrf": csrf, "password": "sam-local-password"}).to_string();
        self.ask(LINK, 200, post(LINK).body("application/json", body)).await;
        let (browser, csrf) = at_the_link_page(stack, "bob", "bob@example.com").await;
        let post = |route| browser.ask("POST", route).header("origin", &stack.url);
        self.ask(CANCEL, 303, post(CANCEL).form(&[("csrf", &csrf)])).await;
        self.secrets.extend(browser.secrets());
    }

    async fn linking_is_refused(&mut self, stack: &Stack) {
        let (browser, csrf) = at_the_link_page(stack, "eve", "lin@example.com").await;
        let post = |password: &str| {
            let ask = browser.ask("POST", LINK).header("origin", &stack.url);
            ask.form(&[("csrf", &csrf), ("password", password)])
        };
        self.both(LINK, 409, || post("lin-local-password")).await;
        for _ in 0..2 {
            post("not-hers").send().await;
        }
        self.both(LINK, 410, || post("not-hers")).await;
        let (browser, csrf) = at_the_link_page(stack, "mallory", "lin@example.com").await;
        let post = || {
            let ask = browser.ask("POST", LINK).header("origin", &stack.url);
            ask.form(&[("csrf", &csrf), ("password", "not-hers")])
        };
        post().send().await;
        self.both(LINK, 429, post).await;
        stack.dynamodb.set("accounts", &[("id", "mia")], "password_hash", "md5$x$y").unwrap();
        let (browser, csrf) = at_the_link_page(stack, "mallory", "Mia@Example.com").await;
        let post = || {
            let ask = browser.ask("POST", LINK).header("origin", &stack.url);
            ask.form(&[("csrf", &csrf), ("password", "mia-local-password")])
        };
        self.both(LINK, 500, post).await;
        self.secrets.extend(browser.secrets());
    }

    async fn register(&mut self, stack: &Stack) {
        let browser = Browser::new(stack);
        self.both(REGISTER, 410, || browser.ask("GET", REGISTER)).await;
        for email in ["noa@home.example", "kim@example.com", "bob@example.com"] {
            pretend(stack, "una", "x");
            let browser = Browser::new(stack);
            let page = browser.asked_after_amazon("una", "/checkout").await;
            let csrf = page.input("csrf").to_owned();
            let post = |fields: &[(&str, &str)]| {
                browser.ask("POST", REGISTER).header("origin", &stack.url).form(fields)
            };
            let wrong = [("csrf", csrf.as_str()), ("email", "x"), ("phone", "?")];
            self.both(REGISTER, 200, || browser.ask("GET", REGISTER)).await;
            self.both(REGISTER, 422, || post(&wrong)).await;
            self.both(REGISTER, 403, || post(&[("csrf", "x")])).await;
            self.both(REGISTER, 400, || post(&[("csrf", &csrf), ("role", "admin")])).await;
            let fields = [("csrf", csrf.as_str()), ("email", email)];
            match email {
                "kim@example.com" => drop(self.both(REGISTER, 403, || post(&fields)).await),
                "bob@example.com" => {
                    let body = json!({"csrf": csrf, "email": email}).to_string();
                    let ask = post(&[]).body("application/json", body);
                    let answer = self.ask(REGISTER, 200, ask).await;
                    assert_eq!(answer.json()["status"], "link_required");
                }
                _ => drop(self.ask(REGISTER, 303, post(&fields)).await),
            }
            self.secrets.extend(browser.secrets());
            // Known from now on: somebody else comes next.
            stack.amazon.world().customers.retain(|customer| customer.login != "una");
            let key = stack.amazon.user_id("una", local_stack::amazon::SHOP_CLIENT_ID);
            stack.dynamodb.delete("identities", &[("pk", &format!("AMAZON#{key}"))]).unwrap();
        }
    }

    async fn switch_and_logout(&mut self, stack: &Stack) {
        let browser = Browser::new(stack);
        browser.sign_in_at_amazon("lin", "/").await;
        let page = browser.sign_in_at_amazon("ann", "/checkout").await;
        let csrf = self.note(CALLBACK, 200, page).input("csrf").to_owned();
        let post = |route, fields: &[(&str, &str)]| {
            browser.ask("POST", route).header("origin", &stack.url).form(fields)
        };
        self.both(SWITCH, 405, || browser.ask("GET", SWITCH)).await;
        self.both(SWITCH, 403, || post(SWITCH, &[("csrf", "x")])).await;
        let copy = browser.copy();
        self.ask(SWITCH, 303, post(SWITCH, &[("csrf", &csrf)])).await;
        let again = || copy.ask("POST", SWITCH).header("origin", &stack.url);
        self.both(SWITCH, 410, || again().form(&[("csrf", &csrf)])).await;

        let told = self.ask(SESSION, 200, browser.ask("GET", SESSION)).await.json();
        self.ask(VERIFY, 200, browser.ask("GET", VERIFY)).await;
        let csrf = told["csrf"].as_str().unwrap();
        self.secrets.insert(csrf.to_owned());
        self.both(LOGOUT, 405, || browser.ask("GET", LOGOUT)).await;
        self.both(LOGOUT, 403, || post(LOGOUT, &[("csrf", "x")])).await;
        let copy = browser.copy();
        self.ask(LOGOUT, 303, post(LOGOUT, &[("csrf", csrf)])).await;
        let script = copy.ask("POST", LOGOUT).header("origin", &stack.url);
        self.ask(LOGOUT, 204, script.header("x-csrf-token", csrf)).await;
        self.secrets.extend(browser.secrets());
    }

    async fn handoff(&mut self, stack: &Stack) {
        let (app, page) = (Browser::new(stack), Browser::new(stack));
        let ask = |token: &str| {
            let body = json!({ "access_token": token }).to_string();
            app.ask("POST", TOKEN).body("application/json", body)
        };
        self.both(TOKEN, 405, || app.ask("GET", TOKEN)).await;
        self.both(TOKEN, 415, || app.ask("POST", TOKEN).form(&[("access_token", "x")])).await;
        self.both(TOKEN, 400, || ask("Atzr|x")).await;
        self.both(TOKEN, 403, || ask("Atza|x").header("origin", "null")).await;
        self.both(TOKEN, 413, || ask(&"x".repeat(9000))).await;
        self.both(TOKEN, 401, || ask("Atza|x")).await;
        for (customer, in_browser) in
            [("lin", false), ("ann", false), ("noa", false), ("lin", true)]
        {
            let token = stack.amazon.token(customer, APP_CLIENT_ID, "profile");
            let ask = match in_browser {
                false => ask(&token),
                true => {
                    let body = json!({ "access_token": token, "mode": "browser" }).to_string();
                    let ask = page.ask("POST", TOKEN).header("origin", &stack.url);
                    ask.body("application/json", body)
                }
            };
            let told = self.ask(TOKEN, 200, ask).await.json();
            let carried =
                ["session_token", "ticket"].into_iter().filter_map(|name| told[name].as_str());
            let secrets = carried.filter_map(|handle| handle.split_once('.'));
            self.secrets.extend(secrets.map(|(_, secret)| secret.to_owned()));
            self.secrets.insert(token);
        }
        self.secrets.extend(page.secrets());
        for _ in 0..30 {
            ask("Atza|x").send().await;
        }
        self.both(TOKEN, 429, || ask("Atza|x")).await;
    }

    async fn elsewhere(&mut self, stack: &Stack) {
        let browser = Browser::new(stack);
        for route in [SESSION, VERIFY] {
            self.both(route, 401, || browser.ask("GET", route)).await;
            self.both(route, 405, || browser.ask("POST", route)).await;
        }
        self.both("/auth/", 404, || browser.ask("GET", "/auth/")).await;
    }

    async fn nobody_answers(&mut self, stack: &Stack) {
        let lin = Browser::new(stack);
        lin.sign_in_at_amazon("lin", "/").await;
        let told: Value = lin.fetch(SESSION, None).await.json();
        let csrf = told["csrf"].as_str().unwrap();
        let (ann, link_csrf) = at_the_link_page(stack, "una", "ann@example.com").await;
        stack.amazon.fault(Endpoint::Token, Fault::Status(503), None);
        for accept in ["text/html", "application/json"] {
            let at_amazon = lin.begin("/").await;
            let back = stack.amazon.allow(&at_amazon, "lin").unwrap();
            self.ask(CALLBACK, 503, lin.ask("GET", &back).header("accept", accept)).await;
        }
        stack.amazon.clear_faults(Endpoint::Token);
        let down = dynamodb::Fault::Refused("ResourceNotFoundException");
        stack.dynamodb.fault("", 0, None, down);
        for route in [SESSION, VERIFY, CONNECTIONS, REAUTHENTICATE] {
            self.both(route, 503, || lin.ask("GET", route)).await;
        }
        let logout = || lin.ask("POST", LOGOUT).header("origin", &stack.url);
        self.both(LOGOUT, 503, || logout().form(&[("csrf", csrf)])).await;
        let body = json!({ "access_token": "Atza|x" }).to_string();
        let app = Browser::new(stack);
        let hand_over = || app.ask("POST", TOKEN).body("application/json", body.clone());
        self.both(TOKEN, 503, hand_over).await;
        for route in [LINK, FORGOT, CANCEL, REGISTER, SWITCH] {
            let ask = || ann.ask("POST", route).header("origin", &stack.url);
            let password = ("password", "ann-local-password");
            let fields = [("csrf", link_csrf.as_str()), password];
            let fields = if route == LINK { &fields[..] } else { &fields[..1] };
            self.both(route, 503, || ask().form(fields)).await;
        }
        stack.dynamodb.clear_faults();
    }
}
