//! Strings that visitors might put into `return_to`, and where a browser would take them.

use domain::ReturnTo;
use serde_json::Value;
use url::Url;

#[test]
fn b01_b04_whatever_is_taken_stays_on_the_site_and_means_the_same_to_a_browser() {
    let corpus: Value = serde_json::from_str(include_str!("redirects.json")).unwrap();
    let base = Url::parse(corpus["base"].as_str().unwrap()).unwrap();
    let (mut tried, mut taken) = (0, 0);
    for case in corpus["cases"].as_array().unwrap() {
        let mut input = case["input"].as_str().unwrap().to_owned();
        for encoded in 0..=3 {
            tried += 1;
            let stays = case["whatwg"] == "same";
            if let Some(path) = ReturnTo::parse(&input) {
                taken += 1;
                let resolved = base.join(path.as_str()).unwrap();
                assert_eq!(resolved.origin(), base.origin(), "{input}");
                assert!(!resolved.path().starts_with("//"), "{input}");
                let printed = &resolved[url::Position::BeforePath..];
                assert_eq!(printed, path.as_str(), "a browser sees another path");
                assert!(encoded > 0 || stays, "{input} would leave the site");
            }
            // The first slash stays, or nothing would be a path any more.
            input = match input.strip_prefix('/') {
                Some(rest) => format!("/{}", percent_encoded(rest)),
                None => percent_encoded(&input),
            };
        }
    }
    assert!(tried > 150 && taken > 20, "{taken} of {tried}");
}

fn percent_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
