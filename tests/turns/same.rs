use std::{fs, path::Path};

use local_stack::{Release, Stack, template::Template};
use serde_json::Value;
use tests::{Flow, cheap_passwords};

use crate::{end, stack};

/// The specimens, each with its name, the function that it is for, and the event.
fn specimens() -> Vec<(String, String, String)> {
    let needed = [
        ("PublicUrl", "https://shop.example"),
        ("LwaClientId", "amzn1.application-oa2-client.0123"),
        ("LwaClientSecretArn", "arn:aws:secretsmanager:us-east-1:000000000000:secret:lwa"),
    ];
    let needed = needed.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let template = Template::read(&needed.into()).unwrap();
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../events"));
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension() == Some("json".as_ref())).collect();
    files.sort();
    assert!(files.len() > 40);
    let specimen = |path: &std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let event = fs::read_to_string(path).unwrap();
        let told: Value = serde_json::from_str(&event).unwrap();
        let http = &told["requestContext"]["http"];
        // What does not come by a route is named after its function.
        let named = name.split('-').next().unwrap().to_owned();
        let by_route = http["method"].as_str().zip(http["path"].as_str());
        let by_route = by_route.filter(|_| told["type"] != "REQUEST");
        let by_route = by_route.and_then(|(method, path)| template.route(method, path));
        let function = by_route.map_or(named, |(function, _)| function.name.clone());
        (name, function, event)
    };
    files.iter().map(specimen).collect()
}

/// What a function returns, without what is another each time: how a request ended, or what of an answer
/// to somebody else is no text.
async fn class(stack: &Stack, function: &str, event: &str) -> String {
    let Some(returned) = stack.invoke(function, event).await else { return "an error".to_owned() };
    let returned: Value = serde_json::from_slice(&returned).unwrap();
    if returned["statusCode"].is_null() {
        let members = returned.as_object().into_iter().flatten();
        let members = members.map(|(name, value)| match value {
            Value::String(_) => name.clone(),
            value => format!("{name}: {value}"),
        });
        return members.collect::<Vec<_>>().join(", ");
    }
    let body = returned["body"].as_str().unwrap_or_default();
    let problem: Value = serde_json::from_str(body).unwrap_or_default();
    let page = body.split_once("<main data-code=\"").and_then(|(_, rest)| rest.split('"').next());
    let code = problem["code"].as_str().or(problem["error"].as_str()).or(page);
    format!("{} {}", returned["statusCode"], code.unwrap_or_default())
}

#[tokio::test]
async fn f_diff_the_same_event_has_the_same_answer_of_both_releases() {
    let stack = stack().await;
    let seed = stack.dynamodb.snapshot().unwrap();
    let mut wrong = Vec::new();
    for (name, function, event) in specimens() {
        let mut answers = Vec::new();
        for release in [Release::Previous, Release::This] {
            stack.dynamodb.restore(&seed).unwrap();
            stack.amazon.reset();
            stack.take_turns(&[release]);
            answers.push(class(&stack, &function, &event).await);
        }
        println!("{name}: {}", answers[0]);
        if answers[0] != answers[1] {
            wrong.push(format!("{name}: {answers:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[tokio::test]
async fn f_diff_the_same_visitor_has_the_same_answer_of_both_releases() {
    let stack = stack().await;
    cheap_passwords(&stack);
    let seed = stack.dynamodb.snapshot().unwrap();
    let mut wrong = Vec::new();
    for flow in Flow::ALL {
        stack.dynamodb.restore(&seed).unwrap();
        stack.amazon.reset();
        stack.take_turns(&[Release::This]);
        let scene = flow.prepare(&stack).await;
        let rows = stack.dynamodb.snapshot().unwrap();
        let mut answers = Vec::new();
        for release in [Release::Previous, Release::This] {
            stack.dynamodb.restore(&rows).unwrap();
            stack.take_turns(&[release]);
            let visitor = scene.copy();
            let answer = visitor.act().await;
            answers.push((end(&answer), visitor.standing().await));
        }
        if answers[0] != answers[1] {
            wrong.push(format!("{flow:?}: {answers:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
