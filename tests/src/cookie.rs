/// A cookie that a browser takes.
pub(crate) struct Cookie<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: &'a str,
    pub(crate) gone: bool,
}

impl<'a> Cookie<'a> {
    /// Reads a `Set-Cookie` header; nothing where a browser would refuse it.
    pub(crate) fn accept(header: &'a str) -> Option<Self> {
        let mut parts = header.split(';').map(str::trim);
        let (name, value) = parts.next()?.split_once('=')?;
        let attributes: Vec<_> = parts.map(str::to_ascii_lowercase).collect();
        let has = |wanted: &str| attributes.iter().any(|attribute| attribute == wanted);
        let domain = attributes.iter().any(|attribute| attribute.starts_with("domain"));
        if name.starts_with("__Host-") && (!has("secure") || !has("path=/") || domain) {
            return None;
        }
        Some(Self { name, value, gone: has("max-age=0") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_cookie_needs_to_be_secure_and_of_this_host_alone() {
        let takes = |header| Cookie::accept(header).is_some();
        assert!(takes("__Host-a=1; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=9"));
        for refused in [
            "__Host-a=1; Path=/",
            "__Host-a=1; Secure",
            "__Host-a=1; Path=/auth; Secure",
            "__Host-a=1; Path=/; Secure; Domain=localhost",
        ] {
            assert!(!takes(refused), "{refused}");
        }
        assert!(takes("plain=1"));
        assert!(Cookie::accept("a=; Path=/; Max-Age=0").unwrap().gone);
    }
}
