//! F-EMAIL: an address is safe to compare, to store and to show, and equal to another one up to ASCII
//! case only. Two of them, on two lines. Also names.
#![no_main]

use domain::{Email, amazon::fit_to_show};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (one, other) = text.split_once('\n').unwrap_or((text, ""));
    let read = |text: &str| {
        let email = Email::parse(text)?;
        assert_eq!(email.as_str(), text);
        assert!(text.len() <= 254 && text.matches('@').count() == 1);
        assert!(text.bytes().all(|b| b.is_ascii_graphic() && !b"\"(),:;<>[\\]".contains(&b)));
        let (local, domain) = text.split_once('@').unwrap();
        let inside = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let label = |label: &str| !label.is_empty() && label.bytes().all(inside);
        assert!(!local.is_empty() && domain.split('.').all(label));
        assert_eq!(Email::parse(&email.lowercase()), Some(email.clone()));
        assert_eq!(format!("{email:?}"), "Email(…)");
        Some(email)
    };
    if let (Some(a), Some(b)) = (read(one), read(other)) {
        assert_eq!(a == b, one.eq_ignore_ascii_case(other));
        assert_eq!(a == b, a.lowercase() == b.lowercase());
    }

    if let Some(shown) = fit_to_show(text, 128) {
        let hidden = |c: char| {
            let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}');
            c.is_control() || turns || matches!(c, '\u{2066}'..='\u{2069}' | '\u{feff}')
        };
        assert!(!shown.is_empty() && shown.chars().count() <= 128);
        assert!(!shown.contains(hidden) && shown.trim() == shown);
        assert_eq!(fit_to_show(&shown, 128).as_deref(), Some(shown.as_str()));
    }
});
