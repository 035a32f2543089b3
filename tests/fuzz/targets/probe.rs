//! Reads a request as a function of ours does.

use std::sync::LazyLock;

use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use web::{Failure, Handle, Reply, Request, Settings, Site, StatusCode, reply, reply_to};

/// The shop, as the settings describe it.
pub fn site() -> Site {
    static SITE: LazyLock<Site> = LazyLock::new(shop);
    SITE.clone()
}

fn shop() -> Site {
    let settings = [
        ("PUBLIC_URL", "https://shop.example"),
        ("SIGN_IN_PATH", "/sign-in"),
        ("PASSWORD_RESET_URL", "/reset-password"),
        ("BRAND_NAME", "Corner Shop"),
    ];
    let settings: Settings =
        settings.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Site::new(&settings).unwrap()
}

/// What everything asynchronous runs on.
pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// An ordinary request, to be changed.
pub fn event() -> Value {
    json!({
        "version": "2.0",
        "rawPath": "/auth/amazon/link",
        "rawQueryString": "",
        "cookies": [],
        "headers": {},
        "requestContext": { "http": { "method": "POST" }, "requestId": "id" },
        "body": "",
        "isBase64Encoded": false,
    })
}

struct Probe<F>(Site, F);

impl<F: Fn(&Request) + Sync> Handle for Probe<F> {
    fn site(&self) -> &Site {
        &self.0
    }

    async fn handle(&self, request: &Request) -> Result<Reply, Failure> {
        (self.1)(request);
        Ok(reply::empty(StatusCode::NO_CONTENT))
    }
}

/// Hands the request of this event to a probe; whether there was one.
pub fn ask(event: &Value, probe: impl Fn(&Request) + Sync) -> bool {
    thread_local!(static RUNTIME: Runtime = runtime());
    let (probe, event) = (Probe(site(), probe), event.to_string());
    RUNTIME.with(|runtime| runtime.block_on(reply_to(&probe, &event))).unwrap().status() == 204
}
