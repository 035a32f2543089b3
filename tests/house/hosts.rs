//! What the recipes for the site's own host promise. nginx runs in the journeys; CloudFront can only be read.

use std::collections::BTreeSet;

use serde_norway::Value;

use crate::{none, read};

const CACHING_DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
const ALL_VIEWER_EXCEPT_HOST: &str = "b689b0a8-53d0-40ab-baf2-68738e2966ac";

fn cloudfront() -> Value {
    serde_norway::from_str(&read("infra/host/cloudfront.yaml")).unwrap()
}

fn distribution() -> Value {
    let resource = cloudfront()["Resources"]["Distribution"].clone();
    assert_eq!(resource["Type"], "AWS::CloudFront::Distribution");
    resource["Properties"]["DistributionConfig"].clone()
}

fn sequence<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_sequence().unwrap_or_else(|| panic!("there are no {name}"))
}

/// The one of a list that says so.
fn one<'a>(list: &'a [Value], name: &str, value: &str) -> &'a Value {
    let mut found = list.iter().filter(|one| one[name] == value);
    let one = found.next().unwrap_or_else(|| panic!("nothing has {name} {value}"));
    assert!(found.next().is_none(), "two have {name} {value}");
    one
}

fn text(value: &Value) -> String {
    serde_norway::to_string(value).unwrap()
}

#[test]
fn cloudfront_keeps_nothing_of_ours_and_passes_on_all_of_it() {
    let config = distribution();
    let behaviours = sequence(&config, "CacheBehaviors");
    let ours = one(behaviours, "PathPattern", "/auth/*");
    // An earlier pattern would win.
    assert_eq!(&behaviours[0], ours);
    assert_eq!(ours["TargetOriginId"], "api");
    assert_eq!(ours["CachePolicyId"], CACHING_DISABLED);
    assert_eq!(ours["OriginRequestPolicyId"], ALL_VIEWER_EXCEPT_HOST);
    assert_eq!(ours["ViewerProtocolPolicy"], "https-only");
    assert_eq!(ours["Compress"], false);
    let methods = sequence(ours, "AllowedMethods").iter().map(|method| method.as_str().unwrap());
    let all = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
    assert_eq!(methods.collect::<BTreeSet<_>>(), all.into());
    for gone in ["ResponseHeadersPolicyId", "FunctionAssociations", "LambdaFunctionAssociations"] {
        assert!(ours[gone].is_null(), "{gone} would change what passes");
    }
    // The site asks us who is there, with the cookies that it got.
    assert_eq!(config["DefaultCacheBehavior"]["TargetOriginId"], "site");
    assert_eq!(config["DefaultCacheBehavior"]["CachePolicyId"], CACHING_DISABLED);
}

#[test]
fn cloudfront_shows_no_error_to_anybody_else_and_no_page_of_its_own() {
    let config = distribution();
    let mut kept: BTreeSet<u64> =
        [400, 403, 404, 405, 414, 500, 501, 502, 503, 504].into_iter().collect();
    let mut wrong = Vec::new();
    for error in sequence(&config, "CustomErrorResponses") {
        let code = error["ErrorCode"].as_u64().unwrap();
        let page = !error["ResponsePagePath"].is_null() || !error["ResponseCode"].is_null();
        if page || error["ErrorCachingMinTTL"] != 0 {
            wrong.push(format!("{code} is kept, or is a page of the distribution's"));
        }
        kept.remove(&code);
    }
    wrong.extend(kept.iter().map(|code| format!("{code} is kept for ten seconds")));
    none(wrong);
}

#[test]
fn m10_cloudfront_shows_the_api_that_it_is_the_sites_and_nobody_else_learns_how() {
    let config = distribution();
    let origins = sequence(&config, "Origins");
    for origin in origins {
        let custom = &origin["CustomOriginConfig"];
        assert_eq!(custom["OriginProtocolPolicy"], "https-only");
        assert_eq!(sequence(custom, "OriginSSLProtocols"), [Value::from("TLSv1.2")]);
    }
    let api = one(origins, "Id", "api");
    assert!(text(&api["DomainName"]).contains("ApiHost"));
    assert_eq!(api["ConnectionAttempts"], 1);
    let headers = sequence(api, "OriginCustomHeaders");
    let secret = one(headers, "HeaderName", "X-Lwa-Proxy-Secret");
    assert!(text(&secret["HeaderValue"]).contains("{{resolve:secretsmanager:${ProxySecret}}}"));
    assert!(one(origins, "Id", "site")["OriginCustomHeaders"].is_null());

    let template = cloudfront();
    let secret = &template["Resources"]["ProxySecret"];
    assert_eq!(secret["Type"], "AWS::SecretsManager::Secret");
    let generated = &secret["Properties"]["GenerateSecretString"];
    assert!(generated["PasswordLength"].as_u64() >= Some(32));
    // Punctuation may not be in a header, and JSON would be a header with quotes.
    assert_eq!(generated["ExcludePunctuation"], true);
    assert!(generated["SecretStringTemplate"].is_null());
    let outputs = &template["Outputs"];
    assert!(text(&outputs["TrustedProxySecretArn"]["Value"]).contains("ProxySecret"));
    // By this name the address is read with its port.
    let header = outputs["TrustedProxyHeader"]["Value"].as_str().unwrap().to_lowercase();
    let read_with_port = format!("let with_port = header == \"{header}\";");
    assert!(read("shared/web/src/address.rs").contains(&read_with_port), "{header}");
    for (_, output) in outputs.as_mapping().unwrap() {
        assert!(!text(output).contains("resolve"), "{output:?}");
    }
}

#[test]
fn l03_cloudfront_speaks_no_old_tls() {
    let viewer = &distribution()["ViewerCertificate"];
    assert_eq!(viewer["MinimumProtocolVersion"], "TLSv1.2_2021");
    assert_eq!(viewer["SslSupportMethod"], "sni-only");
}

#[test]
fn k04_no_log_of_the_recipes_keeps_a_query() {
    let mut wrong = Vec::new();
    let config = distribution();
    let log =
        |value: &Value| !value["Logging"].is_null() || !value["RealtimeLogConfigArn"].is_null();
    let behaviours = sequence(&config, "CacheBehaviors");
    if log(&config) || log(&config["DefaultCacheBehavior"]) || behaviours.iter().any(log) {
        wrong.push("CloudFront's standard logs hold queries".to_owned());
    }
    let nginx = read("infra/host/nginx.conf");
    let directives = || nginx.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let formats: Vec<_> = directives().filter(|line| line.starts_with("log_format ")).collect();
    assert_eq!(formats.len(), 1);
    let told = [
        "$request ",
        "$request\"",
        "$request_uri",
        "$args",
        "$arg_",
        "$query",
        "$http_",
        "$cookie_",
    ];
    let told = told.iter().filter(|name| formats[0].contains(**name));
    wrong.extend(told.map(|name| format!("nginx logs {name}")));
    let logs: Vec<_> = directives().filter(|line| line.starts_with("access_log ")).collect();
    assert!(!logs.is_empty(), "nginx's own format has the whole URL");
    let others = logs.iter().filter(|line| !line.ends_with(" lwa;"));
    wrong.extend(others.map(|line| format!("nginx logs by another format: {line}")));
    none(wrong);
}

#[test]
fn every_parameter_of_a_recipe_says_what_it_is() {
    let template = cloudfront();
    let mut wrong = Vec::new();
    for (name, parameter) in template["Parameters"].as_mapping().unwrap() {
        for needed in ["Description", "AllowedPattern", "ConstraintDescription"] {
            if !parameter[needed].is_string() {
                wrong.push(format!("{name:?} lacks {needed}"));
            }
        }
    }
    none(wrong);
}
