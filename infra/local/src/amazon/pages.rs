//! What people see at Amazon: who are you, do you agree, and what have you agreed to?
//!
//! Each page is a form that works without JavaScript. Between pages the site's request travels along
//! as it was sent and is read anew, so that nothing can be slipped into it on the way.

use askama::Template;
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};

use super::{
    authorize::{self, Refused},
    code_page,
    received::{Params, Received},
    world::{Customer, Scope, World},
};

/// What takes the place of a site's request where a person came to type a television's code.
pub(super) const AT_CODE: &str = "at=code";

/// Every stand-in on this machine has the same cookie; a value that is another's counts as none.
const COOKIE: &str = "amazon-stand-in";

#[derive(Template)]
#[template(path = "amazon/sign_in.html")]
struct SignIn<'a> {
    customers: &'a [Customer],
    query: &'a str,
    email: &'a str,
    wrong: bool,
}

#[derive(Template)]
#[template(path = "amazon/consent.html")]
struct Consent<'a> {
    application: &'a str,
    privacy_url: &'a str,
    customer: &'a str,
    query: &'a str,
    /// The code that was typed, if it is a television that asks.
    code: Option<&'a str>,
    wishes: Vec<Wish>,
}

/// A line of the consent page.
struct Wish {
    scope: &'static str,
    what: &'static str,
    value: String,
    essential: bool,
}

#[derive(Template)]
#[template(path = "amazon/sorry.html")]
struct Sorry<'a> {
    summary: &'a str,
    query: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "amazon/home.html")]
struct Home<'a> {
    customer: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "amazon/grants.html")]
struct Grants<'a> {
    grants: Vec<(&'a str, &'a str, String)>,
}

/// Answers a request for a page; none if there is no such page.
pub(super) fn answer(world: &mut World, request: &Received) -> Option<Response> {
    let get = request.method == "GET";
    Some(match (request.path.as_str(), get) {
        ("/", true) => page(200, &Home { customer: signed_in(world, request).map(called) }),
        ("/ap/oa", true) => arrive(world, request),
        ("/ap/signin", true) => ask_who(world, &request.query),
        ("/ap/signin", false) => sign_in(world, &request.fields()?),
        ("/ap/signout", false) => sign_out(world, request),
        ("/ap/consent", false) => decide(world, request),
        ("/code" | "/code/consent", _) => return code_page::answer(world, request),
        ("/ap/adam", true) => grants(world, request),
        ("/ap/adam", false) => remove(world, request),
        ("/elsewhere", _) => {
            page(200, &Sorry { summary: "Nobody was meant to come here.", query: Vec::new() })
        }
        _ => return None,
    })
}

/// A visitor comes from a site.
fn arrive(world: &mut World, request: &Received) -> Response {
    let query = request.query();
    let asked = match authorize::read(world, &query) {
        Ok(asked) => asked,
        Err(refused) => return refuse(refused, &request.query),
    };
    let Some(customer) = signed_in(world, request).cloned() else {
        return ask_who(world, &request.query);
    };
    let to_agree = asked.to_agree(world, &customer.login);
    if to_agree.is_empty() {
        // Whatever is asked for was agreed to before, voluntary or not.
        let scopes = asked.scopes.clone();
        return redirect(302, &asked.agreed(world, &customer.login, &scopes));
    }
    let whose = (asked.client_id.as_str(), customer.login.as_str());
    consent(world, whose, &to_agree, &asked.essential, (&request.query, None))
}

/// Asks who the visitor is, and comes back to this query.
pub(super) fn ask_who(world: &World, query: &str) -> Response {
    page(200, &SignIn { customers: &world.customers, query, email: "", wrong: false })
}

/// Asks a customer to agree to what a television asks for, whose code they typed.
pub(super) fn ask_consent(
    world: &World,
    whose: (&str, &str),
    to_agree: &[Scope],
    essential: &[Scope],
    code: &str,
) -> Response {
    consent(world, whose, to_agree, essential, (AT_CODE, Some(code)))
}

fn consent(
    world: &World,
    (client_id, login): (&str, &str),
    to_agree: &[Scope],
    essential: &[Scope],
    (query, code): (&str, Option<&str>),
) -> Response {
    let (Some(known), Some(customer)) = (world.registered(client_id), world.customer(login)) else {
        return page_not_found();
    };
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "not shared".to_owned());
    let wishes = to_agree.iter().map(|scope| Wish {
        scope: scope.as_str(),
        what: if *scope == Scope::PostalCode { "Postal code" } else { "Name and e-mail address" },
        value: match scope {
            Scope::PostalCode => shown(&customer.postal_code),
            _ => format!("{} · {}", shown(&customer.name), shown(&customer.email)),
        },
        essential: essential.contains(scope),
    });
    let consent = Consent {
        application: &known.profile.name,
        privacy_url: &known.profile.privacy_url,
        customer: called(customer),
        query,
        code,
        wishes: wishes.collect(),
    };
    page(200, &consent)
}

/// A visitor says who it is: by a button for one of the customers, or by e-mail and password.
fn sign_in(world: &mut World, fields: &Params) -> Response {
    let field = |name| fields.one(name).ok().flatten().unwrap_or_default();
    let (query, email, password) = (field("query"), field("email").trim(), field("password"));
    let names = |customer: &&Customer| {
        let same_email = customer.email.as_deref().is_some_and(|e| e.eq_ignore_ascii_case(email));
        customer.password == password && (same_email || customer.login == email)
    };
    let customer = match world.customer(field("persona")) {
        None => world.customers.iter().find(names),
        persona => persona,
    };
    let Some(login) = customer.map(|customer| customer.login.clone()) else {
        return page(200, &SignIn { customers: &world.customers, query, email, wrong: true });
    };
    let session = world.ledger.mint.session();
    let cookie = format!("{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax");
    world.ledger.sessions.insert(session, login);
    let next = match query {
        "" => "/".to_owned(),
        AT_CODE => "/code".to_owned(),
        query => format!("/ap/oa?{query}"),
    };
    with(redirect(303, &next), header::SET_COOKIE, &cookie)
}

fn sign_out(world: &mut World, request: &Received) -> Response {
    if let Some(session) = request.cookie(COOKIE) {
        world.ledger.sessions.remove(session);
    }
    let cookie = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    with(redirect(303, "/"), header::SET_COOKIE, &cookie)
}

/// A visitor agrees to what a site asks for, or cancels.
fn decide(world: &mut World, request: &Received) -> Response {
    let Some(fields) = request.fields() else { return page_not_found() };
    let text = fields.one("query").ok().flatten().unwrap_or_default();
    let asked = match authorize::read(world, &Params::parse(text.as_bytes())) {
        Ok(asked) => asked,
        Err(refused) => return refuse(refused, text),
    };
    let Some(login) = signed_in(world, request).map(|customer| customer.login.clone()) else {
        return redirect(303, &format!("/ap/oa?{text}"));
    };
    if fields.one("answer").ok().flatten() != Some("allow") {
        return redirect(302, &asked.denied());
    }
    let ticked: Vec<_> = fields.all("scope").filter_map(Scope::parse).collect();
    redirect(302, &asked.agreed(world, &login, &ticked))
}

/// What the customer has agreed to so far.
fn grants(world: &World, request: &Received) -> Response {
    let Some(customer) = signed_in(world, request) else { return redirect(303, "/ap/signin") };
    let profiles = world.companies.iter().flat_map(|company| &company.profiles);
    let grants = profiles.filter_map(|profile| {
        let key = (customer.login.clone(), profile.app_id.clone());
        let scopes = world.ledger.consents.get(&key)?.iter().map(|scope| scope.as_str());
        Some((&*profile.app_id, &*profile.name, scopes.collect::<Vec<_>>().join(", ")))
    });
    page(200, &Grants { grants: grants.collect() })
}

fn remove(world: &mut World, request: &Received) -> Response {
    let login = signed_in(world, request).map(|customer| customer.login.clone());
    let fields = request.fields();
    let app_id = fields.as_ref().and_then(|fields| fields.one("app_id").ok().flatten());
    if let (Some(login), Some(app_id)) = (login, app_id) {
        world.revoke(&login, app_id);
    }
    redirect(303, "/ap/adam")
}

pub(super) fn signed_in<'a>(world: &'a World, request: &Received) -> Option<&'a Customer> {
    world.customer(world.ledger.sessions.get(request.cookie(COOKIE)?)?)
}

pub(super) fn called(customer: &Customer) -> &str {
    customer.name.as_deref().unwrap_or(&customer.login)
}

fn refuse(refused: Refused, query: &str) -> Response {
    match refused {
        Refused::Redirect(url) => redirect(302, &url),
        Refused::Page(summary) => {
            let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            page(400, &Sorry { summary, query })
        }
    }
}

/// The page for everything that Amazon does not have, revocation and discovery included.
pub(super) fn page_not_found() -> Response {
    page(404, &Sorry { summary: "There is no such page.", query: Vec::new() })
}

pub(super) fn page(status: u16, template: &impl Template) -> Response {
    let Ok(html) = template.render() else { return plain(500) };
    let mut response = plain(status);
    *response.body_mut() = Body::from(html);
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html;charset=UTF-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn redirect(status: u16, to: &str) -> Response {
    with(plain(status), header::LOCATION, to)
}

fn plain(status: u16) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    response
}

fn with(mut response: Response, name: HeaderName, value: &str) -> Response {
    match HeaderValue::from_str(value) {
        Ok(value) => {
            response.headers_mut().insert(name, value);
            response
        }
        Err(_) => plain(400),
    }
}
