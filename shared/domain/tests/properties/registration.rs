//! What newcomers type, and moments in time.

use std::{ops::Range, time::Duration};

use domain::{
    Email, Timestamp,
    registration::{Field, Kind, Wrong, check},
};
use proptest::{prelude::*, sample::select};

use crate::{holds, matters, nasty, tampered};

const KINDS: [Kind; 7] =
    [Kind::Text, Kind::Email, Kind::Tel, Kind::Number, Kind::Date, Kind::Checkbox, Kind::Select];

fn value() -> impl Strategy<Value = String> {
    let plain = prop_oneof![
        Just(String::new()),
        "[a-z]{1,8}@[a-z]{1,8}\\.com",
        "[0-9 +./()-]{1,20}",
        "-?[0-9]{1,20}(\\.[0-9]{1,4})?(e[0-9]{1,4})?",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}",
        select(vec!["yes", "on", "red", "Red", "inf", "NaN", "0x1f"]).prop_map(str::to_owned),
        "\\PC{250,260}",
    ];
    prop_oneof![3 => tampered(plain), 1 => nasty(), 1 => any::<String>()]
}

/// The day of this date, counted from 1970, whether or not the calendar has it.
fn day(year: i64, month: i64, day: i64) -> i64 {
    // Howard Hinnant's `days_from_civil`.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = (month + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn field(kind: Kind, required: bool) -> Field {
    let options = vec!["red".to_owned(), "blue".to_owned()];
    Field { name: "f".into(), kind, required, options, ..Field::default() }
}

#[test]
fn a_value_that_is_taken_is_what_its_field_promises() {
    let inputs = (select(&KINDS[..]), any::<bool>(), value());
    matters(100, inputs, |(kind, required, value)| {
        let outcome = check(&field(kind, required), &value);
        if value.is_empty() {
            assert_eq!(outcome, if required { Err(Wrong::Missing) } else { Ok(()) });
            return false;
        }
        if value.chars().count() > 256 {
            assert_eq!(outcome, Err(Wrong::TooLong));
            return false;
        }
        let fits = match kind {
            Kind::Text => true,
            Kind::Email => Email::parse(&value).is_some(),
            Kind::Tel => value.chars().all(|c| "0123456789 +-./()".contains(c)),
            Kind::Number => value.parse().is_ok_and(|number: f64| number.is_finite()),
            Kind::Date => is_a_date(&value),
            Kind::Checkbox => value == "yes",
            Kind::Select => value == "red" || value == "blue",
        };
        let fits = fits && !value.chars().any(char::is_control);
        assert_eq!(outcome, if fits { Ok(()) } else { Err(Wrong::Invalid) });
        fits
    });
}

#[test]
fn a_day_is_taken_if_the_calendar_has_it() {
    let year = prop_oneof![0..=9999_i64, (0..100_i64).prop_map(|century| century * 100)];
    let month = prop_oneof![0..=13_i64, Just(2)];
    let day = prop_oneof![0..=32_i64, 28..=31_i64];
    holds((year, month, day), |(year, month, day)| {
        let date = format!("{year:04}-{month:02}-{day:02}");
        assert_eq!(check(&field(Kind::Date, true), &date).is_ok(), is_a_date(&date), "{date}");
    });
}

#[test]
fn n13_time_never_overflows_and_any_moment_can_be_written() {
    holds((any::<i64>(), any::<i64>(), any::<u64>()), |(one, other, length)| {
        let (one, other, length) = (Timestamp(one), Timestamp(other), Duration::from_secs(length));
        assert!(one + length >= one && one - length <= one);
        assert!(one.since(other).is_zero() || other.since(one).is_zero());
        assert!(one.rfc3339().ends_with('Z'));
    });
}

#[test]
fn a_moment_is_written_as_the_day_and_second_that_it_is() {
    holds((-719_000..2_900_000_i64, 0..86_400_i64), |(days, second)| {
        let written = Timestamp(days * 86_400 + second).rfc3339();
        let number = |range: Range<usize>| written[range].parse::<i64>().unwrap();
        assert_eq!(day(number(0..4), number(5..7), number(8..10)), days, "{written}");
        assert_eq!(number(11..13) * 3600 + number(14..16) * 60 + number(17..19), second);
    });
}

/// Whether this is a date: the moment of that day is written with it.
fn is_a_date(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, of_month] = parts[..] else { return false };
    let lengths = (year.len(), month.len(), of_month.len()) == (4, 2, 2);
    if !lengths || ![year, month, of_month].into_iter().all(digits) {
        return false;
    }
    let number = |text: &str| text.parse().unwrap();
    Timestamp(day(number(year), number(month), number(of_month)) * 86_400)
        .rfc3339()
        .starts_with(text)
}
