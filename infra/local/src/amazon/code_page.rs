//! `/code`: where a person types the code that a television shows.

use askama::Template;
use axum::response::Response;

use super::{
    authorize::{granted, to_agree},
    code::Verdict,
    pages::{AT_CODE, ask_consent, ask_who, page, signed_in},
    received::{Params, Received},
    world::{Scope, World},
};

#[derive(Template)]
#[template(path = "amazon/code.html")]
struct Code<'a> {
    customer: &'a str,
    wrong: bool,
}

#[derive(Template)]
#[template(path = "amazon/code_done.html")]
struct Done<'a> {
    application: &'a str,
    allowed: bool,
}

/// Answers a request for one of these pages; none if there is no such page.
pub(super) fn answer(world: &mut World, request: &Received) -> Option<Response> {
    let get = request.method == "GET";
    let Some(login) = signed_in(world, request).map(|customer| customer.login.clone()) else {
        let ours = matches!(request.path.as_str(), "/code" | "/code/consent");
        return ours.then(|| ask_who(world, AT_CODE));
    };
    match (request.path.as_str(), get) {
        ("/code", true) => Some(type_it(world, request, false)),
        ("/code", false) => Some(typed(world, request, &request.fields()?, &login)),
        ("/code/consent", false) => Some(decided(world, request, &request.fields()?, &login)),
        _ => None,
    }
}

fn type_it(world: &World, request: &Received, wrong: bool) -> Response {
    let customer = signed_in(world, request).map(super::pages::called).unwrap_or_default();
    page(if wrong { 400 } else { 200 }, &Code { customer, wrong })
}

/// The person typed a code. Whoever has agreed to all of it before is not asked again.
fn typed(world: &mut World, request: &Received, fields: &Params, login: &str) -> Response {
    let code = fields.one("code").ok().flatten().unwrap_or_default();
    let Some(pair) = world.pair(code).cloned() else { return type_it(world, request, true) };
    let to_agree = to_agree(world, &pair.client_id, &pair.scopes, login);
    if to_agree.is_empty() {
        return done(world, code, Verdict::Allowed(login.to_owned(), pair.scopes));
    }
    ask_consent(
        world,
        (&pair.client_id, login),
        &to_agree,
        &essential(world, &pair.client_id),
        code,
    )
}

/// The person agrees, or cancels.
fn decided(world: &mut World, request: &Received, fields: &Params, login: &str) -> Response {
    let code = fields.one("code").ok().flatten().unwrap_or_default();
    let Some(pair) = world.pair(code).cloned() else { return type_it(world, request, true) };
    let ticked: Vec<_> = fields.all("scope").filter_map(Scope::parse).collect();
    let scopes = granted(&pair.scopes, &essential(world, &pair.client_id), &ticked);
    let allows = fields.one("answer").ok().flatten() == Some("allow");
    if !allows || (scopes.is_empty() && !world.habits.empty_grant) {
        return done(world, code, Verdict::Denied);
    }
    world.remember_consent(login, &pair.client_id, &scopes);
    done(world, code, Verdict::Allowed(login.to_owned(), scopes))
}

fn done(world: &mut World, code: &str, verdict: Verdict) -> Response {
    let client_id = world.pair(code).map(|pair| pair.client_id.clone()).unwrap_or_default();
    let allowed = verdict != Verdict::Denied;
    world.decide(code, verdict);
    let known = world.registered(&client_id);
    let application = known.map_or("", |known| &known.profile.name);
    page(200, &Done { application, allowed })
}

fn essential(world: &World, client_id: &str) -> Vec<Scope> {
    world.registered(client_id).map(|known| known.profile.essential.clone()).unwrap_or_default()
}
