//! What others do for the same session check, on the Node.js of this machine: installed from their
//! registry, bundled and minified as for Lambda.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use local_stack::{Dynamodb, template::Table};
use serde_json::{Value, json};

use crate::{
    Error,
    doors::{Door, Exchange, Exchanges, Whom, hold},
    environment::{Environment, Program, installed, now},
    flow,
    flows::Flow,
    tls::Authority,
    variant::Variant,
};

/// What Auth.js calls its table.
const TABLE: &str = "next-auth";
/// A session of Auth.js's: its cookie.
const COOKIE: &str = "__Secure-authjs.session-token=9a2c1f6e-7d4b-4c38-9d55-0f6b1f0e3a77";

/// Both of them, ready to run.
pub(crate) async fn variants(
    flows: &[Flow],
    root: &Path,
    folder: &Path,
    authority: &Authority,
) -> Result<Vec<Variant>, Error> {
    let [session, auth] = bundles(root, folder)?;
    let certificate = folder.join("authority.pem");
    fs::write(&certificate, &authority.pem)?;
    let invocation = &flow(flows, "session check")?.invocation;
    let node = installed("node")?;
    let program = |bundle: PathBuf| {
        let mut settings = invocation.program.settings.clone();
        let certificate = certificate.display().to_string();
        settings.insert("NODE_EXTRA_CA_CERTS".to_owned(), certificate);
        settings.insert("NODE_NO_WARNINGS".to_owned(), "1".to_owned());
        let arguments = vec![bundle.display().to_string()];
        Program { path: node.clone(), arguments, settings }
    };

    let mut event: Value = serde_json::from_slice(&invocation.event)?;
    event["cookies"] = json!([COOKIE]);
    let event = event.to_string().into_bytes();
    let recorded = tokio::task::block_in_place(|| record(program(auth.clone()), &event))?;
    let exchanges = &invocation.exchanges;
    Ok(vec![
        Variant::new(
            "AWS SDK for JavaScript",
            program(session),
            &invocation.event,
            Some(200),
            exchanges,
            authority,
        )?,
        Variant::new("Auth.js", program(auth), &event, Some(200), &recorded, authority)?,
    ])
}

/// Installs what is missing, and makes one file of each.
fn bundles(root: &Path, folder: &Path) -> Result<[PathBuf; 2], Error> {
    let (from, to) = (root.join("tests/bench/peers"), root.join("target/tools/peers"));
    fs::create_dir_all(&to)?;
    let lock = fs::read(from.join("package-lock.json"))?;
    let installed = fs::read(to.join("installed.json")).is_ok_and(|installed| installed == lock);
    for file in fs::read_dir(from)? {
        let file = file?;
        fs::copy(file.path(), to.join(file.file_name()))?;
    }
    if !installed {
        let ci = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefix"];
        run(Command::new("npm").args(ci).arg(&to))?;
        fs::write(to.join("installed.json"), lock)?;
    }
    let bundled = ["session", "auth"].map(|name| {
        let bundle = folder.join(format!("{name}.mjs"));
        run(Command::new(to.join("node_modules/.bin/esbuild"))
            .arg(to.join(format!("{name}.mjs")))
            .args(["--bundle", "--minify", "--platform=node", "--format=esm", "--log-level=error"])
            // What is bundled may still be in the older format, which calls this.
            .arg("--banner:js=import{createRequire}from'module';const require=createRequire(import.meta.url);")
            .arg(format!("--outfile={}", bundle.display())))?;
        Ok::<_, Error>(bundle)
    });
    let [session, auth] = bundled;
    Ok([session?, auth?])
}

fn run(command: &mut Command) -> Result<(), Error> {
    match command.status()?.success() {
        true => Ok(()),
        false => Err(format!("{command:?} failed").into()),
    }
}

/// What Auth.js asks of a table of its own.
fn record(mut program: Program, event: &[u8]) -> Result<Vec<Exchange>, Error> {
    let here = tokio::runtime::Handle::current();
    let dynamodb = here.block_on(table())?;
    let exchanges = Exchanges::default();
    let door = Door::recording(Whom::Dynamodb, &dynamodb.url, &exchanges)?;
    program.settings.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), door.url());
    let environment = Environment::start(&program)?;
    environment.invoke(event)?;
    Ok(std::mem::take(&mut *hold(&exchanges)))
}

/// The adapter's table, as its documentation has it, with one session in it.
async fn table() -> Result<Dynamodb, Error> {
    let key = |hash: &str, range: &str| {
        json!([
            { "AttributeName": hash, "KeyType": "HASH" },
            { "AttributeName": range, "KeyType": "RANGE" },
        ])
    };
    let texts = ["pk", "sk", "GSI1PK", "GSI1SK"];
    let texts = texts.map(|name| json!({ "AttributeName": name, "AttributeType": "S" }));
    let definition = json!({
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": texts,
        "KeySchema": key("pk", "sk"),
        "GlobalSecondaryIndexes": [{
            "IndexName": "GSI1",
            "KeySchema": key("GSI1PK", "GSI1SK"),
            "Projection": { "ProjectionType": "ALL" },
        }],
    });
    let table = Table { name: TABLE.to_owned(), definition, ttl: Some("expires".to_owned()) };
    let dynamodb = Dynamodb::start(0, None, &[table]).await?;
    let token = COOKIE.split_once('=').unwrap_or_default().1;
    // Not so old that it would be renewed.
    let expires = now().as_secs() + 30 * 86_400 - 60;
    let row = |texts: &[(&str, &str)]| {
        let texts = texts.iter().map(|(name, text)| ((*name).to_owned(), json!({ "S": text })));
        Value::Object(texts.collect())
    };
    let (session, user) = (format!("SESSION#{token}"), "USER#ann");
    let mut session = row(&[
        ("pk", user),
        ("sk", &session),
        ("GSI1PK", &session),
        ("GSI1SK", &session),
        ("type", "SESSION"),
        ("sessionToken", token),
        ("userId", "ann"),
    ]);
    session["expires"] = json!({ "N": expires.to_string() });
    dynamodb.put(TABLE, &session)?;
    let user = row(&[
        ("pk", user),
        ("sk", user),
        ("GSI1PK", "USER#ann@example.com"),
        ("GSI1SK", "USER#ann@example.com"),
        ("type", "USER"),
        ("id", "ann"),
        ("name", "Ann Local"),
        ("email", "ann@example.com"),
    ]);
    dynamodb.put(TABLE, &user)?;
    Ok(dynamodb)
}
