//! A proxy before the site that does not pass everything on as it should.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::to_bytes,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use local_stack::{Options, amazon::SHOP_CLIENT_ID};
use tokio::net::TcpListener;

use crate::here::Here;

/// What a proxy does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// Nothing at all.
    None,
    AddsADomain,
    DropsCookies,
    DropsTheQuery,
    DropsOrigin,
    LivesInTheFuture,
    RedirectsToAnotherHost,
    RefusesPosts,
    KeepsAnswers,
    SendsAuthToTheSite,
    TakesCacheControlAway,
}

struct Front {
    mistake: Mistake,
    http: reqwest::Client,
    site: Mutex<String>,
    kept: Mutex<Option<(StatusCode, HeaderMap)>>,
}

/// A stack behind a proxy that makes this mistake.
pub(crate) async fn behind(mistake: Mistake) -> Here {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let http = https::client(Duration::from_secs(1)).unwrap();
    let front = Arc::new(Front { mistake, http, site: Mutex::default(), kept: Mutex::default() });
    let router = Router::new().fallback(pass).with_state(Arc::clone(&front));
    tokio::spawn(async move { axum::serve(listener, router).await });

    let environment = [("PUBLIC_URL".to_owned(), url.clone())].into();
    let here = Here::with(Options { environment, ..Options::default() }).await;
    front.site.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&here.stack.url);
    let mut world = here.stack.amazon.world();
    let shop = world.client_mut(SHOP_CLIENT_ID).unwrap();
    shop.allow_return_url(&format!("{url}/auth/amazon/callback")).unwrap();
    drop(world);
    here
}

async fn pass(State(front): State<Arc<Front>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let is_auth = head.uri.path().starts_with("/auth/");
    match front.mistake {
        Mistake::SendsAuthToTheSite if is_auth => {
            return (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "text/html")], "no")
                .into_response();
        }
        Mistake::RedirectsToAnotherHost if is_auth => {
            let to = format!("https://www.shop.example{}", head.uri);
            return (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, to)]).into_response();
        }
        Mistake::RefusesPosts if head.method == Method::POST => {
            return (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "text/html")], "no")
                .into_response();
        }
        _ => {}
    }
    let mut headers = head.headers;
    headers.remove(header::HOST);
    let site = front.site.lock().unwrap().clone();
    let mut url = format!("{site}{}", head.uri);
    match front.mistake {
        Mistake::DropsCookies => drop(headers.remove(header::COOKIE)),
        Mistake::DropsOrigin => drop(headers.remove(header::ORIGIN)),
        Mistake::DropsTheQuery => url = format!("{site}{}", head.uri.path()),
        _ => {}
    }
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let answer = front.http.request(head.method, url).headers(headers).body(body).send().await;
    let answer = answer.unwrap();
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    headers.remove(header::TRANSFER_ENCODING);
    let body = answer.bytes().await.unwrap();
    match front.mistake {
        Mistake::AddsADomain => {
            if let Some(cookie) = headers.get(header::SET_COOKIE) {
                let cookie = format!("{}; Domain=shop.example", cookie.to_str().unwrap());
                headers.insert(header::SET_COOKIE, cookie.parse().unwrap());
            }
        }
        Mistake::TakesCacheControlAway => drop(headers.remove(header::CACHE_CONTROL)),
        Mistake::LivesInTheFuture => {
            drop(headers.insert(header::DATE, "Fri, 01 Jan 2100 00:00:00 GMT".parse().unwrap()));
        }
        Mistake::KeepsAnswers if head.uri.path() == "/auth/amazon/login" => {
            let mut kept = front.kept.lock().unwrap();
            let (status, headers) = kept.get_or_insert((status, headers)).clone();
            return (status, headers).into_response();
        }
        _ => {}
    }
    (status, headers, body).into_response()
}
