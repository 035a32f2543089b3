use domain::{
    Email, LinkTicket, Profile, Timestamp,
    link::{ATTEMPTS, LIVES},
    session::Kind,
};
use serde_json::{Value, json};
use web::{
    Cookie, Reply, StatusCode, help, label,
    reply::{self, with_cookie},
    words::Language,
};

use crate::Entrance;

impl Entrance {
    /// Tells a program that the account with this address has to be proven with its password: an app
    /// gets the ticket, a browser's page a cookie and its form's token.
    pub fn tell_to_link(&self, key: &LinkTicket, kind: Kind, email: Option<&Email>) -> Reply {
        let told = json!({
            "status": "link_required",
            "email": email.map(Email::as_str),
            "attempts_left": ATTEMPTS,
            "expires_at": (self.clock.now() + LIVES).rfc3339(),
        });
        with_ticket(told, key, kind)
    }

    /// Tells a program that a newcomer has to fill in these fields, and an address where Amazon told
    /// none.
    pub fn tell_to_register(
        &self,
        key: &LinkTicket,
        kind: Kind,
        customer: &Profile,
        language: Language,
    ) -> Reply {
        let values = self.fields.iter().map(|field| field.known(customer).unwrap_or_default());
        let expires_at = self.clock.now() + LIVES;
        let mut told = self.registration(customer, values, expires_at, language);
        told["status"] = "registration_required".into();
        with_ticket(told, key, kind)
    }

    /// What a program is told of a registration: the address if Amazon told one, and the fields with
    /// these values.
    pub fn registration<'a>(
        &self,
        customer: &Profile,
        values: impl IntoIterator<Item = &'a str>,
        expires_at: Timestamp,
        language: Language,
    ) -> Value {
        let fields = self.fields.iter().zip(values).map(|(field, value)| {
            json!({
                "name": field.name,
                "label": label(field, language),
                "help": help(field, language),
                "type": field.kind.as_str(),
                "required": field.required,
                "pattern": field.pattern,
                "options": field.options,
                "version": field.consent.as_ref().map(|consent| &consent.version),
                "href": field.consent.as_ref().and_then(|consent| consent.href.as_ref()),
                "value": value,
            })
        });
        json!({
            "email": customer.email.as_ref().map(Email::as_str),
            "fields": fields.collect::<Vec<_>>(),
            "expires_at": expires_at.rfc3339(),
        })
    }
}

fn with_ticket(mut told: Value, key: &LinkTicket, kind: Kind) -> Reply {
    if kind.is_bearer() {
        told["ticket"] = key.expose().into();
        return reply::json(StatusCode::OK, &told);
    }
    told["csrf"] = key.csrf().expose().into();
    with_cookie(reply::json(StatusCode::OK, &told), &Cookie::ticket(key, LIVES))
}
