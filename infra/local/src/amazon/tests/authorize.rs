use super::*;

/// Where nora is sent who arrives with this query, signed in, and allows everything.
async fn answer(amazon: &Amazon, query: &str) -> Reply {
    let mut visitor = Visitor::new();
    visitor.sign_in(amazon, "nora").await;
    let reply = visitor.get(&format!("{}?{query}", amazon.authorize_url())).await;
    if reply.status != 200 {
        return reply;
    }
    let fields = [("query", query), ("answer", "allow"), ("scope", "profile")];
    visitor.post(&format!("{}/ap/consent", amazon.url), &fields).await
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered_byte_for_byte() {
    let amazon = amazon().await;
    for odd in [
        None,
        Some(""),
        Some("https://evil.example/"),
        Some("http://localhost:8080/auth/amazon/callback/"),
        Some("http://localhost:8080/auth/amazon/callback?x=1"),
        Some("https://localhost:8080/auth/amazon/callback"),
        Some("http://localhost:8080/auth/amazon/Callback"),
        Some(FOREIGN_RETURN_URL),
    ] {
        let reply = answer(&amazon, &query(&[("redirect_uri", odd)])).await;
        assert_eq!((reply.status, reply.header("location")), (400, ""), "{odd:?}");
        assert_eq!(reply.header("content-type"), "text/html;charset=UTF-8");
        assert!(reply.text.contains("We're sorry!") && reply.text.contains("Error Summary"));
        assert!(reply.text.contains("Allowed Return URLs"));
    }
    let twice = query(&[]) + "&redirect_uri=https%3A%2F%2Fevil.example%2F";
    assert_eq!(answer(&amazon, &twice).await.status, 400);
}

#[tokio::test]
async fn an_unknown_client_gets_a_page_and_nobody_is_sent_anywhere() {
    let amazon = amazon().await;
    for odd in [None, Some("amzn1.application-oa2-client.unknown")] {
        let reply = answer(&amazon, &query(&[("client_id", odd)])).await;
        assert_eq!((reply.status, reply.header("location")), (400, ""), "{odd:?}");
    }
}

#[tokio::test]
async fn what_the_error_page_repeats_is_text_and_not_markup() {
    let amazon = amazon().await;
    let odd = "https://evil.example/<script>alert(1)</script>";
    let reply = answer(&amazon, &query(&[("redirect_uri", Some(odd))])).await;
    assert!(reply.text.contains("evil.example") && !reply.text.contains("<script"));
}

#[test]
fn the_console_takes_https_and_localhost_only() {
    let mut website = Client::new("a", Kind::Web, None);
    for good in [
        "https://shop.example/callback",
        "https://shop.example/callback?close",
        "http://localhost/callback",
        "http://localhost:8080/callback",
    ] {
        assert_eq!(website.allow_return_url(good), Ok(()), "{good}");
        assert!(website.returns_to(good));
    }
    for odd in [
        "",
        "https://",
        "http://shop.example/callback",
        "http://127.0.0.1/callback",
        "http://localhost.evil.example/",
        "http://localhost:80@evil.example/",
        "https://shop.example/#x",
        "amzn://com.example.shop",
        "javascript:alert(1)",
    ] {
        assert_eq!(website.allow_return_url(odd), Err(NotAllowed), "{odd}");
        assert!(!website.returns_to(odd));
    }
    let app = &mut Client::new("b", Kind::Android, None);
    assert_eq!(app.allow_return_url(APP_RETURN_URL), Ok(()));
    assert_eq!(app.allow_return_url("https://shop.example/"), Err(NotAllowed));
}

#[tokio::test]
async fn other_mistakes_go_back_to_the_site_with_the_state() {
    let amazon = amazon().await;
    let short = "c".repeat(42);
    for (name, value, error) in [
        ("response_type", None, "invalid_request"),
        ("response_type", Some("token"), "unsupported_response_type"),
        ("response_type", Some("id_token"), "unsupported_response_type"),
        ("scope", None, "invalid_scope"),
        ("scope", Some("openid"), "invalid_scope"),
        ("scope", Some("profile  postal_code"), "invalid_scope"),
        ("scope", Some("Profile"), "invalid_scope"),
        ("scope", Some("profile,postal_code"), "invalid_scope"),
        ("code_challenge", None, "invalid_request"),
        ("code_challenge", Some(&*short), "invalid_request"),
        ("code_challenge_method", Some("s256"), "invalid_request"),
        ("scope_data", Some("{"), "invalid_request"),
        ("scope_data", Some("[]"), "invalid_request"),
    ] {
        let reply = answer(&amazon, &query(&[(name, value)])).await;
        assert_eq!(reply.status, 302, "{name} {value:?}");
        assert_eq!(reply.sent("error").as_deref(), Some(error), "{name} {value:?}");
        assert_eq!(reply.sent("state").as_deref(), Some("here and back"));
        assert_eq!(reply.sent("code"), None);
    }
    let reply = answer(&amazon, &query(&[("scope", Some("openid"))])).await;
    let text =
        "error_description=An+unknown+scope+was+requested&state=here+and+back&error=invalid_scope";
    assert_eq!(reply.header("location"), format!("{RETURN_URL}?{text}"));
}

#[tokio::test]
async fn a_parameter_that_comes_twice_is_an_invalid_request() {
    let amazon = amazon().await;
    for name in ["state", "scope", "response_type", "code_challenge", "code_challenge_method"] {
        let reply = answer(&amazon, &format!("{}&{name}=again", query(&[]))).await;
        assert_eq!(reply.sent("error").as_deref(), Some("invalid_request"), "{name}");
    }
}

#[tokio::test]
async fn a_scope_that_the_client_may_not_ask_for_is_an_unknown_one() {
    let amazon = amazon().await;
    amazon.world().client_mut(SHOP_CLIENT_ID).unwrap().scopes = vec![Scope::UserId];
    let reply = answer(&amazon, &query(&[])).await;
    assert_eq!(reply.sent("error").as_deref(), Some("invalid_scope"));
}

#[tokio::test]
async fn the_site_gets_a_code_the_scopes_and_its_state_back_to_the_byte() {
    let amazon = amazon().await;
    let long = "aB+/=%20 %&?#é漢\u{1f600}https://x/?y=z\\\"'<>;".repeat(20);
    for state in [None, Some("s"), Some("a b+c/d=e%2Ff"), Some(&*long)] {
        let reply = answer(&amazon, &query(&[("state", state)])).await;
        assert_eq!(reply.status, 302);
        assert!(reply.header("location").starts_with(&format!("{RETURN_URL}?code=AN")));
        let code = reply.sent("code").unwrap();
        assert!(code.len() == 20 && code.bytes().all(|b| b.is_ascii_alphanumeric()), "{code}");
        assert_eq!(reply.sent("scope").as_deref(), Some("profile"));
        assert_eq!(reply.sent("state").as_deref(), state);
    }
}

#[tokio::test]
async fn a_return_url_keeps_its_own_query() {
    let amazon = amazon().await;
    let url = "https://shop.example/callback?close";
    amazon.world().client_mut(SHOP_CLIENT_ID).unwrap().allow_return_url(url).unwrap();
    let reply = answer(&amazon, &query(&[("redirect_uri", Some(url))])).await;
    assert!(reply.header("location").starts_with(&format!("{url}&code=AN")));
}

#[tokio::test]
async fn parameters_that_amazon_does_not_know_change_nothing() {
    let amazon = amazon().await;
    let more = [("language", Some("de")), ("prompt", Some("login")), ("nonce", Some("n"))];
    assert!(answer(&amazon, &query(&more)).await.sent("code").is_some());
}

#[tokio::test]
async fn a_form_that_is_posted_to_the_authorize_page_gets_nowhere() {
    let amazon = amazon().await;
    let reply =
        Visitor::new().post(&amazon.authorize_url(), &[("client_id", SHOP_CLIENT_ID)]).await;
    assert_eq!(reply.status, 404);
}

#[tokio::test]
async fn amazon_can_be_told_to_send_everybody_back_with_an_error() {
    let amazon = amazon().await;
    amazon.world().habits.sign_in_error = Some("temporarily_unavailable".to_owned());
    let reply = answer(&amazon, &query(&[])).await;
    assert_eq!(reply.sent("error").as_deref(), Some("temporarily_unavailable"));
}

#[tokio::test]
async fn a_test_can_answer_for_the_customer_without_any_page() {
    let amazon = amazon().await;
    let url = format!("{}?{}", amazon.authorize_url(), query(&[]));
    assert!(amazon.allow(&url, "nora").unwrap().starts_with(&format!("{RETURN_URL}?code=AN")));
    assert!(amazon.cancel(&url).unwrap().ends_with("&error=access_denied"));
    let odd = format!("{}?{}", amazon.authorize_url(), query(&[("client_id", None)]));
    assert_eq!(amazon.allow(&odd, "nora").unwrap_err(), "Unknown client_id.");
}
