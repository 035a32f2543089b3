//! Keeps other sites from pressing our buttons.

use domain::{CsrfToken, LinkTicket};

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
