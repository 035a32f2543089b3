use super::*;

const WRONG_CODE: &str = "The request has an invalid grant parameter : code";
const WRONG_REFRESH_TOKEN: &str = "The request has an invalid grant parameter : refresh_token. User may have revoked or didn't grant the permission.";

/// A code for the shop's website.
fn code(amazon: &Amazon) -> String {
    let challenge = Some((CHALLENGE, "S256"));
    amazon.consent("nora", SHOP_CLIENT_ID, RETURN_URL, "profile", challenge)
}

/// What the shop's server sends to redeem a code; other values, or none, where a test says so.
fn fields(code: &str, others: &[(&'static str, Option<&str>)]) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", RETURN_URL),
        ("client_id", SHOP_CLIENT_ID),
        ("client_secret", SHOP_CLIENT_SECRET),
        ("code_verifier", VERIFIER),
    ];
    for (name, value) in others {
        fields.retain(|(key, _)| key != name);
        fields.extend(value.map(|value| (*name, value)));
    }
    fields.into_iter().map(|(name, value)| (name, value.to_owned())).collect()
}

fn url(amazon: &Amazon) -> String {
    format!("{}/auth/o2/token", amazon.url)
}

async fn redeem(amazon: &Amazon, code: &str, others: &[(&'static str, Option<&str>)]) -> Reply {
    Reply::to(http().post(url(amazon)).form(&fields(code, others))).await
}

fn refused(status: u16, error: &str, description: &str) -> (u16, String, String) {
    (status, error.to_owned(), description.to_owned())
}

#[tokio::test]
async fn a_code_becomes_tokens_and_nothing_else() {
    let amazon = amazon().await;
    let reply = redeem(&amazon, &code(&amazon), &[]).await;
    assert_eq!(reply.status, 200);
    let body = reply.json();
    let mut names: Vec<_> = body.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["access_token", "expires_in", "refresh_token", "token_type"]);
    assert_eq!((&body["token_type"], &body["expires_in"]), (&"bearer".into(), &3600.into()));
    let long = |name: &str, prefix: &str, length: usize| {
        let text = body[name].as_str().unwrap().strip_prefix(prefix).unwrap().to_owned();
        text.len() == length
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    assert!(long("access_token", "Atza|", 455) && long("refresh_token", "Atzr|", 434));
    for (name, value) in [
        ("content-type", "application/json;charset=UTF-8"),
        ("cache-control", "no-cache, no-store, must-revalidate"),
        ("pragma", "no-cache"),
    ] {
        assert_eq!(reply.header(name), value);
    }
    assert_eq!(reply.header("x-amzn-requestid").len(), 36);
    assert_eq!(reply.header("x-amzn-errortype"), "");
}

#[tokio::test]
async fn json_basic_authentication_and_another_spelling_of_the_path_do_as_well() {
    let amazon = amazon().await;
    let url = format!("{}/auth/O2/token", amazon.url);
    let members = fields(&code(&amazon), &[]).into_iter().collect::<Value>();
    assert_eq!(Reply::to(json(http().post(&url), &members)).await.status, 200);

    let bare = fields(&code(&amazon), &[("client_id", None), ("client_secret", None)]);
    let request =
        http().post(&url).basic_auth(SHOP_CLIENT_ID, Some(SHOP_CLIENT_SECRET)).form(&bare);
    assert_eq!(Reply::to(request).await.status, 200);

    let both = fields(&code(&amazon), &[]);
    let request =
        http().post(&url).basic_auth(SHOP_CLIENT_ID, Some(SHOP_CLIENT_SECRET)).form(&both);
    assert_eq!(
        Reply::to(request).await.refusal(),
        refused(400, "invalid_request", "Malformed request")
    );
}

#[tokio::test]
async fn a_body_that_is_not_what_it_says_has_no_grant_type() {
    let amazon = amazon().await;
    let description = "The authorization grant type is not supported by the authorization server";
    let form = "application/x-www-form-urlencoded";
    let as_form = encoded(&[("grant_type", "authorization_code"), ("client_id", SHOP_CLIENT_ID)]);
    for (kind, body) in [
        (form, r#"{"grant_type":"authorization_code"}"#),
        (form, ""),
        (form, "grant_type=password"),
        (form, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"),
        ("application/json", &as_form),
        ("text/plain", &as_form),
    ] {
        let request = http().post(url(&amazon)).header("content-type", kind).body(body.to_owned());
        let reply = Reply::to(request).await;
        assert_eq!(
            reply.refusal(),
            refused(400, "unsupported_grant_type", description),
            "{kind} {body}"
        );
    }
    assert_eq!(Reply::to(http().get(url(&amazon))).await.status, 405);
    // Parameters in the query are none.
    let in_query = format!("{}?{as_form}", url(&amazon));
    assert_eq!(Reply::to(http().post(in_query)).await.refusal().1, "unsupported_grant_type");
}

#[tokio::test]
async fn a_client_that_is_not_who_it_says_is_the_one_401() {
    let amazon = amazon().await;
    let code = code(&amazon);
    for others in [
        [("client_id", Some("amzn1.application-oa2-client.unknown"))],
        [("client_secret", Some("wrong"))],
        [("client_secret", Some(FOREIGN_CLIENT_SECRET))],
    ] {
        let reply = redeem(&amazon, &code, &others).await;
        let description = "Client authentication failed";
        assert_eq!(reply.refusal(), refused(401, "invalid_client", description), "{others:?}");
        let kind = "OA2InvalidClientException:http://internal.amazon.com/coral/com.amazon.panda/";
        assert_eq!(reply.header("x-amzn-errortype"), kind);
    }
    assert_eq!(
        redeem(&amazon, &code, &[]).await.status,
        200,
        "nobody was authenticated, so the code is good"
    );
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let amazon = amazon().await;
    for name in ["code", "redirect_uri", "client_id"] {
        // A parameter without a value counts as left out.
        for value in [None, Some("")] {
            let reply = redeem(&amazon, &code(&amazon), &[(name, value)]).await;
            let description = format!("The request is missing a required parameter : {name}");
            assert_eq!(reply.refusal(), refused(400, "invalid_request", &description));
        }
    }
}

#[tokio::test]
async fn a_parameter_that_comes_twice_is_malformed() {
    let amazon = amazon().await;
    for name in
        ["grant_type", "code", "redirect_uri", "client_id", "client_secret", "code_verifier"]
    {
        let mut fields = fields(&code(&amazon), &[]);
        fields.push((name, "again".to_owned()));
        let reply = Reply::to(http().post(url(&amazon)).form(&fields)).await;
        assert_eq!(reply.refusal(), refused(400, "invalid_request", "Malformed request"), "{name}");
    }
}

#[tokio::test]
async fn a_code_is_good_once_for_five_minutes() {
    let amazon = amazon().await;
    let wrong = refused(400, "invalid_grant", WRONG_CODE);
    let (young, old) = (code(&amazon), code(&amazon));
    pass(&amazon, 299);
    assert_eq!(redeem(&amazon, &young, &[]).await.status, 200);
    assert_eq!(redeem(&amazon, &young, &[]).await.refusal(), wrong);
    pass(&amazon, 1);
    assert_eq!(redeem(&amazon, &old, &[]).await.refusal(), wrong);
    assert_eq!(redeem(&amazon, "ANneverheardof123456", &[]).await.refusal(), wrong);
}

#[tokio::test]
async fn a_code_is_spent_when_an_authenticated_client_first_presents_it() {
    let amazon = amazon().await;
    let wrong = refused(400, "invalid_grant", WRONG_CODE);
    let other = [("redirect_uri", Some("http://localhost:8080/other"))];
    let foreigner =
        [("client_id", Some(FOREIGN_CLIENT_ID)), ("client_secret", Some(FOREIGN_CLIENT_SECRET))];
    for mistake in [&other[..], &foreigner, &[("code_verifier", None)]] {
        let code = code(&amazon);
        assert_eq!(redeem(&amazon, &code, mistake).await.status, 400);
        assert_eq!(redeem(&amazon, &code, &[]).await.refusal(), wrong, "{mistake:?}");
    }
    for mistake in [&other[..], &foreigner] {
        assert_eq!(redeem(&amazon, &code(&amazon), mistake).await.refusal(), wrong);
    }
    amazon.world().habits.burns_codes = false;
    let code = code(&amazon);
    redeem(&amazon, &code, &other).await;
    assert_eq!(redeem(&amazon, &code, &[]).await.status, 200);
    assert_eq!(redeem(&amazon, &code, &[]).await.refusal(), wrong);
}

#[tokio::test]
async fn only_the_verifier_that_was_promised_passes() {
    let amazon = amazon().await;
    let denied = refused(400, "unauthorized_client", "Not authorized for requested operation");
    for verifier in [None, Some(CHALLENGE), Some("a"), Some(&VERIFIER[..42])] {
        let reply = redeem(&amazon, &code(&amazon), &[("code_verifier", verifier)]).await;
        assert_eq!(reply.refusal(), denied, "{verifier:?}");
    }
    let without =
        |amazon: &Amazon| amazon.consent("nora", SHOP_CLIENT_ID, RETURN_URL, "profile", None);
    assert_eq!(redeem(&amazon, &without(&amazon), &[]).await.refusal(), denied);
    assert_eq!(redeem(&amazon, &without(&amazon), &[("code_verifier", None)]).await.status, 200);
    let plain = |amazon: &Amazon| {
        let challenge = Some((VERIFIER, "plain"));
        amazon.consent("nora", SHOP_CLIENT_ID, RETURN_URL, "profile", challenge)
    };
    assert_eq!(redeem(&amazon, &plain(&amazon), &[]).await.status, 200);
    let wrong = [("code_verifier", Some(CHALLENGE))];
    assert_eq!(redeem(&amazon, &plain(&amazon), &wrong).await.refusal(), denied);

    amazon.world().habits.wrong_verifier = "invalid_grant".to_owned();
    let reply = redeem(&amazon, &code(&amazon), &[("code_verifier", None)]).await;
    assert_eq!(reply.refusal().1, "invalid_grant");
    amazon.world().habits.needless_verifier = true;
    assert_eq!(redeem(&amazon, &without(&amazon), &[]).await.status, 200);
}

#[tokio::test]
async fn a_website_without_its_secret_needs_a_challenge_and_gets_no_refresh_token() {
    let amazon = amazon().await;
    let secretless = [("client_secret", None)];
    let reply = redeem(&amazon, &code(&amazon), &secretless).await;
    assert_eq!((reply.status, reply.json().get("refresh_token")), (200, None));

    amazon.world().habits.needless_verifier = true;
    let bare =
        |amazon: &Amazon| amazon.consent("nora", SHOP_CLIENT_ID, RETURN_URL, "profile", None);
    let neither = [("client_secret", None), ("code_verifier", None)];
    assert_eq!(redeem(&amazon, &bare(&amazon), &neither).await.refusal().1, "invalid_client");
    assert_eq!(
        redeem(&amazon, &bare(&amazon), &secretless).await.refusal().1,
        "unauthorized_client"
    );
}

#[tokio::test]
async fn an_app_redeems_its_code_without_a_secret_and_gets_a_refresh_token() {
    let amazon = amazon().await;
    let challenge = Some((CHALLENGE, "S256"));
    let code = amazon.consent("nora", APP_CLIENT_ID, APP_RETURN_URL, "profile", challenge);
    let app = [
        ("client_id", Some(APP_CLIENT_ID)),
        ("redirect_uri", Some(APP_RETURN_URL)),
        ("client_secret", None),
    ];
    assert!(redeem(&amazon, &code, &app).await.json()["refresh_token"].is_string());
}

#[tokio::test]
async fn tokens_may_be_long_and_short_lived() {
    let amazon = amazon().await;
    amazon.world().habits = Habits { longest_tokens: true, expires_in: 3349, ..Habits::default() };
    let body = redeem(&amazon, &code(&amazon), &[]).await.json();
    assert_eq!(body["access_token"].as_str().unwrap().len(), 2048);
    assert_eq!(body["refresh_token"].as_str().unwrap().len(), 2048);
    assert_eq!(body["expires_in"], 3349);
}

/// What a refresh answers.
async fn refresh(amazon: &Amazon, token: &str, others: &[(&'static str, Option<&str>)]) -> Reply {
    let mut all = vec![
        ("grant_type", Some("refresh_token")),
        ("refresh_token", Some(token)),
        ("code", None),
        ("redirect_uri", None),
        ("code_verifier", None),
    ];
    all.extend(others);
    redeem(amazon, "", &all).await
}

#[tokio::test]
async fn a_refresh_token_is_good_for_its_own_client_until_the_grant_is_taken_back() {
    let amazon = amazon().await;
    let wrong = refused(400, "invalid_grant", WRONG_REFRESH_TOKEN);
    let first = redeem(&amazon, &code(&amazon), &[]).await.json();
    let token = first["refresh_token"].as_str().unwrap();
    pass(&amazon, 100_000);

    let second = refresh(&amazon, token, &[]).await.json();
    assert_ne!(second["access_token"], first["access_token"]);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(refresh(&amazon, token, &[]).await.status, 200);
    let foreigner =
        [("client_id", Some(FOREIGN_CLIENT_ID)), ("client_secret", Some(FOREIGN_CLIENT_SECRET))];
    assert_eq!(refresh(&amazon, token, &foreigner).await.refusal(), wrong);
    assert_eq!(refresh(&amazon, token, &[("client_secret", None)]).await.status, 401);
    assert_eq!(refresh(&amazon, "Atzr|never", &[]).await.refusal(), wrong);

    let app_id = amazon.world().companies[0].profiles[0].app_id.clone();
    amazon.world().revoke("nora", &app_id);
    assert_eq!(refresh(&amazon, token, &[]).await.refusal(), wrong);
}

#[tokio::test]
async fn a_refresh_token_stays_turns_over_or_is_left_out_as_told() {
    let amazon = amazon().await;
    let first = redeem(&amazon, &code(&amazon), &[]).await.json();
    let token = first["refresh_token"].as_str().unwrap();
    amazon.world().habits.refresh = Refresh::Same;
    assert_eq!(refresh(&amazon, token, &[]).await.json()["refresh_token"], token);
    amazon.world().habits.refresh = Refresh::Omit;
    assert_eq!(refresh(&amazon, token, &[]).await.json().get("refresh_token"), None);
    amazon.world().habits.refresh = Refresh::Rotate;
    assert_ne!(refresh(&amazon, token, &[]).await.json()["refresh_token"], token);
    assert_eq!(refresh(&amazon, token, &[]).await.status, 400);
}
