use std::collections::BTreeMap;

use super::*;

fn parameters(given: &[(&str, &str)]) -> BTreeMap<String, String> {
    given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const NEEDED: [(&str, &str); 3] = [
    ("PublicUrl", "http://localhost:3000"),
    ("LwaClientId", "amzn1.application-oa2-client.1"),
    ("LwaClientSecretArn", "arn:aws:secretsmanager:us-east-1:000000000000:secret:lwa"),
];

fn ours(more: &[(&str, &str)]) -> Template {
    Template::read(&parameters(&[&NEEDED[..], more].concat())).unwrap()
}

/// A template with one function that has one setting.
fn setting(value: &str, given: &[(&str, &str)]) -> Result<String, String> {
    let yaml = format!(
        r#"
Parameters:
  Colour: {{ Type: String, Default: red, AllowedValues: [red, blue] }}
  Size: {{ Type: Number, Default: 5 }}
Conditions:
  IsRed: !Equals [!Ref Colour, red]
  IsFive: !Equals [!Ref Size, "5"]
  IsRedFive: !And [!Condition IsRed, !Condition IsFive]
  IsEither: !Or [!Condition IsRed, !Condition IsFive]
  IsBlue: !Not [!Condition IsRed]
Resources:
  RowsTable: {{ Type: AWS::DynamoDB::Table }}
  F:
    Type: AWS::Serverless::Function
    Metadata: {{ BuildProperties: {{ Binary: f }} }}
    Properties:
      Environment:
        Variables:
          IT: {value}
"#
    );
    let template = Template::parse(&yaml, &parameters(given)).map_err(|error| error.to_string())?;
    Ok(template.functions[0].settings.get("IT").cloned().unwrap_or_default())
}

#[test]
fn every_function_has_a_binary_and_a_route_but_those_that_something_else_invokes() {
    let template = ours(&[("Notices", "arn:aws:sqs:us-east-1:000000000000:notices")]);

    let mut invoked = Vec::new();
    for function in &template.functions {
        assert!(!function.name.is_empty(), "{function:?}");
        invoked.extend(function.routes.is_empty().then_some(function.name.as_str()));
    }
    // By the gateway itself, by a stream and a schedule, and by CodeDeploy.
    assert_eq!(invoked, ["authorizer", "notices", "pretraffic"]);
    let (session, key) = template.route("GET", "/auth/session").unwrap();
    assert_eq!((session.name.as_str(), key.as_str()), ("session", "ANY /auth/session"));
    let (elsewhere, key) = template.route("GET", "/auth/nowhere").unwrap();
    assert_eq!((elsewhere.name.as_str(), key.as_str()), ("session", "$default"));
}

#[test]
fn a_function_is_there_where_its_condition_holds() {
    let tells = |notices| {
        let template = ours(&[("Notices", notices)]);
        template.functions.iter().any(|function| function.name == "notices")
    };

    assert!(tells("arn:aws:sqs:us-east-1:000000000000:notices"));
    assert!(!tells("none"));
}

#[test]
fn a_function_gets_what_all_get_and_what_is_its_own() {
    let template = ours(&[("BrandName", "Corner Shop")]);
    let (callback, _) = template.route("GET", "/auth/amazon/callback").unwrap();

    for (name, value) in [
        ("PUBLIC_URL", "http://localhost:3000"),
        ("BRAND_NAME", "Corner Shop"),
        ("SESSIONS_TABLE", "sessions"),
        ("ACCOUNTS_TABLE", "accounts"),
        ("SESSION_IDLE_SECONDS", "43200"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
    ] {
        assert_eq!(callback.settings.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!((callback.memory, callback.timeout.as_secs()), (256, 12));
    let (link, _) = template.route("POST", "/auth/amazon/link").unwrap();
    assert_eq!(link.memory, 1769);
}

#[test]
fn what_aws_is_to_refuse_is_read_with_its_conditions() {
    let limits = |given| {
        let template = ours(given);
        let (link, key) = template.route("POST", "/auth/amazon/link").unwrap();
        (link.reserved, template.throttles.routes[&key], template.throttles.stage)
    };
    let dear = Throttle { rate: 50, burst: 100 };

    let usual = (Some(10), dear, Some(Throttle { rate: 1000, burst: 2000 }));
    assert_eq!(limits(&[]), usual);
    let given = [("LinkConcurrency", "0"), ("RequestsPerSecond", "7"), ("RequestsAtOnce", "9")];
    assert_eq!(limits(&given), (None, dear, Some(Throttle { rate: 7, burst: 9 })));
    // A route's settings count for the key that the API gives it.
    let template = ours(&[]);
    let keys: Vec<_> = template.functions.iter().flat_map(|f| &f.routes).map(Route::key).collect();
    assert!(template.throttles.routes.keys().all(|key| keys.contains(key)));
    assert!(template.functions.iter().all(|f| f.name == "link" || f.reserved.is_none()));
}

#[test]
fn a_table_of_the_operators_own_is_not_created() {
    let names = |template: &Template| -> Vec<_> {
        template.tables.iter().map(|table| table.name.clone()).collect()
    };
    assert_eq!(names(&ours(&[])), ["identities", "sessions", "tickets", "accounts"]);

    let template = ours(&[("AccountsTableName", "customers")]);

    assert_eq!(names(&template), ["identities", "sessions", "tickets"]);
    let (callback, _) = template.route("GET", "/auth/amazon/callback").unwrap();
    assert_eq!(callback.settings["ACCOUNTS_TABLE"], "customers");
}

#[test]
fn a_table_is_defined_as_create_table_wants_it() {
    let template = ours(&[]);
    let table = |name| template.tables.iter().find(|table| table.name == name).unwrap();

    assert_eq!(table("sessions").ttl.as_deref(), Some("ttl"));
    assert_eq!(table("accounts").ttl, None);
    assert_eq!(table("accounts").definition["GlobalSecondaryIndexes"][0]["IndexName"], "by_email");
    assert_eq!(table("accounts").definition["TableName"], "accounts");
}

#[test]
fn functions_of_cloudformation() {
    for (value, expected) in [
        ("!Ref Colour", "red"),
        ("{ Ref: Colour }", "red"),
        ("!Ref Size", "5"),
        ("7", "7"),
        ("true", "true"),
        (
            "!Sub 'a ${Colour} one of ${Size}, ${!this} in ${AWS::Region}'",
            "a red one of 5, ${this} in us-east-1",
        ),
        ("!Sub ['${Colour} ${more}', { more: !Ref Size }]", "red 5"),
        ("!GetAtt RowsTable.Arn", "arn:aws:dynamodb:us-east-1:000000000000:table/rows"),
        ("!GetAtt [RowsTable, Arn]", "arn:aws:dynamodb:us-east-1:000000000000:table/rows"),
        (
            "!GetAtt RowsTable.StreamArn",
            "arn:aws:dynamodb:us-east-1:000000000000:table/rows/stream/1",
        ),
        ("!GetAtt F.Arn", "arn:aws:lambda:us-east-1:000000000000:function:F"),
        (
            "!Sub '${RowsTable.Arn}/index/x'",
            "arn:aws:dynamodb:us-east-1:000000000000:table/rows/index/x",
        ),
        ("!Ref RowsTable", "rows"),
        ("!If [IsRed, yes, no]", "yes"),
        ("!If [IsBlue, 'yes', 'no']", "no"),
        ("!If [!Equals [5, '5'], same, other]", "same"),
        ("{ 'Fn::If': [IsRedFive, both, not] }", "both"),
        ("!If [IsEither, either, none]", "either"),
        ("!If [IsBlue, something, !Ref AWS::NoValue]", ""),
        ("!Join ['-', [!Ref Colour, x, !Ref Size]]", "red-x-5"),
    ] {
        assert_eq!(setting(value, &[]).as_deref(), Ok(expected), "{value}");
    }
    assert_eq!(setting("!If [IsRedFive, both, not]", &[("Size", "6")]).as_deref(), Ok("not"));
    assert_eq!(setting("!If [IsEither, either, none]", &[("Size", "6")]).as_deref(), Ok("either"));
}

#[test]
fn what_is_not_understood_is_said() {
    for (value, given, said) in [
        ("!Select [0, [a]]", ("Size", "5"), "F in the template: !Select is not understood here"),
        (
            "!Ref Nothing",
            ("Size", "5"),
            "F in the template: the template has nothing called Nothing",
        ),
        (
            "!GetAtt RowsTable.Label",
            ("Size", "5"),
            "F in the template: !GetAtt RowsTable.Label is not understood here",
        ),
        ("!If [IsGreen, a, b]", ("Size", "5"), "F in the template: there is no condition IsGreen"),
        ("x", ("Colour", "green"), "the parameter Colour cannot be \"green\""),
        ("x", ("Weight", "5"), "the template has no parameter Weight"),
    ] {
        assert_eq!(setting(value, &[given]).unwrap_err(), said, "{value} {given:?}");
    }
    let error = Template::read(&parameters(&NEEDED[1..])).unwrap_err();
    assert_eq!(error.to_string(), "the parameter PublicUrl needs a value");
}

#[test]
fn settings_that_several_functions_share_are_merged_as_sam_does() {
    let yaml = r#"
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: f } }
    Properties:
      Environment: { Variables: { <<: [&tables { A: 1, B: 2 }, &limits { C: 3 }], B: own } }
  G:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: g } }
    Properties:
      Environment: { Variables: { <<: *tables } }
"#;
    let template = Template::parse(yaml, &BTreeMap::new()).unwrap();
    let settings = |at: usize| {
        let settings = template.functions[at].settings.iter();
        settings.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
    };
    assert_eq!(settings(0), ["A=1", "B=own", "C=3"]);
    assert_eq!(settings(1), ["A=1", "B=2"]);
}
