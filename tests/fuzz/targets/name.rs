//! F-NAME: whatever people and sites are called, no page gets an element or an attribute of it. The
//! first byte says which page; then texts, one on each line.
#![no_main]

use std::collections::BTreeMap;

use domain::registration::{Field, Kind, Wrong};
use libfuzzer_sys::fuzz_target;
use scraper::{Html, Node};
use web::{
    Settings, Site,
    page::{Email, Frame, Input, Link, Problem, Register, Start, Switch},
    words::Language,
};

/// One of the pages, with these texts in it.
fn page(which: u8, texts: &[String; 8]) -> String {
    let [brand, name, email, href, label, value, option, pattern] = texts;
    let settings = [("PUBLIC_URL", "https://shop.example"), ("BRAND_NAME", brand)];
    let settings: Settings =
        settings.map(|(n, v)| (n.to_owned(), v.to_owned())).into_iter().collect();
    let site = Site::new(&settings).unwrap();
    let frame = |code| Frame { look: &site.look, language: Language::De, code, request_id: name };
    let kinds = [Kind::Text, Kind::Select, Kind::Checkbox];
    let fields = kinds.map(|kind| Field {
        name: kind.as_str().to_owned(),
        label: [(String::new(), label.clone())].into(),
        kind,
        required: true,
        pattern: Some(pattern.clone()),
        options: vec![option.clone(), "other".to_owned()],
        ..Field::default()
    });
    let inputs = |wrong| fields.iter().map(|field| Input { field, value, wrong }).collect();
    let wrong = Some(Wrong::Invalid);
    let typed = Email::Typed { value: email, wrong };
    let register =
        |email, wrong| Register { csrf: value, email, inputs: inputs(wrong), sign_in_href: href };
    let link = Link {
        csrf: value,
        email: Some(email),
        attempts_left: Some(2),
        second_factor: false,
        forgot: true,
    };
    let problem = Problem {
        retry_href: Some(href),
        sign_in_href: href,
        password_reset_href: Some(href),
        retry_after: None,
    };
    let page = match which % 6 {
        0 => link.html(&frame("wrong_password")),
        1 => register(Email::Fixed(email), None).html(&frame("ok")),
        2 => register(typed, wrong).html(&frame("invalid_fields")),
        3 => Switch { csrf: value, from: Some(name), to: Some(name), stay_href: href }
            .html(&frame("ok")),
        4 => Start { href }.html(&frame("ok")),
        _ => problem.html(&frame("wrong_password")),
    };
    // The style is the same everywhere, and long.
    page.replace(site.look.style(), "")
}

/// What a page consists of, but for its texts.
fn skeleton(page: &str) -> Vec<String> {
    let page = Html::parse_document(page);
    let bone = |node: &Node| match node {
        Node::Element(element) => {
            let mut names: Vec<&str> = element.attrs().map(|(name, _)| name).collect();
            names.sort_unstable();
            Some(format!("<{} {}>", element.name(), names.join(" ")))
        }
        Node::Text(_) => None,
        other => Some(format!("{other:?}")),
    };
    page.tree.root().descendants().filter_map(|node| bone(node.value())).collect()
}

fuzz_target!(|input: (u8, &str)| {
    let (which, text) = input;
    let mut lines = text.split('\n');
    let texts: [String; 8] = std::array::from_fn(|_| lines.next().unwrap_or_default().to_owned());
    // The same with plain texts: the same for the same, and nothing for nothing.
    let mut words = BTreeMap::new();
    let plain = texts.clone().map(|text| {
        let number = words.len();
        match text.as_str() {
            "" | "yes" | "other" => text,
            _ => words.entry(text).or_insert_with(|| format!("plain{number}")).clone(),
        }
    });
    assert_eq!(skeleton(&page(which, &texts)), skeleton(&page(which, &plain)));
});
