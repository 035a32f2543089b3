//! What the functions are told, read by their own rules.

use std::collections::BTreeMap;

use domain::amazon::Region;
use entrance::Entrance;
use web::{Fatal, Settings, Site};

use crate::{
    deployment::{Deployment, Function, Stack, is_localhost},
    round::{Check, Round, Seen, advice, not_checked, ok, wrong},
};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "deployment",
        name: "The last deployment went through",
        after: &[],
        mend: "Deploy once more: `sam build`, `sam deploy`; the events of the stack say what failed.",
        read: "Deploy",
    },
    Check {
        id: "functions",
        name: "Every function is there and runs",
        after: &[],
        mend: "Deploy once more: `sam build`, `sam deploy`.",
        read: "Deploy",
    },
    Check {
        id: "settings",
        name: "Every function can read its settings",
        after: &[],
        mend: "Deploy once more with that parameter as it is described.",
        read: "Settings",
    },
    Check {
        id: "settings-agree",
        name: "All functions have the same settings",
        after: &[],
        mend: "Somebody changed one function alone: set it for all of them, by `sam deploy`.",
        read: "Settings",
    },
    Check {
        id: "public-url",
        name: "PUBLIC_URL is the origin that browsers see",
        after: &["settings"],
        mend: "Set PUBLIC_URL to the origin of your site, which passes `/auth/*` on to the API: cookies are of its host alone.",
        read: "What your site has to do",
    },
    Check {
        id: "stand-ins",
        name: "Nobody stands in for Amazon",
        after: &["public-url"],
        mend: "Leave LWA_AUTHORIZE_URL and LWA_API_URL empty: they are for development, where functions run on your own machine.",
        read: "Settings",
    },
    Check {
        id: "amazon-region",
        name: "LWA_REGION is the one of your customers",
        after: &["public-url"],
        mend: "Set LWA_REGION to `eu` for Europe, `fe` for Japan, `na` for the rest: it works from anywhere, and is slower from far away.",
        read: "Settings",
    },
    Check {
        id: "endpoints",
        name: "DynamoDB and Secrets Manager answer",
        after: &[],
        mend: "Start `cargo local`, or set AWS_ENDPOINT_URL_DYNAMODB and AWS_ENDPOINT_URL_SECRETS_MANAGER to where they are.",
        read: "Develop",
    },
];

pub(super) async fn look(round: &mut Round<'_>) {
    let deployment = round.deployment;
    let url = deployment.public_url();
    round.note("deployment", went_through(deployment.stack.as_ref()));
    round.note("functions", functions(deployment.stack.as_ref(), &deployment.functions));
    round.note("settings", readable(&deployment.functions));
    round.note("settings-agree", agreed(&deployment.functions));
    if round.is_due("public-url") {
        round.note("public-url", public_url(url, deployment.stack.is_some()));
    }
    if round.is_due("stand-ins") {
        round.note("stand-ins", stand_ins(deployment));
    }
    if round.is_due("amazon-region") {
        let region = deployment.setting("LWA_REGION").unwrap_or_default();
        round.note("amazon-region", amazon_region(url, region));
    }
    let mut silent = Vec::new();
    for (service, url) in ["DynamoDB", "Secrets Manager"].iter().zip(&deployment.aws.endpoints) {
        if let Err(said) = round.http.get(url, &[]).await {
            silent.push(format!("{service}: {said}"));
        }
    }
    let seen = match silent.as_slice() {
        [] => Ok(format!("in {}", deployment.region)),
        _ if deployment.stack.is_some() => not_checked(silent.join("; ")),
        _ => wrong(silent.join("; ")),
    };
    round.note("endpoints", seen);
}

fn went_through(stack: Option<&Stack>) -> Seen {
    match stack.map(|stack| stack.status.as_str()) {
        None => Ok("there is none on this machine".to_owned()),
        Some(status) if status.contains("ROLLBACK") || status.contains("FAILED") => {
            wrong(format!("it ended with {status}"))
        }
        Some(status) => Ok(status.to_owned()),
    }
}

fn functions(stack: Option<&Stack>, functions: &[Function]) -> Seen {
    let Some(stack) = stack else { return Ok("this machine runs its own".to_owned()) };
    // Without NOTICES nobody is told anything.
    let missing: Vec<_> =
        stack.missing.iter().filter(|name| **name != "notices").copied().collect();
    if !missing.is_empty() {
        return wrong(format!("the stack has no {}", missing.join(", ")));
    }
    let failed = functions.iter().find_map(|one| Some((one.name, one.problem.as_ref()?)));
    match failed {
        Some((name, problem)) => wrong(format!("{name}: {problem}")),
        None => Ok(format!("{} of them", functions.len())),
    }
}

fn readable(functions: &[Function]) -> Seen {
    let mut problems: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for function in functions.iter().filter(|function| function.problem.is_none()) {
        if let Err(problem) = read(function.name, &function.read()) {
            problems.entry(problem.to_string()).or_default().push(function.name);
        }
    }
    if problems.is_empty() {
        return ok();
    }
    let said = problems.iter().map(|(problem, names)| format!("{problem} ({})", names.join(", ")));
    wrong(said.collect::<Vec<_>>().join("; "))
}

/// Reads what a function reads when it starts.
fn read(function: &str, settings: &Settings) -> Result<(), Fatal> {
    if function != "authorizer" {
        let site = Site::new(settings)?;
        if ["login", "reauthenticate", "connections"].contains(&function) {
            settings.authorization(&site)?;
        }
    }
    match function {
        "callback" | "link" | "register" | "handoff" | "device" | "reauthenticate"
        | "connections" => {
            Entrance::read(settings)?;
        }
        "lifecycle" | "notices" => {
            let (region, endpoint) = settings.aws("AWS_ENDPOINT_URL_DYNAMODB")?;
            let config = aws::config(aws::Place { region, endpoint })?;
            let client = aws_sdk_dynamodb::Client::new(&config);
            entrance::destination(settings, &entrance::accounts(settings, &client)?)?;
            settings.text("TICKETS_TABLE")?;
        }
        _ => {}
    }
    match function {
        "callback" | "handoff" => {
            settings.text("LWA_CLIENT_ID")?;
            // Where somebody stands in for Amazon, the secret may be in the environment.
            let given = settings.loopback_url("LWA_API_URL")?.is_some()
                && settings.optional("LWA_CLIENT_SECRET").is_some();
            if !given {
                settings.text("LWA_CLIENT_SECRET_ARN")?;
            }
        }
        "session" | "logout" | "accept" | "authorizer" => {
            settings.text("SESSIONS_TABLE")?;
            settings.seconds("SESSION_IDLE_SECONDS", 43_200)?;
        }
        _ => {}
    }
    match function {
        "callback" | "register" => {
            settings.path("LINK_PAGE_PATH")?;
            settings.path("REGISTER_PAGE_PATH")?;
        }
        "handoff" | "device" => {
            settings.proxy("TRUSTED_PROXY")?;
        }
        "accept" => {
            settings.text("TICKETS_TABLE")?;
        }
        _ => {}
    }
    Ok(())
}

fn agreed(functions: &[Function]) -> Seen {
    let mut first: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    let mut differ = Vec::new();
    for function in functions {
        // What is Lambda's own is said to each.
        let ours = function.settings.iter().filter(|(name, _)| !name.starts_with("AWS_"));
        for (name, value) in ours {
            let (other, known) = first.entry(name).or_insert((function.name, value));
            if known != value {
                differ.push(format!("{name} of {} is not that of {other}", function.name));
            }
        }
    }
    if differ.is_empty() { ok() } else { wrong(differ.join("; ")) }
}

fn public_url(url: &str, deployed: bool) -> Seen {
    let host = url.split_once("://").map_or(url, |(_, host)| host);
    let suffixes = [
        ".cloudfront.net",
        ".amplifyapp.com",
        ".awsapprunner.com",
        ".elasticbeanstalk.com",
        ".elb.amazonaws.com",
        ".netlify.app",
        ".vercel.app",
    ];
    if host.contains(".execute-api.") {
        return wrong(format!("{url} is the API's own address, and not your site's"));
    }
    if is_localhost(url) && deployed {
        return advice(format!("{url} is each visitor's own machine"));
    }
    match suffixes.into_iter().find(|suffix| host.ends_with(suffix)) {
        Some(suffix) => advice(format!(
            "{url} is a name below {suffix}, which visitors will not take for yours"
        )),
        None => Ok(url.to_owned()),
    }
}

fn stand_ins(deployment: &Deployment) -> Seen {
    let names = ["LWA_AUTHORIZE_URL", "LWA_API_URL"];
    let set: Vec<_> = names.into_iter().filter(|name| deployment.setting(name).is_some()).collect();
    match set.as_slice() {
        [] => ok(),
        [one] => wrong(format!("{one} is set, and the other one is not")),
        _ if deployment.is_here() => Ok("but for this machine's own".to_owned()),
        _ => wrong("they are set, and a function in Lambda finds nobody there"),
    }
}

fn amazon_region(url: &str, region: &str) -> Seen {
    const EUROPE: [&str; 12] =
        ["uk", "de", "fr", "it", "es", "nl", "be", "se", "pl", "at", "ie", "eu"];
    let region = region.parse().unwrap_or(Region::Na);
    let host = url.rsplit(':').find(|part| part.contains('.')).unwrap_or_default();
    let fits = match host.rsplit('.').next().unwrap_or_default() {
        "jp" => Region::Fe,
        country if EUROPE.contains(&country) => Region::Eu,
        _ => region,
    };
    let word = match region {
        Region::Na => "na",
        Region::Eu => "eu",
        Region::Fe => "fe",
    };
    if fits == region { Ok(word.to_owned()) } else { advice(format!("it is {word}, for {host}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::round::Otherwise::{Advice, Wrong};

    #[test]
    fn the_apis_own_address_is_no_site() {
        let api = "https://abc123.execute-api.eu-central-1.amazonaws.com";
        assert!(matches!(public_url(api, true), Err(Wrong(_))));
        for trial in ["https://d111.cloudfront.net", "http://localhost:3000"] {
            assert!(matches!(public_url(trial, true), Err(Advice(_))), "{trial}");
        }
        for right in ["https://www.example.com", "https://cloudfront.net.example"] {
            assert!(public_url(right, true).is_ok(), "{right}");
        }
        assert!(public_url("http://localhost:3000", false).is_ok());
    }

    #[test]
    fn a_region_is_advised_where_the_country_is_known() {
        for (url, region, right) in [
            ("https://www.example.com", "", true),
            ("https://www.example.com", "eu", true),
            ("https://www.example.de", "eu", true),
            ("https://www.example.de", "", false),
            ("https://www.example.co.uk:8443", "na", false),
            ("https://www.example.co.jp", "fe", true),
            ("https://www.example.co.jp", "eu", false),
            ("http://localhost:3000", "fe", true),
        ] {
            assert_eq!(amazon_region(url, region).is_ok(), right, "{url} {region}");
        }
    }

    #[test]
    fn a_deployment_that_failed_or_lacks_a_function_is_wrong() {
        let stack = |status: &str, missing: &[&'static str]| Stack {
            status: status.to_owned(),
            api: None,
            accounts_key: None,
            missing: missing.to_vec(),
        };
        let right = stack("CREATE_COMPLETE", &["notices"]);
        assert!(functions(Some(&right), &[]).is_ok() && went_through(Some(&right)).is_ok());
        assert!(functions(Some(&stack("CREATE_COMPLETE", &["login"])), &[]).is_err());
        for status in ["UPDATE_ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_COMPLETE"] {
            assert!(went_through(Some(&stack(status, &[]))).is_err(), "{status}");
        }
    }
}
