//! `cargo local`: the whole site on this machine, for people.

mod arguments;
mod television;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use local_stack::{Error, Stack, WEBHOOK_SECRET, seed, sites::Site};
use tokio::signal::unix::{SignalKind, signal};

use self::arguments::{Arguments, HELP};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::parse(env::args().skip(1)) {
        Ok(Arguments { help: true, .. }) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Ok(Arguments { television: Some(site), .. }) => {
            return ended(television::play(&site).await);
        }
        Ok(arguments) => arguments,
        Err(said) => {
            eprintln!("{said}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    ended(run(arguments).await)
}

fn ended(how: Result<(), Error>) -> ExitCode {
    match how {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(Arguments { mut options, sample, .. }: Arguments) -> Result<(), Error> {
    let elsewhere = options.functions_at.clone();
    if elsewhere.is_none() {
        build()?;
    }
    let site = match sample {
        None => None,
        Some(sample) => Some(sample.start(WEBHOOK_SECRET).await?),
    };
    if let Some(site) = &site {
        let url = ("AccountsWebhookUrl".to_owned(), site.webhook_url.clone());
        options.parameters.extend([url]);
    }
    let stack = options.start().await?;
    introduce(&stack, site.as_ref());
    let file = write_settings(&stack)?;
    if let Some(url) = elsewhere {
        println!("The functions are expected at {url}, with these settings:");
        println!(
            "  cargo lambda watch -A 127.0.0.1 -P PORT --disable-cors --env-file {}\n",
            file.display()
        );
    }
    println!("Ctrl-C ends it.\n");
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = tokio::signal::ctrl_c() => ended?,
        _ = terminated.recv() => {}
    }
    Ok(())
}

/// Builds the functions, with cargo's own words about it.
fn build() -> Result<(), Error> {
    let mut cargo = Command::new("cargo");
    // The workspace, wherever this is called from.
    cargo.arg("build").current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    for function in Stack::functions()? {
        cargo.args(["-p", &function]);
    }
    let built = cargo.status().map_err(|error| format!("cannot run cargo: {error}"))?;
    if built.success() { Ok(()) } else { Err("the functions do not build".into()) }
}

/// Says what there is and what to try.
fn introduce(stack: &Stack, site: Option<&Site>) {
    println!();
    for (what, url) in [
        ("The shop", &stack.url),
        ("Amazon", &stack.amazon.url),
        ("DynamoDB", &stack.dynamodb.url),
        ("Secrets", &stack.secrets.url),
    ] {
        println!("  {what:<10} {url}");
    }
    if let Some(site) = site {
        println!("  {:<10} {}", "Accounts", site.webhook_url);
    }
    println!("\nThe shop's accounts:");
    for account in seed::ACCOUNTS {
        let password = account.password.unwrap_or("–");
        println!("  {:<17} {password:<20} {}", account.email, account.note);
    }
    println!("\nWho you can be at Amazon:");
    for customer in &stack.amazon.world().customers {
        println!("  {:<5} {}", customer.login, customer.note);
    }
    println!("\nOpen {}/sign-in and press the button that says Amazon.", stack.url);
    println!("Whoever is signed in: {}/auth/session", stack.url);
    println!("A television: cargo local tv{}, in another terminal", television::at(&stack.url));
    println!("Whether all of it is right: cargo run -p lwa-doctor -- --local\n");
}

/// Writes what the functions need to know, for somebody else to run them, and for `lwa-doctor`.
fn write_settings(stack: &Stack) -> Result<PathBuf, Error> {
    let mut settings = stack.settings_of_all()?;
    // These are Lambda's, whoever plays it.
    settings.retain(|name, _| !name.starts_with("AWS_LAMBDA_"));
    let lines = settings.iter().map(|(name, value)| format!("{name}='{value}'\n"));
    let file = env::current_exe()?.with_file_name("local.env");
    fs::write(&file, lines.collect::<String>())?;
    Ok(file)
}
