use super::*;

const EVERYBODY: [&str; 6] = ["nora", "ann", "lin", "noa", "max", "ida"];

/// The page that a visitor sees who arrives from the shop.
async fn arrive(visitor: &mut Visitor, amazon: &Amazon, query: &str) -> Reply {
    visitor.get(&format!("{}?{query}", amazon.authorize_url())).await
}

async fn decide(visitor: &mut Visitor, amazon: &Amazon, fields: &[(&str, &str)]) -> Reply {
    visitor.post(&format!("{}/ap/consent", amazon.url), fields).await
}

#[tokio::test]
async fn a_newcomer_signs_in_agrees_and_goes_back() {
    let amazon = amazon().await;
    let mut visitor = Visitor::new();
    let query = query(&[("state", Some("<&\"'+ %"))]);

    let page = arrive(&mut visitor, &amazon, &query).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("This is a stand-in for Amazon, for development"));
    let places = EVERYBODY.map(|name| page.text.find(&format!("id=\"persona-{name}\"")).unwrap());
    assert!(places.is_sorted());

    let url = format!("{}/ap/signin", amazon.url);
    let reply = visitor.post(&url, &[("query", &query), ("persona", "nora")]).await;
    assert_eq!((reply.status, reply.header("location")), (303, &*format!("/ap/oa?{query}")));
    assert!(reply.header("set-cookie").ends_with("; Path=/; HttpOnly; SameSite=Lax"));

    let page = arrive(&mut visitor, &amazon, &query).await;
    for part in
        ["The shop", "Nora New · nora@example.com", "privacy", "id=\"allow\"", "id=\"cancel\""]
    {
        assert!(page.text.contains(part), "{part}");
    }

    let reply = decide(&mut visitor, &amazon, &[("query", &query), ("answer", "allow")]).await;
    assert_eq!(reply.status, 302);
    assert!(reply.sent("code").is_some());
    assert_eq!(reply.sent("state").as_deref(), Some("<&\"'+ %"));
}

#[tokio::test]
async fn whoever_comes_back_is_neither_asked_for_a_password_nor_for_consent() {
    let amazon = amazon().await;
    let mut visitor = Visitor::new();
    visitor.sign_in(&amazon, "nora").await;
    let first = query(&[]);
    assert_eq!(arrive(&mut visitor, &amazon, &first).await.status, 200);
    decide(&mut visitor, &amazon, &[("query", &first), ("answer", "allow")]).await;

    let again = arrive(&mut visitor, &amazon, &first).await;
    assert_eq!(again.status, 302);
    assert!(again.sent("code").is_some());
    // Another app of the same product is covered, a wider scope and another company are not.
    let app = [("client_id", Some(APP_CLIENT_ID)), ("redirect_uri", Some(APP_RETURN_URL))];
    assert_eq!(arrive(&mut visitor, &amazon, &query(&app)).await.status, 302);
    let wider = query(&[("scope", Some("profile postal_code"))]);
    assert_eq!(arrive(&mut visitor, &amazon, &wider).await.status, 200);
    let other =
        [("client_id", Some(FOREIGN_CLIENT_ID)), ("redirect_uri", Some(FOREIGN_RETURN_URL))];
    assert_eq!(arrive(&mut visitor, &amazon, &query(&other)).await.status, 200);
}

#[tokio::test]
async fn the_id_alone_needs_no_consent() {
    let amazon = amazon().await;
    let mut visitor = Visitor::new();
    visitor.sign_in(&amazon, "nora").await;
    let reply = arrive(&mut visitor, &amazon, &query(&[("scope", Some("profile:user_id"))])).await;
    assert_eq!(reply.status, 302);
    assert_eq!(reply.sent("scope").as_deref(), Some("profile:user_id"));
}

#[tokio::test]
async fn a_password_lets_in_and_a_wrong_one_stays_on_the_page() {
    let amazon = amazon().await;
    let mut visitor = Visitor::new();
    let (url, query) = (format!("{}/ap/signin", amazon.url), query(&[]));
    for (email, password) in [
        ("nora@example.com", "wrong"),
        ("nora@example.com", ""),
        ("", ""),
        ("nobody", "amazon-nora"),
        ("", "amazon-noa"),
    ] {
        let fields = [("query", &*query), ("email", email), ("password", password)];
        let reply = visitor.post(&url, &fields).await;
        assert_eq!((reply.status, reply.header("set-cookie")), (200, ""), "{email}");
        assert!(reply.text.contains("id=\"wrong\"") && reply.text.contains("code_challenge"));
    }
    for (email, password) in [("Nora@example.com", "amazon-nora"), ("noa", "amazon-noa")] {
        let fields = [("query", &*query), ("email", email), ("password", password)];
        let reply = visitor.post(&url, &fields).await;
        assert_eq!((reply.status, reply.header("location")), (303, &*format!("/ap/oa?{query}")));
    }
}

#[tokio::test]
async fn cancel_sends_back_with_access_denied_and_asks_again_next_time() {
    let amazon = amazon().await;
    let mut visitor = Visitor::new();
    visitor.sign_in(&amazon, "max").await;
    let query = query(&[]);
    let reply = decide(&mut visitor, &amazon, &[("query", &query), ("answer", "cancel")]).await;
    let text = "error_description=Access+not+permitted.&state=here+and+back&error=access_denied";
    assert_eq!(reply.header("location"), format!("{RETURN_URL}?{text}"));
    assert_eq!(arrive(&mut visitor, &amazon, &query).await.status, 200);
}

#[tokio::test]
async fn a_voluntary_scope_may_be_unticked_and_an_essential_one_may_not() {
    let amazon = amazon().await;
    let mut visitor = Visitor::new();
    visitor.sign_in(&amazon, "nora").await;
    let query = query(&[("scope", Some("profile postal_code"))]);
    let page = arrive(&mut visitor, &amazon, &query).await;
    assert!(page.text.contains("id=\"scope-profile\" checked disabled"));
    assert!(page.text.contains("id=\"scope-postal_code\" checked>"));

    let reply = decide(&mut visitor, &amazon, &[("query", &query), ("answer", "allow")]).await;
    assert_eq!(reply.sent("scope").as_deref(), Some("profile"));
    let ticked = [("query", &*query), ("answer", "allow"), ("scope", "postal_code")];
    let reply = decide(&mut visitor, &amazon, &ticked).await;
    assert_eq!(reply.sent("scope").as_deref(), Some("profile postal_code"));
}

#[tokio::test]
async fn scope_data_overrides_what_the_console_says_is_essential() {
    let amazon = amazon().await;
    let mut visitor = Visitor::new();
    visitor.sign_in(&amazon, "nora").await;
    let data = r#"{"profile":{"essential":false},"postal_code":{"essential":true},"other":1}"#;
    let query = query(&[("scope", Some("profile postal_code")), ("scope_data", Some(data))]);
    let reply = decide(&mut visitor, &amazon, &[("query", &query), ("answer", "allow")]).await;
    assert_eq!(reply.sent("scope").as_deref(), Some("postal_code"));
}

#[tokio::test]
async fn whoever_unticks_everything_has_said_no() {
    let amazon = amazon().await;
    let mut visitor = Visitor::new();
    visitor.sign_in(&amazon, "nora").await;
    let query = query(&[("scope_data", Some(r#"{"profile":{"essential":false}}"#))]);
    let nothing = [("query", &*query), ("answer", "allow")];
    let reply = decide(&mut visitor, &amazon, &nothing).await;
    assert_eq!(reply.sent("error").as_deref(), Some("access_denied"));

    amazon.world().habits.empty_grant = true;
    let reply = decide(&mut visitor, &amazon, &nothing).await;
    assert!(reply.sent("code").is_some());
    assert_eq!(reply.sent("scope").as_deref(), Some(""));
}

#[tokio::test]
async fn nobody_agrees_without_having_signed_in() {
    let amazon = amazon().await;
    let query = query(&[]);
    let reply =
        decide(&mut Visitor::new(), &amazon, &[("query", &query), ("answer", "allow")]).await;
    assert_eq!((reply.status, reply.header("location")), (303, &*format!("/ap/oa?{query}")));
}

#[tokio::test]
async fn a_consent_form_that_was_tampered_with_sends_nobody_elsewhere() {
    let amazon = amazon().await;
    let mut visitor = Visitor::new();
    visitor.sign_in(&amazon, "nora").await;
    let query = query(&[("redirect_uri", Some("https://evil.example/"))]);
    let reply = decide(&mut visitor, &amazon, &[("query", &query), ("answer", "allow")]).await;
    assert_eq!((reply.status, reply.header("location")), (400, ""));
}

#[tokio::test]
async fn somebody_else_can_sign_in_and_out_in_the_same_browser() {
    let amazon = amazon().await;
    let mut visitor = Visitor::new();
    visitor.sign_in(&amazon, "nora").await;
    let home = format!("{}/", amazon.url);
    assert!(visitor.get(&home).await.text.contains("Hello, Nora New"));
    assert!(
        visitor.get(&format!("{home}ap/signin?{}", query(&[]))).await.text.contains("persona-ann")
    );
    visitor.sign_in(&amazon, "ann").await;
    assert!(visitor.get(&home).await.text.contains("Hello, Ann Local"));
    visitor.post(&format!("{home}ap/signout"), &[]).await;
    assert!(!visitor.get(&home).await.text.contains("Ann"));
}

#[tokio::test]
async fn a_customer_takes_a_grant_back_and_everything_handed_out_dies() {
    let amazon = amazon().await;
    let mut visitor = Visitor::new();
    visitor.sign_in(&amazon, "nora").await;
    let query = query(&[]);
    decide(&mut visitor, &amazon, &[("query", &query), ("answer", "allow")]).await;
    let token = amazon.token("nora", SHOP_CLIENT_ID, "profile");
    let code = amazon.consent("nora", SHOP_CLIENT_ID, RETURN_URL, "profile", None);
    let others = amazon.token("ann", SHOP_CLIENT_ID, "profile");
    let elsewhere = amazon.token("nora", FOREIGN_CLIENT_ID, "profile");

    let page = visitor.get(&format!("{}/ap/adam", amazon.url)).await;
    assert!(page.text.contains("The shop</b> knows: profile"));
    let app_id = amazon.world().companies[0].profiles[0].app_id.clone();
    visitor.post(&format!("{}/ap/adam", amazon.url), &[("app_id", &app_id)]).await;

    assert!(amazon.world().access(&token).is_none());
    assert!(!amazon.world().ledger.codes.contains_key(&code));
    assert!(amazon.world().access(&others).is_some());
    assert!(amazon.world().access(&elsewhere).is_some());
    assert_eq!(arrive(&mut visitor, &amazon, &query).await.status, 200);
}

#[tokio::test]
async fn there_is_no_revocation_discovery_or_key_endpoint() {
    let amazon = amazon().await;
    for path in [
        "/auth/o2/revoke",
        "/auth/o2/introspect",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/.well-known/jwks.json",
    ] {
        assert_eq!(
            Visitor::new().get(&format!("{}{path}", amazon.url)).await.status,
            404,
            "{path}"
        );
    }
}
