//! Two releases of a function.

use super::{AMPLE, Site, site};
use crate::release::Release;

/// The processes that so many requests meet one after the other, each with what it was told.
async fn met(site: &Site, requests: usize) -> Vec<(u64, String)> {
    let mut met = Vec::new();
    for _ in 0..requests {
        let (_, said) = site.order("tell your environment").await;
        let colour = said["environment"]["COLOUR"].as_str().unwrap();
        met.push((said["process"].as_u64().unwrap(), colour.to_owned()));
    }
    met
}

#[tokio::test]
async fn two_releases_take_turns_each_in_processes_and_with_settings_of_its_own() {
    let site = site(AMPLE).await;
    assert!(met(&site, 2).await.iter().all(|(_, colour)| colour == "red"));

    site.lambda.take_turns(&[Release::Previous, Release::This]);
    let both = met(&site, 4).await;

    assert_eq!(
        both.iter().map(|(_, colour)| &**colour).collect::<Vec<_>>(),
        ["blue", "red", "blue", "red"]
    );
    assert_eq!((&both[0], &both[1]), (&both[2], &both[3]));
    assert_eq!(site.lambda.idle("one").len(), 2);
    site.lambda.restart("one");
    site.lambda.set("one", "COLOUR", Some("green"));
    assert!(met(&site, 2).await.iter().all(|(_, colour)| colour == "green"));

    // A function that has no other release answers as it is.
    site.lambda.take_turns(&[Release::Previous]);
    let guarded = site.http.get(format!("{}/api/orders", site.url)).header("order", "let in");
    assert_eq!(guarded.send().await.unwrap().status(), 200);
}
