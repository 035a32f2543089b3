//! What the template promises of what is deployed: nothing is lost, nothing is kept that should not be.

use std::{collections::BTreeMap, time::Duration};

use serde_norway::Value;

use crate::{none, read, template};

/// The template as it is written.
fn source() -> Value {
    let mut source: Value = serde_norway::from_str(&read("infra/template.yaml")).unwrap();
    source.apply_merge().unwrap();
    source
}

/// The resources of this type, by their logical ids.
fn resources(kind: &str) -> Vec<(String, Value)> {
    let Value::Mapping(all) = &source()["Resources"] else { panic!("there are no resources") };
    let named = all.iter().map(|(id, resource)| (id.as_str().unwrap().to_owned(), resource));
    let ours = named.filter(|(_, resource)| resource["Type"] == *kind);
    let found: Vec<_> = ours.map(|(id, resource)| (id, resource.clone())).collect();
    assert!(!found.is_empty(), "there is no {kind}");
    found
}

#[test]
fn m07_no_policy_is_ready_made_or_says_everything() {
    // SAM would add policies of its own to a function without a role.
    let mut wrong = Vec::new();
    for (id, function) in resources("AWS::Serverless::Function") {
        let properties = &function["Properties"];
        if properties["Role"].is_null() || !properties["Policies"].is_null() {
            wrong.push(format!("{id} has no role of its own"));
        }
    }
    for (id, role) in resources("AWS::IAM::Role") {
        for policy in role["Properties"]["Policies"].as_sequence().into_iter().flatten() {
            for statement in policy["PolicyDocument"]["Statement"].as_sequence().unwrap() {
                let text = serde_norway::to_string(statement).unwrap();
                // Streams and alarms have names that nobody knows beforehand.
                let said = text.replace("/stream/*", "").replace(":alarm:*", "");
                let said = said.replace("Function.Arn}:*", "").replace("Application}/*", "");
                if said.contains('*') || said.contains("NotAction") || said.contains("NotResource")
                {
                    wrong.push(format!("{id} may do too much: {text}"));
                }
            }
        }
    }
    none(wrong);
}

#[test]
fn m13_a_request_ends_before_lambda_ends_it() {
    let serve = read("shared/web/src/serve.rs");
    let (_, deadline) =
        serve.split_once("const DEADLINE: Duration = Duration::from_secs(").unwrap();
    let deadline: u64 = deadline.split(')').next().unwrap().parse().unwrap();
    for function in template().functions {
        let room = function.timeout.checked_sub(Duration::from_secs(deadline));
        let enough = room.is_some_and(|room| room >= Duration::from_secs(2));
        assert!(enough, "{} is killed after {:?}", function.name, function.timeout);
        // The gateway gives up after 30 s.
        assert!(function.timeout < Duration::from_secs(29), "{}", function.name);
        assert!(function.memory >= 128, "{}", function.name);
    }
}

/// Tables whose rows nobody could make again, and the keys by which their rows are found.
const LASTING: [(&str, &str); 2] = [("IdentitiesTable", "pk HASH"), ("AccountsTable", "id HASH")];
/// Tables whose rows end by themselves.
const PASSING: [(&str, &str); 2] =
    [("SessionsTable", "pk HASH, sk RANGE"), ("TicketsTable", "pk HASH, sk RANGE")];

#[test]
fn m18_what_nobody_could_make_again_is_not_lost() {
    let tables = resources("AWS::DynamoDB::Table");
    let mut wrong = Vec::new();
    for (id, table) in &tables {
        let properties = &table["Properties"];
        if properties["SSESpecification"]["SSEEnabled"] != true {
            wrong.push(format!("{id} is not encrypted by a key of the account's"));
        }
        if !LASTING.iter().any(|(lasting, _)| lasting == id) {
            continue;
        }
        let recovers =
            &properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"];
        if *recovers != true || properties["DeletionProtectionEnabled"] != true {
            wrong.push(format!("{id} can be lost"));
        }
        if !properties["TimeToLiveSpecification"].is_null() {
            wrong.push(format!("rows of {id} go by themselves"));
        }
    }
    none(wrong);
}

#[test]
fn m19_no_deployment_replaces_a_table_that_lasts() {
    let tables: BTreeMap<_, _> = resources("AWS::DynamoDB::Table").into_iter().collect();
    let known: Vec<_> = LASTING.iter().chain(&PASSING).collect();
    assert_eq!(tables.len(), known.len(), "a table is not in the lists here: {:?}", tables.keys());
    for (id, keys) in known {
        // Another logical id, a name or another key would make CloudFormation replace the table.
        let table = tables.get(*id).unwrap_or_else(|| panic!("{id} has another name by now"));
        let schema = table["Properties"]["KeySchema"].as_sequence().unwrap();
        let schema = schema.iter().map(|key| {
            let part = |name: &str| key[name].as_str().unwrap();
            format!("{} {}", part("AttributeName"), part("KeyType"))
        });
        assert_eq!(schema.collect::<Vec<_>>().join(", "), *keys, "{id}");
        assert!(
            table["Properties"]["TableName"].is_null(),
            "{id} is named, and cannot be replaced"
        );
        let lasts = LASTING.iter().any(|(lasting, _)| lasting == id);
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            assert_eq!(table[policy], if lasts { "Retain" } else { "Delete" }, "{policy} of {id}");
        }
    }
}

#[test]
fn k04_no_log_of_the_gateway_keeps_what_visitors_bring() {
    // Paths and queries of visitors hold codes and states.
    let may = [
        "$context.requestId",
        "$context.requestTime",
        "$context.requestTimeEpoch",
        "$context.routeKey",
        "$context.status",
        "$context.protocol",
        "$context.responseLength",
        "$context.responseLatency",
        "$context.integrationLatency",
        "$context.integrationStatus",
        "$context.extendedRequestId",
        "$context.identity.sourceIp",
    ];
    let mut wrong = Vec::new();
    for (id, api) in resources("AWS::Serverless::HttpApi") {
        let format = &api["Properties"]["AccessLogSettings"]["Format"];
        let format = format.as_str().expect("there is no access log");
        for (at, _) in format.match_indices('$') {
            let rest = &format[at..];
            let is_name = |c: char| c == '$' || c == '.' || c.is_ascii_alphanumeric();
            let name = &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())];
            if !may.contains(&name) {
                wrong.push(format!("{id} logs {name}"));
            }
        }
    }
    none(wrong);
}

#[test]
fn k11_what_is_short_lived_goes_by_itself() {
    let template = template();
    for (id, _) in PASSING {
        let name = id.strip_suffix("Table").unwrap().to_lowercase();
        let table = template.tables.iter().find(|table| table.name == name).unwrap();
        assert_eq!(table.ttl.as_deref(), Some("ttl"), "{id}");
    }
}

#[test]
fn k12_no_secret_is_in_a_functions_settings() {
    let mut wrong = Vec::new();
    for function in template().functions {
        for name in function.settings.keys() {
            let secret = ["SECRET", "PASSWORD", "TOKEN", "PRIVATE", "CREDENTIAL"];
            let is_place = name.ends_with("_ARN") || name.ends_with("_URL");
            if secret.iter().any(|word| name.contains(word)) && !is_place {
                wrong.push(format!("{} is given {name}", function.name));
            }
        }
    }
    let text = read("infra/template.yaml");
    for word in ["NoEcho", "{{resolve:", "SecretString"] {
        if text.contains(word) {
            wrong.push(format!("the template contains {word}"));
        }
    }
    none(wrong);
}

#[test]
fn c15_the_authorizer_is_asked_every_time_and_by_the_gateway_alone() {
    let [(id, authorizer)] = &resources("AWS::ApiGatewayV2::Authorizer")[..] else {
        panic!("there is one authorizer");
    };
    let properties = &authorizer["Properties"];
    assert_eq!(id, "SessionAuthorizer");
    assert_eq!(properties["AuthorizerType"], "REQUEST");
    assert_eq!(properties["AuthorizerPayloadFormatVersion"], "2.0");
    assert_eq!(properties["EnableSimpleResponses"], true);
    // Absent, it would be a default of AWS's.
    assert_eq!(properties["AuthorizerResultTtlInSeconds"], 0);
    // With an identity source, whoever brings none of it would be refused unasked: an app has no cookie.
    assert!(properties["IdentitySource"].is_null(), "{properties:?}");
    let text = |value: &Value| serde_norway::to_string(value).unwrap();
    let uri = text(&properties["AuthorizerUri"]);
    assert!(uri.contains("functions/${Live}/invocations"), "{uri}");
    assert!(uri.contains("Live: !Ref AuthorizerFunction.Alias"), "{uri}");
    // The gateway may invoke it as its authorizer, and nobody has a route to it.
    let permissions = resources("AWS::Lambda::Permission");
    let permission = permissions.iter().map(|(_, permission)| &permission["Properties"]);
    let mut permission = permission.filter(|properties| text(properties).contains("Authorizer"));
    let properties = permission.next().unwrap();
    assert!(permission.next().is_none(), "{permissions:?}");
    assert_eq!(properties["Principal"], "apigateway.amazonaws.com");
    assert!(text(&properties["SourceArn"]).contains("${Api}/authorizers/${SessionAuthorizer}"));
    let template = template();
    let function = template.functions.iter().find(|function| function.name == "authorizer");
    let function = function.unwrap();
    assert!(function.routes.is_empty(), "{:?}", function.routes);
    // API Gateway waits ten seconds; the function itself says no before that (m13).
    assert!(function.timeout >= Duration::from_secs(10), "{:?}", function.timeout);
}
