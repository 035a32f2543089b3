//! What is refused because there is too much of it.

use futures_util::future::join_all;
use serde_json::json;

use super::{AMPLE, Limits, site};

#[tokio::test]
async fn beyond_the_concurrency_that_is_set_aside_visitors_are_refused_in_the_gateways_words() {
    let site = site(Limits { reserved: Some(2), ..AMPLE }).await;
    let six = (0..6).map(|_| site.order("take your time"));

    let answers = join_all(six).await;

    let (let_in, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(s, _)| *s == 200);
    assert_eq!((let_in.len(), refused.len()), (2, 4));
    assert!(refused.iter().all(|one| *one == (503, json!({"message": "Service Unavailable"}))));
    assert_eq!(site.order("").await.0, 200, "as soon as there is room again");
}

#[tokio::test]
async fn beyond_what_the_stage_takes_visitors_are_refused_in_the_gateways_words() {
    let site = site(Limits { burst: Some(2), ..AMPLE }).await;

    for _ in 0..2 {
        assert_eq!(site.order("").await.0, 200);
    }

    assert_eq!(site.order("").await, (429, json!({"message": "Too Many Requests"})));
    let guarded = site.http.get(format!("{}/api/orders", site.url)).send().await.unwrap();
    assert_eq!(guarded.status(), 429, "the site's own route is one of this API's");
    let shop = site.http.get(format!("{}/basket", site.url)).send().await.unwrap();
    assert_eq!(shop.status(), 200, "and the site itself is behind no gateway");
}
