//! Newcomers, against each other and the site.

use super::*;

pub(super) async fn newcomer_twice(stack: &Stack, findings: &mut Findings) {
    let (one, other) = (Browser::new(stack), Browser::new(stack));
    let (left, right) = (one.begin("/").await, other.begin("/").await);
    let contenders = || {
        vec![
            comes_back(stack, ONE, &one, &left, "nora"),
            comes_back(stack, OTHER, &other, &right, "nora"),
        ]
    };
    race(stack, "one newcomer in two browsers", findings, contenders, async |run| {
        let mut wrong = Vec::new();
        wrong_unless(run.statuses() == [303, 303], "somebody is not let in", &mut wrong);
        let mine = linked_to(stack, "nora");
        wrong_unless(Tables::of(stack).newcomers().len() == 1, "more than one account", &mut wrong);
        let in_it = run.accounts().await.iter().all(|account| *account == mine && mine.is_some());
        wrong_unless(in_it, "they are not both in the one account", &mut wrong);
        wrong
    })
    .await;
}

pub(super) async fn newcomers_with_one_address(stack: &Stack, findings: &mut Findings) {
    stack.amazon.change("noa", |noa| noa.email = Some("Nora@Example.com".to_owned()));
    let (one, other) = (Browser::new(stack), Browser::new(stack));
    let (left, right) = (one.begin("/").await, other.begin("/").await);
    let contenders = || {
        vec![
            comes_back(stack, ONE, &one, &left, "nora"),
            comes_back(stack, OTHER, &other, &right, "noa"),
        ]
    };
    race(stack, "two newcomers with one address", findings, contenders, async |run| {
        let mut wrong = Vec::new();
        let accounts = run.accounts().await;
        let inside = accounts.iter().flatten().count();
        wrong_unless(inside == 1, "not exactly one of them is in", &mut wrong);
        wrong_unless(Tables::of(stack).newcomers().len() == 1, "not one account", &mut wrong);
        let mut statuses = run.statuses();
        statuses.sort_unstable();
        // The account that was just made has no password, which the other one is told.
        wrong_unless(statuses == [303, 403], "the other is not told why", &mut wrong);
        wrong
    })
    .await;
}

pub(super) async fn register_twice(stack: &Stack, findings: &mut Findings) {
    let (browser, csrf) = asked(stack, "noa").await;
    let form = [("csrf", csrf.as_str()), ("email", "noa@home.example")];
    let contenders = || {
        vec![
            sends(ONE, &browser, "/auth/amazon/register", &form),
            sends(OTHER, &browser, "/auth/amazon/register", &form),
        ]
    };
    race(stack, "one ticket, registered twice", findings, contenders, async |run| {
        let mut wrong = Vec::new();
        let mine = linked_to(stack, "noa");
        wrong_unless(Tables::of(stack).newcomers().len() == 1, "not one account", &mut wrong);
        let statuses = run.statuses();
        wrong_unless(statuses.contains(&303), "nobody is let in", &mut wrong);
        let told = statuses.iter().all(|status| [303, 410].contains(status));
        wrong_unless(told, "the other one is told something else", &mut wrong);
        let mine = mine.unwrap_or_default();
        wrong_unless(in_by_answer(run, &mine).await, "in without an answer", &mut wrong);
        wrong
    })
    .await;
}

pub(super) async fn registrations_with_one_address(stack: &Stack, findings: &mut Findings) {
    let ((one, left), (other, right)) = (asked(stack, "noa").await, asked(stack, "ida").await);
    let contenders = || {
        let noa = [("csrf", left.as_str()), ("email", "home@home.example")];
        let ida = [("csrf", right.as_str()), ("email", "HOME@home.example")];
        vec![
            sends(ONE, &one, "/auth/amazon/register", &noa),
            sends(OTHER, &other, "/auth/amazon/register", &ida),
        ]
    };
    race(stack, "two registrations with one address", findings, contenders, async |run| {
        let mut wrong = Vec::new();
        wrong_unless(Tables::of(stack).newcomers().len() == 1, "not one account", &mut wrong);
        let mut statuses = run.statuses();
        statuses.sort_unstable();
        wrong_unless(statuses == [303, 403], "the other is not told why", &mut wrong);
        let inside = run.accounts().await.iter().flatten().count();
        wrong_unless(inside == 1, "not exactly one of them is in", &mut wrong);
        wrong
    })
    .await;
}

pub(super) async fn register_and_site_registers(stack: &Stack, findings: &mut Findings) {
    let (browser, csrf) = asked(stack, "noa").await;
    let form = [("csrf", csrf.as_str()), ("email", "noa@home.example")];
    let contenders = || {
        let s = |text: &str| AttributeValue::S(text.to_owned());
        let put = stack.dynamodb.client().put_item().table_name("accounts");
        let put = put.item("id", s("site")).item("email", s("noa@home.example"));
        let put = put.item("password_hash", s("$2b$04$"));
        let site = Contender::site(async move {
            put.send().await.unwrap();
        });
        vec![sends(ONE, &browser, "/auth/amazon/register", &form), site]
    };
    let judge = async |run: &Run<'_>| {
        // Against the site's own registration the address is unique if the site sees to it; ours asks
        // before it writes.
        let mut wrong = Vec::new();
        let Some(Some((answer, _))) = run.finishes.first() else { return wrong };
        let asks = answer.location().ends_with("/auth/amazon/link");
        let known = run.before((SITE, "PutItem accounts"), (ONE, "Query accounts"));
        wrong_unless(asks == known, "an account that was there is not asked for", &mut wrong);
        stack.dynamodb.delete("accounts", &[("id", "site")]).unwrap();
        wrong
    };
    race(stack, "a registration here and one at the site", findings, contenders, judge).await;
}
