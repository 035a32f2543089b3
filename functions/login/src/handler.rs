//! Remembers in the browser what was begun, and sends it to Amazon. Nothing is written anywhere,
//! nobody is asked and no secret is read: a flood of these costs nothing.

use domain::{Clock, ReturnTo, amazon::Authorization, login::Intent};
use web::{Failure, Handle, Reply, Request, Site, StatusCode, page, reply, send_to_amazon};

/// Everything a login needs.
pub(crate) struct Login {
    pub(crate) clock: Clock,
    pub(crate) site: Site,
    pub(crate) authorization: Authorization,
}

impl Handle for Login {
    fn site(&self) -> &Site {
        &self.site
    }

    async fn handle(&self, request: &Request) -> Result<Reply, Failure> {
        if request.method != "GET" {
            return Err(Failure::wrong_method("GET"));
        }
        // What a browser fetches ahead, or into a frame or an image, is no visitor's click.
        if request.is_not_a_visit() {
            return Ok(reply::empty(StatusCode::NO_CONTENT));
        }
        let return_to = request.query("return_to")?.and_then(ReturnTo::parse).unwrap_or_default();
        if self.comes_from_elsewhere(request) {
            return Ok(self.ask_first(request, &return_to));
        }
        let now = self.clock.now();
        let (site, authorization) = (&self.site, &self.authorization);
        Ok(send_to_amazon(request, site, authorization, return_to, Intent::SignIn, now))
    }
}

impl Login {
    /// Whether another site led the visitor here. It could sign them in without a click of theirs,
    /// for Amazon asks nothing of who said yes before.
    fn comes_from_elsewhere(&self, request: &Request) -> bool {
        match (request.header("sec-fetch-site"), request.header("referer")) {
            (Some(site), _) => !matches!(site, "same-origin" | "same-site" | "none"),
            (None, Some(referer)) => {
                let rest = referer.strip_prefix(&self.site.public_url);
                !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
            (None, None) => false,
        }
    }

    fn ask_first(&self, request: &Request, return_to: &ReturnTo) -> Reply {
        reply::page(&self.site, request, (StatusCode::OK, "ok"), |frame| {
            page::Start { href: &self.site.login_href(return_to) }.html(frame)
        })
    }
}
