//! Asks a site of `infra/sites` everything, as its owner would.

use domain::Clock;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use crate::run::{Ran, run};

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Asks about this account and the closed one.
pub(crate) async fn ask(webhook_url: &str, account: &[&str], password: &str) -> Ran {
    let mut arguments = vec!["--url", webhook_url, "--write", "--json"];
    arguments.extend(["--disabled-email", "dora@example.com"]);
    arguments.extend(account);
    let secrets = [("ACCOUNTS_WEBHOOK_SECRET", SECRET), ("ACCOUNTS_CHECK_PASSWORD", password)];
    run(&arguments, &secrets).await
}

/// The code that an authenticator shows for this secret (RFC 6238).
pub(crate) fn code(secret: &[u8]) -> String {
    let step = u64::try_from(Clock::System.now().0).unwrap() / 30;
    let mac = Hmac::<Sha1>::new_from_slice(secret).unwrap();
    let digest = mac.chain_update(step.to_be_bytes()).finalize().into_bytes();
    let start = usize::from(digest[19] & 15);
    let number = u32::from_be_bytes(digest[start..start + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}
