//! Mistakes in what stands before the API.

use crate::front::{Mistake, behind};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_passes_everything_on_is_right() {
    behind(Mistake::None).await.look().await.is_right();
}

async fn wrong(mistake: Mistake, id: &str, words: &[&str]) {
    behind(mistake).await.look().await.is_wrong(id, words);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_that_keeps_auth_for_itself_is_seen() {
    wrong(Mistake::SendsAuthToTheSite, "site", &["404 and text/html", "`/auth/*`"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_that_lives_at_another_name_is_seen() {
    let words = ["redirects to https://www.shop.example", "PUBLIC_URL"];
    wrong(Mistake::RedirectsToAnotherHost, "site", &words).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cookie_with_a_domain_is_seen() {
    wrong(Mistake::AddsADomain, "cookie", &["a Domain was added", "Set-Cookie"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cookies_that_do_not_get_through_are_missed() {
    wrong(Mistake::DropsCookies, "cookies-arrive", &["the cookie"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_does_not_get_through_is_missed() {
    wrong(Mistake::DropsTheQuery, "cookies-arrive", &["the query"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_origin_that_does_not_get_through_is_missed() {
    wrong(Mistake::DropsOrigin, "post", &["Origin"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_that_do_not_get_through_are_missed() {
    wrong(Mistake::RefusesPosts, "post", &["403 and text/html", "every method"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_that_two_visitors_get_is_seen() {
    wrong(Mistake::KeepsAnswers, "not-kept", &["two visitors", "CachingDisabled"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_caches_may_keep_are_seen() {
    wrong(Mistake::TakesCacheControlAway, "not-kept", &["no-store was taken away"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_wrong_is_seen() {
    wrong(Mistake::LivesInTheFuture, "clock", &["seconds", "NTP"]).await;
}
