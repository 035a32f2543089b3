use std::{collections::BTreeMap, fmt};

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use crate::{Code, Failure, Request};

/// What a visitor filled in, or an app sent as JSON: names and texts, each name once.
///
/// An app's JSON is one object; its member `fields`, an object itself, holds what a page would send
/// as inputs of its own.
#[derive(Default)]
pub struct Form {
    members: BTreeMap<String, String>,
    fields: BTreeMap<String, String>,
}

impl Form {
    /// Reads the body of a POST, which may hold these members, and any fields if `fields` is true.
    ///
    /// # Errors
    ///
    /// `unsupported_media_type` for anything but forms and JSON, `too_large`, and `bad_request` for
    /// unknown or repeated names and for bodies that are not what they say. What was sent is never
    /// part of the error: serde's own messages quote it.
    pub fn read(request: &Request, names: &[&str], fields: bool) -> Result<Self, Failure> {
        let body = request.body()?;
        let form = match &*request.content_type() {
            "application/x-www-form-urlencoded" => Self::from_urlencoded(body, names)?,
            "application/json" => serde_json::from_slice(body)
                .map_err(|_| Failure::bad_request("the body is not JSON of the expected shape"))?,
            _ => {
                return Err(Failure::new(Code::UnsupportedMediaType, "neither a form nor JSON"));
            }
        };
        let unknown = form.members.keys().any(|name| !names.contains(&name.as_str()));
        if unknown || (!fields && !form.fields.is_empty()) {
            return Err(Failure::bad_request("the body has an unknown field"));
        }
        Ok(form)
    }

    /// A member.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.members.get(name).map(String::as_str)
    }

    /// A field of the registration page; an absent one is empty.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// The names of all fields.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// In a form, every input that is not one of the route's own members is a field.
    fn from_urlencoded(body: &[u8], names: &[&str]) -> Result<Self, Failure> {
        let text =
            std::str::from_utf8(body).map_err(|_| Failure::bad_request("the form is not UTF-8"))?;
        let mut form = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            let place =
                if names.contains(&name.as_str()) { &mut form.members } else { &mut form.fields };
            if place.insert(name, value).is_some() {
                return Err(Failure::bad_request("a field came twice"));
            }
        }
        Ok(form)
    }
}

/// Decodes one name or value, strictly: replacing what is not UTF-8 would change a password.
fn decode(text: &str) -> Result<String, Failure> {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced)
        .decode_utf8()
        .map(|text| text.into_owned())
        .map_err(|_| Failure::bad_request("the form is not UTF-8"))
}

impl<'de> Deserialize<'de> for Form {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Form;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Form, A::Error> {
                let mut form = Form::default();
                let mut fields_seen = false;
                while let Some(name) = map.next_key::<String>()? {
                    if name == "fields" {
                        if std::mem::replace(&mut fields_seen, true) {
                            return Err(de::Error::custom("repeated"));
                        }
                        form.fields = map.next_value::<Texts>()?.0;
                    } else if form.members.insert(name, map.next_value()?).is_some() {
                        return Err(de::Error::custom("repeated"));
                    }
                }
                Ok(form)
            }
        }

        // Only a map is asked for: serde would take an array for a struct.
        deserializer.deserialize_map(Members)
    }
}

/// A flat object of texts, each name once; `true` is a ticked box.
struct Texts(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
                #[derive(serde::Deserialize)]
                #[serde(untagged)]
                enum Member {
                    Text(String),
                    Ticked(bool),
                    Number(serde_json::Number),
                }

                let mut texts = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Member>()? {
                    let text = match value {
                        Member::Text(text) => text,
                        Member::Ticked(true) => "yes".to_owned(),
                        Member::Ticked(false) => String::new(),
                        Member::Number(number) => number.to_string(),
                    };
                    if texts.insert(name, text).is_some() {
                        return Err(de::Error::custom("repeated"));
                    }
                }
                Ok(Texts(texts))
            }
        }

        deserializer.deserialize_map(Members)
    }
}
