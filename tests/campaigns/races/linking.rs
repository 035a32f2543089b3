//! Links, against each other and against whatever ends them.

use super::*;

pub(super) async fn right_twice(stack: &Stack, findings: &mut Findings) {
    let (browser, csrf) = asked(stack, "ann").await;
    let form = [("csrf", csrf.as_str()), ("password", "ann-local-password")];
    let contenders = || {
        vec![
            sends(ONE, &browser, "/auth/amazon/link", &form),
            sends(OTHER, &browser, "/auth/amazon/link", &form),
        ]
    };
    race(stack, "one ticket, the right password twice", findings, contenders, async |run| {
        let mut wrong = Vec::new();
        wrong_unless(linked_to(stack, "ann").as_deref() == Some("ann"), "no link", &mut wrong);
        let statuses = run.statuses();
        wrong_unless(statuses.contains(&303), "nobody is let in", &mut wrong);
        let told = statuses.iter().all(|status| [303, 410].contains(status));
        wrong_unless(told, "the other one is told something else", &mut wrong);
        wrong_unless(in_by_answer(run, "ann").await, "in without an answer", &mut wrong);
        wrong
    })
    .await;
}

pub(super) async fn right_and_wrong(stack: &Stack, findings: &mut Findings) {
    let (browser, csrf) = asked(stack, "ann").await;
    let right = [("csrf", csrf.as_str()), ("password", "ann-local-password")];
    let mistaken = [("csrf", csrf.as_str()), ("password", "not-the-one")];
    let contenders = || {
        vec![
            sends(ONE, &browser, "/auth/amazon/link", &right),
            sends(OTHER, &browser, "/auth/amazon/link", &mistaken),
        ]
    };
    race(stack, "one ticket, a right and a wrong password", findings, contenders, async |run| {
        let mut wrong = Vec::new();
        wrong_unless(linked_to(stack, "ann").as_deref() == Some("ann"), "no link", &mut wrong);
        let statuses = run.statuses();
        wrong_unless(statuses[0] == 303, "the right one is not let in", &mut wrong);
        wrong_unless([401, 410].contains(&statuses[1]), "the wrong one is let in", &mut wrong);
        wrong_unless(in_by_answer(run, "ann").await, "in without an answer", &mut wrong);
        wrong
    })
    .await;
}

pub(super) async fn two_tickets_one_account(stack: &Stack, findings: &mut Findings) {
    stack.amazon.change("nora", |nora| nora.email = Some("ann@example.com".to_owned()));
    let ((one, left), (other, right)) = (asked(stack, "ann").await, asked(stack, "nora").await);
    let form = |csrf| [("csrf", csrf), ("password", "ann-local-password")];
    let contenders = || {
        vec![
            sends(ONE, &one, "/auth/amazon/link", &form(&left)),
            sends(OTHER, &other, "/auth/amazon/link", &form(&right)),
        ]
    };
    race(stack, "two customers, one account", findings, contenders, async |run| {
        one_wins(run, &["ann", "nora"], stack, &["ann", "ann"]).await
    })
    .await;
}

pub(super) async fn one_customer_two_accounts(stack: &Stack, findings: &mut Findings) {
    let (one, left) = asked(stack, "ann").await;
    stack.amazon.change("ann", |ann| ann.email = Some("bob@example.com".to_owned()));
    let (other, right) = asked(stack, "ann").await;
    let contenders = || {
        let ann = [("csrf", left.as_str()), ("password", "ann-local-password")];
        let bob = [("csrf", right.as_str()), ("password", "bob-local-password")];
        vec![
            sends(ONE, &one, "/auth/amazon/link", &ann),
            sends(OTHER, &other, "/auth/amazon/link", &bob),
        ]
    };
    race(stack, "one customer, two accounts", findings, contenders, async |run| {
        one_wins(run, &["ann", "ann"], stack, &["ann", "bob"]).await
    })
    .await;
}

/// One is linked and in; the other is told that something is linked already, and nothing changed.
pub(super) async fn one_wins(
    run: &Run<'_>,
    customers: &[&str; 2],
    stack: &Stack,
    accounts: &[&str; 2],
) -> Vec<String> {
    let mut wrong = Vec::new();
    let statuses = run.statuses();
    let winner = statuses.iter().position(|status| *status == 303);
    let mut sorted = statuses.clone();
    sorted.sort_unstable();
    wrong_unless(sorted == [303, 409], "not one winner and one loser", &mut wrong);
    let Some(winner) = winner else { return wrong };
    let link = linked_to(stack, customers[winner]);
    wrong_unless(link.as_deref() == Some(accounts[winner]), "the link is not theirs", &mut wrong);
    let inside = run.accounts().await;
    wrong_unless(
        inside[winner].as_deref() == Some(accounts[winner]) && inside[1 - winner].is_none(),
        "the loser is in, or the winner is not",
        &mut wrong,
    );
    wrong
}

/// Two customers guess at one account, which has one guess left.
pub(super) async fn last_guess(stack: &Stack, findings: &mut Findings) {
    stack.amazon.change("nora", |nora| nora.email = Some("ann@example.com".to_owned()));
    let ((one, left), (other, right)) = (asked(stack, "ann").await, asked(stack, "nora").await);
    let form = |csrf| [("csrf", csrf), ("password", "not-the-one")];
    for _ in 0..4 {
        assert_eq!(one.post("/auth/amazon/link", &form(&*left)).await.status, 401);
    }
    let contenders = || {
        vec![
            sends(ONE, &one, "/auth/amazon/link", &form(&left)),
            sends(OTHER, &other, "/auth/amazon/link", &form(&right)),
        ]
    };
    race(stack, "two guesses, and one that is left", findings, contenders, async |run| {
        let mut wrong = Vec::new();
        let limited = run.statuses().iter().filter(|status| **status == 429).count();
        wrong_unless(limited == 1, "not one guess", &mut wrong);
        wrong_unless(run.accounts().await == [None, None], "somebody is in", &mut wrong);
        wrong
    })
    .await;
}

pub(super) async fn link_and_disable(stack: &Stack, findings: &mut Findings) {
    let (browser, csrf) = asked(stack, "ann").await;
    let form = [("csrf", csrf.as_str()), ("password", "ann-local-password")];
    let contenders =
        || vec![sends(ONE, &browser, "/auth/amazon/link", &form), site_disables(stack, "ann")];
    race(stack, "a link and the end of its account", findings, contenders, async |run| {
        let mut wrong = too_late_or_in(run, "UpdateItem accounts", "ann", &[400, 403]).await;
        let linked = linked_to(stack, "ann").is_some();
        wrong_unless(linked == (run.statuses()[0] == 303), "linked, or not", &mut wrong);
        wrong
    })
    .await;
}

pub(super) async fn link_and_new_password(stack: &Stack, findings: &mut Findings) {
    let (browser, csrf) = asked(stack, "ann").await;
    let form = [("csrf", csrf.as_str()), ("password", "ann-local-password")];
    let bob = stack.dynamodb.get("accounts", &[("id", "bob")]).unwrap();
    let another = bob["password_hash"]["S"].as_str().unwrap().to_owned();
    let contenders = || {
        let another = AttributeValue::S(another.clone());
        let site = site_sets(stack, "accounts", &[("id", "ann")], "password_hash", another);
        vec![sends(ONE, &browser, "/auth/amazon/link", &form), site]
    };
    race(stack, "a link and a new password", findings, contenders, async |run| {
        let mut wrong = too_late_or_in(run, "UpdateItem accounts", "ann", &[400, 401]).await;
        let linked = linked_to(stack, "ann").is_some();
        wrong_unless(linked == (run.statuses()[0] == 303), "linked, or not", &mut wrong);
        wrong
    })
    .await;
}

pub(super) async fn link_and_end_of_sessions(stack: &Stack, findings: &mut Findings) {
    // A session of Ann's that tells where her sessions lie.
    stack.link("ann", "ann").await.unwrap();
    Browser::new(stack).sign_in_at_amazon("ann", "/").await;
    for key in [format!("AMAZON#{}", amazon_id(stack, "ann")), "ACCOUNT#ann".to_owned()] {
        stack.dynamodb.delete("identities", &[("pk", &key)]).unwrap();
    }
    let (browser, csrf) = asked(stack, "ann").await;
    let form = [("csrf", csrf.as_str()), ("password", "ann-local-password")];
    let contenders =
        || vec![sends(ONE, &browser, "/auth/amazon/link", &form), site_ends_sessions(stack, "ann")];
    race(stack, "a link and the end of all sessions", findings, contenders, async |run| {
        // Whoever read the password after the sessions had ended may link all the same.
        let mut wrong = Vec::new();
        let read = ("one", "GetItem sessions");
        let too_late = run.before((SITE, "UpdateItem sessions"), (ONE, COMMIT))
            && run.before(read, (SITE, "UpdateItem sessions"));
        let let_in = run.statuses()[0] == 303;
        wrong_unless(let_in != too_late, "in by what was proven before", &mut wrong);
        wrong_unless(linked_to(stack, "ann").is_some() == let_in, "linked, or not", &mut wrong);
        wrong_unless(in_by_answer(run, "ann").await, "in without an answer", &mut wrong);
        wrong
    })
    .await;
}

pub(super) async fn link_and_cancel(stack: &Stack, findings: &mut Findings) {
    let (browser, csrf) = asked(stack, "ann").await;
    let form = [("csrf", csrf.as_str()), ("password", "ann-local-password")];
    let contenders = || {
        vec![
            sends(ONE, &browser, "/auth/amazon/link", &form),
            sends(OTHER, &browser, "/auth/amazon/link/cancel", &form[..1]),
        ]
    };
    race(stack, "a link and its cancellation", findings, contenders, async |run| {
        let mut wrong = Vec::new();
        let linked = linked_to(stack, "ann").is_some();
        let statuses = run.statuses();
        wrong_unless(linked == (statuses[0] == 303), "linked, or not", &mut wrong);
        wrong_unless([303, 410].contains(&statuses[0]), "told something else", &mut wrong);
        wrong_unless(statuses[1] == 303, "the cancellation is not heard", &mut wrong);
        let cancelled = run.before((OTHER, "DeleteItem tickets"), (ONE, COMMIT));
        wrong_unless(!(cancelled && linked), "linked after the cancellation", &mut wrong);
        wrong
    })
    .await;
}

pub(super) async fn link_and_forgot(stack: &Stack, findings: &mut Findings) {
    let (browser, csrf) = asked(stack, "ann").await;
    let form = [("csrf", csrf.as_str()), ("password", "ann-local-password")];
    let contenders = || {
        vec![
            sends(ONE, &browser, "/auth/amazon/link", &form),
            sends(OTHER, &browser, "/auth/amazon/link/forgot", &form[..1]),
        ]
    };
    race(stack, "a link and a forgotten password", findings, contenders, async |run| {
        let mut wrong = Vec::new();
        wrong_unless(run.statuses()[0] == 303, "the right password is refused", &mut wrong);
        wrong_unless(linked_to(stack, "ann").is_some(), "no link", &mut wrong);
        let tickets = stack.dynamodb.scan("tickets").unwrap();
        let spent = tickets.iter().filter(|row| row["purpose"]["S"] == "link");
        let all_used = spent.into_iter().all(|row| row["used"]["BOOL"] == true);
        wrong_unless(all_used, "the ticket can be used again", &mut wrong);
        wrong
    })
    .await;
}
