//! What the pages say. A language is one file, `words/<its code>.rs`, and one line in [`Language`].

mod de;
mod en;

use std::cmp::Reverse;

/// A language that the pages speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// German.
    De,
}

impl Language {
    /// All of them; the first is for visitors who speak none of them.
    pub const ALL: [Self; 2] = [Self::En, Self::De];

    /// Its name in HTML's `lang` (BCP 47).
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// The language that a visitor's `Accept-Language` likes best (RFC 9110, section 12.5.4).
    ///
    /// A range counts by its first part, so that `de-AT` is understood as German.
    pub fn preferred(accept_language: Option<&str>) -> Self {
        let ranges: Vec<(&str, u16)> =
            accept_language.unwrap_or_default().split(',').filter_map(range).collect();
        let weight = |language: &Self| {
            let of = |name| {
                let named = |(tag, _): &&(&str, u16)| tag.eq_ignore_ascii_case(name);
                ranges.iter().filter(named).map(|(_, weight)| *weight).max()
            };
            of(language.code()).or_else(|| of("*")).unwrap_or(0)
        };
        let place = |language: &Self| {
            ranges.iter().position(|(tag, _)| tag.eq_ignore_ascii_case(language.code()))
        };
        // Where two are liked equally, the one named first wins, then the first of ours.
        let rank =
            |language: &Self| (Reverse(weight(language)), place(language).unwrap_or(usize::MAX));
        let understood = Self::ALL.into_iter().filter(|language| weight(language) > 0);
        understood.min_by_key(rank).unwrap_or(Self::En)
    }

    /// What the pages say in this language.
    pub fn words(self) -> &'static Words {
        match self {
            Self::En => &en::EN,
            Self::De => &de::DE,
        }
    }
}

/// The first part of a language range, and its weight in thousandths.
fn range(text: &str) -> Option<(&str, u16)> {
    let (tag, weight) = match text.split_once(';') {
        None => (text, 1.0),
        Some((tag, weight)) => {
            let weight = weight.trim();
            let weight = weight.strip_prefix("q=").or_else(|| weight.strip_prefix("Q="))?;
            (tag, weight.parse::<f32>().ok().filter(|weight| (0.0..=1.0).contains(weight))?)
        }
    };
    let tag = tag.trim().split('-').next()?;
    (!tag.is_empty()).then_some((tag, (weight * 1000.0) as u16))
}

/// What a text says before and after its `{placeholder}`, of which it has at most one.
pub(crate) fn around(text: &str) -> Option<(&str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (_, after) = rest.split_once('}')?;
    Some((before, after))
}

macro_rules! words {
    (texts: $($text:ident)+; problems: $($problem:ident)+;) => {
        /// Every text of every page, in one language.
        pub struct Words {
            $(pub(crate) $text: &'static str,)+
            $(pub(crate) $problem: (&'static str, &'static str),)+
        }

        impl Words {
            /// A code's title, and what happened and what helps, in a sentence or two.
            ///
            /// A code without words of its own is told as `broken`.
            pub fn problem(&self, code: &str) -> (&'static str, &'static str) {
                match code {
                    $(stringify!($problem) => self.$problem,)+
                    _ => self.broken,
                }
            }
        }

        #[cfg(test)]
        impl Words {
            /// The codes that have words.
            pub(crate) const CODES: &[&str] = &[$(stringify!($problem)),+];

            fn all(&self) -> Vec<(&'static str, &'static str)> {
                let mut all = vec![$((stringify!($text), self.$text)),+];
                $(all.extend([self.$problem.0, self.$problem.1].map(|text| (stringify!($problem), text)));)+
                all
            }
        }
    };
}

words! {
    texts:
        amazon error required choose
        missing missing_tick missing_choice too_long
        invalid invalid_email invalid_tel invalid_number invalid_date invalid_choice
        invalid_consent read_text
        start_title start_why
        link_title link_matched link_matched_unnamed link_prove link_next link_email link_password
        link_code link_code_needed link_wrong link_wrong_code link_one_try link_tries link_submit
        link_forgot link_forgot_next link_forgot_no_page link_cancel link_amazon_password
        register_title register_why register_next register_elsewhere register_email
        register_email_from_amazon register_email_missing register_wrong register_submit
        switch_title switch_from switch_from_unnamed switch_to switch_to_unnamed switch_ask
        switch_submit switch_stay
        connections_title connections_cancelled connections_amazon connections_since
        connections_email connections_prove_again connections_unlink connections_unlink_next
        connections_none connections_link connections_sessions connections_browser connections_app
        connections_device connections_current connections_started connections_last_seen
        connections_revoke connections_revoke_others connections_back
        reauthenticate_title reauthenticate_why reauthenticate_submit reauthenticate_amazon
        undo_title undo_why undo_submit undo_done_title undo_done
        problem_moment problem_seconds problem_minutes problem_retry problem_sign_in problem_reset
        problem_confirm problem_request_id;
    problems:
        start_over bad_request wrong_password mfa_required not_signed_in token_rejected csrf
        account_closed no_password registration_closed reauthentication_required not_found
        method_not_allowed already_linked ambiguous_email last_sign_in_method ticket_expired
        too_large unsupported_media_type invalid_fields too_many_attempts broken unavailable;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts that are the same in every language.
    const SAME: [&str; 4] =
        ["amazon", "connections_amazon", "connections_app", "connections_browser"];

    fn placeholders(text: &str) -> Vec<&str> {
        text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect()
    }

    #[test]
    fn every_language_says_everything_with_the_same_placeholders() {
        let english = Language::En.words().all();
        for language in Language::ALL {
            for ((name, text), (_, english)) in language.words().all().into_iter().zip(&english) {
                let code = language.code();
                assert!(!text.trim().is_empty(), "{code}: {name} is empty");
                assert_eq!(text, text.trim(), "{code}: {name} has spaces around it");
                assert!(!text.contains("  "), "{code}: {name} has two spaces");
                assert_eq!(placeholders(text), placeholders(english), "{code}: {name}");
                assert!(placeholders(text).len() <= 1, "{code}: {name} has two placeholders");
                let translated = language == Language::En || text != *english;
                assert_ne!(
                    translated,
                    language != Language::En && SAME.contains(&name),
                    "{code}: {name}"
                );
            }
        }
    }

    #[test]
    fn what_a_problem_says_holds_as_json_too() {
        for language in Language::ALL {
            for code in Words::CODES {
                let (title, detail) = language.words().problem(code);
                assert!(
                    placeholders(title).is_empty() && placeholders(detail).is_empty(),
                    "{code}"
                );
            }
            assert_eq!(language.words().problem("no_such_code"), language.words().broken);
        }
    }

    #[test]
    fn amazons_button_says_what_amazon_asks_for() {
        for language in Language::ALL {
            assert_eq!(language.words().amazon, "Login with Amazon");
        }
    }

    #[test]
    fn a_visitor_reads_the_language_that_the_browser_likes_best() {
        for (accept, expected) in [
            ("de", Language::De),
            ("de-AT", Language::De),
            ("DE-ch, en;q=0.9", Language::De),
            ("de,en", Language::De),
            ("en,de", Language::En),
            ("en-GB;q=0.7, de;q=0.8", Language::De),
            ("en;q=0.8, de;q=0.7", Language::En),
            ("fr, de;q=0.3", Language::De),
            ("fr, de;q=0.3, *;q=0.5", Language::En),
            ("*", Language::En),
            ("en;q=0, *", Language::De),
            ("de;q=0", Language::En),
            ("de ; q=0.5 , en;q=0.4", Language::De),
            ("fr", Language::En),
            ("", Language::En),
            ("den, en;q=0.1", Language::En),
            ("de;q=nan, en;q=0.1", Language::En),
            ("de;q=7, en;q=0.1", Language::En),
            (";q=1,,-,de;level=1", Language::En),
        ] {
            assert_eq!(Language::preferred(Some(accept)), expected, "{accept}");
        }
        assert_eq!(Language::preferred(None), Language::En);
    }
}
