use std::{net::Ipv4Addr, sync::Arc};

use domain::{ReturnTo, amazon::Region};

use crate::{
    Settings, Unset,
    look::Look,
    setting::{is_loopback, is_own_path, is_port},
};

/// The site that we are guests of, as far as every page needs it.
#[derive(Clone)]
pub struct Site(Arc<Inner>);

/// See [`Site`].
pub struct Inner {
    /// The origin that browsers see, such as `https://www.example.com`.
    pub public_url: String,
    /// The site's own sign-in page.
    pub sign_in_path: String,
    /// A page of the site that every sign-in passes through.
    pub signed_in_path: Option<String>,
    /// Where a visitor resets the local password.
    pub password_reset_url: Option<String>,
    /// Amazon's authorize page.
    pub authorize_url: String,
    /// How our pages look.
    pub look: Look,
    policy: String,
}

impl Site {
    /// Reads the settings that are about the site.
    ///
    /// # Errors
    ///
    /// [`Unset`] naming the one that is missing or wrong.
    pub fn new(settings: &Settings) -> Result<Self, Unset> {
        let wrong = |name, problem| Unset { name, problem };
        let public_url = settings.text("PUBLIC_URL")?;
        if !is_origin(&public_url) {
            let problem = "is not an https origin without a path, such as https://www.example.com";
            return Err(wrong("PUBLIC_URL", problem));
        }
        let password_reset_url = settings.optional("PASSWORD_RESET_URL").map(str::to_owned);
        let reset_origin = match &password_reset_url {
            None => "",
            Some(path) if is_own_path(path) => "",
            Some(url) if is_https_url(url) || is_loopback(url) => origin(url).unwrap_or_default(),
            Some(_) => {
                return Err(wrong("PASSWORD_RESET_URL", "is neither a path nor an https URL"));
            }
        };
        let region: Region = settings.parsed("LWA_REGION", Region::default())?;
        let authorize_url = settings.loopback_url("LWA_AUTHORIZE_URL")?;
        let authorize_url = authorize_url.unwrap_or_else(|| region.authorize_url().to_owned());
        let color = settings.optional("BRAND_COLOR");
        let hex = |text: &str| {
            text.strip_prefix('#').is_some_and(|digits| {
                digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit())
            })
        };
        if color.is_some_and(|color| !hex(color)) {
            return Err(wrong("BRAND_COLOR", "is not a colour such as #146eb4"));
        }
        let logo = settings.path("BRAND_LOGO_PATH")?;
        let name = settings.optional("BRAND_NAME").unwrap_or_else(|| host(&public_url));
        let look = Look::new(name, logo.as_deref(), color);
        // A form's answer may redirect: to Amazon, and to where passwords are reset. Browsers hold
        // redirects to `form-action` too.
        let amazon = origin(&authorize_url).unwrap_or_default();
        let policy = format!(
            "default-src 'none'; style-src {}; img-src 'self'; form-action 'self' {amazon} {reset_origin}; \
             frame-ancestors 'none'; base-uri 'none'",
            look.style_source()
        )
        .replace(" ;", ";");
        Ok(Self(Arc::new(Inner {
            sign_in_path: settings.path("SIGN_IN_PATH")?.unwrap_or_else(|| "/".to_owned()),
            signed_in_path: settings.path("SIGNED_IN_PATH")?,
            public_url,
            password_reset_url,
            authorize_url,
            look,
            policy,
        })))
    }

    /// No site in particular: what there is to show when not even the settings can be read.
    pub(crate) fn bare() -> Self {
        let look = Look::new("", None, None);
        Self(Arc::new(Inner {
            public_url: String::new(),
            sign_in_path: "/".to_owned(),
            signed_in_path: None,
            password_reset_url: None,
            authorize_url: String::new(),
            policy: format!(
                "default-src 'none'; style-src {}; img-src 'self'; form-action 'self'; \
                 frame-ancestors 'none'; base-uri 'none'",
                look.style_source()
            ),
            look,
        }))
    }

    /// The redirect URI that is registered at Amazon.
    pub fn redirect_uri(&self) -> String {
        self.absolute("/auth/amazon/callback")
    }

    /// A path on this site, as an absolute URL: no browser can take it for another host's.
    pub fn absolute(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }

    /// Where a visitor goes who has just signed in.
    pub fn after_sign_in(&self, return_to: &ReturnTo) -> String {
        match &self.signed_in_path {
            None => self.absolute(return_to.as_str()),
            Some(path) => with_query(&self.absolute(path), &[("return_to", return_to.as_str())]),
        }
    }

    /// Where a sign-in with Amazon begins that leads there.
    pub fn login_href(&self, return_to: &ReturnTo) -> String {
        with_query("/auth/amazon/login", &[("return_to", return_to.as_str())])
    }

    /// The content security policy of every answer.
    pub(crate) fn policy(&self) -> &str {
        &self.policy
    }
}

impl std::ops::Deref for Site {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// A URL with these parameters added to its query.
pub fn with_query(url: &str, parameters: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}{query}")
}

fn origin(url: &str) -> Option<&str> {
    let start = url.find("://")? + 3;
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    Some(&url[..end])
}

fn host(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, host)| host)
}

/// Whether this is an origin as browsers write it, that cookies with `Secure` reach: any other
/// spelling would never be the `Origin` of a form.
fn is_origin(url: &str) -> bool {
    let plain = |host: &str| match host.split_once(':') {
        Some((name, port)) => is_host(name) && is_port(port),
        None => is_host(host),
    };
    let local = is_loopback(url) && origin(url) == Some(url);
    // Browsers leave the usual port out.
    let usual = if url.starts_with("https:") { ":443" } else { ":80" };
    (url.strip_prefix("https://").is_some_and(plain) || local) && !url.ends_with(usual)
}

/// Whether this is a URL on such an origin, and not of this machine.
pub(crate) fn is_https_url(url: &str) -> bool {
    let own = |origin: &str| origin.starts_with("https://") && is_origin(origin);
    origin(url).is_some_and(own) && url.bytes().all(|b| b.is_ascii_graphic())
}

/// Whether browsers write this host so. What ends in a number they take for an IPv4 address.
fn is_host(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let label = |label: &str| !label.is_empty() && label.bytes().all(plain);
    let last = name.rsplit('.').next().unwrap_or_default();
    let number = match last.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_hexdigit()),
        None => last.bytes().all(|b| b.is_ascii_digit()),
    };
    name.split('.').all(label) && (!number || name.parse::<Ipv4Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(pairs: &[(&str, &str)]) -> Result<Site, Unset> {
        let public = [("PUBLIC_URL", "https://shop.example")];
        let all = public.iter().chain(pairs);
        Site::new(&all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_visitor_is_sent_to_an_absolute_url_on_this_site() {
        let to = ReturnTo::parse("/basket?a=b&c").unwrap();
        assert_eq!(site(&[]).unwrap().after_sign_in(&to), "https://shop.example/basket?a=b&c");
        assert_eq!(
            site(&[("SIGNED_IN_PATH", "/welcome?x=1")]).unwrap().after_sign_in(&to),
            "https://shop.example/welcome?x=1&return_to=%2Fbasket%3Fa%3Db%26c"
        );
    }

    #[test]
    fn j04_the_policy_lets_forms_lead_to_us_to_amazon_and_to_the_reset_page() {
        let policy = site(&[]).unwrap().policy().to_owned();
        assert!(policy.contains("form-action 'self' https://www.amazon.com;"), "{policy}");
        let elsewhere =
            site(&[("LWA_REGION", "eu"), ("PASSWORD_RESET_URL", "https://id.example/reset?x")]);
        let policy = elsewhere.unwrap().policy().to_owned();
        assert!(
            policy.contains("form-action 'self' https://eu.account.amazon.com https://id.example;"),
            "{policy}"
        );
    }

    #[test]
    fn a_site_that_cannot_be_is_refused_by_the_settings_name() {
        for (name, value) in [
            ("PUBLIC_URL", "shop.example"),
            ("PUBLIC_URL", "https://shop.example/"),
            ("PUBLIC_URL", "http://shop.example"),
            ("PUBLIC_URL", "https://Shop.example"),
            ("PUBLIC_URL", "https://a@b"),
            ("PUBLIC_URL", "https://shop.example:443"),
            ("PUBLIC_URL", "https://shop.example:0443"),
            ("PUBLIC_URL", "https://localhost:443"),
            ("PUBLIC_URL", "https://shop..example"),
            ("PUBLIC_URL", "https://shop.1"),
            ("PUBLIC_URL", "https://0x7f.1"),
            ("PUBLIC_URL", ""),
            ("SIGN_IN_PATH", "//evil.com"),
            ("SIGNED_IN_PATH", "https://evil.com"),
            ("BRAND_COLOR", "red"),
            ("BRAND_COLOR", "#12345;"),
            ("PASSWORD_RESET_URL", "http://id.example"),
            ("PASSWORD_RESET_URL", "//id.example"),
            ("PASSWORD_RESET_URL", "/\\id.example"),
            ("PASSWORD_RESET_URL", "/reset\r\nSet-Cookie: a=b"),
            ("PASSWORD_RESET_URL", "https://id.example/re set"),
            ("LWA_REGION", "mars"),
            ("LWA_AUTHORIZE_URL", "https://evil.com"),
            ("BRAND_LOGO_PATH", "https://cdn.example/x"),
        ] {
            assert_eq!(site(&[(name, value)]).err().map(|unset| unset.name), Some(name), "{value}");
        }
    }
}
