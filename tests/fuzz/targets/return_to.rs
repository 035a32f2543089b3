//! F-RETURN: whatever path is taken, a browser resolves it to the site and to that very path.
#![no_main]

use domain::ReturnTo;
use libfuzzer_sys::fuzz_target;
use url::{Position, Url};

fuzz_target!(|text: &str| {
    let Some(taken) = ReturnTo::parse(text) else { return };
    let path = taken.as_str();
    assert_eq!(path, text);
    assert!(path.len() <= 512 && path.bytes().all(|b| b.is_ascii_graphic()));
    assert_eq!(ReturnTo::parse(path), Some(taken.clone()));

    // Browsers themselves write a query's `'` otherwise, which means the same.
    let (way, query) = path.split_once('?').map_or((path, None), |(way, query)| (way, Some(query)));
    let query = query.map(|query| format!("?{}", query.replace('\'', "%27"))).unwrap_or_default();
    let seen = format!("{way}{query}");
    let site = Url::parse("https://app.example.com/auth/amazon/login?return_to=%2F").unwrap();
    let absolute = Url::parse(&format!("https://app.example.com{path}")).unwrap();
    for resolved in [site.join(path).unwrap(), absolute] {
        assert_eq!(resolved.origin(), site.origin());
        assert_eq!((resolved.username(), resolved.fragment()), ("", None));
        assert_eq!(resolved[Position::BeforePath..], seen);
        assert!(!resolved.path().starts_with("//"));
    }

    let lowercase = path.to_ascii_lowercase();
    assert!(!["%2e", "%2f", "%5c", "%00", "%0a", "%0d"].iter().any(|odd| lowercase.contains(odd)));
    // Decoded as a name of a form, which it is if nothing in it says otherwise.
    let first = way[1..].split('/').next().unwrap().replace(['&', '=', '+'], "-");
    let first = form_urlencoded::parse(first.as_bytes()).next();
    assert!(!first.is_some_and(|(first, _)| first.eq_ignore_ascii_case("auth")));
});
