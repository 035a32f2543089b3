//! The language that a visitor would like best.

use proptest::{prelude::*, sample::select};

use super::{Asked, holds, nasty, tampered};
use crate::words::Language;

/// A language range of its own part, with a weight in thousandths.
fn range() -> impl Strategy<Value = (String, u16)> {
    let tag =
        select(vec!["en", "EN", "en-GB", "de", "De-AT", "de-Latn-CH", "fr", "den", "eng", "*"]);
    (tag, select(vec![0, 1, 100, 500, 999, 1000]))
        .prop_map(|(tag, weight)| (tag.to_owned(), weight))
}

fn printed(ranges: &[(String, u16)], space: &str) -> String {
    let print = |(tag, weight): &(String, u16)| match weight {
        1000 => tag.clone(),
        weight => format!("{tag}{space};{space}q={}", f32::from(*weight) / 1000.0),
    };
    ranges.iter().map(print).collect::<Vec<_>>().join(&format!(",{space}"))
}

#[test]
fn f_hdr_a_visitor_reads_the_language_that_was_given_most_weight() {
    holds(1024, prop::collection::vec(range(), 0..5), |ranges| {
        let weight = |language: &str| {
            let named = |tag: &str| {
                let first = |range: &&(String, u16)| {
                    range.0.split('-').next().unwrap().eq_ignore_ascii_case(tag)
                };
                ranges.iter().filter(first).map(|(_, weight)| *weight).max()
            };
            named(language).or_else(|| named("*")).unwrap_or(0)
        };
        let chosen = Language::preferred(Some(&printed(&ranges, "")));
        match (weight("en"), weight("de")) {
            (en, de) if de > en => assert_eq!(chosen, Language::De),
            (en, de) if en > de || en == 0 => assert_eq!(chosen, Language::En),
            _ => {}
        }
        assert_eq!(
            Language::preferred(Some(&printed(&ranges, " "))),
            chosen,
            "space means nothing"
        );
        // Neither do languages that the pages do not speak.
        let mut more = ranges.clone();
        more.insert(ranges.len() / 2, ("ja".to_owned(), 1000));
        assert_eq!(Language::preferred(Some(&printed(&more, ""))), chosen);
    });
}

#[test]
fn f_hdr_any_accept_language_is_understood_somehow() {
    let header = prop_oneof![nasty(), tampered("(de|en)(-[A-Z]{2})?(;q=[0-9.]{1,5})?(, ?\\*)?")];
    holds(1024, header, |header| {
        let chosen = Language::preferred(Some(&header));
        assert!(
            chosen == Language::En
                || header.to_ascii_lowercase().contains("de")
                || header.contains('*')
        );
        let headers = vec![("accept-language", header.clone())];
        if lambda_http::http::HeaderValue::from_str(&header)
            .is_ok_and(|value| value.to_str().is_ok())
        {
            assert_eq!(Asked { headers, ..Asked::default() }.request().language, chosen);
        }
    });
}
