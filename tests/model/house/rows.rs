//! Real rows, and what the model says they should be.

use std::{collections::BTreeMap, fmt::Write as _};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tests::Tables;

use super::House;
use crate::state::{Account, Model, Name, PASSWORDS, Purpose, Session, Status, Time};

/// Rows in words, by what tells them apart.
type Rows = BTreeMap<String, String>;

impl House<'_> {
    /// What is broken in the tables, or is not there as in the model, or is there besides.
    pub(super) fn wrong_with_tables(&self, tables: &Tables, model: &Model) -> Vec<String> {
        let mut wrong = tables.broken();
        // The site has deleted them without telling anybody.
        for account in model.deleted.iter().map(|name| self.id(*name)) {
            let gone = format!(" {account}, which is not there");
            let claims = format!("INV-05: {account} claims an address that is not its own");
            wrong.retain(|broken| !broken.ends_with(&gone) && *broken != claims);
        }
        for (what, found, expected) in [
            ("accounts", found_accounts(tables), self.accounts_of(model)),
            ("identities", found_identities(tables), self.identities_of(model)),
            ("sessions", found_sessions(tables), self.sessions_of(model)),
            ("tickets", found_tickets(tables), self.tickets_of(model)),
        ] {
            for (key, row) in &expected {
                match found.get(key) {
                    None => wrong.push(format!("{what}: {key} is missing: {row}")),
                    Some(found) if found != row => {
                        wrong.push(format!("{what}: {key} is {found}, and in the model {row}"));
                    }
                    Some(_) => {}
                }
            }
            let more = found.iter().filter(|(key, _)| !expected.contains_key(*key));
            wrong.extend(more.map(|(key, row)| format!("{what}: {key} is there: {row}")));
        }
        wrong
    }

    /// Finds the ids of accounts that we have opened.
    pub(super) fn find_opened(&mut self, tables: &Tables, model: &Model) {
        for account in tables.newcomers() {
            let id = text(account, "id");
            if self.opened.len() < model.opened && !self.opened.iter().any(|known| known == id) {
                self.opened.push(id.to_owned());
            }
        }
    }

    fn accounts_of(&self, model: &Model) -> Rows {
        let row = |(name, account): (&Name, &Account)| {
            let Account { email, name: owner, status, password } = account;
            let hash = password.map_or("", |password| PASSWORDS[password].1);
            (self.id(*name), format!("{:?}", (email.as_deref(), owner, status, hash)))
        };
        model.accounts.iter().map(row).collect()
    }

    fn identities_of(&self, model: &Model) -> Rows {
        let mut rows = Rows::new();
        for (who, link) in &model.links {
            let (customer, account) = (&self.customers[*who], self.id(link.account));
            let email = link.amazon_email.unwrap_or_default();
            let row = format!("{:?}", (&account, link.epoch, link.prove_again, email));
            rows.insert(format!("AMAZON#{customer}"), row);
            rows.insert(format!("ACCOUNT#{account}"), customer.clone());
        }
        for (address, account) in &model.claims {
            let mut key = "EMAIL#".to_owned();
            for byte in Sha256::digest(address) {
                let _ = write!(key, "{byte:02x}");
            }
            rows.insert(key, self.id(*account));
        }
        rows
    }

    fn sessions_of(&self, model: &Model) -> Rows {
        let there = model.sessions.iter().zip(&self.sessions).filter(|(session, _)| !session.gone);
        let row = |(session, token): (&Session, &String)| {
            let Session { account, how, started, seen, .. } = session;
            (hash(token), format!("{:?}", (self.id(*account), how, started, seen)))
        };
        let epoch =
            |(name, epoch): (&Name, &u64)| (format!("META {}", self.tag(*name)), epoch.to_string());
        there.map(row).chain(model.epochs.iter().map(epoch)).collect()
    }

    fn tickets_of(&self, model: &Model) -> Rows {
        let mut rows = Rows::new();
        for (ticket, key) in model.tickets.iter().zip(&self.tickets).filter(|(t, _)| !t.gone) {
            let (purpose, account, left) = match ticket.purpose {
                Purpose::Link { account, left } => {
                    ("link", self.id(account), Some(i64::from(left)))
                }
                Purpose::Register => ("register", String::new(), None),
                Purpose::Switch { account } => ("switch", self.id(account), None),
            };
            let (told, customer) = (ticket.told, &self.customers[ticket.told.who]);
            let what = (purpose, account, left, ticket.used);
            let whose = (customer, told.email.unwrap_or_default(), told.name.unwrap_or_default());
            let when = (ticket.to, ticket.started, ticket.expires);
            rows.insert(hash(key), format!("{what:?} {whose:?} {when:?}"));
        }
        let used = model.logins.iter().zip(&self.logins).filter(|(l, _)| l.used && !l.swept);
        for (_, begun) in used {
            let state = URL_SAFE_NO_PAD.encode(Sha256::digest(&begun.state));
            rows.insert(format!("STATE#{state}"), String::new());
        }
        let limits =
            model.limits.iter().map(|((_, window, _), taken)| (*window, i64::from(*taken)));
        rows.insert("limits".to_owned(), in_order(limits.collect()));
        rows
    }

    /// Where an account's sessions lie.
    fn tag(&self, account: Name) -> String {
        let id = self.id(account);
        let hash = Sha256::new().chain_update("session\0").chain_update(id).finalize();
        URL_SAFE_NO_PAD.encode(hash)
    }

    pub(super) fn move_epoch(&self, account: Name, model: &Model) {
        let tag = self.tag(account);
        let key = [("pk", tag.as_str()), ("sk", "META")];
        self.stack.dynamodb.set("sessions", &key, "epoch", model.epochs[&account]).unwrap();
    }

    pub(super) fn end_sessions(&mut self, account: Name, model: &Model) {
        let id = self.id(account);
        for row in self.stack.dynamodb.scan("sessions").unwrap() {
            if text(&row, "account_id") == id {
                let key = [("pk", text(&row, "pk")), ("sk", text(&row, "sk"))];
                self.stack.dynamodb.delete("sessions", &key).unwrap();
            }
        }
        for (session, token) in model.sessions.iter().zip(&self.sessions) {
            if session.account == account {
                self.ledger.ends(Some(token));
            }
        }
    }

    /// Removes what DynamoDB may remove, by the clock of this history.
    pub(super) fn sweep(&self, model: &Model) {
        for table in ["sessions", "tickets"] {
            for row in self.stack.dynamodb.scan(table).unwrap() {
                if number(&row, "ttl").is_some_and(|ttl| ttl < model.now) {
                    let key = [("pk", text(&row, "pk")), ("sk", text(&row, "sk"))];
                    self.stack.dynamodb.delete(table, &key).unwrap();
                }
            }
        }
    }
}

/// The account that a session is of, by its row; empty where there is none.
pub(super) fn account_of(tables: &Tables, token: &str) -> String {
    let hash = hash(token);
    let row = tables.rows("sessions").iter().find(|row| text(row, "sk") == hash);
    row.map_or(String::new(), |row| text(row, "account_id").to_owned())
}

fn found_accounts(tables: &Tables) -> Rows {
    let row = |row: &Value| {
        let of = |name: &str| row[name]["S"].as_str();
        let status = match of("status") {
            None | Some("active") => Status::Active,
            Some("locked") => Status::Locked,
            Some(_) => Status::Disabled,
        };
        let found = (of("email"), of("name"), status, text(row, "password_hash"));
        (text(row, "id").to_owned(), format!("{found:?}"))
    };
    tables.rows("accounts").iter().map(row).collect()
}

fn found_identities(tables: &Tables) -> Rows {
    let row = |row: &Value| {
        let key = text(row, "pk").to_owned();
        let found = if key.starts_with("AMAZON#") {
            let epoch = number(row, "epoch").unwrap_or(-1);
            let again = row["prove_again"]["BOOL"] == true;
            format!("{:?}", (text(row, "account_id"), epoch, again, text(row, "amazon_email")))
        } else {
            format!("{}{}", text(row, "amazon_user_id"), text(row, "account_id"))
        };
        (key, found)
    };
    tables.rows("identities").iter().map(row).collect()
}

fn found_sessions(tables: &Tables) -> Rows {
    let row = |row: &Value| {
        let of = |name: &str| number(row, name).unwrap_or(-1);
        if text(row, "sk") == "META" {
            return (format!("META {}", text(row, "pk")), of("epoch").to_string());
        }
        let found = (text(row, "account_id"), text(row, "how"), of("started_at"), of("last_seen"));
        (text(row, "sk").to_owned(), format!("{found:?}"))
    };
    // An account without META has epoch 0; one that we made has META from its start, for its claim.
    let says_nothing = |row: &&Value| text(row, "sk") == "META" && number(row, "epoch") == Some(0);
    tables.rows("sessions").iter().filter(|row| !says_nothing(row)).map(row).collect()
}

fn found_tickets(tables: &Tables) -> Rows {
    let mut rows = Rows::new();
    let mut limits = Vec::new();
    for row in tables.rows("tickets") {
        let (key, sort) = (text(row, "pk"), text(row, "sk"));
        if key.starts_with("STATE#") {
            rows.insert(key.to_owned(), String::new());
        } else if key.starts_with("LIMIT#") {
            limits.push((sort.parse().unwrap_or(-1), number(row, "taken").unwrap_or(-1)));
        } else if key == "OUTBOX" || sort.starts_with("TICKET#") {
            // What owners are told, and where tickets are: the invariants judge them.
        } else {
            let of = |name: &str| text(row, name);
            let when = |name: &str| number(row, name).unwrap_or(-1);
            let used = row["used"]["BOOL"] == true;
            let what = (of("purpose"), of("account_id"), number(row, "attempts_left"), used);
            let whose = (of("amazon_user_id"), of("amazon_email"), of("amazon_name"));
            let when = (of("return_to"), when("started_at"), when("expires_at"));
            rows.insert(sort.to_owned(), format!("{what:?} {whose:?} {when:?}"));
        }
    }
    rows.insert("limits".to_owned(), in_order(limits));
    rows
}

fn in_order(mut limits: Vec<(Time, i64)>) -> String {
    limits.sort_unstable();
    format!("{limits:?}")
}

/// What of a token `tag.secret` tells its row apart.
fn hash(token: &str) -> String {
    let (_, secret) = token.split_once('.').unwrap_or_default();
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret))
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name]["S"].as_str().unwrap_or_default()
}

fn number(row: &Value, name: &str) -> Option<i64> {
    row[name]["N"].as_str()?.parse().ok()
}
