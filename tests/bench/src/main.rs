//! Measures what is deployed, and asserts nothing: the counts that must hold are asserted in the tests.
//!
//! `tests/run bench` builds what this needs and runs it. `tests/run bench growth` is the other thing that it does.

mod doors;
mod environment;
mod figures;
mod flows;
mod growth;
mod http;
mod lambda;
mod measure;
mod peers;
mod report;
mod share;
mod tls;
mod variant;

use std::{fs, path::Path, process::ExitCode, time::Duration};

use local_stack::{Options, Stack};

use crate::{
    environment::Program,
    flows::{Flow, Walk},
    lambda::Lambda,
    report::Report,
    share::Share,
    tls::Authority,
    variant::Variant,
};

/// What went wrong, in a sentence.
type Error = Box<dyn std::error::Error + Send + Sync>;

/// The project's folder.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// How long Amazon takes for each answer, where that is what counts.
const FAR: Duration = Duration::from_millis(60);

/// The request of each function that is measured: one that can be asked for minutes.
const MEASURED: [&str; 14] = [
    "session check",
    "session check by the gateway",
    "login",
    "callback, known customer",
    "log-out",
    "link page",
    "registration page",
    "accept, unknown code",
    "connections page",
    "proof page",
    "hand-off, known customer",
    "a television waits",
    "lifecycle, signed in",
    "notices, none",
];

/// Requests that spend nearly all of their time on the hash of a password: bcrypt and PBKDF2.
const HASHES: [&str; 2] = ["link, right password", "proof by password"];

#[tokio::main]
async fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        None => bench().await,
        Some("growth") => growth::growth().await,
        Some(_) => Err("bench, or bench growth".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn bench() -> Result<(), Error> {
    let root = Path::new(ROOT).canonicalize()?;
    let (binaries, folder) = (root.join("target/release"), root.join("target/bench"));
    fs::create_dir_all(&folder)?;
    let authority = Authority::new()?;

    let flows = walk(&binaries).await?;
    let mut variants = variants(&flows, &binaries, &folder, &authority)?;
    variants.extend(peers::variants(&flows, &root, &folder, &authority).await?);
    let share = Share::new();
    let mut measured = tokio::task::block_in_place(|| measure::times(&variants, &share))?;
    let few = |name, late| {
        let variant = Variant::of(name, flow(&flows, name)?, &folder, &authority)?;
        tokio::task::block_in_place(|| measure::few(&variant, late))
    };
    let hashes = HASHES.map(|name| few(name, Duration::ZERO));
    let hashes = hashes.into_iter().collect::<Result<Vec<_>, _>>()?;
    let far = few("callback, known customer", FAR)?;
    // Once more: sessions and sign-ins that have just begun take no more than they should.
    let flows = walk(&binaries).await?;
    for variant in self::variants(&flows, &binaries, &folder, &authority)? {
        let instructions = measure::instructions(&variant, &folder)?;
        if let Some(measured) = measured.iter_mut().find(|measured| measured.name == variant.name) {
            measured.instructions = Some(instructions);
        }
    }
    report::report(&root, &flows, &Report { programs: measured, hashes, far, share })
}

/// Everything once, with the release binaries.
async fn walk(binaries: &Path) -> Result<Vec<Flow>, Error> {
    let (stack, lambda) = stack(binaries).await?;
    Walk::new(&stack, &lambda, 1).all().await
}

/// The local stack, with the release binaries.
async fn stack(binaries: &Path) -> Result<(Stack, Lambda), Error> {
    let lambda = Lambda::start()?;
    let options = Options { functions_at: Some(lambda.url()), ..Options::default() };
    let stack = options.start().await?;
    lambda.meet(&stack, binaries)?;
    Ok((stack, lambda))
}

/// The functions, and what they are compared with.
fn variants(
    flows: &[Flow],
    binaries: &Path,
    folder: &Path,
    authority: &Authority,
) -> Result<Vec<Variant>, Error> {
    let check = flow(flows, MEASURED[0])?;
    let mut variants = Vec::new();
    for (name, binary, arguments) in [
        ("hello", "hello", &[][..]),
        ("get-item", "get-item", &[]),
        ("get-item, cold", "get-item", &["cold"]),
    ] {
        let program = Program {
            path: folder.join(binary),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            settings: check.invocation.program.settings.clone(),
        };
        authority.teach(&binaries.join(binary), &program.path)?;
        let (event, exchanges) = (&check.invocation.event, &check.invocation.exchanges);
        let variant = Variant::new(name, program, event, Some(200), exchanges, authority)?;
        variants.push(variant);
    }
    for name in MEASURED {
        let flow = flow(flows, name)?;
        variants.push(Variant::of(flow.function, flow, folder, authority)?);
    }
    Ok(variants)
}

fn flow<'a>(flows: &'a [Flow], name: &str) -> Result<&'a Flow, Error> {
    let found = flows.iter().find(|flow| flow.name == name);
    found.ok_or_else(|| format!("nobody walks {name}").into())
}
