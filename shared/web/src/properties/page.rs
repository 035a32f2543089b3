//! Pages, as a browser reads them: whatever people, sites and addresses are called, they show it and
//! nothing else of them changes.

use domain::registration::{Consent, Field, Kind, Wrong};
use std::collections::BTreeMap;

use proptest::prelude::*;
use scraper::{ElementRef, Html, Node, Selector};

use super::{matters, nasty};
use crate::{
    look::Look,
    page::{Email, Frame, Input, Link, Problem, Register, Start, Switch},
    words::Language,
};

/// Texts from outside, by what they are.
#[derive(Clone, Debug)]
struct Texts {
    brand: String,
    logo: String,
    request_id: String,
    csrf: String,
    email: String,
    people: [String; 2],
    href: String,
    label: String,
    values: [String; 3],
    option: String,
    pattern: String,
}

impl Texts {
    fn all_mut(&mut self) -> Vec<&mut String> {
        let [from, to] = &mut self.people;
        let mut all = vec![
            &mut self.brand,
            &mut self.logo,
            &mut self.request_id,
            &mut self.csrf,
            &mut self.email,
            from,
            to,
            &mut self.href,
            &mut self.label,
            &mut self.option,
            &mut self.pattern,
        ];
        all.extend(&mut self.values);
        all
    }

    /// Plain texts in place of these: the same ones for the same ones, and nothing for nothing.
    fn plain(&self) -> Self {
        let mut plain = self.clone();
        let mut words = BTreeMap::new();
        for text in plain.all_mut() {
            let number = words.len();
            let word = || format!("plain{number}");
            if !text.is_empty() && text != "yes" {
                *text = words.entry(text.clone()).or_insert_with(word).clone();
            }
        }
        plain
    }

    /// Every page, with these texts in it.
    fn pages(&self) -> Vec<String> {
        let language = Language::En;
        let look = Look::new(&self.brand, Some(&self.logo), None);
        let frame = |code| Frame { look: &look, language, code, request_id: &self.request_id };
        let [from, to] = &self.people;
        let (href, csrf) = (self.href.as_str(), self.csrf.as_str());
        let fields: Vec<Field> = [Kind::Text, Kind::Select, Kind::Checkbox]
            .into_iter()
            .enumerate()
            .map(|(at, kind)| Field {
                name: format!("f{at}"),
                label: [("en".to_owned(), self.label.clone())].into(),
                kind,
                required: true,
                pattern: Some(self.pattern.clone()),
                options: vec![self.option.clone(), "other".to_owned()],
                help: [("en".to_owned(), self.label.clone())].into(),
                consent: Some(Consent {
                    version: self.option.clone(),
                    href: Some(self.href.clone()),
                }),
            })
            .collect();
        let inputs = |wrong| {
            let inputs = fields.iter().zip(&self.values);
            inputs.map(|(field, value)| Input { field, value, wrong }).collect()
        };
        let wrong = Some(Wrong::Invalid);
        let typed = Email::Typed { value: &self.email, wrong };
        let fixed = Email::Fixed(&self.email);
        let steps = Problem {
            retry_href: Some(href),
            sign_in_href: href,
            password_reset_href: Some(href),
            retry_after: Some(70),
        };
        let link = |attempts_left| Link {
            csrf,
            email: Some(&self.email),
            attempts_left,
            second_factor: false,
            forgot: true,
        };
        let register =
            |email, wrong| Register { csrf, email, inputs: inputs(wrong), sign_in_href: href };
        vec![
            link(None).html(&frame("ok")),
            link(Some(3)).html(&frame("wrong_password")),
            register(fixed, None).html(&frame("ok")),
            register(typed, wrong).html(&frame("invalid_fields")),
            Switch { csrf, from: Some(from), to: Some(to), stay_href: href }.html(&frame("ok")),
            Start { href }.html(&frame("ok")),
            steps.html(&frame("wrong_password")),
        ]
    }
}

fn texts() -> impl Strategy<Value = Texts> {
    let text = prop_oneof![9 => nasty(), 1 => Just("yes".to_owned())];
    let all = (prop::collection::vec(text, 14), any::<bool>());
    all.prop_map(|(all, as_they_are)| {
        // A carriage return is a line feed to browsers, and NUL is nothing.
        let odd = |c: char| !as_they_are && matches!(c, '\r' | '\0');
        let mut all = all.into_iter().map(|text| text.replace(odd, ""));
        let mut next = || all.next().unwrap();
        Texts {
            brand: next(),
            logo: next(),
            request_id: next(),
            csrf: next(),
            email: next(),
            people: [next(), next()],
            href: next(),
            label: next(),
            values: [next(), next(), next()],
            option: next(),
            pattern: next(),
        }
    })
}

/// What a page consists of: each node by kind, each element with the names of its attributes.
fn skeleton(page: &Html) -> Vec<String> {
    let bone = |node: &Node| match node {
        Node::Element(element) => {
            let mut names: Vec<&str> = element.attrs().map(|(name, _)| name).collect();
            names.sort_unstable();
            Some(format!("<{} {}>", element.name(), names.join(" ")))
        }
        // Texts can be in one piece or more, which says nothing.
        Node::Text(_) => None,
        other => Some(format!("{other:?}")),
    };
    page.tree.root().descendants().filter_map(|node| bone(node.value())).collect()
}

fn elements<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

fn attributes(page: &Html, selector: &str, name: &str) -> Vec<String> {
    elements(page, selector).iter().map(|one| one.attr(name).unwrap().to_owned()).collect()
}

fn shown(page: &Html, selector: &str) -> Vec<String> {
    elements(page, selector).iter().map(|one| one.text().collect()).collect()
}

#[test]
fn f_name_whatever_people_and_sites_are_called_no_page_gets_an_element_or_attribute_of_it() {
    matters(256, 100, texts(), |texts| {
        let plain = texts.plain().pages();
        let pages: Vec<Html> =
            texts.pages().iter().map(|page| Html::parse_document(page)).collect();
        for (page, plain) in pages.iter().zip(plain) {
            assert_eq!(skeleton(page), skeleton(&Html::parse_document(&plain)));
            assert_eq!(shown(page, "style"), shown(&Html::parse_document(&plain), "style"));
        }

        // And all of it is shown as it is.
        let mut all = texts.clone();
        if all.all_mut().iter().any(|text| text.contains(['\r', '\0'])) {
            return false;
        }
        let [link, again, register, typed, switch, start, problem] = &pages[..] else { panic!() };
        for page in [link, again] {
            assert_eq!(attributes(page, "input[name=username]", "value"), [&*texts.email]);
            assert!(shown(page, "main > p > bdi").contains(&texts.email));
        }
        for page in [link, register, typed, switch] {
            let csrf = attributes(page, "input[name=csrf]", "value");
            assert!(!csrf.is_empty() && csrf.iter().all(|csrf| *csrf == texts.csrf));
        }
        assert_eq!(attributes(register, "#email", "value"), [&*texts.email]);
        assert_eq!(attributes(typed, "input[name=email]", "value"), [&*texts.email]);
        assert_eq!(attributes(register, "#field-f0", "value"), [&*texts.values[0]]);
        assert_eq!(attributes(register, "#field-f0", "pattern"), [&*texts.pattern]);
        assert_eq!(shown(register, "select option")[1], texts.option);
        let chosen = elements(register, "option[selected]").len();
        let choices = [texts.option.as_str(), "other"];
        assert_eq!(chosen, choices.iter().filter(|option| **option == texts.values[1]).count());
        assert_eq!(
            elements(register, "input[checked]").len(),
            usize::from(texts.values[2] == texts.option)
        );
        assert!(shown(typed, "ul li a").iter().skip(1).all(|label| *label == texts.label));
        assert_eq!(shown(switch, "main > p > bdi"), texts.people);
        assert_eq!(attributes(switch, "a.second", "href"), [&*texts.href]);
        assert_eq!(attributes(start, "main a", "href"), [&*texts.href]);
        assert!(attributes(problem, "main a", "href").iter().all(|href| *href == texts.href));
        if !texts.brand.is_empty() {
            assert!(pages.iter().all(|page| shown(page, "title")[0].ends_with(&texts.brand)));
            assert_eq!(attributes(link, "header img", "alt"), [&*texts.brand]);
            assert_eq!(attributes(link, "header img", "src"), [&*texts.logo]);
        }
        if !texts.request_id.is_empty() {
            assert_eq!(shown(problem, "footer bdi"), [&*texts.request_id]);
        }
        true
    });
}
