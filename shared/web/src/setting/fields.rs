//! The fields of `REGISTRATION_FIELDS`, each an object.

use std::collections::BTreeMap;

use domain::registration::{Consent, Field, Kind};
use serde_json::Value;

use super::is_own_path;
use crate::site::is_https_url;

/// Reads a field, or says what is wrong with it.
pub(super) fn field(value: &Value) -> Result<Field, &'static str> {
    let object = value.as_object().ok_or("has a field that is not an object")?;
    let known =
        ["name", "label", "help", "type", "required", "pattern", "options", "version", "href"];
    if object.keys().any(|key| !known.contains(&key.as_str())) {
        return Err("has a field with a member that is not known");
    }
    let name = object.get("name").and_then(Value::as_str).ok_or("has a field without a name")?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if !(1..=64).contains(&name.len()) || !name.bytes().all(plain) {
        return Err("has a name that is not 1 to 64 letters, digits and underscores");
    }
    let label = object.get("label").ok_or("has a field without a label")?;
    let label = texts(label).ok_or("has a label that is not a text")?;
    let help = object.get("help").map(texts).unwrap_or(Some(BTreeMap::new()));
    let help = help.ok_or("has a help that is not a text")?;
    let kind = object.get("type").map_or(Some("text"), Value::as_str).and_then(Kind::parse);
    let kind = kind.ok_or("has a type that is not known")?;
    let required = match object.get("required") {
        None => false,
        Some(required) => required.as_bool().ok_or("has a `required` that is not true or false")?,
    };
    let pattern = match object.get("pattern") {
        None => None,
        Some(pattern) => {
            let pattern = pattern.as_str().ok_or("has a pattern that is not a text")?;
            crate::pattern(pattern).map_err(|_| "has a pattern that is not understood")?;
            Some(pattern.to_owned())
        }
    };
    let options: Vec<String> = match object.get("options") {
        None => Vec::new(),
        Some(Value::Array(options)) => options
            .iter()
            .map(|option| option.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or("has an option that is not a text")?,
        Some(_) => return Err("has options that are not a list"),
    };
    if (kind == Kind::Select) == options.is_empty() {
        return Err("has options without a select, or a select without options");
    }
    let consent = match (object.get("version"), object.get("href")) {
        (None, None) => None,
        (Some(Value::String(version)), href) if kind == Kind::Checkbox => {
            // A form's values come back without the space around them.
            let fits = (1..=64).contains(&version.len()) && version.trim() == version;
            if !fits || version.chars().any(char::is_control) {
                return Err("has a version that is not a text of up to 64 characters");
            }
            let href = match href {
                None => None,
                Some(Value::String(href)) if is_own_path(href) || is_https_url(href) => {
                    Some(href.clone())
                }
                Some(_) => return Err("has an href that is neither a path nor an https URL"),
            };
            Some(Consent { version: version.clone(), href })
        }
        _ => {
            return Err(
                "has a version or an href on something else than a checkbox with a version",
            );
        }
    };
    Ok(Field { name: name.to_owned(), label, help, kind, required, pattern, options, consent })
}

/// A text, or one for each of some languages.
fn texts(value: &Value) -> Option<BTreeMap<String, String>> {
    match value {
        Value::String(text) => Some([(String::new(), text.clone())].into()),
        Value::Object(texts) if !texts.is_empty() => {
            let text = |(language, text): (&String, &Value)| {
                Some((language.clone(), text.as_str()?.to_owned()))
            };
            texts.iter().map(text).collect()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;

    #[test]
    fn registration_fields_are_read_or_refused_with_a_reason() {
        let read = |json: &str| {
            let settings = [("REGISTRATION_FIELDS".to_owned(), json.to_owned())];
            settings.into_iter().collect::<Settings>().registration_fields()
        };
        let fields = read(
            r#"[{"name":"phone","label":"Phone","type":"tel","required":true,"pattern":"[0-9]{5,15}"},
                {"name":"size","label":{"en":"Size","de":"Größe"},"type":"select","options":["S","M"]},
                {"name":"terms","label":"Terms","help":{"en":"Of sale"},"type":"checkbox","version":"7","href":"/terms"}]"#,
        )
        .unwrap();
        assert_eq!(fields[2].help["en"], "Of sale");
        let consent = Consent { version: "7".into(), href: Some("/terms".into()) };
        assert_eq!(fields[2].consent, Some(consent));
        assert_eq!(fields[0].kind, Kind::Tel);
        assert!(fields[0].required);
        assert_eq!(fields[1].label["de"], "Größe");
        assert_eq!(read("").unwrap(), []);

        for wrong in [
            "{}",
            "[1]",
            r#"[{"name":"a"}]"#,
            r#"[{"label":"A"}]"#,
            r#"[{"name":"a b","label":"A"}]"#,
            r#"[{"name":"csrf","label":"A"}]"#,
            r#"[{"name":"a","label":"A"},{"name":"a","label":"B"}]"#,
            r#"[{"name":"a","label":"A","type":"password"}]"#,
            r#"[{"name":"a","label":"A","pattern":"("}]"#,
            r#"[{"name":"a","label":"A","type":"select"}]"#,
            r#"[{"name":"a","label":"A","requird":true}]"#,
            r#"[{"name":"a","label":"A","required":"yes"}]"#,
            r#"[{"name":"a","label":"A","help":1}]"#,
            r#"[{"name":"a","label":"A","version":"1"}]"#,
            r#"[{"name":"a","label":"A","type":"checkbox","version":""}]"#,
            r#"[{"name":"a","label":"A","type":"checkbox","version":" 7"}]"#,
            r#"[{"name":"a","label":"A","type":"checkbox","version":1}]"#,
            r#"[{"name":"a","label":"A","type":"checkbox","href":"/terms"}]"#,
            r#"[{"name":"a","label":"A","type":"checkbox","version":"1","href":"javascript:x"}]"#,
            r#"[{"name":"a","label":"A"}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
