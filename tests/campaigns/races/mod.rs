//! Two at once, in every order in which their calls can reach DynamoDB.

mod entering;
mod leaving;
mod linking;
mod registering;
mod televisions;

use aws_sdk_dynamodb::types::AttributeValue;
use local_stack::{Stack, amazon::SHOP_CLIENT_ID};
use tests::{
    Answer, Browser, Flow, LOGIN, SESSION, Scale, Scene, TICKET, Tables,
    stage::{Findings, side_by_side, side_by_side_with},
};

use crate::schedule::{Contender, Run, SITE, race};

/// The races, by name, in pieces that stacks can share.
#[derive(Clone, Copy, Debug)]
enum Race {
    NewcomerTwice,
    NewcomersWithOneAddress,
    RightTwice,
    RightAndWrong,
    TwoTicketsOneAccount,
    OneCustomerTwoAccounts,
    LastGuess,
    LinkAndDisable,
    LinkAndNewPassword,
    LinkAndEndOfSessions,
    LinkAndCancel,
    LinkAndForgot,
    KnownAndDisable,
    KnownAndDelete,
    KnownAndUnlink,
    KnownAndEndOfSessions,
    RegisterTwice,
    RegistrationsWithOneAddress,
    RegisterAndSiteRegisters,
    SameState,
    SameStateNewcomer,
    SwitchTwice,
    CheckAndLogOut,
    LogOutTwice,
    KnownAndLogOut,
}

use Race::*;

const ALL: [Race; 25] = [
    RightTwice,
    LastGuess,
    NewcomerTwice,
    NewcomersWithOneAddress,
    TwoTicketsOneAccount,
    OneCustomerTwoAccounts,
    RegistrationsWithOneAddress,
    RightAndWrong,
    RegisterTwice,
    LinkAndDisable,
    LinkAndNewPassword,
    LinkAndEndOfSessions,
    LinkAndCancel,
    LinkAndForgot,
    KnownAndDisable,
    KnownAndDelete,
    KnownAndUnlink,
    KnownAndEndOfSessions,
    RegisterAndSiteRegisters,
    SameState,
    SameStateNewcomer,
    SwitchTwice,
    CheckAndLogOut,
    LogOutTwice,
    KnownAndLogOut,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f01_f02_f03_f04_f05_f06_f07_c21_d05_e13_in_no_order_of_two_requests_is_a_promise_broken() {
    side_by_side("orders of races", &ALL, async |stack, seed, which, findings| {
        stack.dynamodb.restore(seed).unwrap();
        stack.amazon.reset();
        run(stack, *which, findings).await;
    })
    .await;
}

/// The races that are about what is asked over a wire too. Whether an account is still open is asked
/// there just before, and is no part of what is written. Everyday it is those that open one.
const OVER_A_WIRE: [Race; 12] = [
    NewcomerTwice,
    NewcomersWithOneAddress,
    RegistrationsWithOneAddress,
    RegisterTwice,
    SameStateNewcomer,
    RightTwice,
    LastGuess,
    TwoTicketsOneAccount,
    OneCustomerTwoAccounts,
    LinkAndEndOfSessions,
    KnownAndUnlink,
    KnownAndEndOfSessions,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f01_f02_f03_f07_the_same_where_accounts_are_asked_about_over_a_wire() {
    let wire = [("Accounts", "webhook")];
    let what = "orders of races over a wire";
    let races = &OVER_A_WIRE[..Scale::wanted().pick(5, OVER_A_WIRE.len())];
    side_by_side_with(&wire, what, races, async |stack, seed, which, findings| {
        stack.dynamodb.restore(seed).unwrap();
        stack.amazon.reset();
        run(stack, *which, findings).await;
    })
    .await;
}

async fn run(stack: &Stack, which: Race, findings: &mut Findings) {
    match which {
        NewcomerTwice => registering::newcomer_twice(stack, findings).await,
        NewcomersWithOneAddress => registering::newcomers_with_one_address(stack, findings).await,
        RightTwice => linking::right_twice(stack, findings).await,
        RightAndWrong => linking::right_and_wrong(stack, findings).await,
        TwoTicketsOneAccount => linking::two_tickets_one_account(stack, findings).await,
        OneCustomerTwoAccounts => linking::one_customer_two_accounts(stack, findings).await,
        LastGuess => linking::last_guess(stack, findings).await,
        LinkAndDisable => linking::link_and_disable(stack, findings).await,
        LinkAndNewPassword => linking::link_and_new_password(stack, findings).await,
        LinkAndEndOfSessions => linking::link_and_end_of_sessions(stack, findings).await,
        LinkAndCancel => linking::link_and_cancel(stack, findings).await,
        LinkAndForgot => linking::link_and_forgot(stack, findings).await,
        KnownAndDisable => entering::known_and_disable(stack, findings).await,
        KnownAndDelete => entering::known_and_delete(stack, findings).await,
        KnownAndUnlink => entering::known_and_unlink(stack, findings).await,
        KnownAndEndOfSessions => entering::known_and_end_of_sessions(stack, findings).await,
        RegisterTwice => registering::register_twice(stack, findings).await,
        RegistrationsWithOneAddress => {
            registering::registrations_with_one_address(stack, findings).await
        }
        RegisterAndSiteRegisters => registering::register_and_site_registers(stack, findings).await,
        SameState => entering::same_state(stack, "lin", findings).await,
        SameStateNewcomer => entering::same_state(stack, "nora", findings).await,
        SwitchTwice => leaving::switch_twice(stack, findings).await,
        CheckAndLogOut => leaving::check_and_log_out(stack, findings).await,
        LogOutTwice => leaving::log_out_twice(stack, findings).await,
        KnownAndLogOut => entering::known_and_log_out(stack, findings).await,
    }
}

/// The names of two visitors.
const ONE: &str = "one";

const OTHER: &str = "other";

/// The call that lets somebody in, or links.
const COMMIT: &str = "TransactWriteItems";

/// Comes back from Amazon as this customer.
fn comes_back<'a>(
    stack: &'a Stack,
    name: &'static str,
    browser: &Browser<'a>,
    at_amazon: &str,
    customer: &str,
) -> Contender<'a> {
    let back = stack.amazon.allow(at_amazon, customer).unwrap();
    Contender::visitor(name, browser, async move |browser| {
        (browser.come_back(&back).await, browser)
    })
}

/// Sends a form.
fn sends<'a>(
    name: &'static str,
    browser: &Browser<'a>,
    to: &'static str,
    fields: &[(&'static str, &str)],
) -> Contender<'a> {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Contender::visitor(name, browser, async move |browser| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        (browser.post(to, &fields).await, browser)
    })
}

/// Somebody at the link or registration page, and its form's token.
async fn asked<'a>(stack: &'a Stack, customer: &str) -> (Browser<'a>, String) {
    let browser = Browser::new(stack);
    let page = browser.asked_after_amazon(customer, "/checkout").await;
    let csrf = page.input("csrf").to_owned();
    (browser, csrf)
}

/// Notes what is wrong, unless this holds.
fn wrong_unless(holds: bool, what: &str, wrong: &mut Vec<String>) {
    if !holds {
        wrong.push(what.to_owned());
    }
}

fn amazon_id(stack: &Stack, customer: &str) -> String {
    stack.amazon.user_id(customer, SHOP_CLIENT_ID)
}

fn linked_to(stack: &Stack, customer: &str) -> Option<String> {
    Tables::of(stack).linked().get(&*amazon_id(stack, customer)).map(|to| (*to).to_owned())
}

/// Whether exactly those are signed in, and as this account, whose answer let them in.
async fn in_by_answer(run: &Run<'_>, account: &str) -> bool {
    let accounts = run.accounts().await;
    run.statuses().iter().zip(&accounts).all(|(status, inside)| match status {
        303 => inside.as_deref() == Some(account),
        _ => inside.is_none(),
    })
}

/// The site writes something into an account, or into another row of this key.
fn site_sets<'a>(
    stack: &'a Stack,
    table: &'static str,
    key: &[(&'static str, &str)],
    attribute: &'static str,
    value: AttributeValue,
) -> Contender<'a> {
    let mut update = stack.dynamodb.client().update_item().table_name(table);
    for (name, text) in key {
        update = update.key(*name, AttributeValue::S((*text).to_owned()));
    }
    let update = update
        .update_expression("SET #attribute = :value")
        .expression_attribute_names("#attribute", attribute)
        .expression_attribute_values(":value", value);
    Contender::site(async move { drop(update.send().await.unwrap()) })
}

fn site_disables<'a>(stack: &'a Stack, account: &str) -> Contender<'a> {
    let disabled = AttributeValue::S("disabled".to_owned());
    site_sets(stack, "accounts", &[("id", account)], "status", disabled)
}

/// The sessions of an account are all ended: what does so bumps the epoch first.
fn site_ends_sessions<'a>(stack: &'a Stack, account: &str) -> Contender<'a> {
    let tag = tag_of(stack, account);
    let one = AttributeValue::N("1".to_owned());
    site_sets(stack, "sessions", &[("pk", &tag), ("sk", "META")], "epoch", one)
}

/// The partition of an account's sessions, read off one that it has or had.
fn tag_of(stack: &Stack, account: &str) -> String {
    let rows = stack.dynamodb.scan("sessions").unwrap();
    let row = rows.iter().find(|row| row["account_id"]["S"] == account);
    row.unwrap()["pk"]["S"].as_str().unwrap().to_owned()
}

/// What the site does first, counts: whoever was not in by then does not get in.
async fn too_late_or_in(run: &Run<'_>, site: &str, account: &str, refused: &[u16]) -> Vec<String> {
    let mut wrong = Vec::new();
    let status = run.statuses()[0];
    let too_late = run.before((SITE, site), (ONE, COMMIT));
    wrong_unless(
        status == 303 && !too_late || refused.contains(&status),
        "let in though it was too late, or kept out for another reason",
        &mut wrong,
    );
    wrong_unless(in_by_answer(run, account).await, "in without an answer", &mut wrong);
    wrong
}
