//! What is handed over, before Amazon has been asked about any of it.

use domain::{
    handoff::{HandedCode, HandedToken},
    session::Kind,
};
use web::{Code, Failure, Form, Request};

/// A token or a code of Amazon's, and who handed it over.
#[derive(Debug)]
pub(crate) struct Handed {
    /// What it is.
    pub(crate) what: What,
    /// What will carry the session: an app, or the browser whose page it was.
    pub(crate) kind: Kind,
}

/// See [`Handed`].
#[derive(Debug)]
pub(crate) enum What {
    /// An access token, whoever has it from Amazon.
    Token(HandedToken),
    /// A code that has not been redeemed.
    Code(HandedCode),
}

impl Handed {
    /// Reads the body. It is JSON, which no form of another site can send.
    pub(crate) fn read(request: &Request) -> Result<Self, Failure> {
        if request.content_type() != "application/json" {
            return Err(Failure::new(Code::UnsupportedMediaType, "a hand-off is JSON"));
        }
        let of_code = ["code", "code_verifier", "redirect_uri", "client_id"];
        let names = [&["access_token", "mode"][..], &of_code].concat();
        let form = Form::read(request, &names, false)?;
        let kind = match form.get("mode") {
            None => Kind::App,
            Some("browser") => Kind::Browser,
            Some(_) => return Err(Failure::bad_request("the mode is none")),
        };
        let of_code = of_code.map(|name| form.get(name));
        let what = match (form.get("access_token"), of_code) {
            (Some(token), [None, None, None, None]) => What::Token(read_token(token)?),
            (None, [Some(code), Some(verifier), Some(redirect_uri), Some(client_id)]) => {
                let [code, verifier, redirect_uri, client_id] =
                    [code, verifier, redirect_uri, client_id].map(str::to_owned);
                let code = HandedCode { code, verifier, redirect_uri, client_id };
                if !code.is_shaped() {
                    return Err(Failure::bad_request("the code, or what comes with it, is none"));
                }
                What::Code(code)
            }
            _ => return Err(Failure::bad_request("neither a token nor a code with all it needs")),
        };
        Ok(Self { what, kind })
    }
}

fn read_token(text: &str) -> Result<HandedToken, Failure> {
    HandedToken::parse(text).ok_or_else(|| {
        // Whoever has it can be that customer for as long as they like: the app must keep it.
        let why = match text.starts_with("Atzr|") {
            true => "an app handed over its refresh token",
            false => "the token is none of Amazon's",
        };
        Failure::bad_request(why)
    })
}
