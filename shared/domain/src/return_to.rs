use std::fmt;

/// Where on the site a visitor goes after signing in: a path with an optional query.
///
/// It is accepted by a grammar and never by a URL parser, because parsers differ: `///evil.com` is
/// off-site to a browser and an error to others, and `/.//evil.com` is on-site until its path is
/// printed. The grammar, over at most 512 bytes of printable ASCII:
///
/// ```text
/// return_to = "/" [ segment *( "/" segment ) [ "/" ] ] [ "?" query ]
/// segment   = 1*pchar, but not "." or ".."
/// pchar     = letter / digit / any of -._~!$&'()*+,;=:@ / percent
/// query     = *( pchar / "/" / "?" )
/// percent   = "%" two hex digits, except %00-%1f, %2e, %2f, %5c, %7f (controls, dot, slash, backslash)
/// ```
///
/// Paths under `/auth` are ours and lead back into the sign-in, so they are refused too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTo(String);

impl ReturnTo {
    /// Takes a path from outside, if the grammar knows it.
    pub fn parse(text: &str) -> Option<Self> {
        let (path, query) = match text.split_once('?') {
            Some((path, query)) => (path, query),
            None => (text, ""),
        };
        let inside = path.strip_prefix('/')?;
        let inside = inside.strip_suffix('/').unwrap_or(inside);
        let segments_fit = inside.is_empty() && path == "/"
            || inside
                .split('/')
                .all(|segment| !matches!(segment, "" | "." | "..") && spelled(segment, b""));
        // Decoded, because a proxy may decode it on the way.
        let ours = inside
            .split('/')
            .next()
            .is_some_and(|first| decoded(first).eq_ignore_ascii_case(b"auth"));
        let fits = text.len() <= 512 && segments_fit && !ours && spelled(query, b"/?");
        fits.then(|| Self(text.to_owned()))
    }

    /// The way home, when nothing better is known: `/`.
    pub fn home() -> Self {
        Self("/".to_owned())
    }

    /// The path, ready for a `Location` header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ReturnTo {
    fn default() -> Self {
        Self::home()
    }
}

impl fmt::Display for ReturnTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether the text is all pchars, or of the additional characters.
fn spelled(text: &str, additional: &[u8]) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let fits = match byte {
            b'%' => match (bytes.next().and_then(hex), bytes.next().and_then(hex)) {
                (Some(high), Some(low)) => {
                    !matches!(high * 16 + low, 0..=0x1f | b'.' | b'/' | b'\\' | 0x7f)
                }
                _ => false,
            },
            byte => {
                byte.is_ascii_alphanumeric()
                    || b"-._~!$&'()*+,;=:@".contains(&byte)
                    || additional.contains(&byte)
            }
        };
        if !fits {
            return false;
        }
    }
    true
}

/// The bytes that a spelled text stands for.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut all = Vec::new();
    while let Some(byte) = bytes.next() {
        all.push(match byte {
            b'%' => {
                let mut digit = || bytes.next().and_then(hex).unwrap_or(0);
                digit().wrapping_mul(16).wrapping_add(digit())
            }
            byte => byte,
        });
    }
    all
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_site_are_taken_as_they_are() {
        for path in [
            "/",
            "/home",
            "/shop/",
            "/a/b/c",
            "/?q=1",
            "/search?q=shoes+red&sort=price,asc",
            "/a?b=/c?d",
            "/caf%C3%A9",
            "/a%20b",
            "/~ann",
            "/.well-known/x",
            "/...",
            "/a;b=c",
            "/author",
            "/a?x=%26",
        ] {
            assert_eq!(ReturnTo::parse(path).map(|r| r.0), Some(path.to_owned()), "{path}");
        }
    }

    fn refused<'a>(paths: impl IntoIterator<Item = &'a str>) {
        for odd in paths {
            assert!(ReturnTo::parse(odd).is_none(), "{odd:?}");
        }
    }

    #[test]
    fn b01_b03_empty_and_dot_segments_are_refused() {
        refused([
            "",
            "home",
            "?next=/a",
            "//evil.com",
            "///evil.com",
            "/a//b",
            "/a//",
            "//",
            "/.//evil.com",
            "/./",
            "/..",
            "/a/../b",
            "/a/..",
            "/foo/..//evil.com",
            "/foo/../\\evil.com",
            "/.",
            &format!("/{}", "a".repeat(512)),
        ]);
    }

    #[test]
    fn b02_b07_backslashes_controls_and_what_is_not_ascii_are_refused() {
        refused([
            "/\\evil.com",
            "\\/evil.com",
            "/\t/evil.com",
            "/\n/evil.com",
            "/\r\n/evil.com",
            "\0//evil.com",
            "/a b",
            "/a#b",
            "/a?b=\"",
            "/a?b=<",
            "/\u{e9}",
            "/\u{2028}/evil.com",
            "/\u{2044}evil.com",
            "/\u{ff0f}evil.com",
            "\u{feff}/home",
            "//evil\u{3002}com",
        ]);
    }

    #[test]
    fn b04_what_would_mean_something_else_decoded_is_refused() {
        refused([
            "/%2e%2e/x",
            "/%2E/x",
            "/%2f/evil.com",
            "/%2fevil.com",
            "%2f%2fevil.com",
            "/%5cevil.com",
            "/%00",
            "/a%0d%0aSet-Cookie:x",
            "/%7f",
            "/%",
            "/%4",
            "/%zz",
            "/%+1",
            "/a?b=%2e",
        ]);
    }

    #[test]
    fn b05_b06_urls_and_schemes_are_refused() {
        refused([
            "https://evil.com",
            "https://shop.example@evil.com",
            "//evil.com:443@shop.example",
            "javascript:alert(1)",
            "java\tscript:alert(1)",
            "data:text/html,x",
            "intent://x",
            "view-source:https://evil.com",
            "blob:x",
            "mailto:a@b",
        ]);
    }

    #[test]
    fn b09_nothing_leads_back_to_our_own_routes() {
        refused([
            "/auth",
            "/auth/",
            "/AUTH/logout",
            "/auth/amazon/login",
            "/auth?x",
            "/%61uth/logout",
            "/a%55TH/x",
        ]);
    }
}
