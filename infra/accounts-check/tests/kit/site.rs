//! A site that keeps the contract, and can be made to break it in one way at a time.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse as _, Response},
    routing::post,
};
use domain::{Clock, Timestamp, webhook};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::{net::TcpListener, task::AbortHandle};
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(crate) const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:site-accounts";
pub(crate) const EMAIL: &str = "kassi.fisk@example.com";
/// 80 bytes, of which the first letter has two forms.
pub(crate) const PASSWORD: &str =
    "Ångström, a horse and a battery staple make a sentence of more than 72 bytes ..";
pub(crate) const CODE_EMAIL: &str = "kim.code@example.com";
pub(crate) const CODE: &str = "123456";
pub(crate) const CLOSED_EMAIL: &str = "closed@example.com";
/// How often a password is hashed.
const ROUNDS: u32 = 20_000;

/// What this site gets wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    // The door.
    LooksAtNoSignature,
    TakesWhatIsNotSigned,
    KnowsAnotherSecret,
    SignsNoBody,
    LooksAtNoTime,
    TakesTheFuture,
    IsInAHurry,
    LooksAtTheFirstSignature,
    ComparesWhatIsThere,
    TakesAnyVersion,
    SerialisesAgain,
    KnowsNoOtherMembers,
    AnswersAnyMethod,
    TakesNoJson,
    AnswersAnyType,
    RefusesUnknownTypes,
    TellsWhoIsThere,
    TakesMessagesTwice,
    TakesRepeatsForForged,
    HasAWrongClock,
    SaysHtml,
    Redirects,
    IsDown,
    // Finding.
    FindsTwo,
    DropsAccents,
    UpperCasesUnicode,
    Normalises,
    CountsCapitals,
    Trims,
    DropsDots,
    SearchesParts,
    SearchesPatterns,
    EndsAtQuotes,
    LeavesOutWhatIsMissing,
    BreaksAtLongAddresses,
    NumbersItsIds,
    HasWordsOfItsOwn,
    HasTwoTruths,
    IsNotFound,
    CastsIds,
    TrustsIds,
    KeepsQuietAboutClosed,
    IsSmall,
    LeavesMarks,
    // Passwords.
    OpensToAll,
    OpensToNobody,
    RefusesWrongPasswords,
    LowercasesPasswords,
    TrimsPasswords,
    TrimsNuls,
    StopsAtNul,
    StopsAt72,
    NormalisesPasswords,
    BreaksAtLongPasswords,
    TakesConditions,
    KnowsWhoIsNobody,
    IsFastAboutNobody,
    ForgetsTheCode,
    LocksWithoutAWord,
    // Newcomers.
    GivesPasswords,
    OpensByAddress,
    OpensToAClosed,
    LagsBehind,
    WritesLatin,
    Escapes,
    NeedsNames,
    RefusesNames,
    AssignsFields,
    ForgetsKeys,
    LooksAtTheRestFirst,
    OverwritesByKey,
    RacesByKey,
    RacesByAddress,
    HasAnAddressTwice,
    ChangesWhoIsThere,
    // Owners.
    ForgetsUpdates,
    EmptiesTheRest,
    ChangesAddresses,
    SetsWhatever,
    UpdatesEverybody,
    UpdatesNobody,
    MistakesNobody,
    UpdatesSlowly,
    TakesNoticesOnce,
    KnowsTwoNotices,
    // Answers.
    IsSlow,
    IsTalkative,
    IsEndless,
    Compresses,
    // What no site must do, and any may.
    LocksAccounts,
    IsClosed,
}

use Defect::*;

#[derive(Clone)]
struct Account {
    id: String,
    email: String,
    name: Option<String>,
    postal_code: Option<String>,
    status: Option<String>,
    hash: Option<[u8; 32]>,
    code: Option<&'static str>,
    key: Option<String>,
    wrong: u32,
    unseen: bool,
}

#[derive(Default)]
struct Rows {
    accounts: Vec<Account>,
    messages: HashSet<String>,
    notices: HashSet<String>,
    asked: usize,
    slow: bool,
}

/// A site on a port of its own, until it is dropped.
pub(crate) struct Site {
    /// Where its webhook is.
    pub(crate) url: String,
    /// Where Lambda is, of which it is a function as well.
    pub(crate) lambda: String,
    task: AbortHandle,
}

struct Inside {
    defect: Option<Defect>,
    rows: Mutex<Rows>,
}

type Answer = Result<Value, StatusCode>;

impl Site {
    pub(crate) async fn open(defect: Option<Defect>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let lambda = format!("http://{}", listener.local_addr().unwrap());
        let url = format!("{lambda}/lwa-accounts");
        let account = |id: &str, email: &str, code, status: Option<&str>| Account {
            id: id.to_owned(),
            email: email.to_owned(),
            name: Some("Kassi Fisk".to_owned()),
            postal_code: Some("98101".to_owned()),
            status: status.map(str::to_owned),
            hash: Some(hash(PASSWORD)),
            code,
            key: None,
            wrong: 0,
            unseen: false,
        };
        let mut accounts = vec![
            account("42", EMAIL, None, Some("active")),
            account("43", CODE_EMAIL, Some(CODE), None),
            account("44", CLOSED_EMAIL, None, Some("disabled")),
        ];
        if defect == Some(FindsTwo) {
            accounts.push(account("45", EMAIL, None, None));
        }
        let rows = Mutex::new(Rows { accounts, ..Rows::default() });
        let inside = Arc::new(Inside { defect, rows });
        let router = Router::new()
            .route("/2015-03-31/functions/{name}/invocations", post(invoke))
            .fallback(answer)
            .with_state(inside);
        let serve = async { axum::serve(listener, router).await.unwrap() };
        Self { url, lambda, task: tokio::spawn(serve).abort_handle() }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    State(site): State<Arc<Inside>>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let kind = if site.is(SaysHtml) { "text/html" } else { "application/json" };
    let answered = site.answer(&method, &headers, &body).await;
    let mut response = match answered {
        Ok(value) => ([("content-type", kind)], value.to_string()).into_response(),
        Err(StatusCode::FOUND) => (StatusCode::FOUND, [("location", "/")]).into_response(),
        Err(status) => status.into_response(),
    };
    if site.is(Compresses) {
        response.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    }
    if site.is(HasAWrongClock) {
        let date = "Wed, 25 Nov 2026 09:30:00 GMT".parse().unwrap();
        response.headers_mut().insert("date", date);
    }
    response
}

/// What Lambda answers to `Invoke`.
async fn invoke(
    State(site): State<Arc<Inside>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Response {
    if name != ARN {
        let body = r#"{"Type":"User","Message":"Function not found"}"#;
        let error = [("x-amzn-errortype", "ResourceNotFoundException")];
        return (StatusCode::NOT_FOUND, error, body).into_response();
    }
    let question = serde_json::from_slice(&body).unwrap_or_default();
    match site.ask(question).await {
        Ok(value) => value.to_string().into_response(),
        Err(status) => {
            let error = [("x-amz-function-error", "Unhandled")];
            (error, json!({ "errorMessage": status.as_str() }).to_string()).into_response()
        }
    }
}

impl Inside {
    fn is(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, method: &Method, headers: &HeaderMap, body: &[u8]) -> Answer {
        if self.is(Redirects) {
            return Err(StatusCode::FOUND);
        }
        if self.is(IsDown) {
            return Err(StatusCode::INTERNAL_SERVER_ERROR);
        }
        if method != Method::POST && !self.is(AnswersAnyMethod) {
            return Err(StatusCode::METHOD_NOT_ALLOWED);
        }
        if !self.is_ours(headers, body) {
            let question: Value = serde_json::from_slice(body).unwrap_or_default();
            let email = question["email"].as_str().unwrap_or_default();
            let there = self.rows().accounts.iter().any(|account| account.email == email);
            return match self.is(TellsWhoIsThere) && !there {
                true => Err(StatusCode::NOT_FOUND),
                false => Err(StatusCode::UNAUTHORIZED),
            };
        }
        if !self.is(LooksAtNoSignature) && !self.is_new(headers) {
            let forged = self.is(TakesRepeatsForForged);
            return Err(if forged { StatusCode::UNAUTHORIZED } else { StatusCode::CONFLICT });
        }
        let question: Value = match serde_json::from_slice(body) {
            Ok(question @ Value::Object(_)) => question,
            _ if self.is(TakesNoJson) => return Ok(json!({ "accounts": [] })),
            _ => return Err(StatusCode::BAD_REQUEST),
        };
        self.ask(question).await
    }

    async fn ask(&self, question: Value) -> Answer {
        // Of these twenty come at once, and there is time to notice it.
        let in_a_crowd = question["type"] == "create"
            || question["email"].as_str().is_some_and(|email| email.contains("-nobody@"));
        if self.is(IsSmall) && in_a_crowd {
            self.rows().asked += 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
            let at_once = std::mem::replace(&mut self.rows().asked, 0);
            if at_once > 10 {
                return Err(StatusCode::TOO_MANY_REQUESTS);
            }
        }
        if self.is(KnowsNoOtherMembers) && question.get("asked_by").is_some() {
            return Err(StatusCode::BAD_REQUEST);
        }
        match question["type"].as_str() {
            Some("find_by_email") => self.find(&question, "email").await,
            Some("find_by_id") => self.find(&question, "account_id").await,
            Some("verify_password") => self.verify(&question).await,
            Some("create" | "update" | "notify") if self.is(IsClosed) => {
                Ok(json!({ "outcome": "unsupported" }))
            }
            Some("create") => self.create(&question).await,
            Some("update") => {
                if self.is(UpdatesSlowly) && !std::mem::replace(&mut self.rows().slow, true) {
                    tokio::time::sleep(Duration::from_millis(1100)).await;
                }
                self.update(&question)
            }
            Some("notify") => self.notify(&question["notice"]),
            _ if self.is(AnswersAnyType) => Ok(json!({ "accounts": [] })),
            _ if self.is(RefusesUnknownTypes) => Err(StatusCode::BAD_REQUEST),
            _ => Ok(json!({ "outcome": "unsupported" })),
        }
    }

    /// Standard Webhooks, as `domain` has it.
    fn is_ours(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if self.is(LooksAtNoSignature) || self.is(AnswersAnyMethod) && body.is_empty() {
            return true;
        }
        let [Some(id), Some(timestamp), Some(signature)] =
            ["webhook-id", "webhook-timestamp", "webhook-signature"].map(header)
        else {
            return self.is(TakesWhatIsNotSigned);
        };
        let mut secrets = SECRET.to_owned();
        if self.is(KnowsAnotherSecret) {
            secrets.push_str(" whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        }
        let keys = webhook::Key::parse_all(&secrets).unwrap();
        let sent = Timestamp(timestamp.parse().unwrap_or_default());
        let now = Clock::System.now();
        let away = now.0 - sent.0;
        let verified_at = match self.defect {
            Some(LooksAtNoTime) => sent,
            Some(TakesTheFuture) if away < 0 => sent,
            Some(IsInAHurry) if away.abs() > 60 => return false,
            _ => now,
        };
        let right = keys[0].sign(id, sent, body);
        let mut presented = signature.to_owned();
        match self.defect {
            Some(LooksAtTheFirstSignature) => {
                presented = signature.split(' ').next().unwrap_or_default().to_owned();
            }
            Some(ComparesWhatIsThere) if right.starts_with(signature) => presented = right,
            Some(TakesAnyVersion) => presented = presented.replace("v2,", "v1,"),
            Some(SignsNoBody) if body.ends_with(b"}") => presented = right,
            _ => {}
        }
        let body = match self.defect {
            Some(SerialisesAgain) => serde_json::from_slice::<Value>(body)
                .map_or(body.to_vec(), |parsed| parsed.to_string().into_bytes()),
            _ => body.to_vec(),
        };
        let headers = webhook::Headers { id, timestamp, signature: &presented };
        if webhook::verify(&keys, headers, &body, verified_at).is_err() {
            return false;
        }
        true
    }

    /// Whether this message did not come before.
    fn is_new(&self, headers: &HeaderMap) -> bool {
        let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
        id.is_empty() || self.rows().messages.insert(id.to_owned()) || self.is(TakesMessagesTwice)
    }

    async fn find(&self, question: &Value, by: &str) -> Answer {
        if self.is(IsSlow) && by == "account_id" && !std::mem::replace(&mut self.rows().slow, true)
        {
            tokio::time::sleep(Duration::from_millis(3100)).await;
        }
        let Some(wanted) = question[by].as_str().filter(|text| !text.is_empty()) else {
            return match self.is(LeavesOutWhatIsMissing) {
                true => Ok(json!({ "accounts": [self.show(&self.rows().accounts[0])] })),
                false => Err(StatusCode::BAD_REQUEST),
            };
        };
        if self.is(BreaksAtLongAddresses) && wanted.len() > 200 {
            return Err(StatusCode::INTERNAL_SERVER_ERROR);
        }
        let mut rows = self.rows();
        let mut found = Vec::new();
        for account in &mut rows.accounts {
            let is_it = match by {
                "email" => self.same_address(&account.email, wanted),
                _ => self.same_id(&account.id, wanted),
            };
            if is_it && !std::mem::replace(&mut account.unseen, false) {
                found.push(self.show(account));
            }
        }
        if by == "account_id" && self.is(HasTwoTruths) {
            found.iter_mut().for_each(|account| account["status"] = json!("locked"));
        }
        if found.is_empty() && by == "account_id" && self.is(IsNotFound) {
            return Err(StatusCode::NOT_FOUND);
        }
        let mut answer = json!({ "accounts": found });
        if self.is(IsTalkative) || self.is(IsEndless) {
            let most = if self.is(IsEndless) { 2 << 20 } else { 20_000 };
            answer["debug"] = "x".repeat(most).into();
        }
        Ok(answer)
    }

    fn same_address(&self, ours: &str, wanted: &str) -> bool {
        let lowercase = wanted.to_ascii_lowercase();
        let key = |change: &dyn Fn(&str) -> String| change(ours) == change(wanted);
        match self.defect {
            Some(DropsAccents) => key(&|text| {
                text.nfd().filter(|c| !is_combining_mark(*c)).collect::<String>().to_lowercase()
            }),
            Some(UpperCasesUnicode) => key(&|text| text.to_uppercase()),
            Some(Normalises) => key(&|text| text.nfkc().collect::<String>().to_lowercase()),
            Some(CountsCapitals) => ours == wanted,
            Some(Trims) => key(&|text| text.trim().to_ascii_lowercase()),
            Some(DropsDots) => key(&|text| {
                let (local, domain) = text.split_once('@').unwrap_or((text, ""));
                format!("{}@{domain}", local.replace('.', "")).to_ascii_lowercase()
            }),
            Some(SearchesParts) => ours.contains(&lowercase),
            Some(SearchesPatterns) => is_like(&lowercase, ours),
            Some(EndsAtQuotes) => ours == lowercase || wanted.contains("' OR"),
            _ => ours.to_ascii_lowercase() == lowercase,
        }
    }

    fn same_id(&self, ours: &str, wanted: &str) -> bool {
        let number = |text: &str| {
            let digits = text.trim().trim_start_matches(['+', '0']);
            digits.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().to_owned()
        };
        match self.defect {
            Some(CastsIds) => ours == wanted || number(wanted) == ours,
            Some(TrustsIds) => ours == wanted || wanted.contains("' OR"),
            _ => ours == wanted,
        }
    }

    fn show(&self, account: &Account) -> Value {
        let mut shown = json!({
            "id": account.id,
            "email": account.email,
            "name": account.name,
            "postal_code": account.postal_code,
            "has_password": account.hash.is_some(),
        });
        if let Some(status) = &account.status {
            shown["status"] = status.as_str().into();
        }
        match self.defect {
            Some(NumbersItsIds) => shown["id"] = json!(42),
            Some(HasWordsOfItsOwn) => shown["status"] = json!("enabled"),
            Some(KeepsQuietAboutClosed) => shown["status"] = json!(null),
            Some(GivesPasswords) if account.key.is_some() => shown["has_password"] = json!(true),
            _ => {}
        }
        shown
    }

    async fn verify(&self, question: &Value) -> Answer {
        let verdict = |word: &str| Ok(json!({ "verdict": word }));
        if self.is(TakesConditions) && question["password"].is_object() {
            return verdict("match");
        }
        let (Some(id), Some(password)) =
            (question["account_id"].as_str(), question["password"].as_str())
        else {
            return Err(StatusCode::BAD_REQUEST);
        };
        if password.is_empty() || password.len() > 1024 {
            return Err(StatusCode::BAD_REQUEST);
        }
        if self.is(BreaksAtLongPasswords) && password.len() > 200 {
            return Err(StatusCode::INTERNAL_SERVER_ERROR);
        }
        if self.is(OpensToAll) {
            return verdict("match");
        }
        let account = self.rows().accounts.iter().find(|account| account.id == id).cloned();
        let Some(account) = account else {
            if self.is(KnowsWhoIsNobody) {
                return Err(StatusCode::NOT_FOUND);
            }
            if !self.is(IsFastAboutNobody) {
                let password = password.to_owned();
                tokio::task::spawn_blocking(move || hash(&password)).await.unwrap();
            }
            return verdict("mismatch");
        };
        if self.is(OpensByAddress) && account.hash.is_none() && password == account.email {
            return verdict("match");
        }
        let Some(right) = account.hash else { return verdict("no_password") };
        if self.is(LocksAccounts) && account.wrong >= 3 {
            return verdict("locked");
        }
        let candidates = self.candidates(password);
        let hashes = tokio::task::spawn_blocking(move || {
            candidates.iter().map(|candidate| hash(candidate)).collect::<Vec<_>>()
        });
        let is_shut = self.is(OpensToNobody) || self.is(LocksWithoutAWord) && account.wrong >= 4;
        let is_right = hashes.await.unwrap().contains(&right) && !is_shut;
        let mut rows = self.rows();
        let row = rows.accounts.iter_mut().find(|account| account.id == id).unwrap();
        if !is_right {
            row.wrong += 1;
            if self.is(LeavesMarks) {
                row.name = Some("Somebody tried".to_owned());
            }
            if self.is(RefusesWrongPasswords) {
                return Err(StatusCode::UNAUTHORIZED);
            }
            return verdict("mismatch");
        }
        row.wrong = 0;
        match account.code {
            Some(code) if question["code"] != code && !self.is(ForgetsTheCode) => {
                verdict("mfa_required")
            }
            _ if account.status.as_deref() == Some("disabled") => verdict("disabled"),
            _ => verdict("match"),
        }
    }

    /// What a password is taken for: itself.
    fn candidates(&self, password: &str) -> Vec<String> {
        let right = PASSWORD;
        let taken_for = match self.defect {
            Some(LowercasesPasswords) => password.to_lowercase() == right.to_lowercase(),
            Some(TrimsPasswords) => password.trim() == right,
            Some(TrimsNuls) => password.trim_matches('\0') == right,
            Some(StopsAtNul) => password.split('\0').next() == Some(right),
            Some(StopsAt72) => password.as_bytes().get(..72) == right.as_bytes().get(..72),
            Some(NormalisesPasswords) => password.nfkc().eq(right.nfkc()),
            _ => false,
        };
        vec![if taken_for { right } else { password }.to_owned()]
    }

    async fn create(&self, question: &Value) -> Answer {
        let text = |name: &str| question[name].as_str().map(str::to_owned);
        let (Some(key), Some(email)) = (text("key"), text("email")) else {
            return Err(StatusCode::BAD_REQUEST);
        };
        if self.is(NeedsNames) && text("name").is_none() {
            return Ok(json!({ "outcome": "invalid", "fields": { "name": "missing" } }));
        }
        if self.is(RefusesNames) && text("name").is_some_and(|name| name.contains(['李', '<'])) {
            return Ok(json!({ "outcome": "invalid", "fields": { "name": "invalid" } }));
        }
        if self.is(LooksAtTheRestFirst) && question["fields"]["phone"] == "none" {
            return Ok(json!({ "outcome": "invalid", "fields": { "phone": "invalid" } }));
        }
        let mut account = Account {
            id: String::new(),
            email: email.clone(),
            name: text("name").map(|name| self.kept(&name)),
            postal_code: text("postal_code"),
            status: None,
            hash: None,
            code: None,
            key: Some(key.clone()),
            wrong: 0,
            unseen: false,
        };
        if self.is(AssignsFields) {
            account.status = question["fields"]["status"].as_str().map(str::to_owned);
        }
        if self.is(OpensToAClosed) {
            account.email = format!("{email}.invalid");
        }
        let (by_key, by_address) = {
            let mut rows = self.rows();
            if let Some(there) = rows.accounts.iter_mut().find(|one| one.key.as_ref() == Some(&key))
                && !self.is(ForgetsKeys)
            {
                if self.is(OverwritesByKey) {
                    there.name = account.name;
                }
                return Ok(json!({ "outcome": "created", "account": self.show(there) }));
            }
            if let Some(there) =
                rows.accounts.iter_mut().find(|one| self.same_address(&one.email, &email))
                && !self.is(HasAnAddressTwice)
            {
                if self.is(ChangesWhoIsThere) {
                    there.name = account.name;
                }
                return Ok(json!({ "outcome": "email_taken" }));
            }
            if !self.is(RacesByKey) && !self.is(RacesByAddress) {
                return Ok(self.insert(&mut rows, account));
            }
            (self.is(RacesByKey), self.is(RacesByAddress))
        };
        // Between SELECT and INSERT there is room for another request.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut rows = self.rows();
        let there = rows.accounts.iter().find(|one| one.key.as_ref() == Some(&key)).cloned();
        if let Some(there) = there.filter(|_| !by_key) {
            return Ok(json!({ "outcome": "created", "account": self.show(&there) }));
        }
        let taken = rows.accounts.iter().any(|one| one.email == email && one.key != account.key);
        if taken && !by_address {
            return Ok(json!({ "outcome": "email_taken" }));
        }
        Ok(self.insert(&mut rows, account))
    }

    fn insert(&self, rows: &mut Rows, mut account: Account) -> Value {
        account.id = (100 + rows.accounts.len()).to_string();
        account.unseen = self.is(LagsBehind) && rows.accounts.len() == 3;
        rows.accounts.push(account.clone());
        json!({ "outcome": "created", "account": self.show(&account) })
    }

    /// How a name is stored.
    fn kept(&self, name: &str) -> String {
        match self.defect {
            Some(WritesLatin) => {
                name.chars().map(|c| if c as u32 > 0xff { '?' } else { c }).collect()
            }
            Some(Escapes) => name.replace('&', "&amp;").replace('<', "&lt;"),
            _ => name.to_owned(),
        }
    }

    fn update(&self, question: &Value) -> Answer {
        let mut rows = self.rows();
        let set = &question["set"];
        let known = ["name", "postal_code"];
        let strange = set
            .as_object()
            .is_none_or(|set| set.keys().any(|name| !known.contains(&name.as_str())));
        if strange && !self.is(SetsWhatever) && !self.is(ChangesAddresses) {
            return Err(StatusCode::BAD_REQUEST);
        }
        let name = set["name"].as_str().map(|name| self.kept(name));
        let mut updated = self.is(UpdatesNobody);
        for account in &mut rows.accounts {
            if question["account_id"] != account.id.as_str() && !self.is(UpdatesEverybody) {
                continue;
            }
            updated = true;
            if self.is(ForgetsUpdates) {
                continue;
            }
            if let Some(name) = &name {
                account.name = Some(name.clone());
            }
            if let Some(postal_code) = set["postal_code"].as_str() {
                account.postal_code = Some(postal_code.to_owned());
            } else if self.is(EmptiesTheRest) {
                account.postal_code = None;
            }
            if let (true, Some(email)) = (self.is(ChangesAddresses), set["email"].as_str()) {
                account.email = email.to_owned();
            }
            if let (true, Some(status)) = (self.is(SetsWhatever), set["status"].as_str()) {
                account.status = Some(status.to_owned());
            }
            if let (true, Some(password)) = (self.is(SetsWhatever), set["password"].as_str()) {
                account.hash = Some(hash(password));
            }
        }
        match updated {
            true => Ok(json!({ "outcome": "updated" })),
            false if self.is(MistakesNobody) => Err(StatusCode::INTERNAL_SERVER_ERROR),
            false => Err(StatusCode::NOT_FOUND),
        }
    }

    fn notify(&self, notice: &Value) -> Answer {
        let id = notice["id"].as_str().unwrap_or_default().to_owned();
        if !self.rows().notices.insert(id) && self.is(TakesNoticesOnce) {
            return Err(StatusCode::CONFLICT);
        }
        let known = ["linked", "unlinked"].iter().any(|kind| notice["type"] == *kind);
        if self.is(KnowsTwoNotices) && !known {
            return Ok(json!({ "outcome": "unsupported" }));
        }
        Ok(json!({ "outcome": "taken" }))
    }
}

/// A hash that takes its time.
fn hash(password: &str) -> [u8; 32] {
    let mut hash: [u8; 32] = Sha256::digest(password).into();
    for _ in 0..ROUNDS {
        hash = Sha256::digest(hash).into();
    }
    hash
}

/// SQL's LIKE.
fn is_like(pattern: &str, text: &str) -> bool {
    let mut letters = pattern.chars();
    match letters.next() {
        None => text.is_empty(),
        Some('%') => text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .any(|at| is_like(letters.as_str(), &text[at..])),
        Some(letter) => text.chars().next().is_some_and(|c| {
            (letter == '_' || letter == c) && is_like(letters.as_str(), &text[c.len_utf8()..])
        }),
    }
}
