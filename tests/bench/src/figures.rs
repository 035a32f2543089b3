//! Medians, and how far apart the middle of them is.

use std::time::Duration;

use serde_json::{Value, json};

/// What was measured several times.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures(pub(crate) Vec<f64>);

impl Figures {
    /// Notes a time, in microseconds.
    pub(crate) fn time(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64() * 1e6);
    }

    /// What so many in a hundred do not exceed; 0 where nothing was measured.
    pub(crate) fn percentile(&self, of_a_hundred: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        sorted.get((last * of_a_hundred + 50) / 100).copied().unwrap_or_default()
    }

    pub(crate) fn median(&self) -> f64 {
        self.percentile(50)
    }

    /// Median and spread, in microseconds.
    pub(crate) fn json(&self) -> Value {
        let round = |of| (self.percentile(of) * 10.0).round() / 10.0;
        json!({ "median": round(50), "p10": round(10), "p90": round(90), "p99": round(99), "times": self.0.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_in_the_middle() {
        let figures = Figures((0..=100).rev().map(f64::from).collect());
        assert_eq!([10, 50, 90, 99].map(|of| figures.percentile(of)), [10.0, 50.0, 90.0, 99.0]);
        assert_eq!(Figures(vec![7.0]).percentile(99), 7.0);
        assert_eq!(Figures::default().median(), 0.0);
    }
}
