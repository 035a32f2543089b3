use local_stack::Stack;

/// How much a campaign tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// What fits into everyday's `tests/run`.
    Everyday,
    /// All of it: `tests/run full`.
    Full,
}

impl Scale {
    /// `CAMPAIGNS=full` in the environment means all of it.
    pub fn wanted() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests/run says so, and no function reads it"
        )]
        match std::env::var("CAMPAIGNS").as_deref() {
            Ok("full") => Self::Full,
            _ => Self::Everyday,
        }
    }

    /// One of two amounts.
    pub fn pick<T>(self, everyday: T, full: T) -> T {
        match self {
            Self::Everyday => everyday,
            Self::Full => full,
        }
    }
}

/// Hashes of the passwords of Ann, Bob and Lin that cost next to nothing, for those who send them
/// thousands of times: PBKDF2 with one round, made by Python's hashlib.
const CHEAP: [(&str, &str); 3] = [
    ("ann", "$pbkdf2-sha256$1$SZFeDX1LQC4wF9AQvBwOgw$H6ScAavAhf4kmtiIeVoaRZYwbE.aLg7LCBQ4EGuu3PI"),
    ("bob", "$pbkdf2-sha256$1$gbY32PzSxtpjWeaWMROhFw$DLT9QcEF1YxV5xPRupMd38KqK5SfIIYhPrG//oZCu54"),
    ("lin", "$pbkdf2-sha256$1$L0i4gepwc/HG8IOylqNgvQ$/U4mXoPbTr51voJJDhUrdsEB4MFkOHuwo3H23/BVW5Q"),
];

/// Lets the site keep cheap hashes of the same passwords.
///
/// # Panics
///
/// Where the database is broken.
pub fn cheap_passwords(stack: &Stack) {
    for (id, hash) in CHEAP {
        stack.dynamodb.set("accounts", &[("id", id)], "password_hash", hash).unwrap();
    }
}
