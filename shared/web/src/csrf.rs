//! Keeps other sites from pressing our buttons.

use domain::{CsrfToken, LinkTicket, session::Kind};

use crate::{Code, Failure, Form, Request, Site, cookie};

/// Reads a form that was filled in on a page of ours by the holder of a ticket.
///
/// # Errors
///
/// Those of [`Form::read`], `csrf`, and `ticket_expired` where no ticket came along.
pub fn form_of_ticket(
    request: &Request,
    site: &Site,
    names: &[&str],
    fields: bool,
) -> Result<(Form, LinkTicket), Failure> {
    let form = Form::read(request, names, fields)?;
    check_origin(request, site)?;
    let ticket = cookie::ticket(request)?;
    check_token(form.get("csrf"), &ticket.csrf())?;
    Ok((form, ticket))
}

/// Reads what the holder of a ticket sent: a page of ours, with the ticket in a cookie, or an app,
/// with the ticket as a member of its JSON. Says which of them it was. An app sends no more than
/// those of the names that are `of_app`.
///
/// # Errors
///
/// Those of [`form_of_ticket`]; for an app those of [`check_app`] and `ticket_expired`.
pub fn form_of_holder(
    request: &Request,
    site: &Site,
    names: &[&str],
    of_app: &[&str],
    fields: bool,
) -> Result<(Form, LinkTicket, Kind), Failure> {
    if request.content_type() == "application/json" {
        let form = Form::read(request, &[names, &["ticket"]].concat(), fields)?;
        if let Some(ticket) = form.get("ticket") {
            if names.iter().any(|name| !of_app.contains(name) && form.get(name).is_some()) {
                return Err(Failure::bad_request("an app sent what pages send"));
            }
            check_app(request)?;
            let ticket = LinkTicket::presented(ticket);
            let ticket = ticket.map_err(|_| Failure::ticket_expired("the ticket is none"))?;
            return Ok((form, ticket, Kind::App));
        }
    }
    let (form, ticket) = form_of_ticket(request, site, names, fields)?;
    Ok((form, ticket, Kind::Browser))
}

/// Makes sure that no browser sent this: it would add a cookie or an `Origin`, and no page of another
/// site can keep it from doing so.
///
/// # Errors
///
/// `csrf`.
pub fn check_app(request: &Request) -> Result<(), Failure> {
    match request.is_a_browsers() {
        false => Ok(()),
        true => Err(Failure::new(Code::Csrf, "a browser sent what only apps send")),
    }
}

/// Makes sure that a POST came from a page of ours, by the browser's own word.
///
/// `Origin` must be ours. Browsers send it with every POST; `Referrer-Policy: same-origin` on the
/// page keeps it from being `null`. Where the browser says `Sec-Fetch-Site`, it must agree.
///
/// # Errors
///
/// `csrf`.
pub fn check_origin(request: &Request, site: &Site) -> Result<(), Failure> {
    let same_origin = request.header("origin") == Some(&site.public_url);
    let same_site = matches!(request.header("sec-fetch-site"), None | Some("same-origin"));
    if same_origin && same_site {
        Ok(())
    } else {
        Err(Failure::new(Code::Csrf, "the request came from another origin"))
    }
}

/// Makes sure that a form was filled in on a page that its holder was shown.
///
/// # Errors
///
/// `csrf`.
pub fn check_token(presented: Option<&str>, expected: &CsrfToken) -> Result<(), Failure> {
    match presented.map(CsrfToken::presented) {
        Some(Ok(token)) if token == *expected => Ok(()),
        _ => Err(Failure::new(Code::Csrf, "the form's token is missing or wrong")),
    }
}
