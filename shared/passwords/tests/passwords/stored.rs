//! Which stored hashes are taken at all.

use super::*;

#[test]
fn d13_a_stored_hash_at_the_ceiling_is_taken_and_above_it_refused_without_work() {
    let started = Instant::now();
    let b64 = "AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let hex = |digits: usize| format!("AAAAAAAAAAAAAAAA${}", "0".repeat(digits));
    let crypt = |digits: usize| format!("................${}", ".".repeat(digits));
    let aspnet = "A".repeat(64) + "==";
    for (at, above, key) in [
        ("$argon2id$v=19$m=131072,t=1,p=1$", "$argon2id$v=19$m=131073,t=1,p=1$", b64),
        ("$argon2id$v=19$m=64,t=10,p=1$", "$argon2id$v=19$m=64,t=11,p=1$", b64),
        ("$argon2id$v=19$m=64,t=1,p=8$", "$argon2id$v=19$m=72,t=1,p=9$", b64),
        ("$argon2i$m=64,t=1,p=8$", "$argon2i$m=4294967295,t=4294967295,p=1$", b64),
        ("$pbkdf2-sha256$i=2000000,l=32$", "$pbkdf2-sha256$i=2000001,l=32$", b64),
        ("$pbkdf2-sha256$2000000$", "$pbkdf2-sha256$2000001$", b64),
        ("$pbkdf2-sha256$1$", "$pbkdf2-sha256$0$", b64),
        ("$scrypt$ln=17,r=8,p=1$", "$scrypt$ln=18,r=8,p=1$", b64),
        ("$scrypt$ln=17,r=8,p=1$", "$scrypt$ln=17,r=9,p=1$", b64),
        ("$scrypt$ln=20,r=1,p=1$", "$scrypt$ln=21,r=1,p=1$", b64),
        ("$scrypt$ln=15,r=32,p=1$", "$scrypt$ln=1,r=33,p=1$", b64),
        ("$scrypt$ln=1,r=1,p=16$", "$scrypt$ln=1,r=1,p=17$", b64),
        ("$scrypt$ln=1,r=1,p=1$", "$scrypt$ln=0,r=1,p=1$", b64),
        ("$scrypt$ln=1,r=1,p=1$", "$scrypt$ln=64,r=0,p=0$", b64),
        ("argon2$argon2id$v=19$m=131072,t=1,p=1$", "argon2$argon2id$v=19$m=131073,t=1,p=1$", b64),
        ("$2b$15$", "$2b$16$", &".".repeat(53)),
        ("$2b$04$", "$2b$03$", &".".repeat(53)),
        ("$2b$15$", "$2b$31$", &".".repeat(53)),
        ("pbkdf2:sha1:2000000$", "pbkdf2:sha1:2000001$", &hex(40)),
        ("pbkdf2:sha256:1$", "pbkdf2:sha256:0$", &hex(64)),
        ("scrypt:131072:8:1$", "scrypt:262144:8:1$", &hex(128)),
        ("scrypt:2:1:16$", "scrypt:2:1:17$", &hex(128)),
        ("scrypt:32768:32:1$", "scrypt:32767:8:1$", &hex(128)),
        ("$P$H", "$P$I", &".".repeat(30)),
        ("$H$5", "$H$4", &".".repeat(30)),
        ("$wp$2y$15$", "$wp$2y$16$", &".".repeat(53)),
        ("$6$rounds=1000000$", "$6$rounds=1000001$", &crypt(86)),
        ("$5$rounds=1000$", "$5$rounds=999$", &crypt(43)),
        ("$5$", "$5$rounds=01000$", &crypt(43)),
        // SHA-1 needs two blocks for the key.
        ("AQAAAAIAHoSAAAAAEA", "AQAAAAIAHoSBAAAAEA", &aspnet),
        ("AQAAAAEAHoSAAAAAEA", "AQAAAAEAHoSBAAAAEA", &aspnet),
        ("AQAAAAAAD0JAAAAAEA", "AQAAAAAAD0JBAAAAEA", &aspnet),
        ("AQAAAAIAAAABAAAAEA", "AQAAAAIAAAAAAAAAEA", &aspnet),
        ("AQAAAAIAAAABAAAAEA", "AQAAAAL/////AAAAEA", &aspnet),
        ("AQAAAAIAAAABAAAAEA", "AQAAAAMAAAABAAAAEA", &aspnet),
    ] {
        assert!(Stored::parse(&format!("{at}{key}")).is_ok(), "{at}");
        assert!(Stored::parse(&format!("{above}{key}")).is_err(), "{above}");
    }
    assert!(started.elapsed() < Duration::from_millis(500));
}

#[test]
fn d13_salts_and_hashes_have_bounds() {
    let b64 = |bytes: usize| "A".repeat((bytes * 4).div_ceil(3));
    let argon2 = |salt, hash| format!("$argon2id$v=19$m=8,t=1,p=1${}${}", b64(salt), b64(hash));
    let pbkdf2 = |salt, hash| format!("$pbkdf2-sha512$i=1,l={hash}${}${}", b64(salt), b64(hash));
    let scrypt = |salt, hash| format!("$scrypt$ln=1,r=1,p=1${}${}", b64(salt), b64(hash));
    let werkzeug =
        |method, salt, hash| format!("{method}${}${}", "a".repeat(salt), "0".repeat(hash));
    let sha_crypt = |salt, hash| format!("$6${}${}", ".".repeat(salt), ".".repeat(hash));
    for (fits, stored) in [
        (true, argon2(8, 16)),
        (true, argon2(64, 64)),
        (false, argon2(7, 16)),
        (false, argon2(65, 64)),
        (false, argon2(8, 15)),
        (false, argon2(8, 65)),
        (true, pbkdf2(8, 16)),
        (true, pbkdf2(64, 64)),
        (false, pbkdf2(7, 16)),
        (false, pbkdf2(65, 64)),
        (false, pbkdf2(8, 15)),
        (false, pbkdf2(8, 65)),
        (true, scrypt(8, 32)),
        (true, scrypt(64, 32)),
        (false, scrypt(7, 32)),
        (false, scrypt(65, 32)),
        (false, scrypt(8, 31)),
        (false, scrypt(8, 33)),
        (false, scrypt(8, 64)),
        (true, sha_crypt(8, 86)),
        (true, sha_crypt(16, 86)),
        (false, sha_crypt(7, 86)),
        (false, sha_crypt(17, 86)),
        (false, sha_crypt(8, 85)),
        (false, sha_crypt(8, 87)),
        (false, sha_crypt(8, 43)),
        (true, werkzeug("pbkdf2:sha256:1", 8, 64)),
        (true, werkzeug("pbkdf2:sha512:1", 64, 128)),
        (false, werkzeug("pbkdf2:sha256:1", 7, 64)),
        (false, werkzeug("pbkdf2:sha256:1", 65, 64)),
        (false, werkzeug("pbkdf2:sha512:1", 8, 64)),
        (false, werkzeug("pbkdf2:sha256:1", 8, 63)),
        (true, werkzeug("scrypt:2:1:1", 8, 128)),
        (false, werkzeug("scrypt:2:1:1", 8, 126)),
    ] {
        assert_eq!(Stored::parse(&stored).is_ok(), fits, "{stored}");
    }
}

#[test]
fn a_damaged_hash_opens_for_nobody() {
    for vector in kinds() {
        let Vector { password, stored, .. } = &vector;
        let characters: Vec<char> = stored.chars().collect();
        let bcrypt_letter = stored.find("$2a$").or(stored.find("$2b$")).map(|at| at + 2);
        let mut damaged = Vec::new();
        for (at, was) in stored.char_indices() {
            let before = &stored[..at];
            let after: String = characters[at + 1..].iter().collect();
            let neighbour = char::from_u32(was as u32 ^ 1).unwrap();
            for now in ['A', 'z', '0', '1', '2', '/', '.', '+', '=', '$', ',', ' ', '\0', neighbour]
            {
                // `$2a$`, `$2b$` and `$2y$` are one format.
                if now != was && bcrypt_letter != Some(at) {
                    damaged.push(format!("{before}{now}{after}"));
                }
                damaged.push(format!("{before}{now}{was}{after}"));
                damaged.push(format!("{stored}{now}"));
            }
            damaged.push(format!("{before}{after}"));
            damaged.push(before.to_owned());
        }
        assert!(vector.opens(password, stored));
        // A bcrypt of cost 14 takes a second, and this tries thousands.
        for damaged in damaged.iter().filter(|damaged| !damaged.contains("$14$")) {
            assert!(!vector.opens(password, damaged), "{stored} became {damaged}");
        }
    }
}

#[test]
fn a_hash_of_another_kind_is_unsupported() {
    for stored in [
        "",
        "!",
        "*",
        "$",
        "plain text",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "$7$................$......................................................................................",
        "$5$salt\u{e9}salt$...........................................",
        "$5$salt:salt$...........................................",
        "$5$salt.salt$..........................................z",
        "$5$rounds=5000,$salt.salt$...........................................",
        "$1$salt$abcdefghijklmnopqrstu.",
        "$2$04$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e",
        "$2x$04$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e",
        "$2b$+4$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e",
        "$2b$4$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e",
        "$argon2d$v=19$m=64,t=2,p=2$c2l4dGVlbiBieXRlcyBvaw$Mz4wx9xm/aaCBvRUgTGomsqWwjkRe6z9Dnf1Zb2jBOw",
        "$argon2id$v=19$m=64,t=2,p=2,keyid=AA$c2l4dGVlbiBieXRlcyBvaw$Mz4wx9xm/aaCBvRUgTGomsqWwjkRe6z9Dnf1Zb2jBOw",
        "pbkdf2:sha256:20$Salt0123456789ab$A0000000000000000000000000000000000000000000000000000000000000bc",
        "scrypt:sha256:20$Salt0123456789ab$00000000000000000000000000000000000000000000000000000000000000bc",
        "pbkdf2:sha256:20$Salt01234567_9ab$00000000000000000000000000000000000000000000000000000000000000bc",
        "pbkdf2:md5:20$Salt0123456789ab$00000000000000000000000000000000",
        "$P$5Salt.0/zfs4XnR6s0/ZE6NlU.jDfa",
        "$P$5Salt.0/zfs4XnR6s0/ZE6NlU.jDfa/.",
        "$P$5Salt.0/zfs4XnR6s0/ZE6NlU.jDfaz",
        "$P$5Salt.0_zfs4XnR6s0/ZE6NlU.jDfa/",
        "$S$5Salt.0/zfs4XnR6s0/ZE6NlU.jDfa/",
        "$wp$2b$10$.....................................................",
        "$wp$P$B..............................",
        "$wp2y$10$.....................................................",
        "AQAAAAIAAAABAAAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AgAAAAIAAAABAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
        "sha256$Salt0123456789ab$0000000000000000000000000000000000000000000000000000000000000000",
        "pbkdf2_sha256$20$Salt0123456789abcdefgh$5qxmFeROkV5JQP/2YTt0th842J2znJ7HpXvcHW/vR8E",
    ] {
        assert_eq!(Stored::parse(stored).unwrap_err(), Unsupported, "{stored}");
    }
}

#[test]
fn d21_no_password_opens_a_decoy() {
    assert!(decoy().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    let known = kinds().into_iter().filter(|kind| kind.digest.is_none());
    let mut formats: Vec<_> =
        known.map(|kind| Stored::parse(&kind.stored).unwrap().format()).collect();
    formats.sort_by_key(|format| format.as_str());
    formats.dedup_by_key(|format| format.as_str());
    assert_eq!(formats.len(), 10);
    for format in formats {
        let stored = Stored::parse(format.decoy()).unwrap();
        assert_eq!(stored.format().as_str(), format.as_str());
        for password in ["", "x"] {
            assert!(!stored.verify(password));
        }
    }
}

#[test]
fn logs_never_show_a_hash() {
    let stored = Stored::parse(decoy()).unwrap();
    assert_eq!(format!("{stored:?} {:?}", stored.format()), "Stored(argon2, …) argon2");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_without_panic_and_matches_nothing(text in any::<String>(), password in any::<String>()) {
        prop_assert!(!opens(&password, &text));
        prop_assert!(!opens(&text, &text));
    }

    #[test]
    fn any_text_within_a_hash_matches_nothing(text in any::<String>(), at in any::<prop::sample::Index>(), long in any::<bool>()) {
        for vector in kinds() {
            let Vector { password, stored, .. } = &vector;
            let at = at.index(stored.len());
            let after = if long { &stored[at..] } else { "" };
            let damaged = [&stored[..at], &text, after].concat();
            prop_assert!(damaged == *stored || !vector.opens(password, &damaged));
        }
    }

    #[test]
    fn a_cost_is_taken_up_to_its_ceiling(any in any::<u32>(), smaller in 0u32..32) {
        let cost: u32 = any >> smaller;
        let key = "AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let (zeros, dots) = ("0".repeat(64), |digits| ".".repeat(digits));
        let aspnet = |prf: u32| {
            let head = [&[1][..], &prf.to_be_bytes(), &cost.to_be_bytes(), &[0, 0, 0, 16]].concat();
            STANDARD.encode([head, vec![0; 48]].concat())
        };
        for (stored, taken) in [
            (format!("$argon2id$v=19$m={cost},t=1,p=1${key}"), 8..=131_072),
            (format!("$argon2id$v=19$m=64,t={cost},p=1${key}"), 1..=10),
            (format!("$argon2id$v=19$m=64,t=1,p={cost}${key}"), 1..=8),
            (aspnet(0), 1..=1_000_000),
            (aspnet(1), 1..=2_000_000),
            (aspnet(2), 1..=2_000_000),
            (format!("$2b${cost:02}${}", dots(53)), 4..=15),
            (format!("$wp$2y${cost:02}${}", dots(53)), 4..=15),
            (format!("pbkdf2_sha256${cost}$saltsalt${}=", &key[23..]), 1..=2_000_000),
            (format!("$pbkdf2-sha256${cost}${key}"), 1..=2_000_000),
            (format!("$pbkdf2-sha256$i={cost}${key}"), 1..=2_000_000),
            (format!("pbkdf2:sha256:{cost}$saltsalt${zeros}"), 1..=2_000_000),
            (format!("$scrypt$ln={cost},r=1,p=1${key}"), 1..=20),
            (format!("$scrypt$ln=1,r={cost},p=1${key}"), 1..=32),
            (format!("$scrypt$ln=1,r=1,p={cost}${key}"), 1..=16),
            (format!("scrypt:2:{cost}:1$saltsalt${zeros}{zeros}"), 1..=32),
            (format!("$5$rounds={cost}$saltsalt${}", dots(43)), 1000..=1_000_000),
            (format!("$6$rounds={cost}$saltsalt${}", dots(86)), 1000..=1_000_000),
        ] {
            prop_assert_eq!(Stored::parse(&stored).is_ok(), taken.contains(&cost), "{}", stored);
        }
    }

    #[test]
    fn anything_like_argon2_matches_nothing(
        stored in "(argon2)?\\$argon2(i|id|d)\\$(v=1[69]\\$)?m=[0-9]{1,2},t=[0-3],p=[0-2]\\$[A-Za-z0-9+/]{8,24}\\$[A-Za-z0-9+/]{0,44}",
    ) {
        prop_assert!(!opens("password", &stored));
    }

    #[test]
    fn anything_like_bcrypt_matches_nothing(
        stored in "(bcrypt(_sha256)?\\$)?\\$2[abxy]\\$0[0-4]\\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{29,31}[.CGKOSWaeimquy26]?",
    ) {
        prop_assert!(!opens("password", &stored));
    }

    #[test]
    fn anything_like_pbkdf2_matches_nothing(
        stored in "\\$pbkdf2(-sha1|-sha256|-sha512)?\\$([0-9]{1,2}|i=[0-9]{1,2}(,l=(16|20|32|[0-9]+))?)\\$[A-Za-z0-9+./]{8,24}\\$([A-Za-z0-9./]{26}A|[A-Za-z0-9+/]{42}A|\\PC{0,90})",
    ) {
        prop_assert!(!opens("password", &stored));
    }

    #[test]
    fn anything_like_scrypt_matches_nothing(
        stored in "\\$scrypt\\$ln=[0-5],r=[0-8],p=[0-3]\\$[A-Za-z0-9+/]{8,24}\\$([A-Za-z0-9+/]{42}A|\\PC{0,44})",
    ) {
        prop_assert!(!opens("password", &stored));
    }

    #[test]
    fn anything_like_django_matches_nothing(
        stored in "(pbkdf2_sha(1|256)\\$[0-9]{1,2}\\$[!-~]{0,30}|scrypt\\$(2|4|16|[0-9]+)\\$[a-z]{8,20}\\$[0-9]\\$[0-9])\\$([A-Za-z0-9+/]{26}A=|[A-Za-z0-9+/]{42}A=|[A-Za-z0-9+/]{85}A==|\\PC{0,90})",
    ) {
        prop_assert!(!opens("password", &stored));
    }
    #[test]
    fn anything_like_werkzeug_matches_nothing(
        stored in "(scrypt:(2|4|16|[0-9]+):[0-8]:[0-3]|pbkdf2:(sha1|sha256|sha512|md5):[0-9]{1,2})\\$[A-Za-z0-9]{8,20}\\$([0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128}|\\PC{0,90})",
    ) {
        prop_assert!(!opens("password", &stored));
    }
    #[test]
    fn anything_like_aspnet_matches_nothing(
        stored in "AA([A-Za-z0-9+/]{65}[AQgw]==|[A-Za-z0-9+/=]{40,80})|AQAAAA[AEIM]AAA[AB][A-Za-z0-9+/]AAAAE[A-P]([A-Za-z0-9+/]{63}[AQgw]==|[A-Za-z0-9+/=]{40,80})",
    ) {
        prop_assert!(!opens("password", &stored));
    }
    #[test]
    fn anything_like_phpass_matches_nothing(stored in "\\$[HPS]\\$[3-9]([./A-Za-z0-9]{29}[./01]|[!-~]{28,32})") {
        prop_assert!(!opens("password", &stored));
    }

    #[test]
    fn anything_like_wordpress_matches_nothing(
        stored in "\\$wp\\$2[aby]\\$0[0-4]\\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{29,31}[.CGKOSWaeimquy26]?",
    ) {
        prop_assert!(!opens("password", &stored));
    }
    #[test]
    fn anything_like_sha_crypt_matches_nothing(
        stored in "\\$[1567]\\$(rounds=(1000|[0-9]{1,4})\\$)?[./A-Za-z0-9]{7,17}\\$([./A-Za-z0-9]{42}[./0-9A-D]|[./A-Za-z0-9]{85}[./01]|\\PC{0,90})",
    ) {
        prop_assert!(!opens("password", &stored));
    }
}
