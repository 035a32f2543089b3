//! A page that signs in by a script, as apps do and pages with Amazon's own script.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use super::{Open, page, visitor::Visitor};
use crate::amazon::SHOP_CLIENT_ID;

const SCRIPT: &str = include_str!("../../templates/shop/app.js");

#[derive(Template)]
#[template(path = "shop/app.html")]
struct App<'a> {
    visitor: &'a Visitor,
    authorize_url: &'a str,
    client_id: &'a str,
    script: &'a str,
}

/// Shows the page. The only one of the shop with a script, and with this one alone.
pub(super) async fn show(State(open): State<Arc<Open>>, visitor: Visitor) -> Response {
    let page = App {
        visitor: &visitor,
        authorize_url: &open.authorize_url,
        client_id: SHOP_CLIENT_ID,
        script: SCRIPT,
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'sha256-{}'; connect-src 'self'; \
         form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        STANDARD.encode(Sha256::digest(SCRIPT))
    );
    let page = page::show(StatusCode::OK, &page);
    ([(header::CONTENT_SECURITY_POLICY, policy)], page).into_response()
}
