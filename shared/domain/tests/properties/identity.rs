//! Addresses, names and ids: what Amazon and the account system call people.

use domain::{AccountId, AmazonUserId, Email, amazon::fit_to_show};
use proptest::{
    prelude::*,
    sample::{Index, select},
};

use crate::{holds, matters, nasty, tampered};

/// A plain address.
fn address() -> impl Strategy<Value = String> {
    let local = "[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}";
    let label = "[A-Za-z0-9]([A-Za-z0-9-]{0,10}[A-Za-z0-9])?";
    (local, prop::collection::vec(label, 1..5)).prop_map(|(local, labels)| {
        let domain = labels.join(".");
        format!("{local}@{domain}")
    })
}

/// Something that might be taken for an address.
fn almost() -> impl Strategy<Value = String> {
    let parts = (nasty(), nasty()).prop_map(|(local, domain)| format!("{local}@{domain}"));
    prop_oneof![4 => tampered(address()), 1 => parts, 1 => nasty(), 1 => address()]
}

/// What fonts and databases take for an ASCII character.
const LOOK_ALIKES: &[(char, &str)] = &[
    ('a', "а"),
    ('a', "ａ"),
    ('a', "á"),
    ('a', "a\u{301}"),
    ('c', "с"),
    ('e', "е"),
    ('e', "é"),
    ('g', "ɡ"),
    ('h', "һ"),
    ('i', "ı"),
    ('i', "і"),
    ('I', "İ"),
    ('j', "ј"),
    ('k', "\u{212a}"),
    ('k', "ｋ"),
    ('l', "ⅼ"),
    ('l', "ł"),
    ('n', "ո"),
    ('o', "о"),
    ('o', "ο"),
    ('o', "ᴏ"),
    ('o', "º"),
    ('p', "р"),
    ('s', "ſ"),
    ('s', "ѕ"),
    ('u', "υ"),
    ('v', "ѵ"),
    ('w', "ԝ"),
    ('x', "х"),
    ('y', "у"),
    ('z', "ᴢ"),
    ('1', "１"),
    ('2', "²"),
    ('-', "\u{2010}"),
    ('-', "\u{ad}"),
    ('.', "。"),
    ('.', "．"),
    ('.', "\u{2024}"),
    ('@', "＠"),
    ('@', "﹫"),
    ('_', "＿"),
    ('+', "＋"),
];

#[test]
fn f_email_a_plain_address_is_taken_as_it_is_spelled() {
    holds(address(), |address| {
        let email = Email::parse(&address).unwrap();
        assert_eq!(email.as_str(), address);
        assert_eq!(format!("{email:?}"), "Email(…)");
    });
}

#[test]
fn f_email_e11_whatever_is_taken_is_safe_to_compare_to_store_and_to_show() {
    matters(100, almost(), |text| {
        let Some(email) = Email::parse(&text) else { return false };
        let taken = email.as_str();
        assert_eq!(taken, text);
        assert!(taken.len() <= 254 && taken.matches('@').count() == 1);
        let plain = |b: u8| b.is_ascii_graphic() && !b"\"(),:;<>[\\]".contains(&b);
        assert!(taken.bytes().all(plain));
        let (local, domain) = taken.split_once('@').unwrap();
        assert!(!local.is_empty());
        let inside = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let label = |label: &str| !label.is_empty() && label.bytes().all(inside);
        assert!(domain.split('.').all(label));
        assert_eq!(Email::parse(taken).unwrap().as_str(), text);
        true
    });
}

#[test]
fn f_email_e08_an_address_is_the_same_in_every_case() {
    holds((address(), any::<u64>()), |(address, flips)| {
        let flip = |(at, c): (usize, char)| match flips >> (at % 64) & 1 {
            0 => c.to_ascii_lowercase(),
            _ => c.to_ascii_uppercase(),
        };
        let other: String = address.chars().enumerate().map(flip).collect();
        let [one, other] = [address, other].map(|address| Email::parse(&address).unwrap());
        assert_eq!(one, other);
        assert_eq!(one.lowercase(), other.lowercase());
        assert_eq!(Email::parse(&one.lowercase()), Some(one), "in lowercase it is the same");
    });
}

#[test]
fn f_email_two_addresses_are_equal_up_to_ascii_case_and_no_further() {
    let pair = prop_oneof![
        (address(), almost()),
        address().prop_flat_map(|address| (Just(address.clone()), tampered(Just(address)))),
    ];
    matters(100, pair, |(one, other)| {
        let [Some(a), Some(b)] = [&one, &other].map(|text| Email::parse(text)) else {
            return false;
        };
        assert_eq!(a == b, one.eq_ignore_ascii_case(&other));
        assert_eq!(a == b, a.lowercase() == b.lowercase());
        true
    });
}

#[test]
fn f_email_e10_a_tag_or_a_dot_makes_it_another_address() {
    let inputs = ("[a-z0-9.]{1,20}", "[a-z0-9]{1,8}", any::<Index>());
    holds(inputs, |(local, tag, at)| {
        let (before, after) = local.split_at(at.index(local.len() + 1));
        let [plain, tagged, dotted] =
            [local.clone(), format!("{local}+{tag}"), format!("{before}.{after}")]
                .map(|local| Email::parse(&format!("{local}@example.com")).unwrap());
        assert!(plain != tagged && plain != dotted && tagged != dotted);
    });
}

#[test]
fn f_email_e09_a_look_alike_is_never_the_same_address() {
    holds((address(), select(LOOK_ALIKES), any::<Index>()), |(address, (ascii, looks), at)| {
        let like = |(at, c): (usize, char)| c.eq_ignore_ascii_case(&ascii).then_some(at);
        let places: Vec<usize> = address.char_indices().filter_map(like).collect();
        let at = match places[..] {
            [] => at.index(address.len()),
            _ => places[at.index(places.len())],
        };
        // It is no address at all, so nothing is ever looked up by it.
        let forged = format!("{}{looks}{}", &address[..at], &address[at + 1..]);
        assert_eq!(Email::parse(&forged), None);
    });
}

#[test]
fn e24_a_user_id_is_one_word_and_taken_as_it_is() {
    let odd = prop_oneof![nasty(), any::<String>(), "[A-Za-z0-9._-]{120,140}"];
    let inputs = ("[A-Za-z0-9._-]{1,128}", odd, any::<Index>());
    holds(inputs, |(id, odd, at)| {
        assert_eq!(AmazonUserId::parse(&id).unwrap().as_str(), id);
        let in_word = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let word = |text: &str| (1..=128).contains(&text.len()) && text.chars().all(in_word);
        let (before, after) = id.split_at(at.index(id.len() + 1));
        for text in [&odd, &format!("{before}{odd}{after}")] {
            assert_eq!(AmazonUserId::parse(text).is_some(), word(text), "{text:?}");
        }
    });
}

#[test]
fn an_account_id_is_opaque_and_taken_as_it_is() {
    holds(prop_oneof![nasty(), any::<String>(), "\\PC{1,300}"], |id| {
        let fits = !id.is_empty() && id.len() <= 256 && !id.chars().any(char::is_control);
        let taken = AccountId::parse(&id);
        assert_eq!(taken.is_some(), fits);
        assert!(taken.is_none_or(|taken| taken.as_str() == id && taken.to_string() == id));
    });
}

#[test]
fn f_name_what_is_shown_has_nothing_in_it_that_does_not_show() {
    let names = prop_oneof![nasty(), any::<String>(), hidden()];
    matters(500, (names, 1..200_usize), |(name, longest)| {
        let Some(shown) = fit_to_show(&name, longest) else {
            let visible = |c: &char| !c.is_control() && !is_hidden(*c);
            let mut left = name.trim().chars().filter(visible).take(longest);
            assert!(left.all(char::is_whitespace), "there was something to show");
            return false;
        };
        assert!(!shown.is_empty() && shown.chars().count() <= longest);
        assert!(!shown.chars().any(|c| c.is_control() || is_hidden(c)));
        assert_eq!(shown.trim(), shown);
        assert_eq!(fit_to_show(&shown, longest), Some(shown.clone()), "shown again, the same");
        // Nothing is added: it is what was there, in that order.
        let mut all = name.chars();
        assert!(shown.chars().all(|c| all.any(|other| other == c)));
        true
    });
}

/// Characters that change how their neighbours are shown, and are not seen themselves: Unicode's
/// explicit bidirectional formatting, joiners, separators, tags.
const HIDDEN: &str = "\u{ad}\u{61c}\u{180e}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\
    \u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2060}\u{2061}\u{2062}\u{2063}\u{2064}\u{2066}\u{2067}\
    \u{2068}\u{2069}\u{206a}\u{206f}\u{feff}\u{fff9}\u{fffa}\u{fffb}\u{e0001}\u{e0020}\u{e007f}";

fn is_hidden(c: char) -> bool {
    HIDDEN.contains(c) || matches!(c, '\u{2065}'..='\u{206f}' | '\u{e0000}'..='\u{e007f}')
}

/// A name with much in it that does not show.
fn hidden() -> impl Strategy<Value = String> {
    let hidden = select(HIDDEN.chars().collect::<Vec<_>>());
    let c = prop_oneof![
        hidden,
        select(vec![' ', '\t', '\r', '\n', '\u{a0}', 'A', 'é', 'א', '\u{301}'])
    ];
    prop::collection::vec(c, 0..30).prop_map(String::from_iter)
}
