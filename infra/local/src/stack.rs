use std::{
    collections::{BTreeMap, HashMap},
    env,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::Router;
use domain::{Clock, Timestamp, webhook::Key};

use crate::{
    Deployments, Dynamodb, Error, Queue, Secrets,
    accounts::AccountSystem,
    amazon::{self, Amazon, World},
    clock::StoppedClock,
    faults::Event,
    gateway::{Elsewhere, Functions, Gateway},
    id,
    logs::Logs,
    release::Release,
    runtime::{Binary, Lambda},
    seed,
    server::{self, Server},
    settings::{self, CLIENT_SECRET_ARN, Surroundings, WEBHOOK_SECRET_ARN},
    shop::{self, Mail, Shop},
    template::Template,
};

/// What the shop signs its messages with.
pub const WEBHOOK_SECRET: &str = "whsec_bG9jYWwtc3RhY2stb25seS1ub3Qtc2VjcmV0LWF0LWFsbA==";

/// A whole stack, or the part of it that a function's own tests need. Dropping it stops everything.
pub struct Stack {
    /// The site's origin: `http://localhost:PORT`, or the parameter `PublicUrl`, if another host stands
    /// before this machine's gateway.
    pub url: String,
    /// The gateway's own origin: `http://127.0.0.1:PORT`; empty without a gateway.
    pub gateway: String,
    /// The tables, with the seeded accounts in them.
    pub dynamodb: Dynamodb,
    /// Login with Amazon.
    pub amazon: Amazon,
    /// Where the client secret is.
    pub secrets: Secrets,
    /// Where notices go.
    pub queue: Queue,
    /// The shop's accounts, for whoever asks over a wire.
    pub accounts: AccountSystem,
    /// What is about to be deployed.
    pub deployments: Deployments,
    parameters: BTreeMap<String, String>,
    settings: HashMap<String, HashMap<String, String>>,
    surroundings: Surroundings,
    clock: Option<StoppedClock>,
    time: Arc<Mutex<Clock>>,
    logs: Arc<Logs>,
    lambda: Option<Arc<Lambda>>,
    _site: Option<Server>,
}

/// How a stack is to be started.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The site's port; Amazon, DynamoDB and Secrets Manager take the three that follow. Free ones
    /// if it is absent.
    pub port: Option<u16>,
    /// A directory that keeps the tables from one time to the next; in memory if it is absent.
    pub data: Option<PathBuf>,
    /// The origin of a Lambda API that runs the functions, instead of this machine's own.
    pub functions_at: Option<String>,
    /// Parameters of the template, such as `Registration`.
    pub parameters: BTreeMap<String, String>,
    /// What every function finds in its environment besides, or in place of what the template says.
    pub environment: BTreeMap<String, String>,
    /// Whether the functions' logs are shown as they come.
    pub show_logs: bool,
    /// Whether the limits of AWS hold that the template sets: the gateway's throttles, and how many
    /// invocations of a function may run at once. Without, as most tests are, which ask in a moment
    /// what a site is asked in minutes, everybody waits for their turn.
    pub limited: bool,
    /// When the clock of the functions and of Amazon stands still, for [`Stack::set_clock`] to move;
    /// it goes as usual if this is absent. This takes Debian's package `libfaketime`.
    pub stopped_at: Option<Timestamp>,
    /// Whose functions answer, request by request in turn. If it is empty, this release's, unless
    /// `TURNS` in the environment says otherwise.
    pub turns: Vec<Release>,
}

impl Stack {
    /// Starts everything on free ports, with the functions' binaries beside the running program.
    ///
    /// # Errors
    ///
    /// A binary is missing, which `cargo build` cures; or something does not start.
    pub async fn start() -> Result<Self, Error> {
        Options::default().start().await
    }

    /// Starts everything but the functions and the gateway, for tests of one function: nobody
    /// answers at [`Self::url`].
    ///
    /// # Errors
    ///
    /// Something does not start.
    pub async fn doors() -> Result<Self, Error> {
        Options::default().doors().await
    }

    /// The environment that a function gets; nothing if there is no such function.
    pub fn settings(&self, function: &str) -> HashMap<String, String> {
        self.settings.get(function).cloned().unwrap_or_default()
    }

    /// What all functions are told, as one: for somebody else to run them, and for whoever looks at it.
    ///
    /// # Errors
    ///
    /// As [`Stack::functions`].
    pub fn settings_of_all(&self) -> Result<BTreeMap<String, String>, Error> {
        // Who waits for deployments invokes functions of ours; all others mean the account system's.
        let functions = Self::functions()?.into_iter().filter(|function| function != "pretraffic");
        Ok(functions.flat_map(|function| self.settings(&function)).collect())
    }

    /// The functions' names, in the template's order.
    pub fn functions() -> Result<Vec<String>, Error> {
        let template = Template::read(&settings::parameters("", "", &BTreeMap::new()))?;
        Ok(template.functions.into_iter().map(|function| function.name).collect())
    }

    /// Every line that the functions wrote to their logs, oldest first.
    pub fn logs(&self) -> Vec<String> {
        self.logs.lines(None)
    }

    /// Every line that this function wrote to its log, oldest first.
    pub fn logs_of(&self, function: &str) -> Vec<String> {
        self.logs.lines(Some(function))
    }

    /// Moves the clock that [`Options::stopped_at`] has stopped; without that, Amazon's alone.
    ///
    /// # Errors
    ///
    /// The clock's file cannot be written.
    pub fn set_clock(&self, now: Timestamp) -> Result<(), Error> {
        self.amazon.set_clock(Clock::Stopped(now));
        *hold(&self.time) = Clock::Stopped(now);
        self.clock.as_ref().map_or(Ok(()), |clock| clock.set(now))
    }

    /// What the time is for the functions and the shop.
    pub fn now(&self) -> Timestamp {
        hold(&self.time).now()
    }

    /// Kills the processes of a function that are handling a request: the visitor gets what the
    /// gateway says then, and the next request starts another process.
    pub fn kill(&self, function: &str) {
        if let Some(lambda) = &self.lambda {
            lambda.kill(function);
        }
    }

    /// The same as something that happens when a test says so.
    pub fn killing(&self, function: &str) -> Event {
        let (lambda, function) = (self.lambda.clone(), function.to_owned());
        Event::new(move || {
            if let Some(lambda) = &lambda {
                lambda.kill(&function);
            }
        })
    }

    /// The processes of a function that wait for a request, by their ids.
    pub fn processes(&self, function: &str) -> Vec<u32> {
        self.lambda.as_ref().map(|lambda| lambda.idle(function)).unwrap_or_default()
    }

    /// Ends the processes of a function that wait for a request: the next one starts another.
    pub fn restart(&self, function: &str) {
        if let Some(lambda) = &self.lambda {
            lambda.restart(function);
        }
    }

    /// Gives a function another value in its environment, or none, for as long as the stack lives,
    /// and restarts it.
    pub fn set(&self, function: &str, setting: &str, value: Option<&str>) {
        if let Some(lambda) = &self.lambda {
            lambda.set(function, setting, value);
            lambda.restart(function);
        }
    }

    /// Lets the functions of these releases answer from now on, request by request in turn: of those
    /// that the stack was started with.
    pub fn take_turns(&self, turns: &[Release]) {
        if let Some(lambda) = &self.lambda {
            lambda.take_turns(turns);
        }
    }

    /// What a function returns for an event that no gateway has made; nothing where it returns an
    /// error, or ends.
    pub async fn invoke(&self, function: &str, event: impl Into<Vec<u8>>) -> Option<Vec<u8>> {
        let lambda = self.lambda.as_ref()?;
        let returned = lambda.invoke(function, (&id(), ""), event.into().into()).await;
        returned.ok().map(|bytes| bytes.to_vec())
    }

    /// The headers with which the shop signs a message to `/auth/lifecycle`.
    ///
    /// # Errors
    ///
    /// The shop's secret is none.
    pub fn sign(&self, id: &str, body: &str) -> Result<[(&'static str, String); 3], Error> {
        let (key, now) = (Key::parse(WEBHOOK_SECRET).ok_or("no secret")?, self.now());
        Ok([
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", now.0.to_string()),
            ("webhook-signature", key.sign(id, now, body.as_bytes())),
        ])
    }

    /// Wakes `notices`, as a schedule does every minute.
    pub async fn deliver_notices(&self) -> Option<Vec<u8>> {
        self.invoke("notices", "{}").await
    }

    /// The binaries of a release's functions.
    fn binaries(&self, template: &Template, release: Release) -> Result<Vec<Binary>, Error> {
        let (folder, how) = match release {
            Release::This => (beside()?, "run `cargo build` first"),
            Release::Previous => {
                (Release::previous_tree().join("target/debug"), "`tests/run previous` builds it")
            }
            Release::Packaged => (Release::packages(), "`tests/run full` packages it"),
        };
        let binaries = template.functions.iter().map(|function| {
            let path = match release {
                Release::Packaged => folder.join(&function.id).join("bootstrap"),
                _ => folder.join(&function.name).with_extension(env::consts::EXE_EXTENSION),
            };
            if !path.is_file() {
                return Err(format!("{} is missing: {how}", path.display()).into());
            }
            let settings = self.surroundings.around(function).into_iter().collect();
            let function = function.clone();
            Ok(Binary { function, release, settings, path, arguments: Vec::new() })
        });
        binaries.collect()
    }

    /// Links an Amazon customer, by login, to an account, by id, as an earlier sign-in would have.
    ///
    /// # Errors
    ///
    /// The table does not answer.
    pub async fn link(&self, customer: &str, account: &str) -> Result<(), Error> {
        let user_id = self.amazon.user_id(customer, amazon::SHOP_CLIENT_ID);
        seed::link(&self.dynamodb, &user_id, account).await
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if let Some(lambda) = &self.lambda {
            lambda.stop();
        }
    }
}

impl Options {
    /// A stack with these parameters of the template.
    pub fn with<'a>(parameters: impl IntoIterator<Item = &'a (&'a str, &'a str)>) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self { parameters: parameters.into_iter().map(owned).collect(), ..Self::default() }
    }

    /// Starts everything.
    ///
    /// # Errors
    ///
    /// As [`Stack::start`]; or a port is taken.
    pub async fn start(self) -> Result<Stack, Error> {
        // First of all, because everything else is told where the site is.
        let listener = server::listen(self.port.unwrap_or(0)).await?;
        let port = listener.local_addr()?.port();
        let url = format!("http://localhost:{port}");
        let (mut stack, template) = self.behind(url).await?;
        let template = if self.limited { template } else { template.unlimited() };
        let functions = match &self.functions_at {
            Some(url) => Functions::At(Elsewhere::new(url, Arc::clone(&stack.logs))?),
            None => {
                let turns = match self.turns.is_empty() {
                    true => Release::turns()?,
                    false => self.turns.clone(),
                };
                let mut binaries = stack.binaries(&template, Release::This)?;
                if turns.contains(&Release::Packaged) {
                    binaries.extend(stack.binaries(&template, Release::Packaged)?);
                }
                if turns.contains(&Release::Previous) {
                    let tree = Release::previous_tree();
                    let previous = Template::read_of(&tree, &stack.parameters)?;
                    binaries.extend(stack.binaries(&previous, Release::Previous)?);
                }
                let lambda = Arc::new(Lambda::start(binaries, Arc::clone(&stack.logs)).await?);
                lambda.take_turns(&turns);
                stack.lambda = Some(Arc::clone(&lambda));
                stack.deployments.of(Arc::clone(&lambda), Arc::clone(&stack.logs));
                Functions::Here(lambda)
            }
        };
        let gateway = Gateway::new(template, functions);
        let site = gateway.router(shop(&stack, port)?);
        let site = Server::start_on(listener, site);
        stack.gateway.clone_from(&site.url);
        stack._site = Some(site);
        Ok(stack)
    }

    /// Starts everything but the functions and the gateway.
    ///
    /// # Errors
    ///
    /// As [`Stack::doors`]; or a port is taken.
    pub async fn doors(self) -> Result<Stack, Error> {
        let url = format!("http://localhost:{}", self.port.unwrap_or(3000));
        Ok(self.behind(url).await?.0)
    }

    /// Everything behind the functions.
    async fn behind(&self, url: String) -> Result<(Stack, Template), Error> {
        let url = self.parameters.get("PublicUrl").cloned().unwrap_or(url);
        let port = |after: u16| self.port.map_or(0, |port| port.saturating_add(after));
        let world = World::shop(&format!("{url}/auth/amazon/callback"));
        let amazon = Amazon::start_on(port(1), world).await;
        let amazon = amazon.map_err(|error| server::taken(port(1), error))?;
        let parameters = settings::parameters(&url, &amazon.url, &self.parameters);
        let template = Template::read(&parameters)?;
        let file = self.data.as_deref().map(prepare).transpose()?;
        // The shop keeps its accounts in a table, however it is asked about them.
        let mut in_a_table = parameters.clone();
        in_a_table.insert("Accounts".to_owned(), "table".to_owned());
        let tables = Template::read(&in_a_table)?.tables;
        let dynamodb = Dynamodb::start(port(2), file.as_deref(), &tables).await?;
        let secrets = Secrets::start(port(3)).await?;
        secrets.set(CLIENT_SECRET_ARN, amazon::SHOP_CLIENT_SECRET);
        secrets.set(WEBHOOK_SECRET_ARN, WEBHOOK_SECRET);
        let queue = Queue::start().await?;
        let time = Arc::new(Mutex::new(Clock::System));
        let keys = Key::parse_all(WEBHOOK_SECRET).ok_or("the shop's secret is none")?;
        let shops_time = Arc::clone(&time);
        let shops_clock = Box::new(move || hold(&shops_time).now());
        let (database, mailbox) = (dynamodb.database(), queue.reader());
        let accounts = AccountSystem::start(database, mailbox, keys, shops_clock).await?;
        let deployments = Deployments::start().await?;
        let clock = self.stopped_at.map(StoppedClock::new).transpose()?;
        let surroundings = Surroundings {
            endpoints: [
                ("AWS_ENDPOINT_URL_CODEDEPLOY", deployments.url.clone()),
                ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.url.clone()),
                ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.url.clone()),
                ("AWS_ENDPOINT_URL_SQS", queue.url.clone()),
                ("AWS_ENDPOINT_URL_LAMBDA", accounts.url.clone()),
            ],
            functions_url: deployments.url.clone(),
            webhook_url: accounts.webhook_url(),
            clock: clock.iter().flat_map(StoppedClock::settings).collect(),
            own: self.environment.clone(),
        };
        let settings = template
            .functions
            .iter()
            .map(|function| (function.name.clone(), surroundings.around(function)));
        let settings = settings.collect();
        let logs = Arc::new(Logs::new(self.show_logs));
        let (lambda, _site) = (None, None);
        let stack = Stack {
            url,
            gateway: String::new(),
            dynamodb,
            amazon,
            secrets,
            queue,
            accounts,
            deployments,
            parameters,
            settings,
            surroundings,
            clock,
            time,
            logs,
            lambda,
            _site,
        };
        if let Some(now) = self.stopped_at {
            stack.set_clock(now)?;
        }
        seed::accounts(&stack.dynamodb)?;
        stack.link("lin", "lin").await?;
        stack.dynamodb.reset_requests();
        Ok((stack, template))
    }
}

fn hold(time: &Mutex<Clock>) -> MutexGuard<'_, Clock> {
    time.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The file in a directory that may have to be made.
fn prepare(directory: &Path) -> Result<PathBuf, Error> {
    std::fs::create_dir_all(directory)
        .map_err(|error| format!("cannot use {}: {error}", directory.display()))?;
    Ok(directory.join("dynamodb.sqlite"))
}

/// Where cargo puts the binaries of this release: beside ours.
fn beside() -> Result<PathBuf, Error> {
    let ours = env::current_exe()?;
    let beside = ours.parent().ok_or("this program is nowhere")?;
    // Tests are one level further down.
    let beside = if beside.ends_with("deps") { beside.parent().unwrap_or(beside) } else { beside };
    Ok(beside.to_owned())
}

/// The site itself, where nothing is below `/auth/`. It asks who is signed in as any site would.
fn shop(stack: &Stack, port: u16) -> Result<Router, Error> {
    let time = Arc::clone(&stack.time);
    Ok(shop::router(Shop {
        accounts: stack.dynamodb.client(),
        table: "accounts".to_owned(),
        email_index: "by_email".to_owned(),
        auth_url: format!("http://127.0.0.1:{port}/auth"),
        mail: Mail::new(stack.queue.reader(), stack.lambda.clone()),
        origin: stack.url.clone(),
        key: Key::parse(WEBHOOK_SECRET).ok_or("the shop's secret is none")?,
        now: Box::new(move || hold(&time).now()),
        http: server::http()?,
        authorize_url: stack.amazon.authorize_url(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_function_is_told_where_everything_is() {
        let stack = Stack::doors().await.unwrap();
        let callback = stack.settings("callback");

        for (name, value) in [
            ("PUBLIC_URL", stack.url.as_str()),
            ("LWA_API_URL", &stack.amazon.url),
            ("LWA_AUTHORIZE_URL", &stack.amazon.authorize_url()),
            ("LWA_CLIENT_ID", amazon::SHOP_CLIENT_ID),
            ("LWA_CLIENT_SECRET_ARN", CLIENT_SECRET_ARN),
            ("AWS_ENDPOINT_URL_DYNAMODB", &stack.dynamodb.url),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &stack.secrets.url),
            ("AWS_REGION", "us-east-1"),
            ("REGISTRATION", "open"),
        ] {
            assert_eq!(callback.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert!(stack.settings("nobody").is_empty());
    }

    #[tokio::test]
    async fn a_test_may_set_a_parameter() {
        let parameters = [("Registration".to_owned(), "closed".to_owned())].into();
        let stack = Options { parameters, ..Options::default() }.doors().await.unwrap();

        assert_eq!(stack.settings("callback")["REGISTRATION"], "closed");
    }

    #[tokio::test]
    async fn a_test_may_set_the_environment_of_all_functions() {
        let environment = [("RUST_LOG".to_owned(), "trace".to_owned())].into();
        let stack = Options { environment, ..Options::default() }.doors().await.unwrap();

        assert_eq!(stack.settings("login")["RUST_LOG"], "trace");
        assert_eq!(stack.settings("callback")["RUST_LOG"], "trace");
    }

    #[tokio::test]
    async fn the_shop_had_accounts_before_and_one_of_them_is_linked() {
        let stack = Stack::doors().await.unwrap();
        assert!(stack.dynamodb.requests().is_empty(), "nobody did anything yet");
        let client = stack.dynamodb.client();

        let accounts = client.scan().table_name("accounts").send().await.unwrap();
        let links = client.scan().table_name("identities").send().await.unwrap();

        assert_eq!(accounts.count, seed::ACCOUNTS.len() as i32);
        assert_eq!(links.count, 2);
        let lin = stack.amazon.user_id("lin", amazon::SHOP_CLIENT_ID);
        let link =
            links.items().iter().find(|row| row["pk"].as_s() == Ok(&format!("AMAZON#{lin}")));
        assert_eq!(link.unwrap()["account_id"].as_s().unwrap(), "lin");
        let ann = stack.amazon.world().customer("ann").and_then(|ann| ann.email.clone());
        assert_eq!(ann.as_deref(), Some(seed::ACCOUNTS[0].email), "they meet by this address");
    }

    #[tokio::test]
    async fn a_directory_keeps_what_visitors_did() {
        let data = std::env::temp_dir().join(format!("local-stack-{}", crate::id()));
        let options = || Options { data: Some(data.clone()), ..Options::default() };
        let stack = options().doors().await.unwrap();
        stack.link("nora", "ann").await.unwrap();
        drop(stack);

        let stack = options().doors().await.unwrap();

        let links = stack.dynamodb.client().scan().table_name("identities").send().await.unwrap();
        assert_eq!(links.count, 4);
        drop(stack);
        std::fs::remove_dir_all(data).unwrap();
    }

    #[tokio::test]
    async fn a_test_may_stop_the_clock_of_processes_and_move_it() {
        let (noon, later) = (Timestamp(1_800_000_000), Timestamp(1_800_000_601));
        let options = Options { stopped_at: Some(noon), ..Options::default() };
        let stack = options.doors().await.unwrap();
        let date = || {
            let mut date = std::process::Command::new("date");
            let date = date.arg("+%s").envs(stack.settings("callback")).output().unwrap();
            String::from_utf8(date.stdout).unwrap()
        };

        assert_eq!(date(), "1800000000\n");
        stack.set_clock(later).unwrap();
        assert_eq!(date(), "1800000601\n");
        assert_eq!(stack.amazon.world().clock.now(), later);
    }

    #[tokio::test]
    async fn a_taken_port_is_said() {
        let taken = server::listen(0).await.unwrap().local_addr().unwrap().port();
        let _listener = server::listen(taken).await.unwrap();

        let error = Options { port: Some(taken), ..Options::default() }.start().await.err();

        let said = error.unwrap().to_string();
        assert!(said.starts_with(&format!("port {taken} is taken: ")), "{said}");
    }
}
