//! What is wrong before anybody asks whose request it is.

use tests::Browser;

use crate::stack;

#[tokio::test]
async fn n08_n09_paths_and_methods_that_do_not_exist_end_in_pages_of_ours() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    for path in ["/auth/nothing", "/auth/amazon", "/auth/", "/auth/amazon/login/"] {
        let page = browser.get(path).await;
        assert_eq!((page.status, page.code()), (404, "not_found"), "{path}");
        let json = browser.fetch(path, None).await;
        assert_eq!(json.json()["code"], "not_found", "{path}");
    }
    for (path, allow) in [
        ("/auth/amazon/login", "GET"),
        ("/auth/amazon/callback", "GET"),
        ("/auth/session", "GET"),
        ("/auth/verify", "GET"),
    ] {
        let page = browser.post(path, &[]).await;
        assert_eq!((page.status, page.header("allow")), (405, Some(allow)), "{path}");
        assert!(page.says("method_not_allowed"), "{path}");
    }
    for path in [
        "/auth/logout",
        "/auth/amazon/switch",
        "/auth/amazon/link/forgot",
        "/auth/amazon/link/cancel",
    ] {
        let page = browser.get(path).await;
        assert_eq!((page.status, page.code()), (405, "method_not_allowed"), "{path}");
        assert_eq!(page.header("allow"), Some("POST"), "{path}");
    }
}

#[tokio::test]
async fn n03_n10_bodies_that_are_too_long_or_of_another_type_are_refused() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let page = browser.asked_after_amazon("ann", "/").await;

    let long = "x".repeat(9 * 1024);
    let answer = browser.prove(&page, &long).await;
    assert_eq!((answer.status, answer.code()), (413, "too_large"));
    for kind in ["text/plain", "multipart/form-data; boundary=x", "application/xml"] {
        let body = format!("csrf={}&password=ann-local-password", page.input("csrf"));
        let answer = browser.post_as("/auth/amazon/link", kind, body).await;
        assert_eq!((answer.status, answer.code()), (415, "unsupported_media_type"), "{kind}");
    }
    assert_eq!(browser.account().await, None);

    let answer = browser.prove(&page, "ann-local-password").await;
    assert_eq!(answer.status, 303, "none of it cost an attempt");
}

#[tokio::test]
async fn j05_j07_every_answer_tells_browsers_to_be_careful() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let answers = [
        browser.get("/auth/amazon/login").await,
        browser.get("/auth/amazon/callback").await,
        browser.get("/auth/nothing").await,
        browser.fetch("/auth/session", None).await,
        browser.fetch("/auth/verify", None).await,
        browser.post("/auth/logout", &[]).await,
    ];
    for answer in answers {
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("strict-transport-security", "max-age=31536000"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{}", answer.url);
        }
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(answer.header("access-control-allow-origin").is_none(), "{}", answer.url);
    }
}

#[tokio::test]
async fn a13_a_parameter_that_comes_twice_is_refused() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let url = browser.begin("/").await;
    let back = stack.amazon.allow(&url, "lin").unwrap();

    for more in ["state=x", "code=x", "error=access_denied"] {
        let page = browser.come_back(&format!("{back}&{more}")).await;
        assert_eq!((page.status, page.code()), (400, "bad_request"), "{more}");
    }

    let page = browser.come_back(&back).await;
    assert_eq!(page.status, 303, "the sign-in itself is not used up");
}
