use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    pin::Pin,
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use lambda_http::{
    LambdaEvent,
    aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
    http::header::SET_COOKIE,
    lambda_runtime, service_fn,
};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::{Value, value::RawValue};

use crate::{
    Code, Failure, Reply, Request, Settings, Site,
    log::{self, Author},
    reply,
};

/// How long a request may take, all in all. API Gateway would wait longer, visitors do not.
const DEADLINE: Duration = Duration::from_secs(9);

/// The function cannot go on; Lambda shows this text in the log.
pub type Fatal = lambda_http::Error;

/// What every function here does: turn a request into a reply.
pub trait Handle: Sync {
    /// What is answered once while the function starts, as Lambda would hand it over: by then all that a
    /// request needs was opened and read once, and the processor is still whole. Nothing else comes of it.
    const REHEARSAL: Option<&'static str> = None;

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
    let author = &Author::of(&settings);
    let handler = &open(&settings).await;
    let site = &site(handler, &settings);
    let answered = &async |event, id| {
        Ok::<_, Infallible>(print(answer(handler.as_ref(), site, event, (author, id)).await))
    };
    rehearse(H::REHEARSAL, answered).await;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Event>| {
        answered(event.payload, event.context.request_id)
    }))
    .await
}

/// The site that replies are for, also where there is no handler.
fn site<H: Handle>(handler: &Result<H, Fatal>, settings: &Settings) -> Site {
    match handler {
        Ok(handler) => handler.site().clone(),
        Err(_) => Site::new(settings).unwrap_or_else(|_| Site::bare()),
    }
}

/// Answers what nobody has asked.
async fn rehearse<Q: DeserializeOwned, A: Serialize, E>(
    event: Option<&str>,
    answered: impl AsyncFn(Q, String) -> Result<A, E>,
) {
    let Some(Ok(event)) = event.map(serde_json::from_str) else { return };
    // What fails here, a visitor's own request will tell.
    let answer = log::silently(answered(event, String::new())).await;
    let _ = answer.map(|answer| serde_json::to_vec(&answer));
}

/// What Lambda hands a function.
enum Event {
    /// A request, in API Gateway's payload 2.0.
    Request(Box<ApiGatewayV2httpRequest>),
    /// Something that no route of ours sends.
    Other(IgnoredAny),
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // As text: serde's own way to try one after the other copies all of it first, piece by piece.
        let text = Box::<RawValue>::deserialize(from)?;
        let request = serde_json::from_str(text.get());
        Ok(request.map_or(Self::Other(IgnoredAny), |request| Self::Request(Box::new(request))))
    }
}

/// The answer, in API Gateway's payload 2.0: cookies have a place of their own.
fn print(mut reply: Reply) -> ApiGatewayV2httpResponse {
    let cookies = reply.headers().get_all(SET_COOKIE).iter();
    let cookies = cookies.filter_map(|cookie| Some(cookie.to_str().ok()?.to_owned())).collect();
    reply.headers_mut().remove(SET_COOKIE);
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = reply.status().as_u16().into();
    response.headers = std::mem::take(reply.headers_mut());
    response.cookies = cookies;
    response.body = Some(reply.into_body());
    response
}

/// Answers one request, whatever happens. `id` is Lambda's name for it, if it has no other.
async fn answer<H: Handle>(
    handler: Result<&H, &Fatal>,
    site: &Site,
    event: Event,
    (author, id): (&Author, String),
) -> Reply {
    let started = Instant::now();
    let (mut request, is_request) = match event {
        Event::Request(event) => (Request::read(*event), true),
        Event::Other(_) => (Request::read(ApiGatewayV2httpRequest::default()), false),
    };
    if request.id.is_empty() {
        request.id = id;
    }
    log::begin(author, &request.id);
    let outcome = match handler {
        Ok(_) if !is_request => {
            Err(Failure::bad_request("the event is no request of API Gateway's"))
        }
        Ok(handler) => guarded(Box::pin(handler.handle(&request))).await,
        Err(unset) => Err(Failure::unavailable(unset.to_string())),
    };
    let (reply, failure) = match outcome {
        Ok(reply) => (reply, None),
        Err(failure) => (reply::failure(&failure, &request, site), Some(failure)),
    };
    failure.iter().for_each(log::refusal);
    log::request(&request, &reply, failure.as_ref(), started.elapsed());
    reply::finish(reply, site)
}

/// Waits for an outcome no longer than [`DEADLINE`]; a panic is one too.
///
/// It comes boxed: a callback's is 15 KB, and what waits for it is handed from layer to layer by the
/// runtime, with a copy on the stack for each.
async fn guarded<T>(
    handled: Pin<Box<impl Future<Output = Result<T, Failure>>>>,
) -> Result<T, Failure> {
    let handled = AssertUnwindSafe(handled).catch_unwind();
    match tokio::time::timeout(DEADLINE, handled).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_panic)) => Err(Failure::new(Code::Broken, "the handler panicked")),
        Err(_elapsed) => Err(Failure::new(Code::Unavailable, "the request ran into its deadline")),
    }
}

/// What a function does that is invoked by something else than a request: by another function, by a
/// rule, by the API itself.
pub trait Invoke: Sync {
    /// As [`Handle::REHEARSAL`].
    const REHEARSAL: Option<&'static str> = None;

    /// Answers one invocation.
    fn invoke(&self, event: Value) -> impl Future<Output = Result<Value, Failure>> + Send;
}

/// Answers invocations for as long as Lambda keeps this function warm. `otherwise` says what is
/// answered where that fails, and where the settings are not complete.
///
/// # Errors
///
/// [`Fatal`] when the Lambda runtime goes away.
pub async fn serve_invocations<H: Invoke>(
    open: impl AsyncFnOnce(&Settings) -> Result<H, Fatal>,
    otherwise: impl Fn(&Failure) -> Result<Value, Fatal> + Sync,
) -> Result<(), Fatal> {
    log::panics();
    let settings = Settings::from_env();
    let author = &Author::of(&settings);
    let (handler, otherwise) = (&open(&settings).await, &otherwise);
    let answered = &async |event, id: String| {
        let returned = invoked(handler.as_ref(), event, (author, &id)).await;
        returned.or_else(|failure| otherwise(&failure))
    };
    rehearse(H::REHEARSAL, answered).await;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| {
        answered(event.payload, event.context.request_id)
    }))
    .await
}

/// Answers requests, and invocations that are none. A failed invocation fails: whoever invoked may then
/// try again, as Lambda itself does for rules. Nothing is rehearsed.
///
/// # Errors
///
/// [`Fatal`] when the Lambda runtime goes away.
pub async fn serve_both<H: Handle + Invoke>(
    open: impl AsyncFnOnce(&Settings) -> Result<H, Fatal>,
) -> Result<(), Fatal> {
    log::panics();
    let settings = Settings::from_env();
    let author = &Author::of(&settings);
    let handler = &open(&settings).await;
    let site = &site(handler, &settings);
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        let (event, id) = (event.payload, event.context.request_id);
        // The gateway says so of every request, and nothing that a caller sends can take it away.
        if event.get("requestContext").is_some() {
            let event = serde_json::from_value(event).unwrap_or(Event::Other(IgnoredAny));
            let reply = answer(handler.as_ref(), site, event, (author, id)).await;
            return Ok(serde_json::to_value(print(reply))?);
        }
        let returned = invoked(handler.as_ref(), event, (author, &id)).await;
        returned.map_err(|failure| Fatal::from(failure.code.as_str()))
    }))
    .await
}

/// Answers one invocation, whatever happens.
async fn invoked<H: Invoke>(
    handler: Result<&H, &Fatal>,
    event: Value,
    (author, id): (&Author, &str),
) -> Result<Value, Failure> {
    let started = Instant::now();
    log::begin(author, id);
    let outcome = match handler {
        Ok(handler) => guarded(Box::pin(handler.invoke(event))).await,
        Err(unset) => Err(Failure::unavailable(unset.to_string())),
    };
    outcome.as_ref().err().into_iter().for_each(log::refusal);
    log::invocation(outcome.as_ref().err(), started.elapsed());
    outcome
}

/// What a visitor would get for this event: the handler's reply, or the page or problem of its
/// failure, with all headers. For tests of handlers.
///
/// # Errors
///
/// Where the event is not even JSON.
pub async fn reply_to<H: Handle>(handler: &H, event: &str) -> Result<Reply, serde_json::Error> {
    let (event, nobody) = (serde_json::from_str(event)?, (&Author::default(), String::new()));
    Ok(answer(Ok(handler), handler.site(), event, nobody).await)
}
