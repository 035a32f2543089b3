use std::{
    env, fs,
    io::{self, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{self, Stdio},
    sync::Arc,
    time::Duration,
};

use fantoccini::{Client, ClientBuilder, Locator, elements::Element};
use hyper_util::client::legacy::connect::HttpConnector;
use local_stack::{Options, Stack};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// How a visitor's browser is set up.
#[derive(Clone, Copy)]
pub(crate) struct Habits {
    pub(crate) language: &'static str,
    pub(crate) dark: bool,
    /// A telephone, 320 pixels wide.
    pub(crate) narrow: bool,
    pub(crate) scripts: bool,
}

pub(crate) const USUAL: Habits =
    Habits { language: "en-US", dark: false, narrow: false, scripts: false };

/// A visitor in front of a browser, and the site to visit.
pub(crate) struct Visitor {
    pub(crate) stack: Arc<Stack>,
    pub(crate) client: Client,
    name: &'static str,
    profile: PathBuf,
    driver_at: String,
    _driver: Child,
}

impl Visitor {
    /// Starts a site with these parameters and a browser that was never used.
    pub(crate) async fn start(
        name: &'static str,
        habits: Habits,
        parameters: &[(&str, &str)],
    ) -> Self {
        let parameters = parameters.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let options = Options { parameters: parameters.collect(), ..Options::default() };
        Self::at(Arc::new(options.start().await.unwrap()), name, habits).await
    }

    /// The same site in another browser that was never used.
    pub(crate) async fn elsewhere(&self, name: &'static str, habits: Habits) -> Self {
        Self::at(Arc::clone(&self.stack), name, habits).await
    }

    async fn at(stack: Arc<Stack>, name: &'static str, habits: Habits) -> Self {
        let profile = env::temp_dir().join(format!("visitor-{}-{name}", process::id()));
        let (driver, at) = chromedriver().await;
        let capabilities = capabilities(&profile, habits);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().unwrap().clone())
            .connect(&format!("http://{at}"))
            .await
            .unwrap_or_else(|error| panic!("Chromium does not start: {error}"));
        Self { stack, client, name, profile, driver_at: at, _driver: driver }
    }

    /// Opens a page of the site.
    pub(crate) async fn goto(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.stack.url)).await.unwrap();
    }

    /// Waits until the page has this.
    pub(crate) async fn sees(&self, css: &str) -> Element {
        let wait =
            self.client.wait().at_most(Duration::from_secs(15)).every(Duration::from_millis(20));
        match wait.for_element(Locator::Css(css)).await {
            Ok(element) => element,
            Err(error) => {
                self.keep("stuck").await;
                let (url, text) = (self.client.current_url().await.unwrap(), self.text().await);
                panic!("{}: no {css} at {url}: {error}\n{text}", self.name);
            }
        }
    }

    pub(crate) async fn click(&self, css: &str) {
        self.sees(css).await.click().await.unwrap();
    }

    /// Types into a field, in place of what was there.
    pub(crate) async fn types(&self, css: &str, text: &str) {
        let field = self.sees(css).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// What the page says.
    pub(crate) async fn text(&self) -> String {
        let body = self.client.find(Locator::Css("body")).await.unwrap();
        body.text().await.unwrap()
    }

    /// Keeps a picture of the page as it is.
    pub(crate) async fn keep(&self, step: &str) {
        let folder = target().join("screenshots");
        fs::create_dir_all(&folder).unwrap();
        let picture = self.client.screenshot().await.unwrap();
        fs::write(folder.join(format!("{}-{step}.png", self.name)), picture).unwrap();
    }

    /// Presses "Login with Amazon" and signs in there; `consents` where that customer was never
    /// asked before.
    pub(crate) async fn signs_in_at_amazon(&self, customer: &str, consents: bool) {
        self.click("#amazon, main a.button[href^='/auth/amazon/login']").await;
        self.click(&format!("#persona-{customer}")).await;
        if consents {
            self.click("#allow").await;
        }
    }

    /// Whether the page can be read without scrolling sideways.
    pub(crate) async fn fits(&self) -> bool {
        let script = "return document.documentElement.scrollWidth <= window.innerWidth";
        self.client.execute(script, Vec::new()).await.unwrap() == true
    }

    pub(crate) async fn leaves(self) {
        self.client.clone().close().await.unwrap();
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        // The driver ends the browser too, however the test ended.
        let _ = shut_down(&self.driver_at);
        let _ = fs::remove_dir_all(&self.profile);
    }
}

/// Tells a driver to end its browsers and itself, and waits until it has.
fn shut_down(at: &str) -> io::Result<()> {
    let mut driver = TcpStream::connect(at)?;
    driver.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(driver, "GET /shutdown HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n")?;
    driver.read_to_end(&mut Vec::new()).map(drop)
}

/// Starts a driver on a free port; tells where.
async fn chromedriver() -> (Child, String) {
    let driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let mut driver = driver.unwrap_or_else(|error| {
        panic!("chromedriver is missing ({error}): tests/run installs it, as does `apt-get install chromium chromium-driver`")
    });
    let mut said = Vec::new();
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some((_, port)) = line.split_once("successfully on port ") {
            let at = format!("127.0.0.1:{}", port.trim_end_matches('.'));
            // Whatever it says later has to go somewhere.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return (driver, at);
        }
        said.push(line);
    }
    panic!("chromedriver ended before it was ready: {said:#?}")
}

fn capabilities(profile: &Path, habits: Habits) -> serde_json::Value {
    let Habits { language, dark, narrow, scripts } = habits;
    let mut options = json!({
        "args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--hide-scrollbars", "--window-size=900,1200",
            format!("--user-data-dir={}", profile.display()),
            format!("--lang={language}"),
            format!("--accept-lang={language}"),
            format!("--blink-settings=preferredColorScheme={}", if dark { 0 } else { 1 }),
        ],
        "prefs": {
            "intl.accept_languages": language,
            "profile.managed_default_content_settings.javascript": if scripts { 1 } else { 2 },
        },
    });
    if narrow {
        let screen = json!({ "width": 320, "height": 1100, "pixelRatio": 1.0, "touch": false });
        options["mobileEmulation"] = json!({ "deviceMetrics": screen });
    }
    json!({ "goog:chromeOptions": options })
}

/// The folder that cargo builds into.
pub(crate) fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()
}
