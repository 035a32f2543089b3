//! Faults that wait for what they are to happen to, at whatever door of this machine.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::{Body, Bytes},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use futures_util::stream;

/// Something that a test lets happen, such as the end of a function's process.
#[derive(Clone)]
pub struct Event(Arc<dyn Fn() + Send + Sync>);

impl Event {
    /// This happens.
    pub fn new(happens: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(happens))
    }

    pub(crate) fn happen(&self) {
        (self.0)();
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Event")
    }
}

/// The faults that wait at one door.
pub(crate) struct Faults<F>(Mutex<Vec<Waiting<F>>>);

struct Waiting<F> {
    matching: String,
    skip: u32,
    times: Option<u32>,
    fault: F,
}

impl<F> Default for Faults<F> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<F: Clone> Faults<F> {
    /// Lets something go wrong with what is told in words that start with `matching`, everything if it is
    /// empty: not with the first few (`skip`), then so many times, or for good.
    pub(crate) fn add(&self, matching: &str, skip: u32, times: Option<u32>, fault: F) {
        let waiting = Waiting { matching: matching.to_owned(), skip, times, fault };
        self.hold().push(waiting);
    }

    pub(crate) fn clear(&self) {
        self.hold().clear();
    }

    /// What goes wrong with this.
    pub(crate) fn take(&self, what: &str) -> Option<F> {
        let mut faults = self.hold();
        let place = faults.iter().position(|waiting| what.starts_with(&waiting.matching))?;
        let waiting = &mut faults[place];
        if waiting.skip > 0 {
            waiting.skip -= 1;
            return None;
        }
        let fault = waiting.fault.clone();
        waiting.times = waiting.times.map(|times| times.saturating_sub(1));
        if waiting.times == Some(0) {
            faults.remove(place);
        }
        Some(fault)
    }

    fn hold(&self) -> std::sync::MutexGuard<'_, Vec<Waiting<F>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer whose connection breaks before any of it has arrived.
pub(crate) fn broken_off() -> Response {
    let broken = stream::once(async { Err::<Bytes, _>("on request") });
    (StatusCode::OK, Body::from_stream(broken)).into_response()
}
