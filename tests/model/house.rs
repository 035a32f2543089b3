//! The real house: the functions' binaries behind the gateway, and what of it the model speaks of.

mod answer;
mod notes;
mod rows;

use std::collections::BTreeMap;

use local_stack::{
    Stack, Timestamp,
    amazon::SHOP_CLIENT_ID,
    dynamodb::{Fault, Snapshot},
};
use serde_json::json;
use tests::{Answer, Browser, LOGIN, SESSION, TICKET, Tables};

use crate::{
    ledger::Ledger,
    state::{
        At, BROWSERS, CUSTOMERS, Model, NOBODYS_PASSWORD, Name, PASSWORDS, PATHS, SEEDED, START,
        Shares, Status,
    },
    step::{Asker, Event, Form, Origin, Outcome, Page, Put, Step, Trouble},
};

/// What was handed out for a sign-in that has begun.
struct Begun {
    /// Where at Amazon it led.
    url: String,
    state: String,
}

/// The house during one history. What was handed out is counted as in the model.
pub(crate) struct House<'a> {
    stack: &'a Stack,
    browsers: Vec<Browser<'a>>,
    logins: Vec<Begun>,
    /// What browsers remembered of sign-ins, one by one.
    entries: Vec<String>,
    urls: Vec<String>,
    tickets: Vec<String>,
    sessions: Vec<String>,
    /// The ids of the accounts that we opened.
    opened: Vec<String>,
    /// Amazon's ids of the customers.
    customers: [String; CUSTOMERS.len()],
    /// Whom which customer was linked to when it was last looked at.
    linked: BTreeMap<String, String>,
    ledger: Ledger,
}

/// Makes a stack what every history begins with; what it returns brings it back to that.
pub(crate) fn prepare(stack: &Stack) -> Snapshot {
    for row in stack.dynamodb.scan("accounts").unwrap() {
        let id = row["id"]["S"].as_str().unwrap();
        stack.dynamodb.delete("accounts", &[("id", id)]).unwrap();
    }
    for ((id, name), (_, hash)) in SEEDED.into_iter().zip(PASSWORDS) {
        register(stack, id, &format!("{id}@example.com"), Some(hash));
        stack.dynamodb.set("accounts", &[("id", id)], "name", name).unwrap();
    }
    stack.dynamodb.snapshot().unwrap()
}

fn register(stack: &Stack, id: &str, email: &str, hash: Option<&str>) {
    let row = json!({ "id": { "S": id }, "email": { "S": email } });
    stack.dynamodb.put("accounts", &row).unwrap();
    if let Some(hash) = hash {
        stack.dynamodb.set("accounts", &[("id", id)], "password_hash", hash).unwrap();
    }
}

impl<'a> House<'a> {
    /// The house at the beginning of a history, for browsers that were never there.
    pub(crate) fn at_first(stack: &'a Stack, rows: &Snapshot, visitor: &Browser<'a>) -> Self {
        stack.dynamodb.clear_faults();
        stack.dynamodb.restore(rows).unwrap();
        stack.dynamodb.reset_requests();
        stack.amazon.reset();
        stack.set_clock(Timestamp(START)).unwrap();
        let customers = CUSTOMERS.map(|(login, name)| {
            stack.amazon.change(login, |customer| customer.name = Some(name.to_owned()));
            stack.amazon.user_id(login, SHOP_CLIENT_ID)
        });
        let mut ledger = Ledger::default();
        ledger.proven(&customers[1], "lin");
        let linked = BTreeMap::from([(customers[1].clone(), "lin".to_owned())]);
        let browsers = (0..=BROWSERS).map(|_| visitor.copy()).collect();
        Self {
            stack,
            browsers,
            logins: Vec::new(),
            entries: Vec::new(),
            urls: Vec::new(),
            tickets: Vec::new(),
            sessions: Vec::new(),
            opened: Vec::new(),
            customers,
            linked,
            ledger,
        }
    }

    /// Does it, and tells how it is not as the model says: `model` is as it is afterwards, and
    /// `outcome` what came of it there.
    pub(crate) async fn take(
        &mut self,
        step: &Step,
        outcome: Option<&Outcome>,
        model: &Model,
    ) -> Vec<String> {
        match step {
            Step::Consent { .. } | Step::Deny { .. } | Step::Mix { .. } => self.at_amazon(step),
            Step::Put { at, cookie } => self.put(*at, cookie),
            Step::Happens(event) => self.happens(event, model),
            _ => {}
        }
        let Some(outcome) = outcome else { return Vec::new() };
        self.stack.amazon.forget_calls();
        let (request, trouble) = match step {
            Step::Trouble(trouble, step) => (&**step, Some(*trouble)),
            step => (step, None),
        };
        let held = self.held(request);
        let answer = match trouble {
            None => self.request(request).await,
            Some(trouble) => self.request_in_trouble(request, trouble).await,
        };
        let mut wrong = self.wrong_with_answer(request, &answer, outcome, model);
        self.remember(request, &answer, outcome);
        let tables = Tables::of(self.stack);
        self.find_opened(&tables, model);
        wrong.extend(self.note(request, &answer, &held, (&tables, model)));
        wrong.extend(self.wrong_with_tables(&tables, model));
        wrong
    }

    /// Sends it, as browsers do.
    async fn request(&self, step: &Step) -> Answer {
        let stack = self.stack;
        match *step {
            Step::Begin { at, path, elsewhere } => {
                let query = form_urlencoded::Serializer::new(String::new())
                    .append_pair("return_to", PATHS[path].0)
                    .finish();
                let url = format!("{}/auth/amazon/login?{query}", stack.url);
                let browser = &self.browsers[at];
                if elsewhere { browser.come_back(&url).await } else { browser.get(&url).await }
            }
            Step::ComeBack { at, url } => self.browsers[at].come_back(&self.urls[url]).await,
            Step::Open { at, page, json } => {
                let path = match page {
                    Page::Link => "/auth/amazon/link",
                    Page::Register => "/auth/amazon/register",
                };
                let browser = &self.browsers[at];
                if json { browser.fetch(path, None).await } else { browser.get(path).await }
            }
            Step::Ask { at, as_whom } => {
                let browser = &self.browsers[at];
                match as_whom {
                    Asker::Session => browser.fetch("/auth/session", None).await,
                    Asker::Verify => browser.fetch("/auth/verify", None).await,
                    Asker::App => {
                        let token = format!("Bearer {}", browser.cookie(SESSION).unwrap());
                        let ask =
                            browser.ask("GET", "/auth/session").header("authorization", &token);
                        ask.send().await
                    }
                }
            }
            Step::Press { at, form, csrf, origin, json } => {
                let (path, mut fields) = fields(form);
                fields.extend(self.csrf(at, form, csrf).map(|csrf| ("csrf", csrf)));
                let fields: Vec<_> =
                    fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let ask = self.browsers[at].ask("POST", path);
                let ask = if json {
                    let fields: BTreeMap<_, _> = fields.into_iter().collect();
                    ask.header("accept", "application/json")
                        .header("sec-fetch-dest", "empty")
                        .header("sec-fetch-mode", "cors")
                        .body("application/json", json!(fields).to_string())
                } else {
                    ask.form(&fields)
                };
                let ask = match origin {
                    Origin::Ours => ask.header("origin", &stack.url),
                    Origin::Other => ask
                        .header("origin", "https://evil.example")
                        .header("sec-fetch-site", "cross-site"),
                    Origin::Sibling => {
                        ask.header("origin", &stack.url).header("sec-fetch-site", "same-site")
                    }
                    Origin::Unsaid => ask.without("sec-fetch-site"),
                };
                ask.send().await
            }
            _ => panic!("this is no request: {step:?}"),
        }
    }

    async fn request_in_trouble(&self, step: &Step, trouble: Trouble) -> Answer {
        let (stack, (function, path)) = (self.stack, function(step));
        if stack.processes(function).is_empty() {
            // A process that only starts asks DynamoDB for something as well.
            self.browsers[BROWSERS].copy().get(path).await;
        }
        let dynamodb = &stack.dynamodb;
        match trouble {
            Trouble::Stumbles { call } => dynamodb.fault("", call, Some(1), Fault::Broken),
            Trouble::AnswerLost { call } => dynamodb.fault("", call, Some(1), Fault::AnswerLost),
            Trouble::Down => {
                dynamodb.fault("", 0, None, Fault::Refused("ResourceNotFoundException"));
            }
            Trouble::Killed { obeyed } => {
                let killing = stack.killing(function);
                let fault = if obeyed { Fault::Then(killing) } else { Fault::Instead(killing) };
                dynamodb.fault("", 0, Some(1), fault);
            }
        }
        let answer = self.request(step).await;
        dynamodb.clear_faults();
        answer
    }

    fn at_amazon(&mut self, step: &Step) {
        let amazon = &self.stack.amazon;
        let url = match *step {
            Step::Consent { login, who, shares } => {
                let (begun, customer) = (&self.logins[login], CUSTOMERS[who].0);
                match shares {
                    Shares::All => amazon.allow(&begun.url, customer).unwrap(),
                    Shares::Id => self.consent(begun, customer, "profile:user_id"),
                    Shares::Nothing => self.consent(begun, customer, ""),
                }
            }
            Step::Deny { login } => amazon.cancel(&self.logins[login].url).unwrap(),
            Step::Mix { login, code } => {
                let code = parameter(&self.urls[code], "code").unwrap();
                self.callback(&code, "profile", &self.logins[login].state)
            }
            _ => return,
        };
        self.urls.push(url);
    }

    /// Where a customer goes who has agreed to no more than this.
    fn consent(&self, begun: &Begun, customer: &str, scope: &str) -> String {
        let challenge = parameter(&begun.url, "code_challenge").unwrap();
        let redirect_uri = parameter(&begun.url, "redirect_uri").unwrap();
        let challenge = Some((challenge.as_str(), "S256"));
        let amazon = &self.stack.amazon;
        let code = amazon.consent(customer, SHOP_CLIENT_ID, &redirect_uri, scope, challenge);
        self.callback(&code, scope, &begun.state)
    }

    fn callback(&self, code: &str, scope: &str, state: &str) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("code", code), ("scope", scope), ("state", state)])
            .finish();
        format!("{}/auth/amazon/callback?{query}", self.stack.url)
    }

    fn put(&mut self, at: At, cookie: &Put) {
        let (name, value) = match cookie {
            Put::Logins(logins) => (LOGIN, self.remembered(logins)),
            Put::Ticket(ticket) => (TICKET, ticket.map(|id| self.tickets[id].clone())),
            Put::Session(session) => (SESSION, session.map(|id| self.sessions[id].clone())),
        };
        match value {
            Some(value) => self.browsers[at].keep_cookie(name, &value),
            None => self.browsers[at].drop_cookie(name),
        }
    }

    /// The cookie that remembers these sign-ins.
    fn remembered(&self, logins: &[usize]) -> Option<String> {
        let entry = |id: &usize| {
            let state = self.logins[*id].state.as_str();
            self.entries.iter().find(|entry| entry.starts_with(state)).unwrap().as_str()
        };
        let entries: Vec<_> = logins.iter().map(entry).collect();
        (!entries.is_empty()).then(|| entries.join("~"))
    }

    fn happens(&mut self, event: &Event, model: &Model) {
        let (stack, dynamodb) = (self.stack, &self.stack.dynamodb);
        match *event {
            Event::EmailChanges { who, email } => {
                let change = |customer: &mut local_stack::amazon::Customer| {
                    customer.email = email.map(str::to_owned);
                };
                stack.amazon.change(CUSTOMERS[who].0, change);
            }
            Event::Registers { id, email, password } => {
                register(stack, id, email, password.map(|password| PASSWORDS[password].1));
            }
            Event::PasswordChanges { account, password } => self.new_password(account, password),
            Event::StatusChanges { account, status } => {
                let status = match status {
                    Status::Active => "active",
                    Status::Disabled => "disabled",
                    Status::Locked => "locked",
                };
                let id = self.id(account);
                dynamodb.set("accounts", &[("id", &id)], "status", status).unwrap();
            }
            Event::Deleted { account } => {
                dynamodb.delete("accounts", &[("id", &self.id(account))]).unwrap();
            }
            Event::ProveAgain { who } => self.prove_again(who),
            Event::EpochMoves { account } => self.move_epoch(account, model),
            Event::Reset { account, password, parts } => {
                self.new_password(account, password);
                if parts > 1 {
                    self.move_epoch(account, model);
                }
                if parts > 2 {
                    self.end_sessions(account, model);
                }
                let link = model.links.iter().find(|(_, link)| link.account == account);
                if let Some((who, _)) = link.filter(|_| parts > 3) {
                    let epoch = model.epochs[&account];
                    self.prove_again(*who);
                    let key = format!("AMAZON#{}", self.customers[*who]);
                    dynamodb.set("identities", &[("pk", &key)], "epoch", epoch).unwrap();
                }
            }
            Event::TimePasses { .. } => stack.set_clock(Timestamp(model.now)).unwrap(),
            Event::Sweep => self.sweep(model),
        }
    }

    fn new_password(&self, account: Name, password: usize) {
        let hash = PASSWORDS[password].1;
        let id = self.id(account);
        self.stack.dynamodb.set("accounts", &[("id", &id)], "password_hash", hash).unwrap();
    }

    fn prove_again(&self, who: usize) {
        let key = format!("AMAZON#{}", self.customers[who]);
        self.stack.dynamodb.set("identities", &[("pk", &key)], "prove_again", true).unwrap();
    }

    /// The site's id of an account.
    fn id(&self, name: Name) -> String {
        match name {
            Name::Site(id) => id.to_owned(),
            Name::Ours(number) => self.opened[number].clone(),
        }
    }
}

/// The path of a form, and what is filled in.
fn fields(form: Form) -> (&'static str, Vec<(&'static str, String)>) {
    match form {
        Form::Link { password } => {
            let text = if password == NOBODYS_PASSWORD { "nobodys" } else { PASSWORDS[password].0 };
            ("/auth/amazon/link", vec![("password", text.to_owned())])
        }
        Form::Forgot => ("/auth/amazon/link/forgot", Vec::new()),
        Form::Cancel => ("/auth/amazon/link/cancel", Vec::new()),
        Form::Register { email, unknown_field } => {
            let mut fields = vec![("email", email.to_owned())];
            fields.extend(unknown_field.then(|| ("account_id", "ann".to_owned())));
            ("/auth/amazon/register", fields)
        }
        Form::Switch => ("/auth/amazon/switch", Vec::new()),
        Form::LogOut => ("/auth/logout", vec![("return_to", "/".to_owned())]),
    }
}

/// Whose request it is, and a path of that function.
fn function(step: &Step) -> (&'static str, &'static str) {
    match step {
        Step::Begin { .. } => ("login", "/auth/amazon/login"),
        Step::Open { page: Page::Link, .. }
        | Step::Press { form: Form::Link { .. } | Form::Forgot | Form::Cancel, .. } => {
            ("link", "/auth/amazon/link")
        }
        Step::Open { page: Page::Register, .. }
        | Step::Press { form: Form::Register { .. }, .. } => ("register", "/auth/amazon/register"),
        Step::Press { form: Form::LogOut, .. } => ("logout", "/auth/logout"),
        Step::Ask { .. } => ("session", "/auth/session"),
        _ => ("callback", "/auth/amazon/callback"),
    }
}

/// A parameter of a URL's query.
fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let mut found = form_urlencoded::parse(query.as_bytes());
    found.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
