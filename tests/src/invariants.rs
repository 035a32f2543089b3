use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use local_stack::Stack;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What may stand in an attribute.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Truth,
    Sealed,
}

use Kind::{Number, Sealed, Text, Truth};

/// A kind of row: what its key looks like, the attributes it must have, and those it may have.
struct Shape {
    table: &'static str,
    is: fn(&Value) -> bool,
    must: &'static [(&'static str, Kind)],
    may: &'static [(&'static str, Kind)],
}

/// Every kind of row in our own tables, by the tables that `shared/store` documents.
const SHAPES: &[Shape] = &[
    Shape {
        table: "identities",
        is: |row| key(row).starts_with("AMAZON#") && !row["pending"].is_null(),
        must: &[("pending", Text), ("started_at", Number)],
        may: &[],
    },
    Shape {
        table: "identities",
        is: |row| key(row).starts_with("AMAZON#") && row["pending"].is_null(),
        must: &[
            ("account_id", Text),
            ("epoch", Number),
            ("linked_at", Number),
            ("proven_at", Number),
            ("how", Text),
        ],
        may: &[
            ("amazon_email", Text),
            ("prove_again", Truth),
            ("copied_name", Text),
            ("copied_postal_code", Text),
        ],
    },
    Shape {
        table: "identities",
        is: |row| key(row).starts_with("ACCOUNT#"),
        must: &[("amazon_user_id", Text)],
        may: &[],
    },
    Shape {
        table: "identities",
        is: |row| key(row).starts_with("EMAIL#"),
        must: &[("account_id", Text)],
        may: &[],
    },
    Shape {
        table: "sessions",
        is: |row| text(row, "sk") == "META",
        must: &[("sk", Text), ("epoch", Number)],
        may: &[
            ("claim", Text),
            ("password_reset_at", Number),
            ("disabled_at", Number),
            ("enabled_at", Number),
            ("deleted_at", Number),
            ("email_changed_at", Number),
            ("customer", Text),
            ("ttl", Number),
        ],
    },
    Shape {
        table: "sessions",
        is: |row| text(row, "sk") != "META",
        must: &[
            ("sk", Text),
            ("account_id", Text),
            ("id", Text),
            ("kind", Text),
            ("how", Text),
            ("epoch", Number),
            ("started_at", Number),
            ("last_seen", Number),
            ("expires_at", Number),
            ("ttl", Number),
        ],
        may: &[("name", Text), ("proven_at", Number)],
    },
    Shape {
        table: "tickets",
        is: |row| key(row).starts_with("STATE#"),
        must: &[("sk", Text), ("by", Text), ("ttl", Number)],
        may: &[],
    },
    Shape {
        table: "tickets",
        is: |row| key(row).starts_with("LIMIT#"),
        must: &[("sk", Text), ("taken", Number), ("ttl", Number)],
        may: &[("told", Truth)],
    },
    Shape {
        table: "tickets",
        is: |row| key(row).starts_with("MESSAGE#"),
        must: &[("sk", Text), ("ttl", Number)],
        may: &[],
    },
    Shape {
        table: "tickets",
        is: |row| key(row).starts_with("HANDED#"),
        must: &[("sk", Text), ("session_pk", Text), ("session_sk", Text), ("ttl", Number)],
        may: &[],
    },
    Shape {
        table: "tickets",
        is: |row| key(row) == "OUTBOX",
        must: &[
            ("sk", Text),
            ("id", Text),
            ("kind", Text),
            ("account_id", Text),
            ("at", Number),
            ("ttl", Number),
        ],
        may: &[("amazon_user_id", Text)],
    },
    Shape {
        table: "tickets",
        is: |row| text(row, "sk").starts_with("UNDO#"),
        must: &[
            ("sk", Text),
            ("account_id", Text),
            ("amazon_user_id", Text),
            ("linked_at", Number),
            ("expires_at", Number),
            ("ttl", Number),
        ],
        may: &[],
    },
    Shape {
        table: "tickets",
        is: |row| text(row, "sk").starts_with("CODE#"),
        must: &[
            ("sk", Text),
            ("account_id", Text),
            ("how", Text),
            ("at", Number),
            ("epoch", Number),
            ("expires_at", Number),
            ("ttl", Number),
        ],
        may: &[("name", Text), ("proven", Truth)],
    },
    Shape {
        table: "tickets",
        is: |row| text(row, "sk").starts_with("DEVICE#"),
        must: &[("sk", Text), ("ttl", Number)],
        may: &[],
    },
    Shape {
        table: "tickets",
        is: |row| text(row, "sk").starts_with("TICKET#"),
        must: &[("sk", Text), ("ttl", Number)],
        may: &[],
    },
    Shape {
        table: "tickets",
        is: |row| key(row).starts_with("DEVICE#") && !row["codes"].is_null(),
        must: &[
            ("sk", Text),
            ("codes", Sealed),
            ("pause", Number),
            ("next_poll_at", Number),
            ("expires_at", Number),
            ("ttl", Number),
        ],
        may: &[],
    },
    Shape {
        table: "tickets",
        is: |row| key(row).starts_with("DEVICE#") && !row["amazon_user_id"].is_null(),
        must: &[
            ("sk", Text),
            ("amazon_user_id", Text),
            ("pause", Number),
            ("next_poll_at", Number),
            ("expires_at", Number),
            ("ttl", Number),
        ],
        may: &[("amazon_email", Text), ("amazon_name", Text), ("amazon_postal_code", Text)],
    },
    Shape {
        table: "tickets",
        is: |row| key(row).starts_with("DEVICE#"),
        must: &[
            ("sk", Text),
            ("opened", Sealed),
            ("done_at", Number),
            ("pause", Number),
            ("next_poll_at", Number),
            ("expires_at", Number),
            ("ttl", Number),
        ],
        may: &[],
    },
    Shape {
        table: "tickets",
        is: |row| text(row, "purpose") == "link",
        must: &[
            ("sk", Text),
            ("purpose", Text),
            ("account_id", Text),
            ("attempts_left", Number),
            ("amazon_user_id", Text),
            ("return_to", Text),
            ("started_at", Number),
            ("expires_at", Number),
            ("ttl", Number),
        ],
        may: &[
            ("account_email", Text),
            ("amazon_email", Text),
            ("amazon_name", Text),
            ("amazon_postal_code", Text),
            ("kind", Text),
            ("used", Truth),
        ],
    },
    Shape {
        table: "tickets",
        is: |row| text(row, "purpose") == "switch",
        must: &[
            ("sk", Text),
            ("purpose", Text),
            ("account_id", Text),
            ("amazon_user_id", Text),
            ("return_to", Text),
            ("started_at", Number),
            ("expires_at", Number),
            ("ttl", Number),
        ],
        may: &[
            ("amazon_email", Text),
            ("amazon_name", Text),
            ("amazon_postal_code", Text),
            ("kind", Text),
            ("used", Truth),
        ],
    },
    Shape {
        table: "tickets",
        is: |row| text(row, "purpose") == "register",
        must: &[
            ("sk", Text),
            ("purpose", Text),
            ("amazon_user_id", Text),
            ("return_to", Text),
            ("started_at", Number),
            ("expires_at", Number),
            ("ttl", Number),
        ],
        may: &[
            ("amazon_email", Text),
            ("amazon_name", Text),
            ("amazon_postal_code", Text),
            ("kind", Text),
            ("used", Truth),
        ],
    },
];

/// The rows of all tables, to be judged together.
pub struct Tables {
    accounts: Vec<Value>,
    identities: Vec<Value>,
    sessions: Vec<Value>,
    tickets: Vec<Value>,
}

impl Tables {
    /// The tables as they are now.
    ///
    /// # Panics
    ///
    /// Where the database is broken.
    pub fn of(stack: &Stack) -> Self {
        let scan = |table| stack.dynamodb.scan(table).unwrap();
        Self {
            accounts: scan("accounts"),
            identities: scan("identities"),
            sessions: scan("sessions"),
            tickets: scan("tickets"),
        }
    }

    /// Everything that is true of the tables whoever fails, whenever, and is not true now: one
    /// sentence each, which begins with the invariant's number.
    pub fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        self.shapes(&mut broken);
        self.links(&mut broken);
        self.claims(&mut broken);
        self.ways_in(&mut broken);
        self.counts(&mut broken);
        self.pointers(&mut broken);
        broken
    }

    /// Who is linked to which account: Amazon's id, and the account's id.
    pub fn linked(&self) -> BTreeMap<&str, &str> {
        let forth =
            self.identities.iter().filter(|row| row["pending"].is_null()).filter_map(|row| {
                Some((key(row).strip_prefix("AMAZON#")?, text(row, "account_id")))
            });
        forth.collect()
    }

    /// Whether an account is being created for somebody.
    pub fn is_pending(&self) -> bool {
        self.identities.iter().any(|row| !row["pending"].is_null())
    }

    /// The account of this id.
    pub fn account(&self, id: &str) -> Option<&Value> {
        self.accounts.iter().find(|row| text(row, "id") == id)
    }

    /// The accounts that we made.
    pub fn newcomers(&self) -> Vec<&Value> {
        self.accounts.iter().filter(|row| !row["created_at"].is_null()).collect()
    }

    /// The rows of a table, in DynamoDB's JSON.
    pub fn rows(&self, table: &str) -> &[Value] {
        match table {
            "accounts" => &self.accounts,
            "identities" => &self.identities,
            "sessions" => &self.sessions,
            _ => &self.tickets,
        }
    }

    /// No row is written in part, and what says when a row may go says so in seconds.
    fn shapes(&self, broken: &mut Vec<String>) {
        for table in ["identities", "sessions", "tickets"] {
            for row in self.rows(table) {
                let shape = SHAPES.iter().find(|shape| shape.table == table && (shape.is)(row));
                let Some(shape) = shape else {
                    broken.push(format!("INV-16: {table} has a row of no kind: {row}"));
                    continue;
                };
                let known = |name: &str| {
                    let all = shape.must.iter().chain(shape.may);
                    all.into_iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
                };
                for (name, _) in shape.must.iter().filter(|(name, _)| row[*name].is_null()) {
                    broken.push(format!("INV-16: a row of {table} lacks {name}: {row}"));
                }
                for (name, value) in row.as_object().into_iter().flatten() {
                    let fits = match known(name) {
                        _ if name == "pk" => value["S"].is_string(),
                        Some(Text) => value["S"].is_string(),
                        Some(Number) => number(row, name).is_some(),
                        Some(Truth) => value["BOOL"].is_boolean(),
                        Some(Sealed) => value["B"].is_string(),
                        None => false,
                    };
                    if !fits {
                        broken.push(format!("INV-16: a row of {table} has a wrong {name}: {row}"));
                    }
                }
                let ttl = number(row, "ttl");
                let ends = number(row, "expires_at").unwrap_or(1_000_000_000);
                if ttl.is_some_and(|ttl| !(ends..4_000_000_000).contains(&ttl)) {
                    broken.push(format!("F13: a row of {table} goes at a wrong time: {row}"));
                }
            }
        }
    }

    /// One Amazon identity per account and one account per Amazon identity, both ways, and no link
    /// leads nowhere.
    fn links(&self, broken: &mut Vec<String>) {
        let forth = self.linked();
        let back = self.identities.iter().filter_map(|row| {
            Some((key(row).strip_prefix("ACCOUNT#")?, text(row, "amazon_user_id")))
        });
        let back: BTreeMap<_, _> = back.collect();
        for (customer, account) in &forth {
            if back.get(account) != Some(customer) {
                broken.push(format!("INV-01: {customer} leads to {account}, and not back"));
            }
            if self.account(account).is_none() {
                broken.push(format!("INV-03: {customer} leads to {account}, which is not there"));
            }
        }
        for (account, customer) in &back {
            if forth.get(customer) != Some(account) {
                broken.push(format!("INV-01: {account} leads to {customer}, and not back"));
            }
        }
        for row in self.sessions.iter().filter(|row| text(row, "sk") != "META") {
            let account = text(row, "account_id");
            if self.account(account).is_none() {
                broken.push(format!("INV-02: a session of {account}, which is not there"));
            }
        }
    }

    /// An address is claimed by one account, which has it and was made by us.
    fn claims(&self, broken: &mut Vec<String>) {
        let claims = self.identities.iter().filter(|row| key(row).starts_with("EMAIL#"));
        for claim in claims {
            let id = text(claim, "account_id");
            let account = self.account(id);
            let claimed = account.map(|row| claim_to(text(row, "email")));
            if claimed.as_deref() != Some(key(claim)) {
                broken.push(format!("INV-05: {id} claims an address that is not its own"));
            }
        }
        let mut by_address = BTreeMap::<String, usize>::new();
        for row in self.accounts.iter().filter(|row| !text(row, "email").is_empty()) {
            *by_address.entry(text(row, "email").to_ascii_lowercase()).or_default() += 1;
        }
        for row in self.newcomers() {
            let address = text(row, "email").to_ascii_lowercase();
            let claim = claim_to(&address);
            if by_address.get(&address).is_some_and(|count| *count > 1) {
                broken.push("INV-05: a new account has an address that another one has".into());
            }
            // Where the site creates accounts, the site sees to it.
            let ours = row["creation_key"].is_null() && !address.is_empty();
            if ours && !self.identities.iter().any(|row| key(row) == claim) {
                broken.push("INV-05: a new account does not claim its address".into());
            }
        }
    }

    /// Every account that we made can be entered, and by its own customer alone.
    fn ways_in(&self, broken: &mut Vec<String>) {
        let linked = self.linked();
        for row in self.newcomers() {
            let id = text(row, "id");
            if !row["password_hash"].is_null() {
                broken.push(format!("INV-06: {id} was made with a password"));
            }
            if row["email_verified"]["BOOL"] != false && !row["email"].is_null() {
                broken
                    .push(format!("INV-06: {id} was made with an address that counts as verified"));
            }
            let pending = |key: &str| self.identities.iter().any(|row| text(row, "pending") == key);
            let begun = !row["creation_key"].is_null() && pending(text(row, "creation_key"));
            if !begun && !linked.values().any(|account| *account == id) {
                broken.push(format!("INV-06: {id} cannot be entered"));
            }
        }
    }

    /// What is under way for an account is found by whoever has to cancel it.
    fn pointers(&self, broken: &mut Vec<String>) {
        for row in self.tickets.iter().filter(|row| !row["purpose"].is_null()) {
            let account = text(row, "account_id");
            let pointer = format!("TICKET#{}.{}", key(row), text(row, "sk"));
            let tag = Sha256::new().chain_update("account\0").chain_update(account).finalize();
            let tag = URL_SAFE_NO_PAD.encode(tag);
            let points = |row: &&Value| key(row) == tag && text(row, "sk") == pointer;
            if !account.is_empty() && !self.tickets.iter().any(|row| points(&row)) {
                broken.push(format!("K11: nothing points from {account} to its ticket: {row}"));
            }
        }
    }

    /// No limit is overrun, and no ticket has more attempts than it began with, or fewer than none.
    fn counts(&self, broken: &mut Vec<String>) {
        for row in &self.tickets {
            if number(row, "taken").is_some_and(|taken| !(0..=20).contains(&taken)) {
                broken.push(format!("INV-08: a limit is overrun: {row}"));
            }
            if number(row, "attempts_left").is_some_and(|left| !(0..=5).contains(&left)) {
                broken.push(format!("INV-08: a ticket has too many attempts, or too few: {row}"));
            }
        }
    }
}

fn key(row: &Value) -> &str {
    text(row, "pk")
}

/// The text of an attribute; empty if there is none.
fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name]["S"].as_str().unwrap_or_default()
}

fn number(row: &Value, name: &str) -> Option<i64> {
    row[name]["N"].as_str()?.parse().ok()
}

fn claim_to(address: &str) -> String {
    let hash = Sha256::digest(address.to_ascii_lowercase());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("EMAIL#{hex}")
}
