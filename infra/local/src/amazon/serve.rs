//! Every request comes by here: noted in the journal, spoilt by a fault if one is due, and answered.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    response::Response,
};

use super::{
    Endpoint, World, admin,
    answer::{Answer, raw},
    code,
    fault::Faults,
    journal::Journal,
    pages, profile,
    received::Received,
    token,
    wire::{Door, Wire},
};

/// What all connections share.
pub(super) struct Shared {
    pub(super) journal: Journal,
    at_first: World,
    world: Mutex<World>,
    faults: Mutex<Faults>,
}

impl Shared {
    pub(super) fn new(world: World) -> Self {
        let at_first = world.clone();
        let (journal, faults) = (Journal::default(), Mutex::default());
        Self { journal, at_first, world: Mutex::new(world), faults }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn reset(&self) {
        let mut world = self.world();
        // The mint goes on, lest a token from before mean something else now.
        let mint = std::mem::take(&mut world.ledger.mint);
        *world = self.at_first.clone();
        world.ledger.mint = mint;
        *self.faults() = Faults::default();
        self.journal.clear();
    }
}

/// Answers whoever comes through this door.
pub(super) async fn serve(door: Door, shared: Arc<Shared>) -> io::Result<()> {
    let router = Router::new().fallback(answer).with_state(shared);
    axum::serve(door, router.into_make_service_with_connect_info::<Wire>()).await
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
) -> Response {
    let Ok(request) = Received::read(request).await else { return raw(400, "") };
    if request.path.starts_with("/admin/") {
        return admin::answer(&shared, &request);
    }
    let mut entry = shared.journal.begin(&request, &shared.world());
    let response = match Endpoint::at(&request.path) {
        Some(endpoint) => call(&shared, endpoint, &request, &wire).await,
        None => {
            let page = pages::answer(&mut shared.world(), &request);
            page.unwrap_or_else(pages::page_not_found)
        }
    };
    if !wire.is_cut() {
        entry.answered(response.status().as_u16());
    }
    response
}

async fn call(shared: &Shared, endpoint: Endpoint, request: &Received, wire: &Wire) -> Response {
    let request_id = shared.world().ledger.mint.request_id();
    let fault = shared.faults().next(endpoint);
    let obey = || obey(&mut shared.world(), endpoint, request);
    match fault {
        None => obey().into_response(&request_id),
        Some(fault) => fault.answer(obey, &request_id, wire).await,
    }
}

fn obey(world: &mut World, endpoint: Endpoint, request: &Received) -> Answer {
    match endpoint {
        Endpoint::Token => token::answer(world, request),
        Endpoint::TokenInfo => profile::tokeninfo(world, request),
        Endpoint::Profile => profile::profile(world, request),
        Endpoint::CodePair => code::codepair(world, request),
    }
}
