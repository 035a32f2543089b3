//! A deployment, as AWS tells of it.

use std::fs;

use local_stack::CLIENT_SECRET_ARN;

use crate::{cloud::Cloud, here::Here};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_that_is_right_is_called_right() {
    let here = Here::start().await;
    let cloud = Cloud::of(&here).await;
    let ran = cloud.look("shop").await;
    ran.is_right();
    assert_eq!(ran.ended("not checked"), [""; 0], "{}", ran.out);
    // It is a trial, and Mia's address has capitals.
    assert_eq!(ran.ended("advice"), ["public-url", "accounts-rows"], "{}", ran.out);
    let functions = ran.lines("ok")[1];
    assert!(functions.1.ends_with(": 15 of them."), "{functions:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_that_is_wrong_is_called_wrong() {
    let here = Here::start().await;
    let cloud = Cloud::of(&here).await;

    cloud.set(&["callback"], "LWA_REGION", "eu");
    cloud.look("shop").await.is_wrong("settings-agree", &["LWA_REGION of callback"]);
    cloud.set(&["callback"], "LWA_REGION", "na");

    cloud.set(&[], "LWA_REGION", "mars");
    cloud.look("shop").await.is_wrong("settings", &["LWA_REGION", "login", "notices"]);
    cloud.set(&[], "LWA_REGION", "na");

    let elsewhere = CLIENT_SECRET_ARN.replace("us-east-1", "eu-central-1");
    cloud.set(&[], "LWA_CLIENT_SECRET_ARN", &elsewhere);
    cloud.look("shop").await.is_wrong("client-secret", &["LWA_CLIENT_SECRET_ARN", "us-east-1"]);
    cloud.set(&[], "LWA_CLIENT_SECRET_ARN", CLIENT_SECRET_ARN);

    cloud.tell(|told| told.recovery = false);
    cloud.look("shop").await.is_wrong("links-kept", &["IDENTITIES_TABLE", "recovery is off"]);
    cloud.tell(|told| told.recovery = true);

    cloud.tell(|told| told.failed = Some("session"));
    cloud.look("shop").await.is_wrong("functions", &["session: The image", "sam deploy"]);
    cloud.tell(|told| told.failed = None);

    cloud.tell(|told| told.status = "UPDATE_ROLLBACK_COMPLETE");
    cloud.look("shop").await.is_wrong("deployment", &["UPDATE_ROLLBACK_COMPLETE", "sam deploy"]);
    cloud.tell(|told| told.status = "UPDATE_COMPLETE");

    cloud.tell(|told| drop(told.functions.remove("login")));
    cloud.look("shop").await.is_wrong("functions", &["the stack has no login"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_notices_nobody_has_to_deliver_them() {
    let here = Here::start().await;
    let cloud = Cloud::of(&here).await;
    cloud.tell(|told| drop(told.functions.remove("notices")));
    cloud.look("shop").await.is_right();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_be_read_is_not_checked_and_not_wrong() {
    let here = Here::start().await;
    let cloud = Cloud::of(&here).await;
    cloud.tell(|told| told.secrets_refused = true);
    let ran = cloud.look("shop").await;
    ran.is_right();
    let not_checked = ran.lines("not checked");
    let (id, line) = not_checked[0];
    assert!(id == "client-secret" && line.contains("you are not allowed to read it"), "{line}");
    let ids = ["client-secret", "client-secret-shape", "webhook-secret", "client"];
    assert_eq!(ran.ended("not checked"), ids);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_signed_in_by_their_profile_and_not_by_the_keys_that_tests_have() {
    let here = Here::start().await;
    let cloud = Cloud::of(&here).await;
    let file = std::env::temp_dir().join(format!("lwa-doctor-{}.profile", std::process::id()));
    let profile =
        "[shop]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = a-profiles-key\n";
    fs::write(&file, profile).unwrap();
    let path = file.to_str().unwrap();
    let tests = [("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local")];
    let signed_in = [&tests[..], &[("AWS_SHARED_CREDENTIALS_FILE", path), ("AWS_PROFILE", "shop")]];
    cloud.look_as("shop", &signed_in.concat()).await.is_right();
    let keys = cloud.told.lock().unwrap().keys.clone();
    fs::remove_file(&file).unwrap();
    assert!(!keys.is_empty() && keys.iter().all(|key| key == "AKIAPROFILE"), "{keys:?}");

    let nobody = cloud.look_as("shop", &tests).await;
    assert_eq!((nobody.status, nobody.out.as_str()), (2, ""));
    assert!(nobody.err.starts_with("Nobody is signed in to AWS here: "), "{}", nobody.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stack_that_is_not_there_cannot_be_looked_at() {
    let here = Here::start().await;
    let ran = Cloud::of(&here).await.look("other").await;
    assert_eq!((ran.status, ran.out.as_str()), (2, ""));
    assert!(ran.err.starts_with("There is no stack other in us-east-1: "), "{}", ran.err);
}
