//! Forms and JSON.

use std::collections::BTreeMap;

use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use super::{Asked, encoded, holds, matters, nasty, site_with, tampered};
use crate::{Code, Failure, Form, reply};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
/// The members of the route.
const OURS: [&str; 2] = ["csrf", "password"];

fn posted(content_type: &str, body: &str) -> Asked {
    let headers = vec![("content-type", content_type.to_owned())];
    Asked { headers, body: body.to_owned(), ..Asked::default() }
}

/// Reads a body, and makes sure that nothing of it is told where that fails.
fn read(content_type: &str, body: &str, fields: bool) -> Result<Form, Code> {
    let request = posted(content_type, body).request();
    Form::read(&request, &OURS, fields).map_err(|failure| {
        tells_nothing(&failure, content_type, body);
        failure.code
    })
}

/// The log is told a reason that is the same whatever was sent, and so is the visitor.
fn tells_nothing(failure: &Failure, content_type: &str, body: &str) {
    assert!(failure.cause.is_none());
    let told = format!("{failure:?}");
    assert!(!told.contains("CANARY"), "{told}");
    let request = posted(content_type, body).request();
    let reply = format!("{:?}", reply::failure(failure, &request, &site_with(&[])));
    assert!(!reply.contains("CANARY"), "{reply}");
}

/// What a form says: members of the route, and fields.
fn said() -> impl Strategy<Value = (BTreeMap<String, String>, BTreeMap<String, String>)> {
    let member = prop_oneof![Just("csrf".to_owned()), Just("password".to_owned())];
    let field = prop_oneof![4 => "[a-z]{1,3}", 1 => nasty()];
    let field = field.prop_filter("it is the route's", |name| !OURS.contains(&name.as_str()));
    (
        prop::collection::btree_map(member, nasty(), 0..3),
        prop::collection::btree_map(field, nasty(), 0..4),
    )
}

/// Makes sure that a form says this and nothing else.
fn says(form: &Form, members: &BTreeMap<String, String>, fields: &BTreeMap<String, String>) {
    for name in OURS {
        assert_eq!(form.get(name), members.get(name).map(String::as_str), "{name}");
    }
    assert!(form.field_names().eq(fields.keys().map(String::as_str)));
    for (name, value) in fields {
        assert_eq!(form.field(name), value, "{name}");
        assert_eq!(form.get(name), None, "a field is no member");
    }
}

#[test]
fn f_form_is_read_as_it_was_written_however_it_was_encoded() {
    holds(512, (said(), any::<u64>()), |((members, fields), turns)| {
        let pairs = || members.iter().chain(&fields);
        let usual = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs()).finish();
        says(&read(FORM, &usual, true).unwrap(), &members, &fields);
        let pair = |(name, value): (&String, &String)| {
            format!("{}={}", encoded(name, turns), encoded(value, turns.rotate_left(7)))
        };
        let mut otherwise: Vec<String> = pairs().map(pair).collect();
        otherwise.reverse();
        says(&read(FORM, &otherwise.join("&"), true).unwrap(), &members, &fields);
        // A route without fields knows none.
        assert_eq!(read(FORM, &usual, false).is_ok(), fields.is_empty());
    });
}

#[test]
fn f_form_with_a_name_twice_is_refused_however_it_is_spelled() {
    let twice = (prop_oneof![Just("csrf".to_owned()), nasty()], nasty(), nasty(), any::<u64>());
    holds(512, (said(), twice, any::<bool>()), |((members, fields), twice, first)| {
        let (name, one, other, turns) = twice;
        let rest = members.iter().chain(&fields).filter(|(other, _)| **other != name);
        let rest = form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).finish();
        let [one, other] = [(one, turns), (other, !turns)]
            .map(|(value, turns)| format!("{}={}", encoded(&name, turns), encoded(&value, turns)));
        let body = match first {
            true => format!("{one}&{other}&{rest}"),
            false => format!("{one}&{rest}&{other}"),
        };
        assert_eq!(read(FORM, &body, true).err(), Some(Code::BadRequest), "{body}");
    });
}

#[test]
fn f_json_is_read_as_it_was_written() {
    holds(512, (said(), any::<bool>()), |((members, fields), always)| {
        let mut body = json!(members);
        if always || !fields.is_empty() {
            body["fields"] = json!(fields);
        }
        for body in [body.to_string(), format!(" \n{body:#}\t")] {
            says(&read(JSON, &body, true).unwrap(), &members, &fields);
            assert_eq!(read(JSON, &body, false).is_ok(), fields.is_empty());
        }
        let yes = json!({ "fields": { "n": 12, "yes": true, "no": false } }).to_string();
        let [n, yes, no] =
            ["n", "yes", "no"].map(|name| read(JSON, &yes, true).unwrap().field(name).to_owned());
        assert_eq!((n.as_str(), yes.as_str(), no.as_str()), ("12", "yes", ""));
    });
}

/// A value that is no text.
fn no_text() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        let text = nasty().prop_map(|text| Value::from(format!("CANARY{text}")));
        let inner = prop_oneof![inner, text].boxed();
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(Value::from),
            inner.prop_map(|value| json!({ "CANARY": value })),
        ]
    })
}

#[test]
fn f_json_n04_n05_of_another_shape_is_refused_and_not_repeated() {
    let spoil = (0..8_u8, nasty(), no_text());
    holds(1024, (said(), spoil), |((members, fields), (how, text, odd))| {
        let mut right = json!(members);
        right["fields"] = json!(fields);
        let body = match how {
            // A member, or the fields, of a type that they are not.
            0 => {
                right["password"] = odd;
                right.to_string()
            }
            1 if odd != json!({}) && !odd.is_object() => {
                right["fields"] = odd;
                right.to_string()
            }
            2 => {
                right["fields"]["x"] = json!([odd, "CANARY"]);
                right.to_string()
            }
            // A member that nobody knows.
            3 => {
                right[format!("CANARY{text}")] = json!("CANARY");
                right.to_string()
            }
            // Not an object, though serde would take it for one.
            4 => json!(["CANARY", text]).to_string(),
            // Something before or after it.
            5 => format!("{right}{}", if text.trim().is_empty() { "CANARY" } else { &text }),
            6 => format!("\u{feff}{right}"),
            // A name twice.
            _ => {
                let csrf = format!(r#""csrf":"CANARY","cs\u0072f":{}"#, json!(text));
                format!(r#"{{{csrf},"fields":{{"a":"1"}}}}"#)
            }
        };
        assert_eq!(read(JSON, &body, true).err(), Some(Code::BadRequest), "{body}");
    });
}

#[test]
fn f_json_a_field_that_comes_twice_is_refused() {
    holds(256, ("[a-z]{1,4}", nasty(), nasty()), |(name, one, other)| {
        let (one, other) = (json!(one), json!(other));
        for body in [
            format!(r#"{{"fields":{{"{name}":{one},"{name}":{other}}}}}"#),
            format!(r#"{{"fields":{{"{name}":{one}}},"fields":{{"x":{other}}}}}"#),
            format!(r#"{{"csrf":{one},"fields":{{}},"csrf":{other}}}"#),
        ] {
            assert_eq!(read(JSON, &body, true).err(), Some(Code::BadRequest), "{body}");
        }
    });
}

#[test]
fn f_form_n05_whatever_is_sent_nothing_of_it_is_told() {
    let form =
        "(csrf|password|CANARY)=(CANARY|%C3%A9|%ff|%|\\+){0,3}(&(csrf|fields|CANARY)=CANARY)?";
    let member = r#""(csrf|password|CANARY)":("CANARY"|1|null|\["CANARY"\])"#;
    let fields = r#""fields":\{"CANARY":(1|"CANARY"|\[\])\}"#;
    let json = (member, prop::option::of(fields)).prop_map(|(member, fields)| match fields {
        Some(fields) => format!("{{{member},{fields}}}"),
        None => format!("{{{member}}}"),
    });
    let bodies = prop_oneof![tampered(form), tampered(json), nasty()];
    let types =
        prop_oneof![Just(FORM.to_owned()), Just(JSON.to_owned()), Just("CANARY/x".to_owned())];
    matters(1024, 100, (types, bodies, any::<bool>()), |(content_type, body, fields)| {
        read(&content_type, &body, fields).is_err()
    });
}

#[test]
fn f_hdr_n10_only_a_form_or_json_is_read_and_as_what_it_says_it_is() {
    let kind =
        select(vec![FORM, JSON, "text/plain", "multipart/form-data", "application/jsonx", ""]);
    let kind = (kind, any::<u64>()).prop_map(|(kind, flips)| {
        let flip = |(at, c): (usize, char)| match flips >> at & 1 {
            0 => c,
            _ => c.to_ascii_uppercase(),
        };
        kind.chars().enumerate().map(flip).collect::<String>()
    });
    let after = select(vec![
        "",
        "",
        " ",
        ";charset=utf-7",
        "; charset=utf-8",
        ",application/json",
        ";",
        "/",
        "+json",
    ]);
    let header = (select(vec!["", "", " ", "\t", ",", "x"]), kind, after);
    matters(1024, 100, header, |(before, kind, after)| {
        let content_type = format!("{before}{kind}{after}");
        let media_type = content_type.split(';').next().unwrap().trim().to_ascii_lowercase();
        let as_form =
            read(&content_type, "csrf=a", false).map(|form| form.get("csrf").map(str::to_owned));
        let as_json = read(&content_type, r#"{"csrf":"a"}"#, false);
        let as_json = as_json.map(|form| form.get("csrf").map(str::to_owned));
        let [right, bad, unsupported] =
            [Ok(Some("a".to_owned())), Err(Code::BadRequest), Err(Code::UnsupportedMediaType)];
        let expected = match media_type.as_str() {
            FORM => (right, bad),
            JSON => (bad, right),
            _ => (unsupported.clone(), unsupported),
        };
        assert_eq!((as_form, as_json), expected, "{content_type:?}");
        media_type == FORM || media_type == JSON
    });
}
