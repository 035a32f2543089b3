use local_stack::dynamodb;

use super::*;

/// What is no answer of Amazon's, save those that take their time.
fn fatal() -> Vec<Fault> {
    let mut faults = Fault::fatal();
    faults.retain(|fault| {
        !matches!(fault, Fault::Hang | Fault::Drip | Fault::GzipBomb | Fault::Endless)
    });
    faults
}

#[tokio::test]
async fn r12_without_codes_of_amazons_a_television_is_told_to_try_later() {
    let mut at = setting().await;
    let mut faults = fatal();
    faults.extend(
        ["user_code", "device_code", "verification_uri", "expires_in", "interval"]
            .map(|name| Fault::Without(name.to_owned())),
    );
    faults.extend([0, -1].map(|number| Fault::set("interval", number)));
    faults.extend([0, -1].map(|number| Fault::set("expires_in", number)));
    faults.extend([
        Fault::set("interval", 601),
        Fault::set("user_code", "<script>"),
        Fault::set("user_code", ""),
        Fault::set("device_code", "a b"),
        Fault::Error(400, "InvalidValue".into()),
        Fault::Error(400, "unauthorized_client".into()),
        Fault::Error(400, "something_new".into()),
    ]);
    for fault in faults {
        at.stack.amazon.fault(Endpoint::CodePair, fault.clone(), Some(1));
        at.stack.amazon.forget_calls();
        let reply = at.reply(Specimen::of("device")).await;
        let problem = body(&reply);
        assert_eq!(
            (reply.status().as_u16(), problem["code"].as_str()),
            (503, Some("unavailable")),
            "{fault:?}"
        );
        assert_eq!(reply.headers()["retry-after"], "5");
        assert_eq!(at.stack.amazon.calls().len(), 1, "{fault:?}: it is tried once");
        at.pass(600);
    }
    assert!(at.grants().is_empty());
    at.television().await;
}

#[tokio::test]
async fn r12_when_amazon_does_not_say_how_far_the_person_is_a_television_asks_again() {
    let mut at = setting().await;
    let mut faults = fatal();
    // These are obeyed, and the codes are used up with the answer.
    faults.retain(|fault| {
        !matches!(fault, Fault::Cut | Fault::Truncated | Fault::WrongTypes | Fault::ErrorInside)
    });
    faults.extend([
        Fault::Error(401, "invalid_client".into()),
        Fault::Error(400, "unauthorized_client".into()),
        Fault::Error(400, "something_new".into()),
        Fault::Error(500, "authorization_pending".into()),
        Fault::Error(503, "invalid_code_pair".into()),
    ]);
    let television = at.television().await;
    at.allow(&television, "lin");
    let before = at.grants();
    at.stack.amazon.world().habits.codes_live = 600;
    for fault in faults {
        // Every one of them at the same moment: nothing but the next question's moment changes.
        let mut row = before[0].clone();
        row["next_poll_at"]["N"] = at.now.0.to_string().into();
        let pk = row["pk"]["S"].as_str().unwrap().to_owned();
        let key = [("pk", pk.as_str()), ("sk", "DEVICE")];
        at.stack.dynamodb.set("tickets", &key, "next_poll_at", at.now.0).unwrap();
        at.stack.amazon.fault(Endpoint::Token, fault.clone(), Some(1));
        at.stack.amazon.forget_calls();
        let (status, problem) = at.ask(&television).await;
        assert_eq!((status, problem["code"].as_str()), (503, Some("unavailable")), "{fault:?}");
        assert_eq!(at.asked_amazon(), 1, "{fault:?}: it is tried once");
        let mut after = at.grants();
        after[0]["next_poll_at"] = row["next_poll_at"].clone();
        assert_eq!(after, [row], "{fault:?}");
    }
    let (status, told) = at.ask_in_time(&television).await;
    assert_eq!((status, &told["account"]["id"]), (200, &json!("lin")), "{told}");
}

#[tokio::test]
async fn r12_a_request_that_amazon_does_not_understand_is_our_fault() {
    let at = setting().await;
    let television = at.television().await;
    at.stack.amazon.fault(
        Endpoint::Token,
        Fault::Error(400, "unsupported_grant_type".into()),
        Some(1),
    );
    let (status, problem) = at.ask(&television).await;
    assert_eq!((status, problem["code"].as_str()), (500, Some("broken")), "{problem}");
}

#[tokio::test]
async fn r12_a_token_that_got_lost_ends_the_handle_and_opens_nothing() {
    let mut at = setting().await;
    for fault in [Fault::Cut, Fault::Truncated, Fault::WrongTypes, Fault::ErrorInside] {
        let television = at.television().await;
        at.allow(&television, "lin");
        at.stack.amazon.fault(Endpoint::Token, fault.clone(), Some(1));
        assert_eq!(at.ask(&television).await.0, 503, "{fault:?}");
        assert_eq!(at.ask_in_time(&television).await, error("expired_token"), "{fault:?}");
        assert!(at.sessions().is_empty() && at.grants().is_empty(), "{fault:?}");
    }
}

#[tokio::test]
async fn r12_a_token_that_was_issued_to_another_client_reaches_no_profile() {
    let mut at = setting().await;
    let client = DEVICE_CLIENT_ID;
    let lies = [
        Fault::set("aud", local_stack::amazon::SHOP_CLIENT_ID),
        Fault::set("aud", local_stack::amazon::APP_CLIENT_ID),
        Fault::set("aud", &client[1..]),
        Fault::set("aud", format!("{client} ")),
        Fault::set("aud", vec![client]),
        Fault::Without("aud".to_owned()),
        Fault::set("iss", "https://www.evil.example"),
        Fault::set("exp", 0),
    ];
    for lie in lies {
        let television = at.television().await;
        at.allow(&television, "lin");
        at.stack.amazon.fault(Endpoint::TokenInfo, lie.clone(), Some(2));
        let (status, problem) = at.ask(&television).await;
        let code = problem["code"].as_str().unwrap();
        assert!(
            matches!((status, code), (400, "start_over") | (503, "unavailable")),
            "{lie:?} {problem}"
        );
        assert!(at.stack.amazon.calls_of(Endpoint::Profile).is_empty(), "{lie:?}");
        assert!(at.sessions().is_empty(), "{lie:?}");
        at.stack.amazon.clear_faults(Endpoint::TokenInfo);
        at.pass(120);
    }
}

#[tokio::test]
async fn r13_r16_whatever_happens_to_a_call_to_dynamodb_the_television_gets_there() {
    let faults = [
        dynamodb::Fault::Broken,
        dynamodb::Fault::Refused("ThrottlingException"),
        dynamodb::Fault::Refused("ResourceNotFoundException"),
        dynamodb::Fault::AnswerLost,
    ];
    for fault in faults {
        for call in 0..6 {
            let mut at = setting().await;
            let television = at.television().await;
            at.allow(&television, "lin");
            // For longer than the SDK tries.
            at.stack.dynamodb.fault("", call, Some(3), fault.clone());
            let (status, told) = at.ask(&television).await;
            at.stack.dynamodb.clear_faults();
            assert!(matches!(status, 200 | 503), "{fault:?} {call}: {told}");
            let (status, told) =
                if status == 503 { at.ask_in_time(&television).await } else { (status, told) };
            // The token comes once: where it could not be noted, the television begins anew.
            let lost = call == 2 && (status, told.clone()) == error("expired_token");
            assert!(lost || told["account"]["id"] == "lin", "{fault:?} {call}: {told}");
            assert_eq!(at.sessions().len(), usize::from(!lost), "{fault:?} {call}");
        }
    }
}

/// What a ticket of the web would be, to show that it is none of a television's.
#[tokio::test]
async fn a_ticket_is_no_handle_of_a_television() {
    let at = setting().await;
    let user_id = at.amazon_id("ann");
    let ann = Profile { user_id, email: None, name: None, postal_code: None };
    let key = at.device.entrance.wait(Purpose::Register, &ann, &ReturnTo::home(), None).await;
    let key = key.unwrap().expose();
    let (_, secret) = key.split_once('.').unwrap();
    for text in [key.as_str(), secret] {
        assert_eq!(at.ask_with(text).await, error("expired_token"));
    }
}
