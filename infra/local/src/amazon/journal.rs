//! Who called, in which order, and with what: names only, never a value that is secret.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::{
    fault::Endpoint,
    profile::carriers,
    received::{Params, Received},
    token::basic,
    world::World,
};

/// One request that came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// `GET`, `POST`.
    pub method: String,
    /// The path, in lower case and without its query.
    pub path: String,
    /// Names of the parameters in the query.
    pub query: Vec<String>,
    /// Names of the fields in the body.
    pub fields: Vec<String>,
    /// Names of the headers, in lower case.
    pub headers: Vec<String>,
    /// How an access token travelled: `query`, `bearer`, `header`.
    pub carriers: Vec<&'static str>,
    /// The client that called, or whose token it was.
    pub client_id: Option<String>,
    /// When it began; beginnings and ends of all calls are counted together, from 0.
    pub began: u64,
    /// When its answer was ready, or its caller gone; none while it is under way.
    pub ended: Option<u64>,
    /// The status of its answer, if there was one to send.
    pub status: Option<u16>,
}

impl Call {
    /// The part of Amazon that was called, if it is one of its API.
    pub fn endpoint(&self) -> Option<Endpoint> {
        Endpoint::at(&self.path)
    }

    /// Whether both were under way at some moment.
    pub fn overlaps(&self, other: &Self) -> bool {
        let before = |one: &Self, two: &Self| one.ended.is_some_and(|end| end < two.began);
        !before(self, other) && !before(other, self)
    }
}

/// All calls so far.
#[derive(Clone, Default)]
pub(super) struct Journal(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    calls: Vec<Call>,
    count: u64,
    /// How often the journal was emptied: a call from before must not end one from after.
    volume: u64,
}

/// A call under way; it ends when this is dropped.
pub(super) struct Entry {
    journal: Journal,
    place: usize,
    volume: u64,
    status: Option<u16>,
}

impl Journal {
    pub(super) fn begin(&self, request: &Received, world: &World) -> Entry {
        let fields = request.fields();
        let carriers = carriers(request);
        let basic = request.header("authorization").and_then(basic).map(|(id, _)| id);
        let named = |params: Params| params.one("client_id").ok().flatten().map(str::to_owned);
        let client_id = basic
            .or_else(|| named(fields.clone()?))
            .or_else(|| named(request.query()))
            .or_else(|| {
                let (_, token) = carriers.first()?;
                Some(world.ledger.access.get(token)?.client_id.clone())
            });
        let mut entries = self.lock();
        entries.count += 1;
        let call = Call {
            method: request.method.to_string(),
            path: request.path.clone(),
            query: request.query().names(),
            fields: fields.map(|fields| fields.names()).unwrap_or_default(),
            headers: request.headers.keys().map(ToString::to_string).collect(),
            carriers: carriers.into_iter().map(|(way, _)| way).collect(),
            client_id,
            began: entries.count - 1,
            ended: None,
            status: None,
        };
        entries.calls.push(call);
        let (place, volume) = (entries.calls.len() - 1, entries.volume);
        Entry { journal: self.clone(), place, volume, status: None }
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    pub(super) fn clear(&self) {
        let mut entries = self.lock();
        *entries = Entries { volume: entries.volume + 1, ..Entries::default() };
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    pub(super) fn answered(&mut self, status: u16) {
        self.status = Some(status);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut entries = self.journal.lock();
        if entries.volume != self.volume {
            return;
        }
        entries.count += 1;
        let ended = entries.count - 1;
        if let Some(call) = entries.calls.get_mut(self.place) {
            (call.ended, call.status) = (Some(ended), self.status);
        }
    }
}
