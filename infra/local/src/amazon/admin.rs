//! The stand-in's own API, for whoever drives it from outside. It is no part of Amazon.
//!
//! Bodies are JSON and say so in their content type, which no page of another site can. Answers are
//! JSON too; a customer is named by login (`nora`), a moment by its seconds since 1970.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `GET /admin/calls` | | every call so far, oldest first, without these |
//! | `POST /admin/fault` | `{"endpoint":"token","fault":"hang","times":1}`; for good without `times`; `{"endpoint":"profile"}` clears it. Other faults: `{"status":503}`, `{"set":{"aud":"x"}}`, `{"late":500}`, … | |
//! | `POST /admin/clock` | `{"at":1800000000}`, or `{"advance":301}`, or `{}` for the machine's clock | `{"now":…}` |
//! | `POST /admin/customer` | `{"customer":"ann","change":{"email":"new@example.com","name":null}}`, or `{"customer":"ann","remove":true}` | |
//! | `POST /admin/profile` | `{"app_id":"amzn1.application.…"}` deletes that security profile | |
//! | `POST /admin/habits` | habits that differ from the usual, such as `{"wrong_verifier":"invalid_grant"}` | |
//! | `POST /admin/token` | `{"customer":"ann","client_id":"…","scope":"profile"}` | `{"access_token":…,"user_id":…}` |
//! | `POST /admin/code` | the same, and `redirect_uri`, `code_challenge?`, `code_challenge_method?` | `{"code":…,"user_id":…}` |
//! | `POST /admin/reset` | `{}` | as if just started |

use std::time::Duration;

use axum::response::Response;
use domain::{Clock, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Endpoint, Fault, Shared, answer::Answer, habits::Habits, received::Received};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetFault {
    endpoint: Endpoint,
    fault: Option<Fault>,
    times: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetClock {
    at: Option<i64>,
    advance: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetCustomer {
    customer: String,
    #[serde(default)]
    change: Change,
    #[serde(default)]
    remove: bool,
}

/// A member that is absent stays as it is; null takes the value away.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default, deserialize_with = "some")]
    name: Option<Option<String>>,
    #[serde(default, deserialize_with = "some")]
    email: Option<Option<String>>,
    #[serde(default, deserialize_with = "some")]
    postal_code: Option<Option<String>>,
    password: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RemoveProfile {
    app_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mint {
    customer: String,
    client_id: String,
    scope: String,
    redirect_uri: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// Answers a request to the stand-in itself.
pub(super) fn answer(shared: &Shared, request: &Received) -> Response {
    let is_json = request.header("content-type").is_some_and(|t| t.starts_with("application/json"));
    let answer = match request.method.as_str() {
        "GET" if request.path == "/admin/calls" => Ok(json!(shared.journal.calls())),
        "POST" if is_json => obey(shared, &request.path, &request.body),
        _ => Err("no such request".to_owned()),
    };
    let answer = answer.map_or_else(|said| Answer::error(400, "admin", &said), Answer::good);
    answer.into_response("")
}

fn obey(shared: &Shared, path: &str, body: &[u8]) -> Result<Value, String> {
    let done = json!({});
    match path {
        "/admin/fault" => {
            let SetFault { endpoint, fault, times } = read(body)?;
            match fault {
                Some(fault) => shared.faults().push(endpoint, fault, times),
                None => shared.faults().clear(endpoint),
            }
            Ok(done)
        }
        "/admin/clock" => {
            let SetClock { at, advance } = read(body)?;
            let mut world = shared.world();
            world.clock = match (at, advance) {
                (Some(at), None) => Clock::Stopped(Timestamp(at)),
                (None, Some(by)) => Clock::Stopped(world.now() + Duration::from_secs(by)),
                (None, None) => Clock::System,
                (Some(_), Some(_)) => return Err("either at or advance".to_owned()),
            };
            Ok(json!({"now": world.now().0}))
        }
        "/admin/customer" => {
            let SetCustomer { customer: login, change, remove } = read(body)?;
            let mut world = shared.world();
            let customer = world.customer_mut(&login).ok_or("no such customer")?;
            customer.name = change.name.unwrap_or_else(|| customer.name.take());
            customer.email = change.email.unwrap_or_else(|| customer.email.take());
            customer.postal_code =
                change.postal_code.unwrap_or_else(|| customer.postal_code.take());
            if let Some(password) = change.password {
                customer.password = password;
            }
            if remove {
                world.remove_customer(&login);
            }
            Ok(done)
        }
        "/admin/profile" => {
            let RemoveProfile { app_id } = read(body)?;
            shared.world().remove_profile(&app_id);
            Ok(done)
        }
        "/admin/habits" => {
            shared.world().habits = read::<Habits>(body)?;
            Ok(done)
        }
        "/admin/token" => {
            let Mint { customer, client_id, scope, .. } = read(body)?;
            let token = shared.world().token(&customer, &client_id, &scope);
            let user_id = shared.world().user_id(&customer, &client_id);
            Ok(json!({"access_token": token, "user_id": user_id}))
        }
        "/admin/code" => {
            let mint: Mint = read(body)?;
            let redirect_uri = mint.redirect_uri.ok_or("no redirect_uri")?;
            let method = mint.code_challenge_method.as_deref().unwrap_or("plain");
            let challenge = mint.code_challenge.as_deref().map(|text| (text, method));
            let (customer, client_id) = (&mint.customer, &mint.client_id);
            let code =
                shared.world().consent(customer, client_id, &redirect_uri, &mint.scope, challenge);
            Ok(json!({"code": code, "user_id": shared.world().user_id(customer, client_id)}))
        }
        "/admin/reset" => {
            shared.reset();
            Ok(done)
        }
        _ => Err("no such request".to_owned()),
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn some<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}
