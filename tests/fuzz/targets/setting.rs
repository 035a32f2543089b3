//! Settings: a wrong one is refused by its name, a right one is what every reader of URLs takes it for.
//! The first byte says which.
#![no_main]

use domain::registration::Kind;
use libfuzzer_sys::fuzz_target;
use url::Url;
use web::{Settings, Site};

const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Opens a URL as a browser would. Nobody can open one with a label that begins as an encoded one and
/// is none, which takes tables to tell.
fn opened(url: &str) -> Option<Url> {
    let read = Url::parse(url);
    assert!(read.is_ok() || url.contains("xn--"), "{url} cannot be opened");
    read.ok()
}

fuzz_target!(|input: (u8, &str)| {
    let (which, value) = input;
    let names = [
        "PUBLIC_URL",
        "PASSWORD_RESET_URL",
        "SIGNED_IN_PATH",
        "BRAND_COLOR",
        "LWA_AUTHORIZE_URL",
        "REGISTRATION_FIELDS",
        "ACCOUNTS_ATTRIBUTES",
        "PROFILE_SYNC",
        "SESSION_IDLE_SECONDS",
    ];
    let name = names[usize::from(which) % names.len()];
    let pairs = [("PUBLIC_URL", "https://shop.example"), (name, value)];
    let settings: Settings =
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();

    if let Ok(fields) = settings.registration_fields() {
        for field in fields {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
            assert!(!field.name.is_empty() && field.name.bytes().all(plain));
            assert_eq!(field.kind == Kind::Select, !field.options.is_empty());
            assert!(field.pattern.is_none_or(|pattern| web::pattern(&pattern).is_ok()));
        }
    } else {
        assert_eq!(name, "REGISTRATION_FIELDS");
    }
    if let Ok(attributes) = value.parse::<accounts::Attributes>() {
        let accounts::Attributes { id, email, email_key, password_hash, name, status, .. } =
            attributes;
        let whole = |name: String| !name.is_empty() && name.trim() == name;
        assert!([id, email, password_hash, name, status].into_iter().all(whole));
        assert!(email_key.is_none_or(whole));
    }
    if value.parse::<domain::sync::ProfileSync>().is_ok() {
        let follows =
            |pair: &str| pair.trim_start().starts_with("email") && !pair.contains("never");
        assert!(!value.split(',').any(follows), "an address follows Amazon's");
    }
    if let Ok(idle) = settings.seconds("SESSION_IDLE_SECONDS", 7) {
        assert!(idle.as_secs() > 0);
    }

    match Site::new(&settings) {
        Err(unset) => assert_eq!(unset.name, name),
        Ok(site) => {
            let Some(origin) = opened(&site.public_url) else { return };
            assert_eq!(origin.origin().ascii_serialization(), site.public_url);
            assert!(origin.scheme() == "https" || LOCAL.contains(&origin.host_str().unwrap()));
            if name == "LWA_AUTHORIZE_URL" && !value.is_empty() {
                let stand_in = opened(&site.authorize_url).unwrap();
                assert!(LOCAL.contains(&stand_in.host_str().unwrap()) && stand_in.username() == "");
            }
            for path in [site.signed_in_path.as_deref(), Some(&*site.sign_in_path)] {
                let to = origin.join(path.unwrap_or_default()).unwrap();
                assert_eq!(to.origin(), origin.origin());
            }
            let reset = site.password_reset_url.as_deref().unwrap_or("/");
            let own = reset.starts_with('/');
            let Some(to) = opened(&if own { site.absolute(reset) } else { reset.to_owned() })
            else {
                return;
            };
            assert!(!own || origin.join(reset).unwrap().origin() == origin.origin());
            assert!(to.scheme() == "https" || LOCAL.contains(&to.host_str().unwrap()));
            assert_eq!(web::reply::see_other(reset).status(), 303);
            assert!(!site.look.style().contains('<'));
        }
    }
});
