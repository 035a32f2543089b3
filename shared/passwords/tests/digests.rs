//! Digests that only an operator can describe.

use passwords::{SaltedDigest, Stored, Unsupported};
use proptest::prelude::*;

#[expect(clippy::expect_used, reason = "a fixture that cannot be read is a failed test")]
fn described(description: &str) -> SaltedDigest {
    description.parse().expect(description)
}

#[test]
fn a_digest_is_read_only_where_one_is_described_and_only_as_it_is_described() {
    // md5("x"), and with the salt `7c`.
    let md5 = "9dd4e461268c8034f5c8564e155c67a6";
    let salted = "005a0f376d1bbf310bbc3be60a3b3fd9:7c";
    let shop = described("hex:salt = md5(salt+password)");
    let old = described("hex = md5(password)");

    for stored in [md5, salted] {
        assert_eq!(Stored::parse(stored).unwrap_err(), Unsupported, "{stored}");
    }
    assert!(Stored::parse_with(md5, &old).unwrap().verify("x"));
    assert!(Stored::parse_with(salted, &shop).unwrap().verify("x"));
    assert_eq!(Stored::parse_with(md5, &shop).unwrap_err(), Unsupported);
    assert_eq!(Stored::parse_with(salted, &old).unwrap_err(), Unsupported);
    for (description, opens) in [
        ("hex:salt = md5(password+salt)", false),
        ("hex:salt = md5(salt+password+password)", false),
        ("hex:salt = md5(md5(salt+password)+salt)", false),
        ("hex:salt=md5( salt + password )", true),
    ] {
        let stored = Stored::parse_with(salted, &described(description)).unwrap();
        assert_eq!(stored.verify("x"), opens, "{description}");
    }
}

#[test]
fn a_table_may_hold_what_its_site_has_written_since() {
    let bcrypt = "$2b$04$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e";
    let stored = Stored::parse_with(bcrypt, &described("salt$hex = sha1(salt+password)")).unwrap();
    assert_eq!(stored.format().as_str(), "bcrypt");
    assert!(stored.verify("x"));
}

#[test]
fn what_is_not_spelled_as_described_is_unsupported() {
    let joomla = described("hex:salt = md5(password+salt)");
    let hex = "0".repeat(32);
    for (fits, stored) in [
        (true, format!("{hex}:s")),
        (true, format!("{hex}:{}", "s".repeat(64))),
        (true, format!("{hex}::::")),
        (false, hex.clone()),
        (false, format!("{hex}:")),
        (false, format!("{hex}:{}", "s".repeat(65))),
        (false, format!("{hex}0:s")),
        (false, format!("{}:s", &hex[1..])),
        (false, format!("{hex}:s s")),
        (false, format!("{hex}:s\0")),
        (false, format!("{hex}:s\u{e9}")),
        (false, format!(" {hex}:s")),
        (false, format!("{}:s", hex.replace('0', "A"))),
        (false, format!("{}:s", hex.replace('0', "g"))),
        (false, format!("{}:s", hex.replace("00", "\u{e9}"))),
        (false, String::new()),
    ] {
        assert_eq!(Stored::parse_with(&stored, &joomla).is_ok(), fits, "{stored}");
    }
    let base64 = described("base64 = sha1(password)");
    let zeros = format!("{}=", "A".repeat(27));
    assert!(Stored::parse_with(&zeros, &base64).is_ok());
    for stored in [&zeros[..27], &zeros.replace("A=", "B="), &zeros.replace("A=", "AA"), "AAAA"] {
        assert_eq!(Stored::parse_with(stored, &base64).unwrap_err(), Unsupported, "{stored}");
    }
}

#[test]
fn what_describes_no_salted_digest_is_refused() {
    for (description, problem) in [
        ("", "is not a spelling"),
        ("md5", "is not a spelling"),
        ("hex md5(password)", "is not a spelling"),
        ("= md5(password)", "needs `hex` or `base64`"),
        ("salt = md5(salt+password)", "needs `hex` or `base64`"),
        ("hexhex = md5(password)", "needs `hex` or `base64`"),
        ("base64:base64 = md5(password)", "needs `hex` or `base64`"),
        ("hex:base64 = md5(password)", "needs `hex` or `base64`"),
        ("salt:hex:salt = md5(salt+password)", "needs `hex` or `base64`"),
        ("salt:salt:hex = md5(salt+password)", "needs `hex` or `base64`"),
        ("HEX = md5(password)", "needs `hex` or `base64`"),
        ("hex:password = md5(password)", "needs `hex` or `base64`"),
        ("hex =", "has no digest"),
        ("hex = password", "has no digest"),
        ("hex = md4(password)", "has no digest"),
        ("hex = MD5(password)", "has no digest"),
        ("hex = md5()", "has no digest"),
        ("hex = md5(password", "has no digest"),
        ("hex = md5(password))", "has no digest"),
        ("hex = md5(password)+sha1(password)", "has no digest"),
        ("hex = md5(password+)", "has no digest"),
        ("hex = md5(+password)", "has no digest"),
        ("hex = md5(password+pepper)", "has no digest"),
        ("hex = md5(password) = md5(password)", "has no digest"),
        ("salt$hex = md5(salt)", "not of the password"),
        ("hex = md5(md5(md5(salt)))", "not of the password"),
        ("hex = md5(salt+password)", "a salt on one side"),
        ("salt$hex = md5(password)", "a salt on one side"),
        ("s\u{e4}lt$hex = md5(salt+password)", "not of ASCII"),
        ("hex\t= md5(password)", "not of ASCII"),
        (&format!("{}hex = md5(password)", "-".repeat(128)), "too long"),
    ] {
        let refused = description.parse::<SaltedDigest>().expect_err(description).to_string();
        assert!(refused.contains(problem), "{description}: {refused}");
        assert!(refused.starts_with("the description of a salted digest "), "{refused}");
    }
}

#[test]
fn no_password_opens_the_decoy_of_a_digest() {
    for description in [
        "hex = md5(password)",
        "base64 = sha512(password)",
        "hex:salt = md5(salt+password)",
        "sha1$salt$hex = sha1(salt+password)",
        "salt:base64 = sha256(md5(password)+salt)",
    ] {
        let digest = described(description);
        let stored = Stored::parse_with(&digest.decoy(), &digest).expect(description);
        assert_eq!(stored.format().as_str(), "digest");
        assert!(!stored.verify("x"));
        // Whoever cannot know the description has one that can be read.
        assert!(!Stored::parse(stored.format().decoy()).unwrap().verify("x"));
    }
    assert!(described("hex:salt = md5(salt+password)").decoy().ends_with(":00000000"));
}

/// Descriptions of every kind.
fn descriptions() -> impl Strategy<Value = String> {
    let around = || "[!-<>-Z]{0,9}";
    let names = ("hex|base64", "md5|sha1|sha256|sha512", 0..4);
    (around(), around(), around(), names).prop_map(
        |(head, between, tail, (encoding, name, kind))| match kind {
            0 => format!("{head}{encoding}{tail} = {name}(password)"),
            1 => format!("{head}{encoding}{tail} = sha1({name}(md5(password)+password))"),
            2 => format!("{head}salt{between}{encoding}{tail} = {name}(salt+password)"),
            _ => format!("{head}{encoding}{between}salt{tail} = {name}({name}(password)+salt)"),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_described_reads_its_own_spelling_and_opens_for_nobody(
        description in descriptions(), text in any::<String>(), at in any::<prop::sample::Index>(), long in any::<bool>(),
    ) {
        let digest = described(&description);
        let decoy = digest.decoy();
        prop_assert_eq!(Stored::parse_with(&decoy, &digest).unwrap().format().as_str(), "digest");
        let at = at.index(decoy.len());
        let after = if long { &decoy[at..] } else { "" };
        for stored in [&[&decoy[..at], &text, after].concat(), &text] {
            prop_assert!(!Stored::parse_with(stored, &digest).is_ok_and(|stored| stored.verify("x")));
        }
    }

    #[test]
    fn any_text_is_a_description_or_is_refused(
        text in any::<String>(), like in "[ (+=):$]{0,2}((password|salt|hex|base64|md5|sha1)[ (+=):$]{0,2}){0,12}",
        description in descriptions(), at in any::<prop::sample::Index>(),
    ) {
        let at = at.index(description.len());
        for text in [&text, &like, &[&description[..at], &like, &description[at..]].concat()] {
            if let Ok(digest) = text.parse::<SaltedDigest>() {
                prop_assert!(Stored::parse_with(&digest.decoy(), &digest).is_ok_and(|stored| !stored.verify("x")));
            }
        }
    }
}
