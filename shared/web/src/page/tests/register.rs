use super::*;

fn register(email: Email<'_>, inputs: Vec<Input<'_>>) -> String {
    let page = Register { csrf: "c", email, inputs, sign_in_href: "/sign-in" };
    english("invalid_fields", |frame| page.html(frame))
}

#[test]
fn a_newcomer_finds_what_is_wrong_beside_each_field_and_what_was_typed_still_there() {
    let fields = KINDS.map(|kind| field(&format!("my_{}", kind.as_str()), kind, "Label"));
    for (wrong, messages) in [
        (
            Wrong::Missing,
            [
                "fill this in",
                "fill this in",
                "fill this in",
                "fill this in",
                "fill this in",
                "tick this",
                "choose one",
            ],
        ),
        (
            Wrong::Invalid,
            [
                "expected form",
                "name@example",
                "+1 206",
                "42 or 1.5",
                "2001-12-31",
                "expected form",
                "of the options",
            ],
        ),
        (Wrong::TooLong, ["256 characters"; 7]),
    ] {
        for (field, message) in fields.iter().zip(messages) {
            let html = register(
                Email::Fixed("a@b"),
                vec![Input { field, value: "typed", wrong: Some(wrong) }],
            );
            let name = &field.name;
            let input = tag(&html, &format!("id=\"field-{name}\""));
            let described =
                format!("required aria-invalid=\"true\" aria-describedby=\"field-{name}-wrong\"");
            assert!(input.contains(&described), "{input}");
            let beside = html
                .split_once(&format!("<p class=\"wrong\" id=\"field-{name}-wrong\">"))
                .unwrap()
                .1;
            assert!(
                beside.split_once("</p>").unwrap().0.contains(message),
                "{name} {message}: {html}"
            );
            assert!(tag(&html, "role=\"alert\"").starts_with("<div"));
            assert!(
                html.contains(&format!("<li><a href=\"#field-{name}\">Label</a></li>")),
                "{html}"
            );
            let typed = !matches!(field.kind, Kind::Checkbox | Kind::Select);
            assert_eq!(input.contains("value=\"typed\""), typed, "{input}");
            assert!(html.contains("<small>(required)</small>"), "{html}");
        }
    }
    let html =
        register(Email::Fixed("a@b"), vec![Input { field: &fields[0], value: "", wrong: None }]);
    assert!(
        !html.contains("role=\"alert\"") && !tag(&html, "id=\"field-my_text\"").contains("aria"),
        "{html}"
    );
}

#[test]
fn what_was_ticked_and_chosen_stays_so() {
    let tick = field("terms", Kind::Checkbox, "Terms");
    let size = field("size", Kind::Select, "S");
    let inputs = |terms, chosen| {
        vec![
            Input { field: &tick, value: terms, wrong: None },
            Input { field: &size, value: chosen, wrong: None },
        ]
    };
    let html = register(Email::Fixed("a@b"), inputs("yes", "other"));
    assert!(tag(&html, "id=\"field-terms\"").contains("value=\"yes\" checked"));
    assert!(html.contains("<option>S</option>\n<option selected>other</option>"), "{html}");
    let html = register(Email::Fixed("a@b"), inputs("", ""));
    assert!(!html.contains(" checked") && !html.contains(" selected"), "{html}");
}

#[test]
fn amazons_address_cannot_be_changed_and_a_missing_one_is_typed() {
    let html = register(Email::Fixed("ann@shop.example"), vec![]);
    let fixed = tag(&html, "id=\"email\"");
    assert!(fixed.contains("value=\"ann@shop.example\"") && fixed.contains("readonly"), "{fixed}");
    assert!(!fixed.contains("name="), "{fixed}");

    let html = register(Email::Typed { value: "ann", wrong: Some(Wrong::Invalid) }, vec![]);
    let typed = tag(&html, "id=\"email\"");
    assert!(
        typed.contains("name=\"email\" value=\"ann\"") && !typed.contains("readonly"),
        "{typed}"
    );
    assert!(
        typed.contains("aria-invalid=\"true\" aria-describedby=\"email-wrong email-hint\""),
        "{typed}"
    );
    assert!(html.contains("id=\"email-wrong\">Please enter an e-mail address"), "{html}");
    assert!(html.contains("<li><a href=\"#email\">"), "{html}");
}

#[test]
fn a_field_has_the_sites_label_in_the_visitors_language() {
    let labelled = |labels: &[(&str, &str)]| {
        let label =
            labels.iter().map(|(language, label)| ((*language).into(), (*label).into())).collect();
        let field = Field { label, ..field("size", Kind::Text, "") };
        register(Email::Fixed("a@b"), vec![Input { field: &field, value: "", wrong: None }])
    };
    assert!(labelled(&[("de", "Größe"), ("en", "Size")]).contains(">Size "));
    assert!(labelled(&[("de", "Größe"), ("", "Size?")]).contains(">Size? "));
    assert!(labelled(&[("de", "Größe")]).contains(">Größe "));
}

#[test]
fn browsers_learn_what_a_field_is_for_where_it_can_hold_that() {
    for (name, kind, token) in [
        ("phone", Kind::Tel, Some("tel")),
        ("name", Kind::Tel, None),
        ("postal_code", Kind::Text, Some("postal-code")),
        ("postal_code", Kind::Number, None),
        ("country", Kind::Select, Some("country-name")),
        ("birthdate", Kind::Date, Some("bday")),
        ("name", Kind::Text, Some("name")),
        ("name", Kind::Checkbox, None),
        ("shoe_size", Kind::Text, None),
    ] {
        let field = field(name, kind, "Label");
        assert_eq!(Input { field: &field, value: "", wrong: None }.autocomplete(), token, "{name}");
    }
}

#[test]
fn a_sites_pattern_holds_and_no_example_of_ours_speaks_against_it() {
    let field = Field { pattern: Some("[0-9]{5}".into()), ..field("phone", Kind::Tel, "Phone") };
    let html = register(
        Email::Fixed("a@b"),
        vec![Input { field: &field, value: "1", wrong: Some(Wrong::Invalid) }],
    );
    assert!(tag(&html, "id=\"field-phone\"").contains("pattern=\"[0-9]{5}\""), "{html}");
    assert!(html.contains("does not have the expected form") && !html.contains("206"), "{html}");
}
