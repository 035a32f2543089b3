//! Where a request comes from. Only limits ask.

use std::net::{IpAddr, SocketAddr};

use sha2::{Digest as _, Sha256};

use crate::Request;

/// The header in which a proxy shows that it is ours.
pub const PROXY_SECRET: &str = "x-lwa-proxy-secret";

/// A proxy before the gateway, whose word about its clients' addresses counts: behind it, all of them
/// come from the proxy's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// The header that tells the client's address, in small letters.
    pub header: String,
    /// The ARN of the secret that the proxy sends along as [`PROXY_SECRET`].
    pub secret_arn: String,
}

impl Proxy {
    /// Reads `header=arn:…`, such as `x-forwarded-for=arn:aws:secretsmanager:…`.
    pub fn parse(text: &str) -> Option<Self> {
        let (header, arn) = text.split_once('=')?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let is_name = !header.is_empty() && header.bytes().all(plain);
        let header = header.to_ascii_lowercase();
        let parts: Vec<_> = arn.splitn(7, ':').collect();
        let is_arn = matches!(parts[..], ["arn", _, "secretsmanager", _, _, "secret", name]
            if !name.is_empty());
        let fits = is_name && header != PROXY_SECRET && is_arn;
        fits.then(|| Self { header, secret_arn: arn.to_owned() })
    }

    /// Whether a request says that it comes by the proxy; only then is the secret needed.
    pub fn is_claimed(request: &Request) -> bool {
        request.header(PROXY_SECRET).is_some()
    }

    /// The address of the client whose request the proxy has passed on; nothing where it is not the
    /// proxy's, or tells no address.
    pub fn client(&self, request: &Request, secret: &str) -> Option<IpAddr> {
        let shown = request.header(PROXY_SECRET)?;
        // Hashes, so that how long the comparison takes tells nothing of the secret.
        let is_ours = Sha256::digest(shown) == Sha256::digest(secret);
        is_ours.then(|| told(&self.header, request.header(&self.header)?, request.source)).flatten()
    }
}

/// The address that a header tells: the last of a list, for what stands before it anybody may have
/// sent. To `X-Forwarded-For` the gateway adds where it got the request from, which is the proxy.
pub(crate) fn told(header: &str, value: &str, source: IpAddr) -> Option<IpAddr> {
    let mut list = value.rsplit(',').map(|one| one.trim_matches([' ', '\t']));
    let last = list.next()?;
    if header == "x-forwarded-for" && address(last) == Some(source.to_canonical()) {
        return address(list.next()?);
    }
    // CloudFront adds the port, also to an address of IPv6, and without brackets.
    let with_port = header == "cloudfront-viewer-address";
    match last.rsplit_once(':').filter(|(_, port)| with_port && port.parse::<u16>().is_ok()) {
        Some((before, _)) => address(before),
        None => address(last),
    }
}

/// An address, however it is written; with a port, if it cannot be mistaken.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = match bare.parse::<IpAddr>() {
        Ok(address) => address,
        Err(_) => text.parse::<SocketAddr>().ok()?.ip(),
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_proxy_is_a_header_and_the_arn_of_a_secret() {
        let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:proxy-AbCdEf";
        let proxy = Proxy::parse(&format!("X-Forwarded-For={arn}")).unwrap();
        assert_eq!((&*proxy.header, &*proxy.secret_arn), ("x-forwarded-for", arn));
        for wrong in [
            "",
            "x-forwarded-for",
            "x-forwarded-for=",
            &format!("={arn}"),
            arn,
            &format!("x forwarded for={arn}"),
            &format!("x-lwa-proxy-secret={arn}"),
            "x-forwarded-for=hunter2",
            "x-forwarded-for=arn:aws:ssm:eu-central-1:123456789012:parameter:x",
            "x-forwarded-for=arn:aws:secretsmanager:eu-central-1:123456789012:secret:",
        ] {
            assert_eq!(Proxy::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn g07_of_a_list_of_addresses_the_one_that_the_proxy_added_counts() {
        let proxy = ip("130.176.1.1");
        for (header, value, expected) in [
            // The gateway has added the proxy itself.
            ("x-forwarded-for", "198.51.100.7, 130.176.1.1", Some("198.51.100.7")),
            ("x-forwarded-for", "1.1.1.1, 198.51.100.7, 130.176.1.1", Some("198.51.100.7")),
            ("x-forwarded-for", "1.1.1.1,junk,198.51.100.7,130.176.1.1", Some("198.51.100.7")),
            ("x-forwarded-for", "130.176.1.1, 130.176.1.1", Some("130.176.1.1")),
            ("x-forwarded-for", "1.1.1.1, junk, 130.176.1.1", None),
            ("x-forwarded-for", "1.1.1.1, , 130.176.1.1", None),
            ("x-forwarded-for", "130.176.1.1", None),
            ("x-forwarded-for", "1.1.1.1, 198.51.100.7", Some("198.51.100.7")),
            ("x-real-ip", "198.51.100.7", Some("198.51.100.7")),
            ("x-real-ip", "1.1.1.1, 198.51.100.7", Some("198.51.100.7")),
            ("x-real-ip", "130.176.1.1", Some("130.176.1.1")),
            ("x-real-ip", "198.51.100.7:4711", Some("198.51.100.7")),
            ("x-real-ip", "::ffff:198.51.100.7", Some("198.51.100.7")),
            ("x-real-ip", "[::ffff:198.51.100.7]", Some("198.51.100.7")),
            ("x-real-ip", "2001:DB8::7", Some("2001:db8::7")),
            ("x-real-ip", "[2001:db8::7]:4711", Some("2001:db8::7")),
            ("x-real-ip", "198.51.100.7 , ", None),
            ("x-real-ip", "198.51.100.007", None),
            ("x-real-ip", "0x7f.1", None),
            ("x-real-ip", "fe80::1%eth0", None),
            ("x-real-ip", "unknown", None),
            ("x-real-ip", "", None),
            ("cloudfront-viewer-address", "198.51.100.7:4711", Some("198.51.100.7")),
            ("cloudfront-viewer-address", "2001:db8::7:4711", Some("2001:db8::7")),
            ("cloudfront-viewer-address", "[2001:db8::7]:4711", Some("2001:db8::7")),
            ("cloudfront-viewer-address", "4711", None),
        ] {
            assert_eq!(told(header, value, proxy), expected.map(ip), "{header}: {value}");
        }
    }
}
