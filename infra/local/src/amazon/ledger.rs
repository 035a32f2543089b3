//! What the stand-in has handed out: codes, tokens, sessions of browsers, and consent.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{
    code::{Pair, Verdict},
    mint::Mint,
    world::{Customer, Registered, Scope, World},
};

const CODE_LIVES: Duration = Duration::from_mins(5);

/// Everything handed out so far.
#[derive(Clone, Default)]
pub(super) struct Ledger {
    pub(super) mint: Mint,
    pub(super) codes: HashMap<String, Code>,
    pub(super) access: HashMap<String, Grant>,
    pub(super) refresh: HashMap<String, Grant>,
    /// Device code → what a television asked for.
    pub(super) pairs: HashMap<String, Pair>,
    /// Cookie of a browser → login of a customer.
    pub(super) sessions: HashMap<String, String>,
    /// (login of a customer, `app_id` of a security profile) → what was agreed to.
    pub(super) consents: HashMap<(String, String), BTreeSet<Scope>>,
}

/// What a customer lets a client know.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) customer: String,
    pub(super) client_id: String,
    pub(super) scopes: Vec<Scope>,
    pub(super) issued_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

/// What a code stands for.
#[derive(Clone)]
pub(super) struct Code {
    pub(super) grant: Grant,
    pub(super) redirect_uri: String,
    pub(super) challenge: Option<Challenge>,
}

/// What the redeemer of a code must have known when it was asked for (RFC 7636).
#[derive(Clone)]
pub(super) enum Challenge {
    /// The verifier itself.
    Plain(String),
    /// base64url(SHA-256(verifier)).
    S256(String),
}

impl Challenge {
    /// The challenge of this method; without one, `plain`.
    pub(super) fn parse(challenge: &str, method: Option<&str>) -> Option<Self> {
        let spelled = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if !(43..=128).contains(&challenge.len()) || !challenge.bytes().all(spelled) {
            return None;
        }
        match method {
            None | Some("plain") => Some(Self::Plain(challenge.to_owned())),
            Some("S256") => Some(Self::S256(challenge.to_owned())),
            Some(_) => None,
        }
    }

    /// Whether this verifier answers it.
    pub(super) fn answered_by(&self, verifier: &str) -> bool {
        match self {
            Self::Plain(challenge) => verifier == challenge,
            Self::S256(challenge) => URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == *challenge,
        }
    }
}

impl World {
    /// A code for all of `scope`, as if the customer had agreed just now; `challenge` is the challenge
    /// and its method.
    pub fn consent(
        &mut self,
        customer: &str,
        client_id: &str,
        redirect_uri: &str,
        scope: &str,
        challenge: Option<(&str, &str)>,
    ) -> String {
        let scopes = Scope::list(scope);
        self.remember_consent(customer, client_id, &scopes);
        let challenge = challenge.map(|(text, method)| Challenge::parse(text, Some(method)));
        // A challenge that Amazon would not take is one that no verifier answers.
        let challenge = challenge.map(|c| c.unwrap_or(Challenge::S256(String::new())));
        self.issue_code(customer, client_id, redirect_uri, scopes, challenge)
    }

    /// An access token for any client.
    pub fn token(&mut self, customer: &str, client_id: &str, scope: &str) -> String {
        let now = self.now();
        self.issue_access(&Grant {
            customer: customer.to_owned(),
            client_id: client_id.to_owned(),
            scopes: Scope::list(scope),
            issued_at: now,
            expires_at: now,
        })
    }

    /// Hands out a code, good once for five minutes.
    pub(super) fn issue_code(
        &mut self,
        customer: &str,
        client_id: &str,
        redirect_uri: &str,
        scopes: Vec<Scope>,
        challenge: Option<Challenge>,
    ) -> String {
        let now = self.now();
        let grant = Grant {
            customer: customer.to_owned(),
            client_id: client_id.to_owned(),
            scopes,
            issued_at: now,
            expires_at: now + CODE_LIVES,
        };
        let code = self.ledger.mint.code();
        let meaning = Code { grant, redirect_uri: redirect_uri.to_owned(), challenge };
        self.ledger.codes.insert(code.clone(), meaning);
        code
    }

    /// Hands out an access token, good from now.
    pub(super) fn issue_access(&mut self, grant: &Grant) -> String {
        let now = self.now();
        let lives = Duration::from_secs(self.habits.expires_in.unsigned_abs());
        let token = self.ledger.mint.token("Atza|", 455, self.habits.longest_tokens);
        let grant = Grant { issued_at: now, expires_at: now + lives, ..grant.clone() };
        self.ledger.access.insert(token.clone(), grant);
        token
    }

    /// Hands out a refresh token, good until it is revoked.
    pub(super) fn issue_refresh(&mut self, grant: &Grant) -> String {
        let token = self.ledger.mint.token("Atzr|", 434, self.habits.longest_tokens);
        self.ledger.refresh.insert(token.clone(), grant.clone());
        token
    }

    /// What an access token lets one know, while it, its customer and its client live.
    pub(super) fn access(&self, token: &str) -> Option<(&Grant, &Customer, Registered<'_>)> {
        let grant = self.ledger.access.get(token)?;
        let alive = self.now() < grant.expires_at;
        let customer = self.customer(&grant.customer)?;
        alive.then_some((grant, customer, self.registered(&grant.client_id)?))
    }

    /// Remembers what a customer agreed to, for all clients of the product.
    pub(super) fn remember_consent(&mut self, customer: &str, client_id: &str, scopes: &[Scope]) {
        let Some(known) = self.registered(client_id) else { return };
        let key = (customer.to_owned(), known.profile.app_id.clone());
        self.ledger.consents.entry(key).or_default().extend(scopes);
    }

    /// Takes back all that a customer let a product know: consent, codes and tokens.
    pub fn revoke(&mut self, customer: &str, app_id: &str) {
        let clients: Vec<String> = self
            .companies
            .iter()
            .flat_map(|company| &company.profiles)
            .filter(|profile| profile.app_id == app_id)
            .flat_map(|profile| &profile.clients)
            .map(|client| client.client_id.clone())
            .collect();
        let stays =
            |grant: &Grant| grant.customer != customer || !clients.contains(&grant.client_id);
        self.ledger.codes.retain(|_, code| stays(&code.grant));
        self.ledger.access.retain(|_, grant| stays(grant));
        self.ledger.refresh.retain(|_, grant| stays(grant));
        let allowed = |pair: &Pair| match &pair.verdict {
            Verdict::Allowed(by, _) => by == customer && clients.contains(&pair.client_id),
            _ => false,
        };
        self.ledger.pairs.retain(|_, pair| !allowed(pair));
        self.ledger.consents.remove(&(customer.to_owned(), app_id.to_owned()));
    }

    /// Closes a customer's account at Amazon: nothing handed out in that name is good any more.
    pub fn remove_customer(&mut self, login: &str) {
        self.customers.retain(|customer| customer.login != login);
        let ledger = &mut self.ledger;
        ledger.codes.retain(|_, code| code.grant.customer != login);
        ledger.access.retain(|_, grant| grant.customer != login);
        ledger.refresh.retain(|_, grant| grant.customer != login);
        let allowed = |pair: &Pair| matches!(&pair.verdict, Verdict::Allowed(by, _) if by == login);
        ledger.pairs.retain(|_, pair| !allowed(pair));
        ledger.sessions.retain(|_, customer| customer != login);
        ledger.consents.retain(|(customer, _), _| customer != login);
    }

    /// Deletes a security profile: nothing handed out to its clients is good any more.
    pub fn remove_profile(&mut self, app_id: &str) {
        let customers: Vec<_> = self.customers.iter().map(|c| c.login.clone()).collect();
        for customer in customers {
            self.revoke(&customer, app_id);
        }
        for company in &mut self.companies {
            company.profiles.retain(|profile| profile.app_id != app_id);
        }
    }
}
