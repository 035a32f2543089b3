//! Addresses of clients, as proxies tell them.

use std::net::IpAddr;

use proptest::{prelude::*, sample::select};

use super::{holds, nasty};
use crate::address::told;

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u16; 8]>().prop_map(IpAddr::from)]
}

/// What a client sends in the hope of being somebody else, as a header can hold it.
fn pretence() -> impl Strategy<Value = String> {
    let one =
        prop_oneof![address().prop_map(|address| address.to_string()), nasty(), Just("".into())];
    prop::collection::vec(one, 0..4).prop_map(|list| list.join(","))
}

#[test]
fn f_hdr_g07_nothing_that_a_client_sends_changes_the_address_that_the_proxy_tells() {
    let spelled = select(vec!["{}", "[{}]", " {} ", "{}:4711", "[{}]:4711"]);
    holds(2048, (pretence(), address(), address(), spelled), |(before, client, proxy, spelled)| {
        // An address of IPv6 takes brackets with a port, one of IPv4 takes none.
        let spelled = match (client.is_ipv6(), spelled) {
            (true, "{}:4711") => "[{}]:4711",
            (false, "[{}]:4711") => "{}:4711",
            (_, spelled) => spelled,
        };
        let added = spelled.replace("{}", &client.to_string());
        let expected = Some(client.to_canonical());
        let passed_on = format!("{before},{added}");
        for list in [&added, &passed_on] {
            let by_gateway = format!("{list}, {proxy}");
            assert_eq!(told("x-forwarded-for", &by_gateway, proxy), expected, "{by_gateway}");
            assert_eq!(told("x-real-ip", list, proxy), expected, "{list}");
            let with_port = format!("{before},{client}:4711");
            assert_eq!(told("cloudfront-viewer-address", &with_port, proxy), expected);
        }
    });
}

#[test]
fn f_hdr_any_list_of_addresses_is_read_somehow() {
    let header = select(vec!["x-forwarded-for", "x-real-ip", "cloudfront-viewer-address"]);
    holds(2048, (header, pretence(), address()), |(header, list, proxy)| {
        // Junk is nobody: it falls back to where the request came from.
        if let Some(address) = told(header, &list, proxy) {
            assert_eq!(address, address.to_canonical());
        }
    });
}
