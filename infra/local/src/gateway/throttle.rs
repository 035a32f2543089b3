//! The throttles of the stage and of single routes: buckets of tokens, as an HTTP API has them.
//!
//! AWS does not say whether routes without a throttle of their own share one bucket. Here they do,
//! which is the stricter of the two.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use crate::template::{Throttle, Throttles};

/// The buckets of an API; none where nothing is throttled.
pub(super) struct Buckets {
    stage: Option<Bucket>,
    routes: HashMap<String, Bucket>,
}

struct Bucket {
    throttle: Throttle,
    level: Mutex<Level>,
}

/// How many tokens there were, and when.
struct Level {
    tokens: f64,
    at: Instant,
}

impl Buckets {
    pub(super) fn new(throttles: &Throttles) -> Self {
        let now = Instant::now();
        let bucket = |throttle: &Throttle| Bucket::full(*throttle, now);
        let routes = throttles.routes.iter().map(|(key, throttle)| (key.clone(), bucket(throttle)));
        Self { stage: throttles.stage.as_ref().map(bucket), routes: routes.collect() }
    }

    /// Whether a request to the route of this key is let through.
    pub(super) fn take(&self, key: &str) -> bool {
        let bucket = self.routes.get(key).or(self.stage.as_ref());
        bucket.is_none_or(|bucket| bucket.take(Instant::now()))
    }
}

impl Bucket {
    fn full(throttle: Throttle, now: Instant) -> Self {
        let level = Level { tokens: throttle.burst.into(), at: now };
        Self { throttle, level: Mutex::new(level) }
    }

    fn take(&self, now: Instant) -> bool {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let back = now.saturating_duration_since(level.at).as_secs_f64();
        let tokens = level.tokens + back * f64::from(self.throttle.rate);
        level.tokens = tokens.min(self.throttle.burst.into());
        level.at = level.at.max(now);
        let taken = level.tokens >= 1.0;
        if taken {
            level.tokens -= 1.0;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_lets_through_what_is_in_it_and_what_comes_back() {
        let start = Instant::now();
        let bucket = Bucket::full(Throttle { rate: 10, burst: 3 }, start);
        let at = |ms| start + Duration::from_millis(ms);
        let taken = |ms| (0..9).take_while(|_| bucket.take(at(ms))).count();

        assert_eq!(taken(0), 3);
        assert_eq!(taken(99), 0);
        assert_eq!(taken(100), 1, "a tenth of a second brings one back");
        assert_eq!(taken(9_999), 3, "never more than fit in");
        assert_eq!(taken(0), 0, "whoever comes late with an earlier time gets none for it");
    }

    #[test]
    fn a_route_with_a_throttle_of_its_own_takes_nothing_from_the_others() {
        let stage = Some(Throttle { rate: 0, burst: 2 });
        let dear = Throttle { rate: 0, burst: 1 };
        let routes = [("ANY /dear".to_owned(), dear)].into();
        let buckets = Buckets::new(&Throttles { stage, routes });

        let taken = ["ANY /dear", "ANY /dear", "ANY /a", "$default", "ANY /a"];

        assert_eq!(taken.map(|key| buckets.take(key)), [true, false, true, true, false]);
        assert!(Buckets::new(&Throttles::default()).take("ANY /a"));
    }
}
