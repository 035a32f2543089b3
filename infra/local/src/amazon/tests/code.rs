use super::*;

/// What a television's server sends for codes; other values, or none, where a test says so.
async fn ask_for_codes(amazon: &Amazon, others: &[(&'static str, Option<&str>)]) -> Reply {
    let mut fields = vec![
        ("response_type", "device_code"),
        ("client_id", DEVICE_CLIENT_ID),
        ("scope", "profile"),
    ];
    for (name, value) in others {
        fields.retain(|(key, _)| key != name);
        fields.extend(value.map(|value| (*name, value)));
    }
    let url = format!("{}/auth/o2/create/codepair", amazon.url);
    Reply::to(http().post(url).form(&fields)).await
}

/// A pair: the code for people, and the one for servers.
async fn pair(amazon: &Amazon) -> (String, String) {
    let told = ask_for_codes(amazon, &[]).await.json();
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    (text("user_code"), text("device_code"))
}

async fn poll(amazon: &Amazon, (user, device): (&str, &str)) -> Reply {
    let fields = [("grant_type", "device_code"), ("device_code", device), ("user_code", user)];
    Reply::to(http().post(format!("{}/auth/o2/token", amazon.url)).form(&fields)).await
}

/// The error of a poll, which has status 400.
async fn refused(amazon: &Amazon, codes: (&str, &str)) -> String {
    let (status, error, _) = poll(amazon, codes).await.refusal();
    assert_eq!(status, 400, "{error}");
    error
}

async fn enter(visitor: &mut Visitor, amazon: &Amazon, code: &str) -> Reply {
    visitor.post(&format!("{}/code", amazon.url), &[("code", code)]).await
}

async fn agree(visitor: &mut Visitor, amazon: &Amazon, code: &str, answer: &str) -> Reply {
    let fields = [("code", code), ("answer", answer)];
    visitor.post(&format!("{}/code/consent", amazon.url), &fields).await
}

#[tokio::test]
async fn a_television_gets_two_codes_and_where_to_type_one_of_them() {
    let amazon = amazon().await;
    let reply = ask_for_codes(&amazon, &[]).await;
    assert_eq!(reply.status, 200);
    let told = reply.json();
    let mut names: Vec<_> = told.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["device_code", "expires_in", "interval", "user_code", "verification_uri"]);
    assert_eq!((&told["expires_in"], &told["interval"]), (&600.into(), &30.into()));
    assert_eq!(told["verification_uri"], format!("{}/code", amazon.url));
    let user = told["user_code"].as_str().unwrap();
    assert!(user.len() == 6 && user.bytes().all(|b| b.is_ascii_uppercase()), "{user}");
    assert_eq!(told["device_code"].as_str().unwrap().len(), 36);
    assert_ne!(pair(&amazon).await, pair(&amazon).await);
    assert_eq!(amazon.calls_of(Endpoint::CodePair).len(), 3);
}

#[tokio::test]
async fn codes_are_for_televisions_that_ask_properly() {
    let amazon = amazon().await;
    for (others, error) in [
        (("response_type", None), "invalid_request"),
        (("response_type", Some("code")), "invalid_request"),
        (("client_id", None), "invalid_request"),
        (("client_id", Some("nobody")), "InvalidValue"),
        (("client_id", Some(SHOP_CLIENT_ID)), "unauthorized_client"),
        (("client_id", Some(APP_CLIENT_ID)), "unauthorized_client"),
        (("scope", None), "invalid_request"),
        (("scope", Some("profile email")), "invalid_scope"),
    ] {
        let (status, said, _) = ask_for_codes(&amazon, &[others]).await.refusal();
        assert_eq!((status, said.as_str()), (400, error), "{others:?}");
    }
    let description = ask_for_codes(&amazon, &[("client_id", Some("nobody"))]).await.refusal().2;
    assert_eq!(description, "The request has an invalid parameter : client_id");
    let url = format!("{}/auth/o2/create/codepair", amazon.url);
    assert_eq!(Reply::to(http().get(url)).await.status, 405);
}

#[tokio::test]
async fn whoever_types_the_code_and_agrees_lets_the_television_in_once() {
    let amazon = amazon().await;
    let (user, device) = pair(&amazon).await;
    let codes = (user.as_str(), device.as_str());
    assert_eq!(refused(&amazon, codes).await, "authorization_pending");

    let mut visitor = Visitor::new();
    let page = visitor.get(&format!("{}/code", amazon.url)).await;
    assert!(page.status == 200 && page.text.contains("persona-nora"), "who is it?");
    let fields = [("query", "at=code"), ("persona", "nora")];
    let reply = visitor.post(&format!("{}/ap/signin", amazon.url), &fields).await;
    assert_eq!((reply.status, reply.header("location")), (303, "/code"));
    assert!(visitor.get(&format!("{}/code", amazon.url)).await.text.contains("id=\"code\""));

    let typed = format!("  {} ", user.to_lowercase());
    let page = enter(&mut visitor, &amazon, &typed).await;
    assert!(page.text.contains("The shop") && page.text.contains("nora@example.com"));
    assert!(page.text.contains("action=\"/code/consent\""));
    let page = agree(&mut visitor, &amazon, &typed, "allow").await;
    assert!(page.text.contains("id=\"success\""), "{}", page.text);

    pass(&amazon, 5);
    let tokens = poll(&amazon, codes).await;
    assert_eq!(tokens.status, 200);
    let tokens = tokens.json();
    assert!(tokens["refresh_token"].as_str().unwrap().starts_with("Atzr|"));
    let access = tokens["access_token"].as_str().unwrap();
    let url = format!("{}/auth/o2/tokeninfo", amazon.url);
    let info = Reply::to(http().get(url).header("x-amz-access-token", access)).await.json();
    assert_eq!(info["aud"], DEVICE_CLIENT_ID);
    assert_eq!(info["user_id"], amazon.user_id("nora", SHOP_CLIENT_ID), "one company, one id");

    pass(&amazon, 5);
    assert_eq!(refused(&amazon, codes).await, "invalid_code_pair");
    assert!(enter(&mut visitor, &amazon, &user).await.text.contains("id=\"wrong\""));

    let again = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ("client_id", DEVICE_CLIENT_ID),
    ];
    let request = http().post(format!("{}/auth/o2/token", amazon.url)).form(&again);
    assert_eq!(Reply::to(request).await.status, 200, "refreshed without a secret");

    // Whoever has agreed before is not asked again.
    let (user, _) = pair(&amazon).await;
    assert!(enter(&mut visitor, &amazon, &user).await.text.contains("id=\"success\""));
}

#[tokio::test]
async fn whoever_cancels_lets_nobody_in() {
    let amazon = amazon().await;
    let (user, device) = pair(&amazon).await;
    let mut visitor = Visitor::new();
    visitor.sign_in(&amazon, "max").await;
    enter(&mut visitor, &amazon, &user).await;
    let page = agree(&mut visitor, &amazon, &user, "cancel").await;
    assert!(page.text.contains("id=\"failure\""), "{}", page.text);
    assert_eq!(refused(&amazon, (&user, &device)).await, "invalid_code_pair");
    assert!(!amazon.allow_code(&user, "max"), "it is decided");

    let (user, device) = pair(&amazon).await;
    assert!(amazon.cancel_code(&user));
    assert_eq!(refused(&amazon, (&user, &device)).await, "invalid_code_pair");
}

#[tokio::test]
async fn codes_that_do_not_belong_together_are_none() {
    let amazon = amazon().await;
    let (first, second) = (pair(&amazon).await, pair(&amazon).await);
    assert!(amazon.allow_code(&first.0, "nora"));
    for codes in [
        (second.0.as_str(), first.1.as_str()),
        (&first.0, &second.1),
        (&first.0.to_lowercase(), &first.1),
        (&first.0, "2f0d8a4e-5b0e-4a53-9a54-0c9a7e1f2b33"),
    ] {
        assert_eq!(refused(&amazon, codes).await, "invalid_code_pair", "{codes:?}");
    }
    assert_eq!(refused(&amazon, ("", &first.1)).await, "invalid_request");
    assert_eq!(refused(&amazon, (&first.0, "")).await, "invalid_request");
    assert_eq!(poll(&amazon, (&first.0, &first.1)).await.status, 200);
    let mut visitor = Visitor::new();
    visitor.sign_in(&amazon, "nora").await;
    let page = enter(&mut visitor, &amazon, "NOCODE").await;
    assert_eq!(page.status, 400);
    assert!(page.text.contains("id=\"wrong\""));
}

#[tokio::test]
async fn whoever_asks_too_fast_is_told_to_slow_down() {
    let amazon = amazon().await;
    let (user, device) = pair(&amazon).await;
    let codes = (user.as_str(), device.as_str());
    assert_eq!(refused(&amazon, codes).await, "authorization_pending");
    pass(&amazon, 4);
    assert_eq!(refused(&amazon, codes).await, "slow_down");
    pass(&amazon, 4);
    assert_eq!(refused(&amazon, codes).await, "slow_down", "each question counts");
    pass(&amazon, 5);
    assert_eq!(refused(&amazon, codes).await, "authorization_pending");
    amazon.world().habits.least_interval = 30;
    pass(&amazon, 29);
    assert_eq!(refused(&amazon, codes).await, "slow_down");
    pass(&amazon, 30);
    assert_eq!(refused(&amazon, codes).await, "authorization_pending");
}

#[tokio::test]
async fn codes_live_ten_minutes() {
    let amazon = amazon().await;
    let (user, device) = pair(&amazon).await;
    pass(&amazon, 599);
    assert_eq!(refused(&amazon, (&user, &device)).await, "authorization_pending");
    pass(&amazon, 1);
    assert_eq!(refused(&amazon, (&user, &device)).await, "invalid_code_pair");
    assert!(!amazon.allow_code(&user, "nora"));
    amazon.world().habits.codes_live = 60;
    assert_eq!(ask_for_codes(&amazon, &[]).await.json()["expires_in"], 60);
}

#[tokio::test]
async fn what_a_customer_takes_back_or_closes_lets_no_television_in() {
    let amazon = amazon().await;
    let (first, second) = (pair(&amazon).await, pair(&amazon).await);
    assert!(amazon.allow_code(&first.0, "nora") && amazon.allow_code(&second.0, "ann"));
    let app_id = amazon.world().companies[0].profiles[0].app_id.clone();
    amazon.world().revoke("nora", &app_id);
    amazon.world().remove_customer("ann");
    assert_eq!(refused(&amazon, (&first.0, &first.1)).await, "invalid_code_pair");
    assert_eq!(refused(&amazon, (&second.0, &second.1)).await, "invalid_code_pair");
}

#[tokio::test]
async fn the_way_of_televisions_goes_wrong_when_a_test_says_so() {
    let amazon = amazon().await;
    amazon.fault(Endpoint::CodePair, Fault::Status(503), Some(1));
    assert_eq!(ask_for_codes(&amazon, &[]).await.status, 503);
    amazon.fault(
        Endpoint::CodePair,
        Fault::set("verification_uri", "http://evil.example"),
        Some(1),
    );
    let told = ask_for_codes(&amazon, &[]).await.json();
    assert_eq!(told["verification_uri"], "http://evil.example");
    let (user, device) = pair(&amazon).await;
    amazon.fault(Endpoint::Token, Fault::Error(400, "access_denied".into()), Some(1));
    assert_eq!(refused(&amazon, (&user, &device)).await, "access_denied");
    assert_eq!(amazon.device_code(&user).as_deref(), Some(device.as_str()));
    let told = serde_json::to_string(&amazon.calls()).unwrap();
    assert!(!told.contains(&device), "the journal tells no secret");
}
