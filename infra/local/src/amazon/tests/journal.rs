use super::*;

#[tokio::test]
async fn the_journal_tells_names_and_no_secret() {
    let amazon = amazon().await;
    let code = amazon.consent("nora", SHOP_CLIENT_ID, RETURN_URL, "profile", None);
    let token = amazon.token("nora", APP_CLIENT_ID, "profile");
    let fields =
        [("client_id", SHOP_CLIENT_ID), ("client_secret", SHOP_CLIENT_SECRET), ("code", &*code)];
    Reply::to(http().post(format!("{}/auth/o2/token", amazon.url)).form(&fields)).await;
    let url = format!("{}/auth/o2/tokeninfo?{}", amazon.url, encoded(&[("access_token", &token)]));
    Reply::to(http().get(&url)).await;
    Reply::to(http().get(format!("{}/user/profile", amazon.url)).bearer_auth(&token)).await;

    Visitor::new().get(&format!("{}?{}", amazon.authorize_url(), query(&[]))).await;

    let calls = amazon.calls();
    let paths: Vec<_> = calls.iter().map(|call| call.path.as_str()).collect();
    assert_eq!(paths, ["/auth/o2/token", "/auth/o2/tokeninfo", "/user/profile", "/ap/oa"]);
    assert_eq!(calls[0].fields, ["client_id", "client_secret", "code"]);
    assert_eq!(calls[1].query, ["access_token"]);
    assert!(calls[2].headers.contains(&"authorization".to_owned()));
    assert_eq!(
        (calls[1].carriers.as_slice(), calls[2].carriers.as_slice()),
        (&["query"][..], &["bearer"][..])
    );
    let clients: Vec<_> = calls.iter().map(|call| call.client_id.as_deref().unwrap()).collect();
    assert_eq!(clients, [SHOP_CLIENT_ID, APP_CLIENT_ID, APP_CLIENT_ID, SHOP_CLIENT_ID]);
    assert_eq!(amazon.calls_of(Endpoint::Profile).len(), 1);

    let told = serde_json::to_string(&calls).unwrap() + &format!("{calls:?}");
    for secret in [SHOP_CLIENT_SECRET, &code, &token] {
        assert!(!told.contains(secret));
    }
}

#[tokio::test]
async fn calls_that_were_under_way_at_once_are_told_from_those_that_were_not() {
    let amazon = amazon().await;
    let token = amazon.token("nora", SHOP_CLIENT_ID, "profile");
    let call = |path: &str| {
        let url = format!("{}{path}", amazon.url);
        Reply::to(http().get(url).header("x-amz-access-token", &token))
    };
    amazon.fault(Endpoint::TokenInfo, Fault::Late(300), Some(1));
    amazon.fault(Endpoint::Profile, Fault::Late(300), Some(1));
    tokio::join!(call("/auth/o2/tokeninfo"), call("/user/profile"));
    call("/user/profile").await;
    let [first, second, third] = &amazon.calls()[..] else { panic!("three calls") };
    assert!(first.overlaps(second) && second.overlaps(first));
    assert!(!third.overlaps(first) && !second.overlaps(third));
    assert_eq!((first.began, second.began, third.began, third.ended), (0, 1, 4, Some(5)));
}
