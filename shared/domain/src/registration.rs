//! What the site wants to know of a newcomer.

use std::collections::BTreeMap;

use crate::Profile;

/// A field of the registration page, beside the e-mail address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// Its name in forms, in JSON and in the account.
    pub name: String,
    /// What it is called, by language; `""` is the language of last resort.
    pub label: BTreeMap<String, String>,
    /// What helps to fill it in, by language.
    pub help: BTreeMap<String, String>,
    /// What it takes.
    pub kind: Kind,
    /// Whether it may be left empty.
    pub required: bool,
    /// What the whole value must match: the site's own pattern.
    pub pattern: Option<String>,
    /// What can be chosen, for [`Kind::Select`].
    pub options: Vec<String>,
    /// What a [`Kind::Checkbox`] agrees to, if it is a consent.
    pub consent: Option<Consent>,
}

/// A text that a newcomer agrees to by ticking a box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Which version of the text it is. The box carries it, so that nobody agrees to another one than
    /// they were shown.
    pub version: String,
    /// Where the text is: a path of the site's, or an https URL.
    pub href: Option<String>,
}

/// What a field takes; the names are those of HTML's inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A line of text.
    #[default]
    Text,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Tel,
    /// A number.
    Number,
    /// A day, as `2026-11-20`.
    Date,
    /// A box to tick; its value is `yes`, or the version of what it agrees to.
    Checkbox,
    /// One of several options.
    Select,
}

impl Kind {
    /// The kind's name in `REGISTRATION_FIELDS` and in HTML.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Email => "email",
            Self::Tel => "tel",
            Self::Number => "number",
            Self::Date => "date",
            Self::Checkbox => "checkbox",
            Self::Select => "select",
        }
    }

    /// The kind of that name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Text, Self::Email, Self::Tel, Self::Number, Self::Date, Self::Checkbox, Self::Select]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

impl Field {
    /// What Amazon told that belongs into this field.
    pub fn known<'a>(&self, customer: &'a Profile) -> Option<&'a str> {
        match self.name.as_str() {
            "name" => customer.name.as_deref(),
            "postal_code" => customer.postal_code.as_deref(),
            _ => None,
        }
    }

    /// The value of a box that is ticked.
    pub fn ticked(&self) -> &str {
        self.consent.as_ref().map_or("yes", |consent| &consent.version)
    }
}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It is needed, and empty.
    Missing,
    /// It is not what the field takes.
    Invalid,
    /// It is longer than 256 characters.
    TooLong,
}

/// Says what is wrong with a value, but for the site's own pattern.
///
/// # Errors
///
/// [`Wrong`], for the message beside the field.
pub fn check(field: &Field, value: &str) -> Result<(), Wrong> {
    if value.is_empty() {
        return if field.required { Err(Wrong::Missing) } else { Ok(()) };
    }
    if value.chars().count() > 256 {
        return Err(Wrong::TooLong);
    }
    let fits = match field.kind {
        Kind::Text => true,
        Kind::Email => crate::Email::parse(value).is_some(),
        Kind::Tel => value.chars().all(|c| c.is_ascii_digit() || " +-./()".contains(c)),
        Kind::Number => value.parse::<f64>().is_ok_and(f64::is_finite),
        Kind::Date => is_a_day(value),
        Kind::Checkbox => value == field.ticked(),
        Kind::Select => field.options.iter().any(|option| option == value),
    };
    if fits && !value.chars().any(char::is_control) { Ok(()) } else { Err(Wrong::Invalid) }
}

fn is_a_day(value: &str) -> bool {
    let parts: Vec<&str> = value.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    if !(digits(year, 4) && digits(month, 2) && digits(day, 2)) {
        return false;
    }
    let number = |text: &str| text.parse::<u32>().unwrap_or(0);
    let (year, month, day) = (number(year), number(month), number(day));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_what_its_field_takes() {
        let field = |kind, required| Field {
            name: "f".into(),
            kind,
            required,
            options: vec!["red".into(), "blue".into()],
            ..Field::default()
        };
        let long = "a".repeat(257);
        for (kind, value, expected) in [
            (Kind::Text, "anything é", Ok(())),
            (Kind::Text, "a\nb", Err(Wrong::Invalid)),
            (Kind::Text, &long[1..], Ok(())),
            (Kind::Text, &long, Err(Wrong::TooLong)),
            (Kind::Text, "", Err(Wrong::Missing)),
            (Kind::Email, "ann@example.com", Ok(())),
            (Kind::Email, "ann", Err(Wrong::Invalid)),
            (Kind::Tel, "+1 (206) 555-0100", Ok(())),
            (Kind::Tel, "call me", Err(Wrong::Invalid)),
            (Kind::Number, "-1.5", Ok(())),
            (Kind::Number, "inf", Err(Wrong::Invalid)),
            (Kind::Date, "2024-02-29", Ok(())),
            (Kind::Date, "2026-02-29", Err(Wrong::Invalid)),
            (Kind::Date, "2026-13-01", Err(Wrong::Invalid)),
            (Kind::Date, "+026-01-01", Err(Wrong::Invalid)),
            (Kind::Date, "tomorrow", Err(Wrong::Invalid)),
            (Kind::Checkbox, "yes", Ok(())),
            (Kind::Checkbox, "on", Err(Wrong::Invalid)),
            (Kind::Select, "red", Ok(())),
            (Kind::Select, "green", Err(Wrong::Invalid)),
        ] {
            assert_eq!(check(&field(kind, true), value), expected, "{kind:?} {value:?}");
        }
        assert_eq!(check(&field(Kind::Text, false), ""), Ok(()));
    }

    #[test]
    fn a_consent_is_to_the_version_that_was_shown() {
        let consent = Some(Consent { version: "2026-11".into(), href: None });
        let field = Field { kind: Kind::Checkbox, required: true, consent, ..Field::default() };
        for (value, expected) in [
            ("2026-11", Ok(())),
            ("", Err(Wrong::Missing)),
            ("yes", Err(Wrong::Invalid)),
            ("2026-10", Err(Wrong::Invalid)),
        ] {
            assert_eq!(check(&field, value), expected, "{value}");
        }
    }

    #[test]
    fn kinds_are_read_as_they_are_written() {
        for kind in [Kind::Text, Kind::Checkbox, Kind::Select] {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::parse("password"), None);
    }
}
