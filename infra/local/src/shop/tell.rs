//! What the shop tells of its accounts: signed messages to `/auth/lifecycle`, from server to server.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::Open;
use crate::id;

impl Open {
    /// Tells that something happened to an account just now. The shop's own work is done whether or not
    /// anybody hears it; a real one would keep what was not heard, and tell it again.
    pub(super) async fn tell(&self, kind: &str, account: &str) -> Option<Value> {
        let now = (self.now)();
        let message =
            json!({ "type": kind, "account_id": account, "at": now.rfc3339(), "how": "password" });
        let (id, body) = (id(), message.to_string());
        let request = self
            .http
            .post(format!("{}/lifecycle", self.auth_url))
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", now.0.to_string())
            .header("webhook-signature", self.key.sign(&id, now, body.as_bytes()));
        let answer = request.body(body).send().await.ok()?;
        if answer.status() != StatusCode::OK {
            eprintln!("shop: {kind} was not heard: {}", answer.status());
            return None;
        }
        serde_json::from_slice(&answer.bytes().await.ok()?).ok()
    }

    /// Gets a visitor who has just signed in here a session below `/auth/` too, and gives the cookies
    /// that say so. The browser could post the code itself; the shop does it in its name, with its
    /// cookies, and so needs no further page.
    pub(super) async fn sign_in_there(
        &self,
        account: &str,
        headers: &HeaderMap,
    ) -> Vec<HeaderValue> {
        let Some(told) = self.tell("signed_in", account).await else { return Vec::new() };
        let Some(code) = told["code"].as_str() else { return Vec::new() };
        let mut request = self
            .http
            .post(format!("{}/session/accept", self.auth_url))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ORIGIN, &self.origin);
        if let Some(cookies) = headers.get(header::COOKIE) {
            request = request.header(header::COOKIE, cookies);
        }
        match request.body(json!({ "code": code }).to_string()).send().await {
            Ok(answer) => answer.headers().get_all(header::SET_COOKIE).iter().cloned().collect(),
            Err(_) => Vec::new(),
        }
    }
}
