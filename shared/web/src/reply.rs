//! What functions answer with.

use domain::{ReturnTo, SessionToken, Timestamp, session::Session};
use lambda_http::{
    Body, Response,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    Cookie, Failure, Request, Site,
    page::{Frame, Problem},
};

/// What a function answers.
pub type Reply = Response<Body>;

/// How a request ended, for the log: `ok` or a failure's code.
#[derive(Clone, Copy)]
pub(crate) struct Ending(pub &'static str);

/// A page of ours; `code` is `ok`, or what went wrong in a form that is shown again.
pub fn page(
    site: &Site,
    request: &Request,
    (status, code): (StatusCode, &'static str),
    html: impl FnOnce(&Frame<'_>) -> String,
) -> Reply {
    let frame =
        Frame { look: &site.look, language: request.language, code, request_id: &request.id };
    with_body(status, code, "text/html; charset=utf-8", html(&frame))
}

/// JSON, for apps and for pages of the site's own.
pub fn json(status: StatusCode, value: &impl Serialize) -> Reply {
    // Only maps with keys that are no text fail to serialise; ours are texts.
    let body = serde_json::to_string(value).unwrap_or_default();
    // A site may print it into a page of its own: there, nothing in a text may begin an element.
    with_body(status, "ok", "application/json", body.replace('<', "\\u003c"))
}

/// Sends the browser elsewhere, always with GET: 303, so that no password is ever posted again.
pub fn see_other(url: &str) -> Reply {
    let mut reply = empty(StatusCode::SEE_OTHER);
    match HeaderValue::from_str(url) {
        Ok(url) => {
            reply.headers_mut().insert(header::LOCATION, url);
            reply
        }
        // Nothing from outside gets this far: paths and settings are checked where they come in.
        Err(_) => empty(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// Lets a visitor in who has just signed in: with the session's cookie, and onward.
pub fn signed_in(
    site: &Site,
    request: &Request,
    (token, session): (&SessionToken, &Session),
    to: &ReturnTo,
) -> Reply {
    let lives = session.expires_at.since(session.started_at);
    with_cookie(onward(site, request, session, to), &Cookie::session(token, lives))
}

/// The same answer with the cookie of a session that takes the place of another one.
pub fn renewed(reply: Reply, (token, session): (&SessionToken, &Session), now: Timestamp) -> Reply {
    with_cookie(reply, &Cookie::session(token, session.expires_at.since(now)))
}

/// Sends a visitor who is signed in where they were going; a page of the site's own, which has posted
/// a form, is told as JSON.
pub fn onward(site: &Site, request: &Request, session: &Session, to: &ReturnTo) -> Reply {
    if request.method != "POST" || !request.wants_json() {
        return see_other(&site.after_sign_in(to));
    }
    json(
        StatusCode::OK,
        &json!({
            "status": "signed_in",
            "account": { "id": session.account.as_str(), "name": session.name },
            "expires_at": session.expires_at.rfc3339(),
            "return_to": to.as_str(),
        }),
    )
}

/// Tells whoever handed something over that they are in: an app gets the token of its session, a
/// browser a cookie.
pub fn let_in((token, session): (&SessionToken, &Session)) -> Reply {
    let mut told = json!({
        "status": "signed_in",
        "account": { "id": session.account.as_str(), "name": session.name },
        "expires_at": session.expires_at.rfc3339(),
    });
    if session.kind.is_bearer() {
        told["session_token"] = token.expose().into();
        return json(StatusCode::OK, &told);
    }
    let lives = session.expires_at.since(session.started_at);
    with_cookie(json(StatusCode::OK, &told), &Cookie::session(token, lives))
}

/// Tells a device that polls how far it is, in the words of RFC 8628, section 3.5.
pub fn to_device(word: &'static str) -> Reply {
    let body = json!({ "error": word }).to_string();
    with_body(StatusCode::BAD_REQUEST, word, "application/json", body)
}

/// An answer without a body.
pub fn empty(status: StatusCode) -> Reply {
    let mut reply = Reply::new(Body::Empty);
    *reply.status_mut() = status;
    reply.extensions_mut().insert(Ending("ok"));
    reply
}

/// The same answer with a cookie set, or taken back.
pub fn with_cookie(mut reply: Reply, cookie: &Cookie) -> Reply {
    if let Ok(value) = HeaderValue::from_str(&cookie.header()) {
        reply.headers_mut().append(header::SET_COOKIE, value);
    }
    reply
}

/// The same answer with a header.
pub fn with_header(mut reply: Reply, name: &'static str, value: &str) -> Reply {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
    reply
}

/// The page or the problem details (RFC 9457) that a failure ends in.
pub(crate) fn failure(failure: &Failure, request: &Request, site: &Site) -> Reply {
    let (status, code) = (failure.code.status(), failure.code.as_str());
    let mut reply = if request.wants_json() {
        let reply = json(status, &problem(failure, request));
        with_header(reply, "content-type", "application/problem+json")
    } else {
        page(site, request, (status, code), |frame| {
            let return_to = failure.return_to.as_deref().cloned().unwrap_or_default();
            let retry = failure.retry.map_or_else(|| site.login_href(&return_to), str::to_owned);
            Problem {
                retry_href: Some(&retry),
                sign_in_href: &site.sign_in_path,
                password_reset_href: site.password_reset_url.as_deref(),
                retry_after: failure.retry_after,
            }
            .html(frame)
        })
    };
    if let Some(allow) = failure.allow {
        reply = with_header(reply, "allow", allow);
    }
    if let Some(seconds) = failure.retry_after {
        reply = with_header(reply, "retry-after", &seconds.to_string());
    }
    reply.extensions_mut().insert(Ending(code));
    reply
}

fn problem(failure: &Failure, request: &Request) -> Value {
    let (title, detail) = request.language.words().problem(failure.code.as_str());
    let mut problem = json!({
        "type": "about:blank",
        "title": title,
        "status": failure.code.status().as_u16(),
        "detail": detail,
        "code": failure.code.as_str(),
        "request_id": request.id,
    });
    if let Some(seconds) = failure.retry_after {
        problem["retry_after"] = seconds.into();
    }
    if let Some(attempts) = failure.attempts_left {
        problem["attempts_left"] = attempts.into();
    }
    if let Some(return_to) = &failure.return_to {
        problem["return_to"] = return_to.as_str().into();
    }
    if !failure.fields.is_empty() {
        problem["fields"] =
            failure.fields.iter().map(|(name, wrong)| (name.clone(), json!(wrong))).collect();
    }
    problem
}

/// Adds what every answer carries.
///
/// We are guests on the site's host: HSTS without `includeSubDomains`, and no `Clear-Site-Data`,
/// which would empty the shop's cart. `Referrer-Policy: same-origin` keeps paths from Amazon and
/// still lets browsers send an `Origin` that is not `null`.
pub(crate) fn finish(mut reply: Reply, site: &Site) -> Reply {
    let headers = reply.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    with_header(reply, "content-security-policy", site.policy())
}

fn with_body(status: StatusCode, code: &'static str, kind: &'static str, body: String) -> Reply {
    let mut reply = Reply::new(Body::Text(body));
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    reply.extensions_mut().insert(Ending(code));
    reply
}
