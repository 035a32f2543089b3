use hyper::header::HeaderMap;
use serde_json::Value;

use crate::browser::Whence;

/// What came back.
#[derive(Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
    /// What was asked for.
    pub url: String,
    pub(crate) from: Whence,
}

impl Answer {
    /// The code of a page of ours; empty for every other answer.
    pub fn code(&self) -> &str {
        self.between("<main data-code=\"", "\"").unwrap_or_default()
    }

    /// Which page of the shop's it is; empty for every other answer.
    pub fn page(&self) -> &str {
        self.between("<main data-page=\"", "\"").unwrap_or_default()
    }

    /// What a page of the shop's calls the visitor.
    pub fn who(&self) -> &str {
        self.between("id=\"who\">", "<").unwrap_or_else(|| panic!("no shop's page: {}", self.text))
    }

    /// The value of the first input of this name, hidden or not.
    pub fn input(&self, name: &str) -> &str {
        let input = self.text.split("<input ").skip(1).map(|tag| tag.split('>').next().unwrap());
        let named = format!("name=\"{name}\"");
        let mut named = input.filter(|tag| tag.contains(&named));
        let tag = named.next().unwrap_or_else(|| panic!("no input {name}: {}", self.text));
        tag.split_once("value=\"").map_or("", |(_, rest)| rest.split('"').next().unwrap())
    }

    /// Where a link leads that reads or contains this.
    pub fn link(&self, text: &str) -> String {
        let links = self.text.split("<a ").skip(1).map(|tag| tag.split("</a>").next().unwrap());
        let link = links.into_iter().find(|link| link.contains(text));
        let link = link.unwrap_or_else(|| panic!("no link {text}: {}", self.text));
        let href = link.split_once("href=\"").unwrap().1.split('"').next().unwrap();
        href.replace("&#38;", "&")
    }

    /// Whether the page shows this.
    pub fn says(&self, what: &str) -> bool {
        self.text.contains(what)
    }

    /// Where a redirect leads, as it is told.
    pub fn location(&self) -> &str {
        self.header("location")
            .unwrap_or_else(|| panic!("no redirect: {} {}", self.status, self.text))
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn between(&self, before: &str, after: &str) -> Option<&str> {
        self.text.split_once(before)?.1.split(after).next()
    }
}
