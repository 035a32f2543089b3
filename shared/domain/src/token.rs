use std::{fmt, marker::PhantomData};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{AccountId, AmazonUserId};

/// Length of 256 bits written in base64url without padding.
const LENGTH: usize = 43;

/// 256 random bits that open one kind of door, written as 43 characters of base64url.
///
/// `Kind` keeps the doors apart at compile time. The text never shows in `Debug`, compares in
/// constant time, and is stored only as [`Token::hash`].
pub struct Token<Kind>(String, PhantomData<fn() -> Kind>);

/// Ties a callback to the browser that started it.
pub type State = Token<kind::State>;
/// Proves to Amazon that the redeemer of a code is the one who asked for it (RFC 7636).
pub type PkceVerifier = Token<kind::PkceVerifier>;
/// What Amazon sees of a [`PkceVerifier`] when the sign-in starts.
pub type Challenge = Token<kind::Challenge>;
/// Shows that a form was filled in on a page of ours.
pub type CsrfToken = Token<kind::Csrf>;
/// What a session cookie or a bearer token carries.
pub type SessionToken = Handle<kind::Session>;
/// What carries a visitor from Amazon's answer to the link or registration page.
pub type LinkTicket = Handle<kind::Ticket>;

/// What the site gets for a visitor who has just signed in locally, to be traded for a session.
pub type SignInCode = Handle<kind::SignInCode>;
/// What lets the owner of an account undo a link that was not theirs.
pub type UndoToken = Handle<kind::Undo>;

/// One empty type per door.
pub mod kind {
    /// See [`State`](super::State).
    pub enum State {}
    /// See [`PkceVerifier`](super::PkceVerifier).
    pub enum PkceVerifier {}
    /// See [`Challenge`](super::Challenge).
    pub enum Challenge {}
    /// See [`CsrfToken`](super::CsrfToken).
    pub enum Csrf {}
    /// See [`SessionToken`](super::SessionToken).
    pub enum Session {}
    /// See [`LinkTicket`](super::LinkTicket).
    pub enum Ticket {}
    /// See [`SignInCode`](super::SignInCode).
    pub enum SignInCode {}
    /// See [`UndoToken`](super::UndoToken).
    pub enum Undo {}
}

/// The text is not one that we ever handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token of ours")]
pub struct Malformed;

impl<Kind> Token<Kind> {
    /// Strikes a new token from a cryptographic source.
    pub fn mint(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self::of(bytes)
    }

    /// Takes back a token that came in from outside.
    ///
    /// # Errors
    ///
    /// [`Malformed`] unless it has the one shape that [`Token::mint`] gives.
    pub fn presented(text: &str) -> Result<Self, Malformed> {
        // Decoding is strict: 43 characters hold 258 bits, and the two spare ones must be zero.
        match URL_SAFE_NO_PAD.decode(text) {
            Ok(bytes) if bytes.len() == 32 && text.len() == LENGTH => {
                Ok(Self(text.to_owned(), PhantomData))
            }
            _ => Err(Malformed),
        }
    }

    /// The secret itself, for the one place that must send it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What a table may keep: useless to whoever reads it.
    pub fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.0))
    }

    fn of(bytes: impl Into<[u8; 32]>) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes.into()), PhantomData)
    }
}

impl PkceVerifier {
    /// The S256 challenge: base64url(SHA-256(verifier)), RFC 7636 section 4.2.
    pub fn challenge(&self) -> Challenge {
        Challenge::of(Sha256::digest(&self.0))
    }
}

impl<Kind> PartialEq for Token<Kind> {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl<Kind> Clone for Token<Kind> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<Kind> fmt::Debug for Token<Kind> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A token that says where its row lies: `tag.secret`.
///
/// The tag is a hash of the owner and the partition key of the row, the hash of the secret its
/// sort key. So all rows of one owner lie together, without an index, and a check is one read.
pub struct Handle<Kind> {
    tag: String,
    secret: Token<Kind>,
}

impl<Kind> Handle<Kind> {
    /// Takes back `tag.secret` from a cookie, a form or an app.
    ///
    /// # Errors
    ///
    /// [`Malformed`] unless it has the shape of ours; nobody need look such a token up.
    pub fn presented(text: &str) -> Result<Self, Malformed> {
        let (tag, secret) = text.split_once('.').ok_or(Malformed)?;
        let tag = Token::<Kind>::presented(tag)?.0;
        Ok(Self { tag, secret: Token::presented(secret)? })
    }

    /// `tag.secret`, for the one cookie or answer that carries it.
    pub fn expose(&self) -> String {
        format!("{}.{}", self.tag, self.secret.expose())
    }

    /// The partition key of the row: whose it is, hashed.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The sort key of the row.
    pub fn hash(&self) -> String {
        self.secret.hash()
    }

    /// The proof that a form came from a page that this token's holder was shown:
    /// SHA-256("csrf" ‖ 0 ‖ token). It needs no key, for the token is secret and random.
    pub fn csrf(&self) -> CsrfToken {
        CsrfToken::of(Sha256::new().chain_update(b"csrf\0").chain_update(self.expose()).finalize())
    }

    fn mint(domain: &str, owner: &str, rng: &mut impl CryptoRng) -> Self {
        Self { tag: tag(domain, owner), secret: Token::mint(rng) }
    }
}

impl SessionToken {
    /// A new session of this account.
    pub fn open(account: &AccountId, rng: &mut impl CryptoRng) -> Self {
        Self::mint("session", account.as_str(), rng)
    }

    /// The partition that holds all sessions of this account.
    pub fn tag_of(account: &AccountId) -> String {
        tag("session", account.as_str())
    }
}

impl LinkTicket {
    /// A new ticket for this Amazon customer.
    pub fn open(customer: &AmazonUserId, rng: &mut impl CryptoRng) -> Self {
        Self::mint("ticket", customer.as_str(), rng)
    }

    /// The partition that holds all tickets of this customer.
    pub fn tag_of(customer: &AmazonUserId) -> String {
        tag("ticket", customer.as_str())
    }
}

impl SignInCode {
    /// A new code for this account.
    pub fn open(account: &AccountId, rng: &mut impl CryptoRng) -> Self {
        Self::mint("account", account.as_str(), rng)
    }
}

impl UndoToken {
    /// A new token for this account.
    pub fn open(account: &AccountId, rng: &mut impl CryptoRng) -> Self {
        Self::mint("account", account.as_str(), rng)
    }
}

impl AccountId {
    /// The partition that holds what is under way for this account, whoever began it.
    pub fn tag(&self) -> String {
        tag("account", self.as_str())
    }
}

impl AccountId {
    /// Another name for this account, always the same, which tells nothing of it. It is for the audit, and
    /// unlike a tag part of no token.
    pub fn pseudonym(&self) -> String {
        tag("audited account", self.as_str())
    }
}

impl AmazonUserId {
    /// Another name for this customer, likewise.
    pub fn pseudonym(&self) -> String {
        tag("audited customer", self.as_str())
    }
}

impl<Kind> fmt::Debug for Handle<Kind> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle(…)")
    }
}

fn tag(domain: &str, owner: &str) -> String {
    URL_SAFE_NO_PAD
        .encode(Sha256::new().chain_update(domain).chain_update([0]).chain_update(owner).finalize())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use rand_core::{TryCryptoRng, TryRng};

    use super::*;

    /// Counts instead of rolling dice, so that a test knows what comes next.
    struct Counting(u8);

    impl TryRng for Counting {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            Ok(0)
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(0)
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            for byte in bytes {
                *byte = self.0;
                self.0 = self.0.wrapping_add(1);
            }
            Ok(())
        }
    }

    impl TryCryptoRng for Counting {}

    #[test]
    fn only_the_shape_we_hand_out_is_taken_back() {
        let state = State::mint(&mut Counting(0));
        assert_eq!(State::presented(state.expose()), Ok(state.clone()));

        let text = state.expose();
        for wrong in [
            "",
            &text[1..],
            &format!("{text}A"),
            &format!("{text}="),
            &format!(" {text}"),
            &text.replace('A', "+"),
            &format!("{}B", &text[..42]), // the same 256 bits, with a spare bit set
            &text.replacen('A', "é", 1),
        ] {
            assert_eq!(State::presented(wrong), Err(Malformed), "{wrong:?}");
        }
    }

    #[test]
    fn a09_the_challenge_is_the_one_of_rfc_7636_appendix_b() {
        let verifier =
            PkceVerifier::presented("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
        assert_eq!(verifier.challenge().expose(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn d10_a_handle_keeps_one_owners_rows_together_and_doors_apart() {
        let ann = AccountId::parse("ann").unwrap();
        let first = SessionToken::open(&ann, &mut Counting(0));
        let second = SessionToken::open(&ann, &mut Counting(9));
        assert_eq!(first.tag(), second.tag());
        assert_eq!(first.tag(), SessionToken::tag_of(&ann));
        assert_ne!(first.hash(), second.hash());

        let same_name = AmazonUserId::parse("ann").unwrap();
        assert_ne!(LinkTicket::open(&same_name, &mut Counting(0)).tag(), first.tag());
    }

    #[test]
    fn a_pseudonym_is_the_one_that_operators_are_told_to_compute_and_part_of_no_token() {
        // printf 'audited customer\0%s' … | openssl dgst -sha256 -binary | basenc --base64url
        let lin = AmazonUserId::parse("amzn1.account.LIN").unwrap();
        assert_eq!(lin.pseudonym(), "damRBVoS5GuuQ2OksSRGg7ylJMuDOaxcUvDLISfApeI");
        assert_ne!(lin.pseudonym(), LinkTicket::tag_of(&lin));
        let ann = AccountId::parse("ann").unwrap();
        assert_eq!(ann.pseudonym(), "4_Xr5h6_fPFluZkJfM3Xczd5GXuigXWQEHx-uxr86xM");
        for tag in [ann.tag(), SessionToken::tag_of(&ann)] {
            assert_ne!(ann.pseudonym(), tag);
        }
    }

    #[test]
    fn a_handle_that_is_not_ours_is_not_taken_back() {
        let ann = AccountId::parse("ann").unwrap();
        let text = SessionToken::open(&ann, &mut Counting(0)).expose();
        assert!(SessionToken::presented(&text).is_ok());
        for wrong in ["", ".", &text[1..], &text[..86], &format!("{text}."), &text.replace('.', "")]
        {
            assert!(SessionToken::presented(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn k01_secrets_do_not_show_in_debug() {
        let ann = AccountId::parse("ann").unwrap();
        let session = SessionToken::open(&ann, &mut Counting(0));
        assert_eq!(format!("{session:?} {:?}", session.csrf()), "Handle(…) Token(…)");
    }
}
