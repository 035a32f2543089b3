//! Requests that are wrong before anybody asks whose they are.

use local_stack::Stack;
use tests::{Answer, Browser, LOGIN, SESSION, TICKET};

use crate::{
    back::Untouched,
    buttons::Button,
    endings::{self, ROUTES},
    raw::{request, send},
    stack,
};

/// A visitor who is signed in, and holds a ticket to the link page.
pub(crate) async fn lin_at_the_link_page(stack: &Stack) -> (Browser<'_>, String) {
    let browser = Browser::new(stack);
    browser.sign_in_at_amazon("lin", "/").await;
    let page = browser.asked_after_amazon("ann", "/checkout").await;
    let csrf = page.input("csrf").to_owned();
    (browser, csrf)
}

/// Starts every function: what they ask when they start is nobody's request.
pub(crate) async fn warm_up(stack: &Stack) {
    let browser = Browser::new(stack);
    for (route, _) in ROUTES {
        browser.get(route).await;
    }
    stack.dynamodb.reset_requests();
}

#[tokio::test]
async fn n01_a_header_that_comes_twice_counts_for_none() {
    let stack = stack().await;
    let pressing = Button::Link.reach(&stack).await;
    let form = Button::Link.form(Some(&pressing.csrf));
    let urlencoded = "application/x-www-form-urlencoded";
    let ask = || pressing.ask().body(urlencoded, form.clone());
    let own = stack.url.as_str();
    for (name, values, status) in [
        ("origin", [own, "https://evil.example"], 403),
        ("origin", ["https://evil.example", own], 403),
        ("origin", [own, own], 403),
        ("sec-fetch-site", ["same-origin", "cross-site"], 403),
        ("sec-fetch-site", ["cross-site", "same-origin"], 403),
        ("sec-fetch-site", ["same-origin", "same-origin"], 403),
        ("content-type", [urlencoded, "text/plain"], 415),
        ("content-type", ["text/plain", urlencoded], 415),
        ("content-type", [urlencoded, urlencoded], 415),
    ] {
        let ask = ask().header(name, values[0]).another_header(name, values[1]);
        assert_eq!(ask.send().await.status, status, "{name}: {values:?}");
    }
    pressing.is_untouched().await;

    let lin = Browser::new(&stack);
    lin.sign_in_at_amazon("lin", "/").await;
    let session = lin.cookie(SESSION).unwrap();
    let bearer = format!("Bearer {session}");
    let ask = || lin.ask("GET", "/auth/session").header("authorization", &bearer);
    for second in [bearer.as_str(), "Bearer x", "Basic bGluOmxpbg==", ""] {
        assert_eq!(ask().another_header("authorization", second).send().await.status, 401);
    }
    let told = lin.fetch("/auth/session", None).await.json();
    let csrf = told["csrf"].as_str().unwrap();
    let logout = lin.ask("POST", "/auth/logout").header("origin", own);
    let logout = logout.header("x-csrf-token", csrf).another_header("x-csrf-token", csrf);
    assert_eq!(logout.send().await.status, 403);
    assert_eq!(lin.account().await.as_deref(), Some("lin"));
}

#[tokio::test]
async fn n07_whoever_sends_very_many_cookies_or_headers_is_answered_and_so_is_the_next() {
    let stack = stack().await;
    let (lin, _) = lin_at_the_link_page(&stack).await;
    let (session, ticket) = (lin.cookie(SESSION).unwrap(), lin.cookie(TICKET).unwrap());
    let own = format!("{SESSION}={session}; {TICKET}={ticket}");
    let many: Vec<_> = (0..200).map(|number| format!("c{number}=v{number}")).collect();
    let (many, huge) = (many.join("; "), format!("huge={}", "x".repeat(8192)));
    let nested: String = (0..1000).map(|_| "a=b=c;;=;").collect();
    for junk in [many.as_str(), &huge, &nested, &"; ".repeat(2000), &"=".repeat(4000)] {
        for cookies in [format!("{junk}; {own}"), format!("{own}; {junk}")] {
            let ask = |path| lin.ask("GET", path).cookies(&cookies);
            assert_eq!(ask("/auth/session").send().await.status, 200, "{}", &junk[..20]);
            assert_eq!(ask("/auth/verify").send().await.status, 200, "{}", &junk[..20]);
            assert_eq!(ask("/auth/amazon/link").send().await.status, 200, "{}", &junk[..20]);
        }
    }
    let mut ask = lin.ask("GET", "/auth/session");
    for number in 0..80 {
        ask = ask.header(&format!("x-header-{number}"), &"v".repeat(60));
    }
    assert_eq!(ask.send().await.status, 200);
    let many_same = (0..80).fold(lin.ask("GET", "/auth/session"), |ask, number| {
        ask.another_header("accept", &format!("text/x-{number};q=0.{number}"))
    });
    assert_eq!(many_same.send().await.status, 200);
    // What API Gateway does not let through gets no further.
    let too_much = lin.ask("GET", "/auth/session").header("x-long", &"v".repeat(12_000));
    assert_eq!(too_much.send().await.status, 431);
    assert_eq!(lin.account().await.as_deref(), Some("lin"));
}

#[tokio::test]
async fn n08_a_route_does_nothing_by_another_method() {
    let stack = stack().await;
    let (lin, csrf) = lin_at_the_link_page(&stack).await;
    let told = lin.fetch("/auth/session", None).await.json();
    let of_session = told["csrf"].as_str().unwrap();
    warm_up(&stack).await;
    let before = Untouched::now(&stack);
    for (route, allowed) in ROUTES {
        let token = if route == endings::LOGOUT { of_session } else { &csrf };
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "LINK", "get", "X",
        ] {
            if allowed.split(", ").any(|known| known == method) {
                continue;
            }
            let ask = lin.ask(method, route).header("origin", &stack.url);
            let ask = ask.header("x-http-method-override", "POST");
            let ask = ask.form(&[("csrf", token), ("password", "ann-local-password")]);
            let answer = ask.send().await;
            assert_eq!(
                (answer.status, answer.header("allow")),
                (405, Some(allowed)),
                "{method} {route}"
            );
            assert!(answer.header("set-cookie").is_none(), "{method} {route}");
        }
        // A method that is named elsewhere is none.
        if !allowed.contains("POST") {
            continue;
        }
        for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
            let to = format!("{route}?_method=POST&csrf={token}&password=ann-local-password");
            let ask = lin.ask("GET", &to).header("origin", &stack.url).header(name, "POST");
            let status = if allowed.contains("GET") { [200, 410] } else { [405, 405] };
            assert!(status.contains(&ask.send().await.status), "{route} {name}");
        }
    }
    before.check("other methods");
    assert!(lin.cookie(SESSION).is_some() && lin.cookie(TICKET).is_some());
    let reads: Vec<_> = stack.dynamodb.requests();
    // A page that is shown reads its ticket; one about an account, the session and the account.
    let pages = ["GetItem tickets", "GetItem sessions", "GetItem accounts"];
    assert!(reads.iter().all(|what| pages.contains(&what.as_str())), "{reads:?}");
}

#[tokio::test]
async fn n09_a_path_that_is_written_otherwise_is_none_of_ours() {
    let stack = stack().await;
    let (lin, csrf) = lin_at_the_link_page(&stack).await;
    warm_up(&stack).await;
    let before = Untouched::now(&stack);
    for (route, _) in ROUTES {
        let (_, name) = route.rsplit_once('/').unwrap();
        let (folder, encoded) = (
            route.strip_suffix(name).unwrap(),
            format!("%{:02x}{}", name.as_bytes()[0], &name[1..]),
        );
        for path in [
            format!("{route}/"),
            format!("{route}//"),
            format!("{route}/."),
            format!("{route}/.."),
            format!("{route};x"),
            format!("{route};x=/"),
            format!("{route}%20"),
            format!("{route}%00"),
            format!("{route}%2e"),
            format!("{route}%3f"),
            format!("{route}%23"),
            format!("{route}.json"),
            format!("{route}&"),
            format!("{folder}/{name}"),
            format!("{folder}./{name}"),
            format!("{folder}x/../{name}"),
            format!("{folder}%2e/{name}"),
            format!("{folder}%2f{name}"),
            format!("{folder}{encoded}"),
            format!("{folder}{}", name.to_uppercase()),
            format!("{folder}{}{}", name[..1].to_uppercase(), &name[1..]),
            route.replacen("/auth/", "/auth//", 1),
            route.replacen("/auth/", "/auth/./", 1),
            route.replacen("/auth/", "/auth/%2e%2e/auth/", 1),
        ] {
            for method in ["GET", "POST"] {
                let ask = lin.ask(method, &path).header("origin", &stack.url);
                let answer = ask.form(&[("csrf", &csrf)]).send().await;
                assert_eq!((answer.status, answer.code()), (404, "not_found"), "{method} {path}");
            }
        }
        // These are not even below /auth/: the site itself has nothing there.
        for path in [
            format!("/{route}"),
            route.replacen("auth", "AUTH", 1),
            route.replacen("auth", "%61uth", 1),
            route.replacen("/auth/", "/auth;/", 1),
            format!("/./{}", &route[1..]),
            format!("/x/..{route}"),
        ] {
            assert_eq!(lin.get(&path).await.status, 404, "{path}");
        }
    }
    before.check("other paths");
}

#[tokio::test]
async fn j12_a_browser_that_looks_ahead_changes_nothing() {
    let stack = stack().await;
    let (lin, csrf) = lin_at_the_link_page(&stack).await;
    let at_amazon = lin.begin("/checkout").await;
    let back = stack.amazon.allow(&at_amazon, "lin").unwrap();
    let noa = Browser::new(&stack);
    let form = noa.asked_after_amazon("noa", "/").await;
    let before = Untouched::now(&stack);
    for (name, value) in [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("sec-purpose", "prefetch;anonymous-client-ip"),
        ("purpose", "prefetch"),
    ] {
        for (browser, to, status) in [
            (&lin, endings::LOGIN, 204),
            (&lin, &back, 204),
            (&lin, endings::LINK, 200),
            (&lin, endings::SESSION, 200),
            (&lin, endings::VERIFY, 200),
            (&lin, endings::FORGOT, 405),
            (&lin, endings::CANCEL, 405),
            (&lin, endings::SWITCH, 405),
            (&lin, endings::LOGOUT, 405),
            (&noa, endings::REGISTER, 200),
            (&lin, endings::REAUTHENTICATE, 200),
            (&lin, endings::CONNECTIONS, 200),
            (&lin, endings::UNDO, 410),
            (&lin, endings::ATTACH, 405),
            (&lin, endings::UNLINK, 405),
            (&lin, endings::REVOKE, 405),
            (&lin, endings::ACCEPT, 405),
            (&lin, endings::LIFECYCLE, 405),
        ] {
            let answer = browser.ask("GET", to).header(name, value).send().await;
            assert_eq!(answer.status, status, "{name}: {value}: {to}");
            assert!(answer.header("set-cookie").is_none(), "{name}: {value}: {to}");
        }
    }
    before.check("looking ahead");

    // All of it is still there for whoever really comes.
    assert_eq!(lin.come_back(&back).await.status, 303);
    let right = [("csrf", csrf.as_str()), ("password", "ann-local-password")];
    assert_eq!(lin.post(endings::LINK, &right).await.status, 303);
    let fields = [("csrf", form.input("csrf")), ("email", "noa@home.example")];
    assert_eq!(noa.post(endings::REGISTER, &fields).await.status, 303);
}

#[tokio::test]
async fn a16_whatever_host_a_caller_names_visitors_stay_where_they_are() {
    let stack = stack().await;
    let home = format!("{}/auth/amazon/callback", stack.url);
    let own = stack.url.strip_prefix("http://").unwrap();
    let evil: [(&str, Vec<(&str, &str)>); 9] = [
        ("/auth/amazon/login", vec![("Host", "evil.example")]),
        ("/auth/amazon/login", vec![("Host", "evil.example:443"), ("X-Forwarded-Port", "443")]),
        ("/auth/amazon/login", vec![("Host", own), ("X-Forwarded-Host", "evil.example")]),
        ("/auth/amazon/login", vec![("Host", own), ("X-Host", "evil.example")]),
        ("/auth/amazon/login", vec![("Host", own), ("Forwarded", "host=evil.example;proto=https")]),
        ("/auth/amazon/login", vec![("Host", own), ("X-Forwarded-Proto", "javascript")]),
        ("/auth/amazon/login", vec![("Host", own), ("X-Original-URL", "//evil.example/")]),
        ("/auth/amazon/login", vec![("Host", own), ("X-Rewrite-Url", "https://evil.example/")]),
        ("http://evil.example/auth/amazon/login", vec![("Host", "evil.example")]),
    ];
    for (target, headers) in evil {
        let lines: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {value}").into_bytes()).collect();
        let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        let reply = send(&stack, request(format!("GET {target}").as_bytes(), &lines)).await;
        assert_eq!(reply.status(), 303, "{headers:?}: {}", reply.0);
        let to = reply.header("location").unwrap();
        assert!(to.starts_with(&stack.amazon.authorize_url()), "{to}");
        let redirect: String = form_urlencoded::byte_serialize(home.as_bytes()).collect();
        assert!(to.contains(&format!("redirect_uri={redirect}&")), "{to}");
        assert!(!reply.0.contains("evil"), "{}", reply.0);
        let cookie = reply.header("set-cookie").unwrap();
        assert!(cookie.starts_with(LOGIN) && !cookie.contains("Domain"), "{cookie}");
    }

    // Nor does it matter where a visitor is sent on, or what a page says.
    let lin = Browser::new(&stack);
    let at_amazon = lin.begin("/checkout").await;
    let back = stack.amazon.allow(&at_amazon, "lin").unwrap();
    let strange = |answer: &Answer| {
        let text = answer.headers.values().any(|value| value.to_str().unwrap().contains("evil"));
        text || answer.says("evil")
    };
    let entered = lin.ask("GET", &back).header("host", "evil.example");
    let entered = entered.header("x-forwarded-host", "evil.example").send().await;
    assert_eq!(entered.location(), format!("{}/checkout", stack.url));
    assert!(!strange(&entered));
    let page = lin.ask("GET", endings::CALLBACK).header("host", "evil.example").send().await;
    assert!(page.status == 400 && !strange(&page), "{}", page.text);
    // A request to a host that is not the site's cannot call itself the site's own either.
    let told = lin.fetch("/auth/session", None).await.json();
    let csrf = told["csrf"].as_str().unwrap();
    let logout = |origin| {
        let ask = lin.ask("POST", endings::LOGOUT).header("host", "evil.example");
        ask.header("origin", origin).form(&[("csrf", csrf), ("return_to", "/checkout")])
    };
    assert_eq!(logout("http://evil.example").send().await.status, 403);
    let out = logout(&stack.url).send().await;
    assert_eq!(out.location(), format!("{}/checkout", stack.url));
}
