use std::{
    ops::{Add, Sub},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A moment, in whole seconds since 1970 (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(duration.as_secs()))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(duration.as_secs()))
    }
}

impl Timestamp {
    /// How long after `earlier` this is; nothing if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads RFC 3339, to the second: `2026-11-20T10:30:00.25+01:00`.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let number = |from: usize, length: usize| {
            let digits = text.get(from..from + length)?;
            let number = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<i64>());
            number?.ok()
        };
        let is =
            |at: usize, marks: &[u8]| text.as_bytes().get(at).is_some_and(|b| marks.contains(b));
        let marks = is(4, b"-") && is(7, b"-") && is(10, b"Tt") && is(13, b":") && is(16, b":");
        let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
        let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + i64::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        // A leap second counts as the one before it.
        let fits = marks && (1..=days).contains(&day) && hour < 24 && minute < 60 && second <= 60;
        let rest = match text.get(19..)?.strip_prefix('.') {
            None => &text[19..],
            Some(fraction) => {
                let rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
                (rest.len() < fraction.len()).then_some(rest)?
            }
        };
        let at = text.len() - rest.len();
        let offset = match rest {
            "Z" | "z" => 0,
            _ if rest.len() == 6 && is(at, b"+-") && is(at + 3, b":") => {
                let (hours, minutes) = (number(at + 1, 2)?, number(at + 4, 2)?);
                let seconds =
                    (hours < 24 && minutes < 60).then_some(hours * 3600 + minutes * 60)?;
                if is(at, b"-") { -seconds } else { seconds }
            }
            _ => return None,
        };
        // Hinnant's `days_from_civil`.
        let shifted_year = year - i64::from(month <= 2);
        let era = shifted_year.div_euclid(400);
        let year_of_era = shifted_year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = era * 146_097 + day_of_era - 719_468;
        let clock = hour * 3600 + minute * 60 + second.min(59);
        fits.then_some(Self(days * 86_400 + clock - offset))
    }

    /// As RFC 3339 in UTC, for JSON: `2026-11-20T09:30:00Z`.
    pub fn rfc3339(self) -> String {
        // Days to a civil date: Howard Hinnant's `civil_from_days`, for the proleptic Gregorian calendar.
        let (days, seconds) = (self.0.div_euclid(86_400), self.0.rem_euclid(86_400));
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let mut text = format!("{year:04}-");
        // Each request writes a few of these, and `format!` would take most of their time.
        for (number, after) in [(month, '-'), (day, 'T'), (hour, ':'), (minute, ':'), (second, 'Z')]
        {
            for digit in [number / 10, number % 10] {
                text.push(char::from(b'0' + digit as u8));
            }
            text.push(after);
        }
        text
    }
}

/// Where the time comes from.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that a test holds still.
    Stopped(Timestamp),
}

impl Clock {
    /// The time now.
    pub fn now(self) -> Timestamp {
        match self {
            Self::Stopped(at) => at,
            Self::System => {
                #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
                let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp(i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_rfc_3339_says() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_795_167_000, "2026-11-20T09:30:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(Timestamp(seconds).rfc3339(), text);
        }
    }

    #[test]
    fn moments_are_read_as_rfc_3339_says() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29t00:00:00z", 951_782_400),
            ("2026-11-20T09:30:00Z", 1_795_167_000),
            ("2026-11-20T09:30:00.999999999Z", 1_795_167_000),
            ("2026-11-20T10:30:00.25+01:00", 1_795_167_000),
            ("2026-11-20T04:00:00-05:30", 1_795_167_000),
            ("1990-12-31T23:59:60Z", 662_687_999),
            ("0000-03-01T00:00:00Z", -62_162_035_200),
        ] {
            assert_eq!(Timestamp::parse_rfc3339(text), Some(Timestamp(seconds)), "{text}");
        }
        for wrong in [
            "",
            "2026-11-20",
            "2026-11-20T09:30:00",
            "2026-11-20 09:30:00Z",
            "2026-11-20T09:30Z",
            "2026-11-20T09:30:00.Z",
            "2026-11-20T09:30:00,5Z",
            "2026-11-20T09:30:00Z ",
            "2026-11-20T09:30:00+0100",
            "2026-11-20T09:30:00+24:00",
            "2026-11-20T24:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-11-00T00:00:00Z",
            "+026-11-20T09:30:00Z",
            "2026-11-20T09:30:61Z",
            "2026-11-20T09:30:\u{661}0Z",
            "1795167000",
        ] {
            assert_eq!(Timestamp::parse_rfc3339(wrong), None, "{wrong}");
        }
        for seconds in (-62_135_596_800..253_402_300_799).step_by(86_399 * 37) {
            let moment = Timestamp(seconds);
            assert_eq!(Timestamp::parse_rfc3339(&moment.rfc3339()), Some(moment));
        }
    }

    #[test]
    fn f14_a_clock_that_went_backwards_counts_as_no_time_at_all() {
        assert_eq!(Timestamp(5).since(Timestamp(9)), Duration::ZERO);
        assert_eq!(Timestamp(9).since(Timestamp(5)), Duration::from_secs(4));
    }
}
