//! F-QUERY: a parameter that comes twice in any spelling is refused, and nothing is made up.
#![no_main]

#[allow(dead_code)]
mod probe;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|query: &str| {
    let mut event = probe::event();
    event["rawQueryString"] = query.into();
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let asked = probe::ask(&event, |request| {
        for name in ["code", "state", "error", "return_to"] {
            // As some framework or other would spell it.
            let same = |key: &str| {
                let key = key.split(['[', '\0']).next().unwrap();
                key.trim().to_ascii_lowercase() == name
            };
            let ours: Vec<_> = pairs.iter().filter(|(key, _)| same(key)).collect();
            match (request.query(name), &ours[..]) {
                (Ok(Some(found)), [(key, value)]) => assert!(key == name && value == found),
                (Ok(None), []) => {}
                (Ok(None), [(key, _)]) => assert_ne!(key, name),
                (Err(failure), [_, _, ..]) => assert_eq!(failure.code.as_str(), "bad_request"),
                (found, ours) => panic!("{found:?} of {ours:?}"),
            }
        }
    });
    assert!(asked);

    // Whatever was said is read back from how we say it.
    let mut event = probe::event();
    event["rawQueryString"] = web::with_query("/", &[("return_to", query)])[2..].into();
    assert!(probe::ask(&event, |request| {
        assert_eq!(request.query("return_to").unwrap(), Some(query));
    }));
});
