//! What the site's server tells, what people who are signed in do with their own accounts, and
//! televisions.

use local_stack::{Stack, amazon::Customer};
use serde_json::json;
use tests::{Ask, Browser};

use super::{
    ACCEPT, ATTACH, CALLBACK, CONNECTIONS, DEVICE, Endings, LIFECYCLE, POLL, REAUTHENTICATE,
    REVOKE, UNDO, UNLINK,
};

const JSON: &str = "application/json";
const PASSWORD: (&str, &str) = ("password", "bob-local-password");

/// A form as a page of ours sends it.
fn form<'a>(browser: &'a Browser<'_>, stack: &Stack, to: &str, fields: &[(&str, &str)]) -> Ask<'a> {
    browser.ask("POST", to).header("origin", &stack.url).form(fields)
}

impl Endings {
    /// Bob signs in at the site's own door, and the site gives him a code of ours.
    pub(super) async fn at_the_sites_own_door<'a>(&mut self, stack: &'a Stack) -> Browser<'a> {
        let server = Browser::new(stack);
        let at = stack.now().rfc3339();
        let told = json!({ "type": "signed_in", "account_id": "bob", "how": "password", "at": at });
        let told = told.to_string();
        let say = || server.ask("POST", LIFECYCLE).body(JSON, told.clone());
        let signed = || {
            let headers = stack.sign("endings", &told).unwrap();
            headers.iter().fold(say(), |ask, (name, value)| ask.header(name, value))
        };
        self.both(LIFECYCLE, 405, || server.ask("GET", LIFECYCLE)).await;
        self.both(LIFECYCLE, 415, || server.ask("POST", LIFECYCLE).form(&[("type", "x")])).await;
        self.both(LIFECYCLE, 401, say).await;
        let given = self.ask(LIFECYCLE, 200, signed()).await.json();
        self.both(LIFECYCLE, 400, signed).await;
        let code = given["code"].as_str().unwrap().to_owned();

        let browser = Browser::new(stack);
        let fields = [("code", code.as_str()), ("return_to", "/checkout")];
        self.both(ACCEPT, 405, || browser.ask("GET", ACCEPT)).await;
        self.both(ACCEPT, 403, || browser.ask("POST", ACCEPT).form(&fields)).await;
        self.both(ACCEPT, 400, || form(&browser, stack, ACCEPT, &[("code", "x")])).await;
        for _ in 0..2 {
            self.ask(ACCEPT, 303, form(&browser, stack, ACCEPT, &fields)).await;
        }
        let strange = Browser::new(stack);
        self.both(ACCEPT, 400, || form(&strange, stack, ACCEPT, &fields)).await;
        self.secrets.extend(code.split_once('.').map(|(_, secret)| secret.to_owned()));
        browser
    }

    /// He proves himself once more, connects an Amazon account, and ends sessions.
    pub(super) async fn of_ones_own(&mut self, stack: &Stack) {
        let browser = self.at_the_sites_own_door(stack).await;
        let nobody = Browser::new(stack);
        for route in [REAUTHENTICATE, CONNECTIONS] {
            self.both(route, 401, || nobody.ask("GET", route)).await;
            self.both(route, 405, || browser.ask("PUT", route)).await;
            self.both(route, 200, || browser.ask("GET", route)).await;
        }
        for route in [ATTACH, UNLINK, REVOKE] {
            self.both(route, 405, || browser.ask("GET", route)).await;
        }
        self.proof(stack, &browser).await;
        self.connection(stack, &browser).await;
        self.undone(stack).await;
        self.revoked(stack, &browser).await;
        self.secrets.extend(browser.secrets());
    }

    async fn proof(&mut self, stack: &Stack, browser: &Browser<'_>) {
        let csrf = token(browser, REAUTHENTICATE).await;
        let post = |fields: &[(&str, &str)]| form(browser, stack, REAUTHENTICATE, fields);
        self.both(REAUTHENTICATE, 403, || post(&[("csrf", "x"), PASSWORD])).await;
        self.both(REAUTHENTICATE, 400, || post(&[("csrf", &csrf)])).await;
        self.both(REAUTHENTICATE, 401, || post(&[("csrf", &csrf), ("password", "x")])).await;
        self.ask(REAUTHENTICATE, 303, post(&[("csrf", &csrf), PASSWORD])).await;
        let csrf = token(browser, REAUTHENTICATE).await;
        let proof = post(&[("csrf", &csrf), PASSWORD]).header("accept", JSON);
        self.ask(REAUTHENTICATE, 200, proof).await;
    }

    async fn connection(&mut self, stack: &Stack, browser: &Browser<'_>) {
        stack.amazon.world().customers.push(Customer::new("robert"));
        let csrf = token(browser, CONNECTIONS).await;
        for route in [ATTACH, UNLINK] {
            self.both(route, 403, || form(browser, stack, route, &[("csrf", "x")])).await;
            self.both(route, 400, || form(browser, stack, route, &[("to", "x")])).await;
        }
        let to_amazon = form(browser, stack, ATTACH, &[("csrf", &csrf)]);
        let to_amazon = self.ask(ATTACH, 303, to_amazon).await;
        let back = browser.allow(to_amazon.location(), "robert").await;
        self.note(CALLBACK, 303, back);
        let csrf = token(browser, CONNECTIONS).await;
        self.both(ATTACH, 409, || form(browser, stack, ATTACH, &[("csrf", &csrf)])).await;
        self.ask(UNLINK, 303, form(browser, stack, UNLINK, &[("csrf", &csrf)])).await;
        self.secrets.insert(csrf);
    }

    /// What the notice about that can do.
    async fn undone(&mut self, stack: &Stack) {
        let phone = Browser::new(stack);
        assert!(stack.deliver_notices().await.is_some());
        let told = stack.queue.messages();
        let mut bobs = told.iter().rev().filter(|message| message["account_id"] == "bob");
        let url = bobs.find_map(|message| message["undo_url"].as_str()).unwrap();
        let page = self.ask(UNDO, 200, phone.ask("GET", url)).await;
        let fields = [("token", page.input("token"))];
        self.both(UNDO, 405, || phone.ask("PUT", UNDO)).await;
        self.both(UNDO, 410, || phone.ask("GET", UNDO)).await;
        self.both(UNDO, 403, || phone.ask("POST", UNDO).form(&fields)).await;
        self.ask(UNDO, 200, form(&phone, stack, UNDO, &fields)).await;
        self.both(UNDO, 410, || form(&phone, stack, UNDO, &fields)).await;
        let secret = page.input("token").split_once('.').map(|(_, secret)| secret.to_owned());
        self.secrets.extend(secret);
    }

    async fn revoked(&mut self, stack: &Stack, browser: &Browser<'_>) {
        let csrf = token(browser, CONNECTIONS).await;
        let post = |fields: &[(&str, &str)]| form(browser, stack, REVOKE, fields);
        let others = ("all_others", "true");
        self.both(REVOKE, 403, || post(&[("csrf", "x"), others])).await;
        self.both(REVOKE, 400, || post(&[("csrf", &csrf)])).await;
        self.both(REVOKE, 404, || post(&[("csrf", &csrf), ("id", "x")])).await;
        self.ask(REVOKE, 303, post(&[("csrf", &csrf), others])).await;
        let script = post(&[("csrf", &csrf), others]).header("accept", JSON);
        self.ask(REVOKE, 204, script).await;
        self.secrets.insert(csrf);
    }

    pub(super) async fn televisions(&mut self, stack: &Stack) {
        let television = Browser::new(stack);
        let ask = |to: &str, body: &str| {
            let ask = television.ask("POST", to).without("sec-fetch-dest");
            let ask = ask.without("sec-fetch-mode").without("sec-fetch-site");
            ask.body(JSON, body)
        };
        for route in [DEVICE, POLL] {
            self.both(route, 405, || television.ask("GET", route)).await;
            self.both(route, 403, || ask(route, "{}").header("origin", &stack.url)).await;
            self.both(route, 415, || ask(route, "{}").body("text/plain", "{}")).await;
            self.both(route, 400, || ask(route, "[]")).await;
        }
        self.both(POLL, 400, || ask(POLL, r#"{"device_code":"x"}"#)).await;
        let told = self.ask(DEVICE, 200, ask(DEVICE, "{}")).await.json();
        assert!(stack.amazon.allow_code(told["user_code"].as_str().unwrap(), "lin"));
        let handle = told["device_code"].as_str().unwrap().to_owned();
        let body = json!({ "device_code": handle }).to_string();
        let told = self.ask(POLL, 200, ask(POLL, &body)).await.json();
        let session = told["session_token"].as_str().unwrap().split_once('.').unwrap().1;
        self.secrets.extend([handle, session.to_owned()]);
    }
}

/// The token of the forms of a page.
async fn token(browser: &Browser<'_>, page: &str) -> String {
    browser.get(page).await.input("csrf").to_owned()
}
