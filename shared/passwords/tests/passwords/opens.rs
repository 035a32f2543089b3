//! Which passwords open a hash.

use super::*;

#[test]
fn the_password_opens_the_hashes_of_real_tables_and_another_does_not() {
    let (hashes, password) = corpus();
    assert_eq!(hashes.len(), 20);
    for (name, stored) in hashes {
        let stored = Stored::parse(&stored).expect(&name);
        assert!(stored.verify(&password), "{name}");
        assert!(!stored.verify("correct horse battery staple"), "{name}");
    }
}

#[test]
fn d14_a_password_opens_its_own_hash_and_its_near_misses_do_not() {
    for vector in vectors() {
        let hash = vector.parse(&vector.stored).unwrap();
        assert_eq!(Stored::parse(&vector.stored).is_err(), vector.digest.is_some());
        let Vector { format, password, stored, .. } = vector;
        assert_eq!(hash.format().as_str(), format);
        assert!(hash.verify(&password), "{password:?} {stored}");

        let shorter: String = password.chars().take(password.chars().count() - 1).collect();
        let misses = [
            password.trim().to_owned(),
            password.to_lowercase(),
            password.to_uppercase(),
            password.replace("e\u{301}", "\u{e9}"),
            password.replace('\u{e9}', "e\u{301}"),
            password.replace('\u{1f3fd}', ""),
            format!(" {password}"),
            format!("{password} "),
            format!("{password}\n"),
            format!("{password}\0"),
            format!("{password}\0\0"),
            format!("{password}\0x"),
            format!("\0{password}"),
            shorter,
        ];
        for miss in misses.iter().filter(|miss| **miss != password) {
            let spaces = format == "wordpress" || stored.starts_with("$P$");
            let known = spaces && trim(miss) == trim(&password);
            assert!(known || !hash.verify(miss), "{miss:?} {stored}");
        }
    }
}

/// PHP's `trim`, which WordPress applies to passwords.
fn trim(password: &str) -> &str {
    password.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\0'])
}

#[test]
fn wordpress_takes_a_password_as_it_is_typed_there() {
    for Vector { password, stored, .. } in vectors() {
        if !stored.starts_with("$wp$") && !stored.starts_with("$P$") {
            continue;
        }
        // passlib leaves the white space around a password, so that one of its hashes has some.
        let trimmed = opens(trim(&password), &stored);
        assert!(trimmed || stored.starts_with("$P$5Salt.0/z"), "{password:?} {stored}");
        let typed = format!(" \t{}\r\n\x0b", trim(&password));
        assert_eq!(opens(&typed, &stored), trimmed && typed.len() <= 1024, "{password:?} {stored}");
        for miss in ["\u{a0}", "\x0c", "\\", "."] {
            assert!(!opens(&format!("{password}{miss}"), &stored), "{password:?} {stored}");
        }
    }
    for spaces in [" ", " \t\r\n\x0b\0"] {
        // wp_hash_password(" ") and HashPassword("") of WordPress, which lets nobody in with these.
        assert!(
            !opens(spaces, "$wp$2y$04$9ILeeWlhGLGDApW7gh874euR9V093q9x252OFPCip9Qp4k..xcA4e"),
            "{spaces:?}"
        );
        assert!(!opens(spaces, "$P$5Salt.0/zVopadjcgSbtCWC24Tfpwm/"), "{spaces:?}");
    }
}

#[test]
fn phpbb_takes_a_password_as_html_escapes_it() {
    // passlib: phpass.using(ident="H", salt="Salt.0/z", rounds=7).hash("&lt;&quot;&amp;&gt;'")
    let stored = "$H$5Salt.0/zfs4XnR6s0/ZE6NlU.jDfa/";
    assert!(opens("<\"&>'", stored));
    assert!(opens("&lt;&quot;&amp;&gt;'", stored));
    assert!(!opens("<\"&>&#039;", stored));
    assert!(!opens("<\"&>'", &stored.replace("$H$", "$P$")));
}

#[test]
fn d14_bcrypt_takes_72_bytes_and_never_a_longer_password_that_begins_with_them() {
    let mut seen = 0;
    for vector in vectors() {
        let Vector { password, stored, .. } = &vector;
        if password.len() == 72 {
            assert!(vector.opens(password, stored), "{stored}");
            assert!(!vector.opens(&format!("{password}."), stored), "{stored}");
            assert!(!vector.opens(&format!("{password}{password}"), stored), "{stored}");
            seen += usize::from(stored.contains("$2b$"));
        }
    }
    assert_eq!(seen, 3);
}

#[test]
fn d14_argon2_takes_a_nul_as_it_takes_any_byte() {
    // argon2-cffi: hash_secret(b"nul\0inside\0", b"sixteen bytes ok", 2, 64, 2, 32, Type.ID)
    let stored = "$argon2id$v=19$m=64,t=2,p=2$c2l4dGVlbiBieXRlcyBvaw$8Tn5/63N3d4zoTE9C6ahFqcSXN++MKAa4TNMJtOL4Yo";
    assert!(opens("nul\0inside\0", stored));
    for miss in ["nul", "nul\0inside", "nul\0inside\0\0", "nul\0outside\0"] {
        assert!(!opens(miss, stored), "{miss:?}");
    }
}

#[test]
fn d13_no_password_and_a_very_long_one_cost_nothing() {
    let dearest = "$argon2id$v=19$m=131072,t=10,p=8$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let dearest = Stored::parse(dearest).unwrap();
    let started = Instant::now();
    for length in [0, 1025, 1 << 20, 10 << 20] {
        assert!(!dearest.verify(&"a".repeat(length)));
    }
    // One that is hashed takes seconds.
    assert!(started.elapsed() < Duration::from_millis(500));
}

#[test]
fn d13_the_longest_password_is_1024_bytes() {
    // hashlib.pbkdf2_hmac of 1024 and of 1025 times `a`.
    let longest =
        "$pbkdf2-sha256$i=20$c2l4dGVlbiBieXRlcyBvaw$6IYW6B2Ke0ma3d8woDwcwo+VCcXZTNKH9izVTkiDv7Q";
    let longer =
        "$pbkdf2-sha256$i=20$c2l4dGVlbiBieXRlcyBvaw$gvZgylEBGLfqy5jRyuiUGTJSq3P7CZWw2b33GBnW9oM";
    assert!(opens(&"a".repeat(1024), longest));
    assert!(!opens(&"a".repeat(1025), longer));
    assert!(!opens(
        "",
        "$pbkdf2-sha256$i=20$c2l4dGVlbiBieXRlcyBvaw$X7KHRoY+p/dSoMEW+zkDkX3zOMC7XUfUkIfdnCUR4G8"
    ));
}
