//! The recipe `infra/host/nginx.conf`, with values of this machine where it says "yours".

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use local_stack::{Options, Stack, Timestamp};

use super::servers::{API, Certificates, Served, names};

const RECIPE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/host/nginx.conf");
const SECRET_ARN: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:lwa-proxy";
pub(super) const SECRET: &str = "4b1d0ffe4b1d0ffe4b1d0ffe4b1d0ffe";
const NOON: Timestamp = Timestamp(1_800_000_000);

/// The site's own host: nginx before the API and the site.
pub(super) struct Host {
    /// Everything behind it; its `url` is nginx's.
    pub(super) stack: Stack,
    /// The API, as nginx reaches it.
    pub(super) api: Served,
    /// The site behind the guarded page.
    pub(super) orders: Served,
    nginx: Child,
    folder: PathBuf,
}

impl Host {
    /// The host in good order.
    pub(super) async fn start() -> Self {
        Self::before(Certificates::of(API), None, false).await
    }

    /// The host before a site that shows what it was asked, on all of its pages.
    pub(super) async fn with_a_mirror() -> Self {
        Self::before(Certificates::of(API), None, true).await
    }

    /// The host, before an API that shows this certificate; nginx trusts the authority that signed
    /// it, unless another one's certificate is given.
    pub(super) async fn before_an_api_with(
        certificates: Certificates,
        trusted: Option<String>,
    ) -> Self {
        Self::before(certificates, trusted, false).await
    }

    async fn before(certificates: Certificates, trusted: Option<String>, mirror: bool) -> Self {
        // nginx gets the listener itself, so that nobody takes its port meanwhile.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let at = listener.local_addr().unwrap();
        let url = format!("http://localhost:{}", at.port());
        let parameters = [
            ("PublicUrl", url.as_str()),
            ("TrustedProxyHeader", "x-forwarded-for"),
            ("TrustedProxySecretArn", SECRET_ARN),
        ];
        let options = Options { stopped_at: Some(NOON), ..Options::with(&parameters) };
        let stack = options.start().await.unwrap();
        stack.secrets.set(SECRET_ARN, SECRET);
        let gateway = stack.gateway.strip_prefix("http://").unwrap();
        let api = Served::api(&certificates, gateway).await;
        let orders = Served::mirror().await;
        let mirrored = format!("http://{}", orders.at);

        let folder = std::env::temp_dir().join(format!("own-host-{}", at.port()));
        fs::create_dir_all(&folder).unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let certificate = write("site.pem", &certificates.certificate);
        let key = write("site.key", &certificates.key);
        let trusted = write("trusted.pem", &trusted.unwrap_or(certificates.authority));
        let secret = write("secret.conf", &format!("set $lwa_proxy_secret {SECRET};\n"));
        let port = api.at.rsplit_once(':').unwrap().1;
        let folder_name = folder.to_str().unwrap();
        let recipe = with(
            &fs::read_to_string(RECIPE).unwrap(),
            &[
                // Without TLS, for the visitors of these tests have none.
                ("listen 443 ssl;", &format!("listen {at};")),
                ("www.example.com; ", "localhost;"),
                ("/etc/ssl/www.example.com.pem", &certificate),
                ("/etc/ssl/www.example.com.key", &key),
                (&format!("{API};"), &format!("{API}:{port};")),
                ("/etc/nginx/lwa-proxy-secret.conf", &secret),
                ("127.0.0.53", &names().to_string()),
                ("/etc/ssl/certs/ca-certificates.crt", &trusted),
                ("http://127.0.0.1:8080", &mirrored),
                ("http://127.0.0.1:8080", if mirror { &mirrored } else { &stack.gateway }),
                ("/var/log/nginx/access.log", &format!("{folder_name}/access.log")),
                ("/var/log/nginx/error.log", &format!("{folder_name}/error.log")),
            ],
        );
        write("site.conf", &recipe);
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary = temporary.map(|what| format!("{what}_temp_path {what};")).join("\n");
        let around = "daemon off; pid nginx.pid; error_log error.log;";
        let around =
            format!("{around}\nevents {{}}\nhttp {{\n{temporary}\ninclude site.conf;\n}}\n");
        write("nginx.conf", &around);

        let tried = nginx(&folder).arg("-t").output().unwrap();
        assert!(tried.status.success(), "{}", String::from_utf8_lossy(&tried.stderr));
        listener.set_nonblocking(true).unwrap();
        let nginx = nginx(&folder)
            .env("NGINX", "0;")
            .stdin(Stdio::from(OwnedFd::from(listener)))
            .spawn()
            .unwrap();
        Self { stack, api, orders, nginx, folder }
    }

    /// All that nginx wrote to its logs.
    pub(super) fn logs(&self) -> (String, String) {
        let log = |name: &str| fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        (log("access.log"), log("error.log"))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Asked to end, it ends its worker, too.
        let _ = Command::new("kill").arg(self.nginx.id().to_string()).status();
        let _ = self.nginx.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.logs().1);
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The recipe with its values, in their order; each has its place.
fn with(recipe: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(recipe.to_owned(), |text, (theirs, ours)| {
        assert!(text.contains(theirs), "the recipe has no {theirs}");
        text.replacen(theirs, ours, 1)
    })
}

fn nginx(folder: &Path) -> Command {
    let sbin = Path::new("/usr/sbin/nginx");
    let mut nginx = Command::new(if sbin.exists() { sbin } else { Path::new("nginx") });
    nginx.arg("-p").arg(folder).args(["-c", "nginx.conf", "-e", "error.log"]);
    nginx
}
