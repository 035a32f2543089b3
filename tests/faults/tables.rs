//! Tables that are out of reach: for a while, or because somebody set them up wrongly.

use local_stack::{Options, dynamodb::Fault};
use tests::{
    Browser, Flow, cheap_passwords,
    stage::{Stage, careless, code},
};

/// Where guesses are counted before they are compared.
const COUNTING: &str = "TransactWriteItems tickets";

#[tokio::test]
async fn m09_r5_r33_where_guesses_cannot_be_counted_none_is_compared_and_all_else_goes_on() {
    let stack = Options::default().start().await.unwrap();
    let (lin, ann) = (Browser::new(&stack), Browser::new(&stack));
    lin.sign_in_at_amazon("lin", "/").await;
    let page = ann.asked_after_amazon("ann", "/").await;
    // Whoever compared a password with this hash would have to say that it is broken.
    let hash = stack.dynamodb.get("accounts", &[("id", "ann")]).unwrap()["password_hash"].take();
    stack.dynamodb.set("accounts", &[("id", "ann")], "password_hash", "{unknown}").unwrap();
    let compared = ann.prove(&page, "ann-local-password").await;
    assert_eq!((compared.status, compared.code()), (500, "broken"));

    for fault in [Fault::Refused("ProvisionedThroughputExceededException"), Fault::Broken] {
        stack.dynamodb.fault(COUNTING, 0, None, fault);
        for password in ["ann-local-password", "wrong"] {
            let answer = ann.prove(&page, password).await;
            assert_eq!((answer.status, answer.code()), (503, "unavailable"));
            assert!(answer.header("retry-after").is_some());
        }
        assert_eq!(ann.account().await, None);
        let told = ann.fetch("/auth/amazon/link", None).await.json();
        assert_eq!(told["attempts_left"], 4, "only what was compared has counted");

        assert_eq!(lin.account().await.as_deref(), Some("lin"));
        assert_eq!(lin.fetch("/auth/verify", None).await.status, 200);
        for customer in ["lin", "nora", "max"] {
            let browser = Browser::new(&stack);
            assert_eq!(browser.sign_in_at_amazon(customer, "/").await.status, 303, "{customer}");
            assert_eq!(browser.log_out().await.status, 303, "{customer}");
        }
        stack.dynamodb.clear_faults();
    }
    let hash = hash["S"].as_str().unwrap();
    stack.dynamodb.set("accounts", &[("id", "ann")], "password_hash", hash).unwrap();
    assert_eq!(ann.prove(&page, "ann-local-password").await.status, 303);
    assert_eq!(ann.account().await.as_deref(), Some("ann"));
}

#[tokio::test]
async fn m03_r21_a_table_that_was_set_up_wrongly_is_unavailable_and_nothing_of_it_is_told() {
    let stack = Options::default().start().await.unwrap();
    cheap_passwords(&stack);
    let seed = stack.dynamodb.snapshot().unwrap();
    let mut wrong = Vec::new();
    for flow in Flow::ALL {
        let stage = Stage::set(&stack, &seed, flow).await;
        for refused in [
            "AccessDeniedException",
            "ResourceNotFoundException",
            "ValidationException",
            "UnrecognizedClientException",
            "ExpiredTokenException",
            "KMSAccessDeniedException",
            "KMSDisabledException",
            "KMSInvalidStateException",
            "KMSNotFoundException",
        ] {
            let visitor = stage.visitor();
            stack.dynamodb.fault("", 0, None, Fault::Refused(refused));
            let answer = visitor.act().await;
            stack.dynamodb.clear_faults();
            let mut odd = careless(&answer);
            let insides = ["KMS", "refused", "denied", "credential"].into_iter();
            let told = insides.filter(|word| answer.text.contains(word));
            odd.extend(told.map(|word| format!("tells {word}: {}", answer.text)));
            let expected = match stage.calls.is_empty() {
                true => (flow.ending().0, flow.ending().1.to_owned()),
                false => (503, "unavailable".to_owned()),
            };
            if (answer.status, code(&answer)) != expected {
                odd.push(format!("ends {} {}", answer.status, answer.text));
            }
            if visitor.standing().await != stage.before && !stage.calls.is_empty() {
                odd.push("changes something".to_owned());
            }
            wrong.extend(odd.into_iter().map(|odd| format!("{flow:?} {refused}: {odd}")));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    // Whoever runs the site reads in the log what it was.
    assert!(stack.logs().iter().any(|line| line.contains("AccessDeniedException")));
}
