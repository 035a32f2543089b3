//! F-FORM and F-JSON: unknown and repeated names are refused, what is read was there, and no error
//! repeats what was sent. The first byte says what the body is said to be.
#![no_main]

#[allow(dead_code)]
mod probe;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use web::Form;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const OURS: [&str; 2] = ["csrf", "password"];

fuzz_target!(|input: (u8, &[u8])| {
    let (how, body) = input;
    let kind = [FORM, JSON, "Application/JSON;x", "text/plain"][usize::from(how % 4)];
    let fields = how & 4 != 0;
    let mut event = probe::event();
    event["headers"] = serde_json::json!({ "content-type": kind });
    event["body"] = STANDARD.encode(body).into();
    event["isBase64Encoded"] = true.into();
    assert!(probe::ask(&event, |request| {
        let form = match Form::read(request, &OURS, fields) {
            Ok(form) => form,
            Err(failure) => {
                // The reason is the same whatever was sent.
                assert!(failure.cause.is_none());
                assert!(
                    ["bad_request", "too_large", "unsupported_media_type"]
                        .contains(&failure.code.as_str())
                );
                return;
            }
        };
        assert!(body.len() <= 8192 && kind != "text/plain");
        assert!(fields || form.field_names().next().is_none());
        if kind == FORM {
            let pairs: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
            let said = |name: &str, value: &str| {
                let mut values = pairs.iter().filter(|(key, _)| key == name).map(|(_, v)| v);
                values.next().is_some_and(|said| said == value) && values.next().is_none()
            };
            let names: Vec<&str> = form.field_names().collect();
            let members = OURS.into_iter().filter(|name| form.get(name).is_some());
            assert_eq!(names.len() + members.count(), pairs.len(), "nothing is dropped");
            assert!(names.iter().all(|name| said(name, form.field(name))));
            assert!(OURS.into_iter().all(|name| form.get(name).is_none_or(|v| said(name, v))));
        } else {
            let said: Map<String, Value> = serde_json::from_slice(body).unwrap();
            assert!(said.keys().all(|name| OURS.contains(&name.as_str()) || name == "fields"));
            for name in OURS {
                assert_eq!(said.get(name).map(|value| value.as_str().unwrap()), form.get(name));
            }
            let none = Map::new();
            let inside = said.get("fields").map_or(&none, |fields| fields.as_object().unwrap());
            assert!(form.field_names().eq(inside.keys().map(String::as_str)));
            for (name, value) in inside {
                match value {
                    Value::String(text) => assert_eq!(form.field(name), text),
                    Value::Bool(ticked) => assert_eq!(form.field(name) == "yes", *ticked),
                    Value::Number(_) => assert!(!form.field(name).is_empty()),
                    other => panic!("{other} was taken for a text"),
                }
            }
        }
    }));
});
