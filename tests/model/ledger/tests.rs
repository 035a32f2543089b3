//! The ledger notices what must never happen.

use super::*;

fn said(wrong: Option<String>) -> String {
    wrong.unwrap_or_default()
}

#[test]
fn inv04_a_link_that_nobody_has_proven_is_noticed() {
    let mut ledger = Ledger::default();
    ledger.proven("amzn1.account.ANN", "ann");
    assert_eq!(ledger.links(&[("amzn1.account.ANN", "ann")].into()), [""; 0]);

    for (customer, account) in [("amzn1.account.MAX", "ann"), ("amzn1.account.ANN", "bob")] {
        let wrong = ledger.links(&[(customer, account)].into());
        assert_eq!(wrong, [format!("INV-04: {customer} was linked to {account} without a proof")]);
    }
}

#[test]
fn inv07_a_ticket_or_a_state_that_is_good_for_something_twice_is_noticed() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.leads_on("a state"), None);
    assert_eq!(ledger.leads_on("a ticket"), None);

    assert!(said(ledger.leads_on("a ticket")).starts_with("INV-07: a ticket was good for"));
    assert!(said(ledger.leads_on("a state")).starts_with("INV-07: a state was good for"));
}

#[test]
fn inv08_a_sixth_password_for_one_ticket_is_noticed() {
    let mut ledger = Ledger::default();
    for _ in 0..5 {
        assert_eq!(ledger.compares("a ticket"), None);
    }
    assert_eq!(ledger.compares("another"), None);

    assert!(said(ledger.compares("a ticket")).starts_with("INV-08: 6 passwords were compared"));
}

#[test]
fn inv09_a_linked_customer_who_comes_into_another_account_is_noticed() {
    let ledger = Ledger::default();
    assert_eq!(ledger.enters(None, "ann"), None);
    assert_eq!(ledger.enters(Some("ann"), "ann"), None);

    let wrong = said(ledger.enters(Some("ann"), "bob"));
    assert_eq!(wrong, "INV-09: who is linked to ann was let into bob");
}

#[test]
fn inv10_a_browsers_session_that_an_app_can_use_is_noticed() {
    let ledger = Ledger::default();
    assert_eq!(ledger.accepts(Some("a session"), false), None);

    assert!(said(ledger.accepts(Some("a session"), true)).starts_with("INV-10: "));
}

#[test]
fn inv11_a_session_that_is_accepted_after_its_end_is_noticed() {
    let mut ledger = Ledger::default();
    ledger.ends(Some("a session"));
    assert_eq!(ledger.accepts(Some("another"), false), None);

    assert!(said(ledger.accepts(Some("a session"), false)).starts_with("INV-11: "));
}

#[test]
fn inv12_a_secret_that_stands_where_it_does_not_belong_is_noticed() {
    let secrets = ["a-long_secret", "AN0123456789"].map(str::to_owned).into();
    assert_eq!(told(["a line", "tag.of-a-long_secret"], &secrets), [""; 0]);

    let wrong = told(["{\"tag\":\"tag.a-long_secret\"}", "code=AN0123456789&x"], &secrets);
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(wrong.iter().all(|wrong| wrong.starts_with("INV-12: ")), "{wrong:?}");
}

#[test]
fn inv13_a_second_redemption_for_one_state_is_noticed() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.redeems("a state", 1), None);
    assert_eq!(ledger.redeems("a state", 0), None);
    assert_eq!(ledger.redeems("another", 1), None);

    assert!(said(ledger.redeems("a state", 1)).starts_with("INV-13: "));
    assert!(said(ledger.redeems("a third", 2)).starts_with("INV-13: "));
}

#[test]
fn inv14_a_visitor_who_is_sent_to_somebody_else_is_noticed() {
    let ledger = Ledger::default();
    let places = ["https://shop.example", "https://www.amazon.com/ap/oa"].map(str::to_owned);
    for good in ["https://shop.example/a", "https://shop.example", "https://www.amazon.com/ap/oa?x"]
    {
        assert_eq!(ledger.leads_to(Some(good), &places), None, "{good}");
    }
    assert_eq!(ledger.leads_to(None, &places), None);

    for bad in
        ["https://evil.example/", "https://shop.example.evil.example/", "//evil.example", "/a"]
    {
        assert!(said(ledger.leads_to(Some(bad), &places)).starts_with("INV-14: "), "{bad}");
    }
}
