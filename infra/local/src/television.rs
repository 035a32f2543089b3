//! `cargo local tv`: a television in a terminal, to be let in by a browser beside it.
//!
//! It does what the software of a television would do: it shows a code, asks by the rules of RFC 8628
//! whether somebody has typed it, and in the end asks who is signed in. It knows nothing of this
//! project but its two routes.

use std::time::Duration;

use local_stack::Error;
use serde_json::{Value, json};

/// What a television does next.
#[derive(Debug, PartialEq)]
enum Next {
    /// Asks again after the interval; with what there is to say.
    Wait(Option<String>),
    /// The same, and five seconds more each time from now on.
    Slower,
    /// Opens the shop with this token.
    Open(String),
    /// Gives up, for this reason.
    Stop(String),
}

/// What to say besides `cargo local tv` for the site at this address.
pub(crate) fn at(url: &str) -> String {
    let port = url.rsplit(':').next().filter(|port| *port != "3000");
    port.map(|port| format!(" --port {port}")).unwrap_or_default()
}

/// Plays a television until it is in, or has to begin anew.
pub(crate) async fn play(site: &str) -> Result<(), Error> {
    // The client wants to know how to speak TLS, which nobody on this machine does.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(12)).build()?;
    let (status, told) = post(&http, &format!("{site}/auth/amazon/device"), &json!({})).await?;
    let text = |name: &str| told[name].as_str();
    let (Some(handle), Some(code), Some(page)) =
        (text("device_code"), text("user_code"), text("verification_uri"))
    else {
        return Err(
            format!("the site gives this television no code: {}", why(status, &told)).into()
        );
    };
    let minutes = told["expires_in"].as_u64().unwrap_or_default() / 60;
    println!("\n  Go to   {page}\n  Enter   {code}\n");
    println!("Within {minutes} minutes. This television asks every now and then whether you have.");

    let mut interval = Duration::from_secs(told["interval"].as_u64().unwrap_or(5));
    let poll = format!("{site}/auth/amazon/device/poll");
    let mut said = None;
    loop {
        tokio::time::sleep(interval).await;
        let next = match post(&http, &poll, &json!({ "device_code": handle })).await {
            Ok((status, told)) => next(status, &told),
            Err(_) => Next::Wait(Some("The site does not answer; it may be only slow.".into())),
        };
        match next {
            Next::Wait(None) => println!("Nobody has typed the code yet."),
            Next::Wait(what) if what == said => println!("The same as before."),
            Next::Wait(Some(what)) => {
                println!("{what}");
                said = Some(what);
            }
            Next::Slower => {
                interval += Duration::from_secs(5);
                println!("That was too soon: every {} seconds from now on.", interval.as_secs());
            }
            Next::Open(token) => return greet(&http, site, &token).await,
            Next::Stop(why) => return Err(why.into()),
        }
    }
}

/// What an answer means to a television.
fn next(status: u16, told: &Value) -> Next {
    let text = |name: &str| told[name].as_str().unwrap_or_default();
    match (status, text("status"), text("error")) {
        (200, "signed_in", _) => Next::Open(text("session_token").to_owned()),
        (200, "link_required", _) => Next::Wait(Some(format!(
            "Amazon knows you, and the shop has an account with your e-mail address.\n\
             Open {} in a browser, sign in as the same customer, and give the shop's password once.",
            text("verification_uri")
        ))),
        (200, "registration_required", _) => Next::Wait(Some(format!(
            "Amazon knows you, and the shop does not yet.\n\
             Open {} in a browser and sign in as the same customer.",
            text("verification_uri")
        ))),
        (400, _, "authorization_pending") => Next::Wait(None),
        (400, _, "slow_down") => Next::Slower,
        (400, _, "access_denied") => Next::Stop("Somebody said no at Amazon.".to_owned()),
        (400, _, "expired_token") => {
            Next::Stop("The code is over, or was refused. Switch the television on again.".into())
        }
        (429 | 500.., ..) => Next::Wait(Some(format!("The shop says: {}", why(status, told)))),
        _ => Next::Stop(why(status, told)),
    }
}

/// The shop, as whoever was let in sees it.
async fn greet(http: &reqwest::Client, site: &str, token: &str) -> Result<(), Error> {
    let request = http.get(format!("{site}/auth/session")).bearer_auth(token);
    let told: Value = serde_json::from_str(&request.send().await?.text().await?)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (name, session) = (text(&told["account"]["name"]), &told["session"]);
    let name = if name.is_empty() { text(&told["account"]["id"]) } else { name };
    println!("\nHello, {name}. You are signed in on this television.");
    println!(
        "The session is of the kind {:?} and ends {}.\n",
        text(&session["kind"]),
        text(&session["expires_at"])
    );
    Ok(())
}

/// Why something did not go as it should, in the site's own words.
fn why(status: u16, told: &Value) -> String {
    let words = ["detail", "title", "error"].into_iter().filter_map(|name| told[name].as_str());
    words.into_iter().next().map_or_else(|| format!("status {status}"), str::to_owned)
}

async fn post(http: &reqwest::Client, url: &str, body: &Value) -> Result<(u16, Value), Error> {
    let request = http.post(url).header("content-type", "application/json").body(body.to_string());
    let response = request.send().await.map_err(|error| {
        if error.is_connect() {
            "nobody is there: run `cargo local` first".into()
        } else {
            Error::from(error)
        }
    })?;
    let status = response.status().as_u16();
    Ok((status, serde_json::from_str(&response.text().await?).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_means_something_to_a_television() {
        let error = |word: &str| json!({ "error": word });
        assert_eq!(next(400, &error("authorization_pending")), Next::Wait(None));
        assert_eq!(next(400, &error("slow_down")), Next::Slower);
        for word in ["access_denied", "expired_token", "something_else"] {
            assert!(matches!(next(400, &error(word)), Next::Stop(_)), "{word}");
        }
        let told = json!({ "status": "signed_in", "session_token": "a.b" });
        assert_eq!(next(200, &told), Next::Open("a.b".to_owned()));
        for status in ["link_required", "registration_required"] {
            let told = json!({ "status": status, "verification_uri": "https://shop.example/x" });
            let Next::Wait(Some(said)) = next(200, &told) else { panic!("{status}") };
            assert!(said.contains("Open https://shop.example/x"), "{said}");
        }
        let problem = json!({ "code": "unavailable", "detail": "Please try again." });
        let Next::Wait(Some(said)) = next(503, &problem) else { panic!("it is over some time") };
        assert_eq!(said, "The shop says: Please try again.");
        let refused = json!({ "code": "account_closed", "detail": "Closed." });
        assert_eq!(next(403, &refused), Next::Stop("Closed.".to_owned()));
        assert_eq!(next(404, &Value::Null), Next::Stop("status 404".to_owned()));
    }
}
