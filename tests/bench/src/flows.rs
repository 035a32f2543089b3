//! Everything that visitors, apps, televisions and the site do, once, with the release binaries behind
//! the gateway of the local stack: what it takes is what it costs.

use local_stack::{
    Stack,
    amazon::{APP_CLIENT_ID, Customer},
};
use serde_json::{Value, json};
use tests::{Answer, Browser, SESSION};

use crate::{
    Error,
    doors::Whom,
    lambda::{Invocation, Lambda},
};

/// One request, and what it took.
pub(crate) struct Flow {
    /// What it is called in tables.
    pub(crate) name: &'static str,
    /// Who answered.
    pub(crate) function: &'static str,
    pub(crate) invocation: Invocation,
}

impl Flow {
    /// How many requests went there.
    pub(crate) fn calls(&self, whom: Whom) -> usize {
        self.invocation.exchanges.iter().filter(|exchange| exchange.to == whom).count()
    }

    /// Read and write request units.
    pub(crate) fn units(&self) -> (f64, f64) {
        let all = self.invocation.exchanges.iter().map(|exchange| exchange.units);
        all.fold((0.0, 0.0), |sum, units| (sum.0 + units.0, sum.1 + units.1))
    }
}

/// Whoever walks.
pub(crate) struct Walk<'a> {
    pub(crate) stack: &'a Stack,
    pub(crate) lambda: &'a Lambda,
    /// Who comes is somebody else every time.
    pub(crate) round: u32,
    flows: Vec<Flow>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(stack: &'a Stack, lambda: &'a Lambda, round: u32) -> Self {
        Self { stack, lambda, round, flows: Vec::new() }
    }

    /// Goes all ways.
    pub(crate) async fn all(mut self) -> Result<Vec<Flow>, Error> {
        self.website().await?;
        self.linking().await?;
        self.registering().await?;
        self.signed_in().await?;
        self.apps().await?;
        self.notices()?;
        Ok(self.flows)
    }

    /// The last request of this function, which answered so.
    fn note(
        &mut self,
        name: &'static str,
        function: &'static str,
        (expected, answer): (u16, &Answer),
    ) -> Result<(), Error> {
        if answer.status != expected {
            return Err(format!("{name}: {} {}", answer.status, answer.text).into());
        }
        self.keep(name, function)
    }

    fn keep(&mut self, name: &'static str, function: &'static str) -> Result<(), Error> {
        self.flows.push(Flow { name, function, invocation: self.lambda.last(function)? });
        Ok(())
    }

    /// A customer of Amazon's whom nobody has seen before.
    fn customer(&self, kind: &str, email: bool) -> (String, String) {
        let login = format!("{kind}{}", self.round);
        let email_address = format!("{login}@example.com");
        let email = email.then(|| email_address.clone());
        let customer = Customer { email, ..Customer::new(&login) };
        self.stack.amazon.world().customers.push(customer);
        (login, email_address)
    }

    /// An account of the shop's with Ann's password.
    fn account(&self, id: &str, email: &str) -> Result<(), Error> {
        let mut row = self.stack.dynamodb.get("accounts", &[("id", "ann")])?;
        row["id"] = json!({ "S": id });
        row["email"] = json!({ "S": email });
        self.stack.dynamodb.put("accounts", &row)
    }

    async fn website(&mut self) -> Result<(), Error> {
        let stack = self.stack;
        let browser = Browser::new(stack);
        let login = browser.get("/auth/amazon/login?return_to=/").await;
        self.note("login", "login", (303, &login))?;
        let back = browser.allow(login.location(), "lin").await;
        // The first time it reads its secret, once for its life.
        self.note("callback, first of its process", "callback", (303, &back))?;
        let browser = Browser::new(stack);
        let back = browser.sign_in_at_amazon("lin", "/").await;
        self.note("callback, known customer", "callback", (303, &back))?;
        let told = browser.fetch("/auth/session", None).await;
        self.note("session check", "session", (200, &told))?;
        let csrf = text(&told.json()["csrf"]);
        let verified = browser.fetch("/auth/verify", None).await;
        self.note("session check by a proxy", "session", (200, &verified))?;
        let orders = browser.get("/api/orders").await;
        self.note("session check by the gateway", "authorizer", (200, &orders))?;
        let out = browser.post("/auth/logout", &[("csrf", &csrf)]).await;
        self.note("log-out", "logout", (303, &out))?;
        browser.keep_cookie(SESSION, "not-a-token-of-ours");
        let told = browser.fetch("/auth/session", None).await;
        self.note("session check, malformed cookie", "session", (401, &told))?;

        let (newcomer, _) = self.customer("newcomer", true);
        let back = Browser::new(stack).sign_in_at_amazon(&newcomer, "/").await;
        self.note("callback, newcomer", "callback", (303, &back))
    }

    async fn linking(&mut self) -> Result<(), Error> {
        let (owner, email) = self.customer("owner", true);
        self.account(&owner, &email)?;
        let browser = Browser::new(self.stack);
        let back = browser.sign_in_at_amazon(&owner, "/").await;
        self.note("callback, an account has the address", "callback", (303, &back))?;
        let page = browser.follow(&back).await;
        self.note("link page", "link", (200, &page))?;
        let wrong = browser.prove(&page, "not-the-password").await;
        self.note("link, wrong password", "link", (401, &wrong))?;
        let right = browser.prove(&page, "ann-local-password").await;
        self.note("link, right password", "link", (303, &right))
    }

    async fn registering(&mut self) -> Result<(), Error> {
        let (nameless, email) = self.customer("nameless", false);
        let browser = Browser::new(self.stack);
        let back = browser.sign_in_at_amazon(&nameless, "/").await;
        self.note("callback, newcomer without address", "callback", (303, &back))?;
        let page = browser.follow(&back).await;
        self.note("registration page", "register", (200, &page))?;
        let fields = [("csrf", page.input("csrf")), ("email", &email)];
        let registered = browser.post("/auth/amazon/register", &fields).await;
        self.note("registration", "register", (303, &registered))
    }

    async fn signed_in(&mut self) -> Result<(), Error> {
        let at = self.stack.now().rfc3339();
        let event =
            json!({ "type": "signed_in", "account_id": "bob", "at": at, "how": "password" });
        let told = self.lambda.invoke("lifecycle", event.to_string().as_bytes())?;
        self.keep("lifecycle, signed in", "lifecycle")?;
        let told: Value = serde_json::from_slice(&told)?;
        let code = text(&told["code"]);
        let browser = Browser::new(self.stack);
        let body = json!({ "code": code });
        let accepted = browser.fetch("/auth/session/accept", Some(body)).await;
        self.note("accept", "accept", (200, &accepted))?;
        // Another secret in the same place.
        let (tag, secret) = code.split_once('.').ok_or("a code without a secret")?;
        let other = if secret.starts_with('A') { 'B' } else { 'A' };
        let body = json!({ "code": format!("{tag}.{other}{}", &secret[1..]) });
        let stranger = Browser::new(self.stack);
        let refused = stranger.fetch("/auth/session/accept", Some(body)).await;
        self.note("accept, unknown code", "accept", (400, &refused))?;
        let page = browser.get("/auth/connections").await;
        self.note("connections page", "connections", (200, &page))?;
        let page = browser.get("/auth/reauthenticate").await;
        self.note("proof page", "reauthenticate", (200, &page))?;
        let fields = [("csrf", page.input("csrf")), ("password", "bob-local-password")];
        let proven = browser.post("/auth/reauthenticate", &fields).await;
        self.note("proof by password", "reauthenticate", (303, &proven))?;

        // The day's guesses are counted, and a table of this size is walked through more than once.
        let event = json!({ "type": "password_reset", "account_id": "bob", "at": at });
        self.lambda.invoke("lifecycle", event.to_string().as_bytes())?;
        self.keep("lifecycle, password reset", "lifecycle")
    }

    async fn apps(&mut self) -> Result<(), Error> {
        let stack = self.stack;
        let app = Browser::new(stack);
        let post = async |path: &str, body: Value| {
            let ask = app.ask("POST", path).body("application/json", body.to_string());
            ask.send().await
        };
        let body = json!({ "access_token": stack.amazon.token("lin", APP_CLIENT_ID, "profile") });
        let told = post("/auth/amazon/token", body).await;
        self.note("hand-off, known customer", "handoff", (200, &told))?;

        let waits = post("/auth/amazon/device", json!({})).await;
        self.note("a television begins", "device", (200, &waits))?;
        let waits = waits.json();
        let poll = json!({ "device_code": waits["device_code"] });
        let told = post("/auth/amazon/device/poll", poll).await;
        self.note("a television waits", "device", (400, &told))?;
        let told = post("/auth/amazon/device", json!({})).await.json();
        stack.amazon.allow_code(&text(&told["user_code"]), "lin");
        let poll = json!({ "device_code": told["device_code"] });
        let told = post("/auth/amazon/device/poll", poll).await;
        self.note("a television is let in", "device", (200, &told))
    }

    /// What lies there since somebody has linked; and a minute when there is nothing.
    fn notices(&mut self) -> Result<(), Error> {
        self.lambda.invoke("notices", b"{}")?;
        self.keep("notices, some", "notices")?;
        self.lambda.invoke("notices", b"{}")?;
        self.keep("notices, none", "notices")
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
