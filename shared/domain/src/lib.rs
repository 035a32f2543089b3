//! What is true about signing in with Amazon: values and pure functions.
//!
//! Nothing here waits, reads a clock or touches a network. The doors to the outside world
//! (`web`, `store`, `lwa`, `accounts`) gather facts; this crate decides.

mod account;
pub mod amazon;
mod clock;
pub mod device;
mod email;
pub mod handoff;
pub mod lifecycle;
pub mod link;
pub mod login;
pub mod notice;
pub mod registration;
mod return_to;
pub mod session;
pub mod sign_in;
pub mod sync;
mod token;
pub mod webhook;

pub use account::{Account, AccountId, CreationKey, Status};
pub use amazon::{AmazonUserId, Profile};
pub use clock::{Clock, Timestamp};
pub use email::Email;
pub use return_to::ReturnTo;
pub use token::{
    Challenge, CsrfToken, Handle, LinkTicket, Malformed, PkceVerifier, SessionToken, SignInCode,
    State, Token, UndoToken, kind,
};
