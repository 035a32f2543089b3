//! Unmistakable secrets, and every fault on their way: nothing of them in a log, however much it is
//! told to say, and nothing of ours in an answer.

use std::collections::{BTreeMap, BTreeSet};

use local_stack::{
    CLIENT_SECRET_ARN, Options, Stack,
    amazon::{Endpoint, Fault, SHOP_CLIENT_SECRET},
    dynamodb,
};
use serde_json::json;
use tests::{Answer, Browser, shapes};

use crate::{
    endings::{LINK, LOGOUT, REGISTER},
    pretenders::pretend,
};

const EMAIL: &str = "serinus.canaria@aviary.example";
const NAME: &str = "Serinus Canaria Domestica";
const POSTAL_CODE: &str = "CANARY-90210";
const PASSWORD: &str = "canary right p\u{e4}ssword";
const WRONG: &str = "canary wrong p\u{e4}ssword";
const TYPED: &str = "typed-by-a-canary-27182818";
const AMAZONS: &str = "canary-in-amazons-answer";

/// What makes programs in Rust, and ours would they listen, say as much as they can.
const VERBOSE: [(&str, &str); 7] = [
    ("RUST_LOG", "trace"),
    ("AWS_LAMBDA_LOG_LEVEL", "TRACE"),
    ("AWS_LAMBDA_LOG_FORMAT", "Text"),
    ("RUST_BACKTRACE", "full"),
    ("RUST_LIB_BACKTRACE", "1"),
    ("LOG_LEVEL", "TRACE"),
    ("DEBUG", "*"),
];

/// All that was answered on the way, and all that was secret about it.
struct Aviary<'a> {
    stack: &'a Stack,
    secrets: BTreeSet<String>,
    /// Answers that failed.
    failures: Vec<Answer>,
}

async fn stack() -> Stack {
    let environment = VERBOSE.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let options = Options { environment, ..Options::default() };
    let stack = options.start().await.unwrap();
    stack.amazon.change("lin", |lin| {
        lin.email = Some(EMAIL.to_owned());
        lin.name = Some(NAME.to_owned());
        lin.postal_code = Some(POSTAL_CODE.to_owned());
    });
    stack
}

impl Aviary<'_> {
    fn note(&mut self, answer: Answer) {
        assert!(answer.status >= 400, "{}", answer.text);
        self.failures.push(answer);
    }

    /// A known customer comes back while something goes wrong.
    async fn comes_back(&mut self, may_succeed: bool) {
        let lin = Browser::new(self.stack);
        let answer = lin.sign_in_at_amazon("lin", "/checkout").await;
        self.secrets.extend(lin.secrets());
        match answer.status {
            303 if may_succeed => {}
            _ => self.note(answer),
        }
    }

    async fn amazon_fails(&mut self) {
        let said = |text: &str| Fault::Body(text.replace("CANARY", AMAZONS));
        let mut faults = vec![
            Fault::Refuse,
            Fault::Cut,
            Fault::Status(500),
            Fault::Status(429),
            Fault::Redirect(302),
            Fault::Error(400, AMAZONS.to_owned()),
            Fault::Error(401, AMAZONS.to_owned()),
            Fault::Error(503, AMAZONS.to_owned()),
            Fault::Truncated,
            Fault::WrongTypes,
            Fault::Deep,
            Fault::set("user_id", format!("{AMAZONS}#{AMAZONS}")),
            Fault::set("error", AMAZONS),
            Fault::set("error_description", AMAZONS),
            said(r#"{"access_token":"CANARY","token_type":"CANARY","user_id":7,"aud":"CANARY"}"#),
            said(r#"{"access_token":["CANARY"],"aud":["CANARY"],"user_id":["CANARY"]}"#),
            said(r#"{"access_token":"CANARY\u0000\n","token_type":"bearer","aud":"CANARY"}"#),
            said("<html>CANARY</html>"),
            said("CANARY"),
        ];
        faults.extend(Fault::lies());
        for endpoint in [Endpoint::Token, Endpoint::TokenInfo, Endpoint::Profile] {
            for fault in &faults {
                self.stack.amazon.fault(endpoint, fault.clone(), None);
                // Some of it is harmless where nobody reads it.
                self.comes_back(true).await;
                self.stack.amazon.clear_faults(endpoint);
            }
        }
    }

    async fn dynamodb_fails(&mut self) {
        let lin = Browser::new(self.stack);
        lin.sign_in_at_amazon("lin", "/").await;
        let told = lin.fetch("/auth/session", None).await.json();
        let of_session = told["csrf"].as_str().unwrap().to_owned();
        pretend(self.stack, "canary", "ann@example.com");
        let ann = Browser::new(self.stack);
        let page = ann.asked_after_amazon("canary", "/checkout").await;
        let other = Browser::new(self.stack);
        let noa = Browser::new(self.stack);
        let form = noa.asked_after_amazon("noa", "/checkout").await;
        for kind in [
            dynamodb::Fault::Refused("ThrottlingException"),
            dynamodb::Fault::Refused("ResourceNotFoundException"),
            dynamodb::Fault::Refused("AccessDeniedException"),
            dynamodb::Fault::Refused("ValidationException"),
            dynamodb::Fault::Refused("UnrecognizedClientException"),
            dynamodb::Fault::Broken,
            dynamodb::Fault::Cut,
        ] {
            self.stack.dynamodb.fault("", 0, None, kind);
            let proving = [("csrf", page.input("csrf")), ("password", PASSWORD)];
            let address = format!("{TYPED}@aviary.example");
            let registering = [("csrf", form.input("csrf")), ("email", &address)];
            let leaving = [("csrf", of_session.as_str())];
            // At once, because each of them is tried several times.
            let (back, told, verified, proven, registered, left) = tokio::join!(
                other.sign_in_at_amazon("lin", "/checkout"),
                lin.get("/auth/session"),
                lin.get("/auth/verify"),
                ann.post(LINK, &proving),
                noa.post(REGISTER, &registering),
                lin.post(LOGOUT, &leaving),
            );
            for answer in [back, told, verified, proven, registered, left] {
                self.note(answer);
            }
            self.stack.dynamodb.clear_faults();
        }
        self.note(ann.prove(&page, WRONG).await);
        let fields = [("csrf", form.input("csrf")), ("email", TYPED)];
        self.note(noa.post(REGISTER, &fields).await);
        // Whoever reads JSON would like to quote what does not fit.
        for wrong in
            [json!(TYPED), json!([TYPED]), json!({"csrf": [TYPED]}), json!({"fields": TYPED})]
        {
            self.note(noa.fetch(REGISTER, Some(wrong)).await);
        }
        for browser in [&lin, &ann, &noa, &other] {
            self.secrets.extend(browser.secrets());
        }
        self.secrets.insert(of_session);
    }

    /// Nothing secret is in any line of log, in whatever shape.
    fn check_logs(&self) {
        let logs = self.stack.logs();
        assert!(
            logs.iter().any(|line| line.contains("unavailable")),
            "what may be logged is there"
        );
        let mut secrets = self.secrets.clone();
        // Paths and times that travel in the cookies are no secrets.
        secrets.retain(|text| text.len() >= 18);
        secrets.extend(
            [EMAIL, NAME, POSTAL_CODE, PASSWORD, WRONG, TYPED, AMAZONS, SHOP_CLIENT_SECRET]
                .map(str::to_owned),
        );
        // Amazon's tokens go between our server and Amazon; this is how they begin.
        secrets.extend(["Atza|", "Atzr|", "ann@example.com", "lin@example.com"].map(str::to_owned));
        for secret in &secrets {
            for shape in shapes(secret) {
                let line = logs.iter().find(|line| line.contains(&shape));
                assert!(line.is_none(), "{secret} is logged as {shape}: {line:?}");
            }
        }
        for line in &logs {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(object["request_id"].is_string(), "somebody else speaks too: {line}");
        }
    }

    /// A failure is told in the words of its code, whatever is behind it.
    fn check_answers(&self) {
        let of_ours = [
            self.stack.dynamodb.url.clone(),
            self.stack.secrets.url.clone(),
            format!("{}/auth", self.stack.amazon.url),
            CLIENT_SECRET_ARN.to_owned(),
            SHOP_CLIENT_SECRET.to_owned(),
            AMAZONS.to_owned(),
        ];
        let inside = [
            "arn:",
            "panicked",
            "src/",
            ".rs",
            "Exception",
            "Throttl",
            "DynamoDB",
            "dynamodb",
            "Secrets Manager",
            "secretsmanager",
            "identities",
            "tickets",
            "TABLE",
            "LWA_",
            "AWS",
            "tokeninfo",
            "profile",
            "serde",
            "hyper",
            "reqwest",
            "trace",
            "rustls",
            "error sending",
        ];
        let mut texts = BTreeMap::<_, BTreeSet<String>>::new();
        for answer in &self.failures {
            let visible = answer.text.split("<main").nth(1).unwrap_or(&answer.text);
            for word in of_ours.iter().map(String::as_str).chain(inside) {
                assert!(!visible.contains(word), "{} tells of {word}: {visible}", answer.url);
            }
            // A form that is shown again holds what was typed.
            if [401, 422].contains(&answer.status) {
                continue;
            }
            let id = answer.header("apigw-requestid").unwrap();
            assert!(visible.contains(id) || visible.is_empty(), "{visible}");
            let text = visible.replace(id, "…").replace("%2Fcheckout", "%2F");
            let text = text.replace("\"return_to\":\"/checkout\",", "");
            let kind = answer.header("content-type").map(str::to_owned);
            let code = answer.code().to_owned();
            texts.entry((answer.status, code, kind)).or_default().insert(text);
        }
        for (ending, texts) in texts {
            assert_eq!(texts.len(), 1, "{ending:?} is told in several ways: {texts:#?}");
        }
    }
}

#[tokio::test]
async fn k01_k05_whatever_fails_no_log_tells_a_secret_and_no_answer_what_failed() {
    let stack = stack().await;
    let mut aviary = Aviary { stack: &stack, secrets: BTreeSet::new(), failures: Vec::new() };
    aviary.amazon_fails().await;
    aviary.dynamodb_fails().await;
    assert!(aviary.failures.len() > 80, "{}", aviary.failures.len());
    assert!(aviary.secrets.len() > 100, "{}", aviary.secrets.len());
    aviary.check_logs();
    aviary.check_answers();
}

#[tokio::test]
async fn k01_k05_a_secret_that_cannot_be_read_or_is_none_is_told_to_nobody() {
    for kept in [
        "{\"client_secret\":\"canary-in-amazons-answer",
        "{\"other\":\"canary-in-amazons-answer\"}",
        "{\"client_secret\":[\"canary-in-amazons-answer\"]}",
        "canary-in-amazons-answer",
        "",
    ] {
        let stack = stack().await;
        stack.secrets.set(CLIENT_SECRET_ARN, kept);
        stack.secrets.break_down(kept.is_empty());
        let mut aviary = Aviary { stack: &stack, secrets: BTreeSet::new(), failures: Vec::new() };
        aviary.comes_back(false).await;
        aviary.comes_back(false).await;
        assert!(aviary.failures.iter().all(|answer| answer.status == 503), "{kept}");
        aviary.check_logs();
        aviary.check_answers();
    }
}
