use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use lambda_http::service_fn;

use crate::{Code, Failure, Reply, Request, Settings, Site, log, reply};

/// How long a request may take, all in all. API Gateway would wait longer, visitors do not.
const DEADLINE: Duration = Duration::from_secs(9);

/// The function cannot go on; Lambda shows this text in the log.
pub type Fatal = lambda_http::Error;

/// What every function here does: turn a request into a reply.
pub trait Handle: Sync {
    /// The site that the replies are for.
    fn site(&self) -> &Site;

    /// Answers one request.
    fn handle(&self, request: &Request) -> impl Future<Output = Result<Reply, Failure>> + Send;
}

/// Answers requests for as long as Lambda keeps this function warm.
///
/// `open` builds the handler from the settings. Where that fails, every request is answered
/// `unavailable` and the log says why: a function that would not start at all is a riddle.
///
/// # Errors
///
/// [`Fatal`] when the Lambda runtime goes away.
pub async fn serve<H: Handle>(
    open: impl AsyncFnOnce(&Settings) -> Result<H, Fatal>,
) -> Result<(), Fatal> {
    log::panics();
    let settings = Settings::from_env();
    let handler = &open(&settings).await;
    let fallback = &Site::new(&settings).unwrap_or_else(|_| Site::bare());
    lambda_http::run(service_fn(|request: lambda_http::Request| async move {
        let site = handler.as_ref().map_or(fallback, Handle::site);
        Ok::<_, Infallible>(answer(handler.as_ref(), site, Request::read(request)).await)
    }))
    .await
}

/// Answers one request, whatever happens.
async fn answer<H: Handle>(handler: Result<&H, &Fatal>, site: &Site, request: Request) -> Reply {
    let started = Instant::now();
    let outcome = match handler {
        Ok(handler) => {
            let handled = AssertUnwindSafe(handler.handle(&request)).catch_unwind();
            match tokio::time::timeout(DEADLINE, handled).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_panic)) => Err(Failure::new(Code::Broken, "the handler panicked")),
                Err(_elapsed) => {
                    Err(Failure::new(Code::Unavailable, "the request ran into its deadline"))
                }
            }
        }
        Err(unset) => Err(Failure::unavailable(unset.to_string())),
    };
    let (reply, failure) = match outcome {
        Ok(reply) => (reply, None),
        Err(failure) => (reply::failure(&failure, &request, site), Some(failure)),
    };
    log::request(&request, &reply, failure.as_ref(), started.elapsed());
    reply::finish(reply, site)
}

/// What a visitor would get: the handler's reply, or the page or problem of its failure, with all
/// headers. For tests of handlers.
pub async fn reply_to<H: Handle>(handler: &H, request: lambda_http::Request) -> Reply {
    answer(Ok(handler), handler.site(), Request::read(request)).await
}
