use aws_sdk_secretsmanager::config::Builder;
use domain::Timestamp;
use local_stack::Secrets;

use crate::{Error, Secret};

const ARN: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:x";

async fn secret(value: Option<&str>) -> (Secrets, Secret) {
    let secrets = Secrets::start(0).await.unwrap();
    if let Some(value) = value {
        secrets.set(ARN, value);
    }
    let config = Builder::from(&local_stack::sdk(&secrets.url).unwrap()).build();
    (secrets, Secret::stored(config, ARN.to_owned(), "client_secret"))
}

#[tokio::test]
async fn a_secret_is_a_plain_string_or_a_member() {
    for (value, expected) in [
        ("plain", Some("plain")),
        (" plain\n", Some("plain")),
        (r#"{"client_secret":"member","other":"x"}"#, Some("member")),
        (r#"{"client_secret":""}"#, None),
        (r#"{"secret":"x"}"#, None),
        (r#"{"client_secret":"#, None),
        ("  ", None),
    ] {
        let (_secrets, secret) = secret(Some(value)).await;
        let read = secret.read(Timestamp(0)).await;
        assert_eq!(read.ok().as_deref(), expected, "{value}");
    }
    let (_secrets, secret) = secret(None).await;
    assert!(matches!(secret.read(Timestamp(0)).await, Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn m04_a_secret_is_read_every_five_minutes_and_outlives_an_outage_of_an_hour() {
    let (secrets, secret) = secret(Some("first")).await;
    assert_eq!(secret.read(Timestamp(0)).await.unwrap(), "first");
    secrets.set(ARN, "second");
    assert_eq!(secret.read(Timestamp(299)).await.unwrap(), "first");
    assert_eq!(secret.read(Timestamp(300)).await.unwrap(), "second");

    secrets.break_down(true);
    assert_eq!(secret.read(Timestamp(3899)).await.unwrap(), "second");
    assert!(secret.read(Timestamp(3900)).await.is_err());
    secrets.break_down(false);
    assert_eq!(secret.read(Timestamp(3900)).await.unwrap(), "second");
}

#[tokio::test]
async fn k01_a_secret_can_be_read_anew_and_says_nothing_of_itself() {
    let (secrets, secret) = secret(Some("CANARY-1")).await;
    secret.read(Timestamp(0)).await.unwrap();
    secrets.set(ARN, "CANARY-2");
    assert_eq!(secret.read_anew(Timestamp(0)).await.unwrap(), "CANARY-2");
    assert_eq!(secret.read(Timestamp(1)).await.unwrap(), "CANARY-2");
    assert!(!format!("{secret:?}").contains("CANARY"));
    secrets.set(ARN, r#"{"CANARY":1}"#);
    let error = secret.read_anew(Timestamp(0)).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("CANARY"));
}
