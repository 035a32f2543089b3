//! Everything that Amazon might do to a sign-in, and how the visitor's callback ends then.

use local_stack::amazon::{Endpoint, FOREIGN_CLIENT_ID, Fault, SHOP_CLIENT_ID};
use serde_json::{Value, json};

use crate::ending::{
    Ending::{self, AsEver, Fails, WithoutAddress},
    UNAVAILABLE,
};

/// Amazon said no.
const START_OVER: Ending = Fails(400, "start_over");
/// Amazon does not serve us.
const BROKEN: Ending = Fails(500, "broken");

/// Something that goes wrong.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// What, where, and how often, if not for as long as somebody asks.
    pub(crate) faults: Vec<(Endpoint, Fault, Option<u32>)>,
    pub(crate) ending: Ending,
    /// How often each endpoint is asked then.
    pub(crate) calls: [usize; 3],
}

pub(crate) const ENDPOINTS: [Endpoint; 3] =
    [Endpoint::Token, Endpoint::TokenInfo, Endpoint::Profile];

/// What makes a visitor wait.
pub(crate) fn slow(at: Endpoint) -> Vec<Case> {
    let slow = [Fault::Hang, Fault::Drip];
    slow.map(|fault| Case::new(at, (fault, UNAVAILABLE, most_calls(at)))).into()
}

/// What is no answer, in the ways that are most likely.
pub(crate) fn common(at: Endpoint) -> Vec<Case> {
    let mut faults = Fault::fatal();
    faults.retain(|fault| !matches!(fault, Fault::Hang | Fault::Drip));
    let case = |fault| Case::new(at, (fault, UNAVAILABLE, most_calls(at)));
    faults.into_iter().map(case).collect()
}

/// Whatever else there is.
pub(crate) fn rare(at: Endpoint) -> Vec<Case> {
    let told = match at {
        Endpoint::Token => token(),
        Endpoint::TokenInfo => tokeninfo(),
        Endpoint::Profile => profile(),
        Endpoint::CodePair => Vec::new(), // televisions have cases of their own
    };
    let nowhere_documented = rare_anywhere().into_iter();
    let nowhere_documented = nowhere_documented.map(|fault| (fault, UNAVAILABLE, most_calls(at)));
    let clear_nos = [201, 202, 204, 206, 403, 404, 405, 406, 409, 410, 418, 451];
    let clear_nos = clear_nos.map(|status| (Fault::Status(status), UNAVAILABLE, calls(at, 1)));
    let all = nowhere_documented.chain(clear_nos).chain(told);
    all.map(|told| Case::new(at, told)).collect()
}

/// What is over by the time that somebody asks once more.
pub(crate) fn passing(at: Endpoint, cases: Vec<Case>) -> Vec<Case> {
    let passes = |case: &Case| case.calls == calls(at, 2);
    let mut cases: Vec<_> = cases.into_iter().filter(passes).collect();
    for case in &mut cases {
        case.ending = AsEver;
        case.faults[0].2 = Some(1);
    }
    cases
}

/// Two things at once, where two endpoints are asked at once.
pub(crate) fn pairs() -> Vec<Case> {
    let some = |at, step| {
        let all = common(at).into_iter().step_by(step).chain(rare(at).into_iter().step_by(step));
        all.collect::<Vec<_>>()
    };
    let (infos, profiles) = (some(Endpoint::TokenInfo, 11), some(Endpoint::Profile, 11));
    let pairs = infos.iter().flat_map(|info| profiles.iter().map(move |profile| (info, profile)));
    let both = |(info, profile): (&Case, &Case)| Case {
        faults: [&info.faults[..], &profile.faults[..]].concat(),
        ending: if let Fails(..) = info.ending { info.ending } else { profile.ending },
        calls: [1, info.calls[1], profile.calls[2]],
    };
    let mut pairs: Vec<_> = pairs.map(both).collect();
    // Then nobody says who the customer is.
    let nameless = (Endpoint::TokenInfo, Fault::Without("user_id".to_owned()), None);
    let silent = (Endpoint::Profile, Fault::Error(401, "insufficient_scope".to_owned()), None);
    pairs.push(Case { faults: vec![nameless, silent], ending: START_OVER, calls: [1; 3] });
    pairs
}

impl Case {
    fn new(at: Endpoint, (fault, ending, calls): Told) -> Self {
        Self { faults: vec![(at, fault, None)], ending, calls }
    }
}

/// What changes nothing is asked once more, and a code is redeemed once.
fn most_calls(at: Endpoint) -> [usize; 3] {
    calls(at, if at == Endpoint::Token { 1 } else { 2 })
}

/// So many calls of this endpoint, and none of those that come after it.
fn calls(at: Endpoint, of_this: usize) -> [usize; 3] {
    match at {
        Endpoint::Token => [of_this, 0, 0],
        Endpoint::TokenInfo => [1, of_this, 1],
        Endpoint::Profile => [1, 1, of_this],
        Endpoint::CodePair => [0, 0, 0],
    }
}

/// What is no answer, whichever the endpoint.
fn rare_anywhere() -> Vec<Fault> {
    let mut all: Vec<_> = [501, 505, 507, 520, 599].map(Fault::Status).into();
    all.extend([300, 304, 305, 306].map(Fault::Redirect));
    let good =
        "\"access_token\":\"Atza|x\",\"token_type\":\"bearer\",\"aud\":\"x\",\"user_id\":\"x\"";
    let bodies = [
        // Within 64 KiB, and deeper than anybody should follow.
        "{\"user_id\":".repeat(5_000) + "{}" + &"}".repeat(5_000),
        "[".repeat(60_000),
        // An error that stands there twice.
        format!("{{{good},\"error\":null,\"error\":\"invalid_grant\"}}"),
        // Everything that is needed, in something that is not an object, or twice, or with a tail.
        format!("[{{{good}}}]"),
        "[\"Atza|x\",\"bearer\",3600]".to_owned(),
        format!("{{{good},{good}}}"),
        format!("{{{good}}}{{{good}}}"),
        format!("{{{good}}}\0"),
        format!("\u{feff}{{{good}}}"),
        format!("jsonp({{{good}}})"),
        // A little more than 64 KiB.
        format!("{{{good},\"padding\":\"{}\"}}", " ".repeat(65_536)),
    ];
    all.extend(bodies.map(Fault::Body));
    // An error beside everything that is needed, in whatever type.
    let errors = [json!("invalid_grant"), json!(""), json!(7), json!(false), json!([]), json!({})];
    all.extend(errors.map(|error| set("error", error)));
    all
}

fn set(member: &str, value: impl Into<Value>) -> Fault {
    Fault::set(member, value)
}

type Told = (Fault, Ending, [usize; 3]);

fn token() -> Vec<Told> {
    const ONE: [usize; 3] = [1, 0, 0];
    const ALL: [usize; 3] = [1; 3];
    let no = |status, word: &str| Fault::Error(status, word.to_owned());
    let mut all = vec![
        (no(400, "invalid_grant"), START_OVER, ONE),
        (no(400, "invalid_request"), START_OVER, ONE),
        (no(400, "unauthorized_client"), START_OVER, ONE),
        (no(400, "invalid_scope"), BROKEN, ONE),
        (no(400, "unsupported_grant_type"), BROKEN, ONE),
        // The secret was read anew and is still the same.
        (no(401, "invalid_client"), UNAVAILABLE, ONE),
        (no(400, "invalid_client"), UNAVAILABLE, ONE),
        (Fault::Status(401), UNAVAILABLE, ONE),
        (Fault::Status(400), UNAVAILABLE, ONE),
        (no(400, "Invalid_Grant\r\nSet-Cookie: a=b"), UNAVAILABLE, ONE),
        (no(400, "ServerError"), UNAVAILABLE, ONE),
        (no(403, "access_denied"), UNAVAILABLE, ONE),
    ];
    // The type of a token is spelled as one likes (RFC 6749, 5.1).
    all.extend(["Bearer", "BEARER"].map(|kind| (set("token_type", kind), AsEver, ALL)));
    let other_types = [json!("mac"), json!("bearer "), json!("DPoP"), json!(""), json!(7)];
    let other_types = other_types.into_iter().chain([Value::Null, json!(["bearer"]), json!({})]);
    all.extend(other_types.map(|kind| (set("token_type", kind), UNAVAILABLE, ONE)));
    // We ask right away, so how long a token lives is no matter, nor is a refresh token.
    let any = [json!(1e19), json!(-1), json!(0), json!(3600.5), json!("3600"), json!("soon")];
    for value in any.into_iter().chain([Value::Null, json!({}), json!([])]) {
        all.push((set("expires_in", value.clone()), AsEver, ALL));
        all.push((set("refresh_token", value), AsEver, ALL));
    }
    let tokens = [
        json!(""),
        json!(" "),
        json!("Atza|with space"),
        json!("Atza|a\r\nX-Injected: 1"),
        json!("Atza|\u{e4}"),
        json!("Atza|\0"),
        json!("a".repeat(2049)),
        json!(7),
        json!(["Atza|x"]),
        Value::Null,
    ];
    all.extend(tokens.map(|token| (set("access_token", token), UNAVAILABLE, ONE)));
    // A token that Amazon itself does not know, or that would say more in a URL.
    for token in ["Atza|other", "x&access_token=y", "a#b", "%00", "../../x?y"] {
        all.push((set("access_token", token), START_OVER, ALL));
    }
    all.extend(without(&["access_token", "token_type"], UNAVAILABLE, ONE));
    all.extend(without(&["expires_in", "refresh_token"], AsEver, ALL));
    all.push((set("scope", "payments:widget"), AsEver, ALL));
    all
}

fn tokeninfo() -> Vec<Told> {
    const ONCE: [usize; 3] = [1; 3];
    const TWICE: [usize; 3] = [1, 2, 1];
    let no = |status, word: &str| Fault::Error(status, word.to_owned());
    let mut all = vec![
        (no(400, "invalid_token"), START_OVER, ONCE),
        (no(400, "invalid_request"), START_OVER, ONCE),
        (Fault::Status(400), START_OVER, ONCE),
        (no(401, "insufficient_scope"), UNAVAILABLE, ONCE),
        (Fault::Status(401), UNAVAILABLE, ONCE),
        (set("aud", SHOP_CLIENT_ID.to_uppercase()), START_OVER, ONCE),
        (set("aud", format!("{SHOP_CLIENT_ID},{FOREIGN_CLIENT_ID}")), START_OVER, ONCE),
        (set("aud", &SHOP_CLIENT_ID[..SHOP_CLIENT_ID.len() - 1]), START_OVER, ONCE),
        (set("aud", json!({ SHOP_CLIENT_ID: true })), UNAVAILABLE, TWICE),
        (set("iss", json!(["https://www.amazon.com"])), UNAVAILABLE, TWICE),
        (set("iss", ""), START_OVER, ONCE),
        (set("iss", "http://www.amazon.com"), START_OVER, ONCE),
        (set("iss", "https://www.amazon.com/"), START_OVER, ONCE),
        (set("exp", i64::MIN), START_OVER, ONCE),
        (set("exp", i64::MAX), AsEver, ONCE),
        (set("exp", 1e19), UNAVAILABLE, TWICE),
        (set("exp", u64::MAX), UNAVAILABLE, TWICE),
        (set("exp", 3600.5), UNAVAILABLE, TWICE),
        (set("exp", "3600"), UNAVAILABLE, TWICE),
        (set("user_id", json!(["A"])), UNAVAILABLE, TWICE),
    ];
    all.extend(ids().map(|id| (set("user_id", id), UNAVAILABLE, ONCE)));
    for lie in Fault::lies() {
        all.push(match &lie {
            // Amazon promises `aud` alone: the profile says who it is.
            Fault::Without(name) if name == "user_id" => (lie, AsEver, ONCE),
            Fault::Without(_) => (lie, UNAVAILABLE, TWICE),
            Fault::Set(members) if members.get("aud").is_some_and(|aud| !aud.is_string()) => {
                (lie, UNAVAILABLE, TWICE)
            }
            _ => (lie, START_OVER, ONCE),
        });
    }
    all.extend(without(&["iss", "exp", "iat", "app_id"], AsEver, ONCE));
    let nulls = ["iss", "exp", "iat", "app_id", "user_id"];
    all.extend(nulls.map(|name| (set(name, Value::Null), AsEver, ONCE)));
    all.extend([json!(-1), json!(1e19), json!("now")].map(|iat| (set("iat", iat), AsEver, ONCE)));
    all
}

fn profile() -> Vec<Told> {
    const ONCE: [usize; 3] = [1; 3];
    const TWICE: [usize; 3] = [1, 1, 2];
    let no = |status, word: &str| Fault::Error(status, word.to_owned());
    let mut all = vec![
        (no(401, "insufficient_scope"), WithoutAddress, ONCE),
        (no(400, "invalid_token"), START_OVER, ONCE),
        (no(400, "invalid_request"), START_OVER, ONCE),
        (Fault::Status(400), START_OVER, ONCE),
        (no(401, "invalid_client"), UNAVAILABLE, ONCE),
        (Fault::Status(401), UNAVAILABLE, ONCE),
        // Somebody else than tokeninfo says.
        (set("user_id", "amzn1.account.ASOMEBODYELSE"), START_OVER, ONCE),
        (set("user_id", Value::Null), UNAVAILABLE, TWICE),
        (set("user_id", 7), UNAVAILABLE, TWICE),
        (set("email", 7), UNAVAILABLE, TWICE),
        (set("name", json!({})), UNAVAILABLE, TWICE),
        (set("postal_code", 98101), UNAVAILABLE, TWICE),
        (set("email_verified", true), AsEver, ONCE),
        (set("name", "\u{202e}\r\nSet-Cookie: a=b"), AsEver, ONCE),
        (set("name", "n".repeat(10_000)), AsEver, ONCE),
        (set("postal_code", "9".repeat(10_000)), AsEver, ONCE),
    ];
    all.extend(ids().map(|id| (set("user_id", id), UNAVAILABLE, ONCE)));
    // An address that is none is as good as none.
    let addresses = ["", " ", "@", "nora", "a@b@c", "nora@example.com\r\nBcc: all@example.com"];
    all.extend(addresses.map(|address| (set("email", address), WithoutAddress, ONCE)));
    all.push((set("email", Value::Null), WithoutAddress, ONCE));
    all.push((set("email", format!("{}@example.com", "a".repeat(2_000))), WithoutAddress, ONCE));
    all.extend(without(&["user_id"], UNAVAILABLE, TWICE));
    all.extend(without(&["email"], WithoutAddress, ONCE));
    all.extend(without(&["name", "postal_code"], AsEver, ONCE));
    all.extend(["name", "postal_code"].map(|name| (set(name, Value::Null), AsEver, ONCE)));
    all
}

/// What cannot be Amazon's name for a customer.
fn ids() -> impl Iterator<Item = String> {
    let odd = ["", " ", "A#B", "amzn1.account.A B", "amzn1.account.A\n", "../A", "A:B", "\u{c4}"];
    odd.into_iter().map(str::to_owned).chain(["A".repeat(129), "A".repeat(2_048)])
}

fn without(names: &[&str], ending: Ending, calls: [usize; 3]) -> impl Iterator<Item = Told> {
    let faults = names.iter().map(|name| Fault::Without((*name).to_owned()));
    faults.map(move |fault| (fault, ending, calls)).collect::<Vec<_>>().into_iter()
}
