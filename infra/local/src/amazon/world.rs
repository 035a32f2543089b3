//! Who and what the stand-in knows: companies with their applications, and customers.
//!
//! A developer company has security profiles, one for each of its products; a profile has clients,
//! one for each platform, with a client id of its own. A customer's `user_id` is the same for all
//! clients of one company and another one for every other company.

use domain::{Clock, Timestamp};
use sha2::{Digest as _, Sha256};

use super::{habits::Habits, ledger::Ledger};

/// The client id of the shop's website.
pub const SHOP_CLIENT_ID: &str = "amzn1.application-oa2-client.0f1e2d3c4b5a69788796a5b4c3d2e1f0";
/// The client secret of the shop's website.
pub const SHOP_CLIENT_SECRET: &str =
    "amzn1.oa2-cs.v1.5eca7e5707e5eca7e5707e5eca7e5707e5eca7e5707e5eca7e5707e5eca7e570";
/// The client id of the shop's Android app: another audience of the same company, without a secret.
pub const APP_CLIENT_ID: &str = "amzn1.application-oa2-client.a11d201da11d201da11d201da11d201d";
/// Where Amazon sends the shop's Android app back to.
pub const APP_RETURN_URL: &str = "amzn://com.example.shop";
/// The client id of the shop's app for iOS: one more audience of the same company.
pub const IOS_CLIENT_ID: &str = "amzn1.application-oa2-client.105105105105105105105105105105ab";
/// Where Amazon sends the shop's app for iOS back to.
pub const IOS_RETURN_URL: &str = "amzn-com.example.shop://";
/// The client id of the shop on televisions, which have no secret and no page to return to.
pub const DEVICE_CLIENT_ID: &str = "amzn1.application-oa2-client.7e1e715107e1e715107e1e715107e1e7";
/// The client id of another company's website, whose tokens are none of the shop's business.
pub const FOREIGN_CLIENT_ID: &str = "amzn1.application-oa2-client.f02e16f02e16f02e16f02e16f02e16f0";
/// The client secret of another company's website.
pub const FOREIGN_CLIENT_SECRET: &str =
    "amzn1.oa2-cs.v1.f02e16f02e16f02e16f02e16f02e16f02e16f02e16f02e16f02e16f02e16f02e";
/// Where Amazon sends another company's visitors back to.
pub const FOREIGN_RETURN_URL: &str = "https://elsewhere.example/callback";

/// Everything that a stand-in for Amazon knows.
#[derive(Clone)]
pub struct World {
    /// What time it is there: codes live five minutes, access tokens an hour.
    pub clock: Clock,
    /// Whose applications there are.
    pub companies: Vec<Company>,
    /// Who can sign in, in the order in which the sign-in page offers them.
    pub customers: Vec<Customer>,
    /// How it behaves where Amazon's documents leave a choice.
    pub habits: Habits,
    pub(super) ledger: Ledger,
}

/// A developer account.
#[derive(Clone)]
pub struct Company {
    /// What tells it from others; goes into each `user_id`.
    pub id: String,
    /// Its products.
    pub profiles: Vec<SecurityProfile>,
}

/// A product, as the consent page shows it.
#[derive(Clone)]
pub struct SecurityProfile {
    /// `amzn1.application.` and 32 hex digits.
    pub app_id: String,
    /// The name on the consent page.
    pub name: String,
    /// The privacy notice that the consent page links to.
    pub privacy_url: String,
    /// The scopes that a customer cannot untick, unless the request says otherwise in `scope_data`.
    pub essential: Vec<Scope>,
    /// The platforms it runs on.
    pub clients: Vec<Client>,
}

/// A product on one platform.
#[derive(Clone)]
pub struct Client {
    /// `amzn1.application-oa2-client.` and 32 hex digits.
    pub client_id: String,
    /// The platform.
    pub kind: Kind,
    /// What its server authenticates with; only websites have one.
    pub secret: Option<String>,
    /// The scopes it may ask for.
    pub scopes: Vec<Scope>,
    return_urls: Vec<String>,
}

/// A platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A website.
    Web,
    /// An app for Android or Fire OS.
    Android,
    /// An app for iOS.
    Ios,
    /// A television or another device without a keyboard.
    Device,
}

/// What a client may ask to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Id, name and e-mail address.
    Profile,
    /// The id alone, which needs no consent.
    UserId,
    /// The postal code of the primary shipping address.
    PostalCode,
}

/// A person whom Amazon knows.
#[derive(Clone)]
pub struct Customer {
    /// Who it is, for tests and for the button on the sign-in page; never changes.
    pub login: String,
    /// The password at Amazon.
    pub password: String,
    /// The name, if it is shared.
    pub name: Option<String>,
    /// The e-mail address, if it is shared.
    pub email: Option<String>,
    /// The postal code, if it is shared.
    pub postal_code: Option<String>,
    /// What will happen at the shop, for the person who picks somebody to be.
    pub note: String,
}

/// The console does not take this return URL: it must be HTTPS, or `http://localhost`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAllowed;

/// A client with the product and the company it belongs to.
#[derive(Clone, Copy)]
pub(super) struct Registered<'a> {
    pub(super) company: &'a Company,
    pub(super) profile: &'a SecurityProfile,
    pub(super) client: &'a Client,
}

impl World {
    /// The world of the shop: its website at `redirect_uri`, its apps for Android and iOS, its
    /// televisions, somebody else's website, and six customers.
    ///
    /// A `redirect_uri` that the console would not take is not registered; signing in then ends on
    /// Amazon's page that says so.
    pub fn shop(redirect_uri: &str) -> Self {
        let mut website = Client::new(SHOP_CLIENT_ID, Kind::Web, Some(SHOP_CLIENT_SECRET));
        let mut app = Client::new(APP_CLIENT_ID, Kind::Android, None);
        let mut ios = Client::new(IOS_CLIENT_ID, Kind::Ios, None);
        let mut foreign = Client::new(FOREIGN_CLIENT_ID, Kind::Web, Some(FOREIGN_CLIENT_SECRET));
        // The shop's page that signs in by a script stands beside the routes below `/auth/`.
        let origin = redirect_uri.strip_suffix("/auth/amazon/callback").unwrap_or(redirect_uri);
        let page = format!("{origin}/app");
        // Amazon's page names the cure, to the one person who can apply it.
        let _ = website.allow_return_url(&page);
        for (client, url) in [
            (&mut website, redirect_uri),
            (&mut app, APP_RETURN_URL),
            (&mut ios, IOS_RETURN_URL),
            (&mut foreign, FOREIGN_RETURN_URL),
        ] {
            let _ = client.allow_return_url(url);
        }
        let profile = |app_id: &str, name: &str, clients| SecurityProfile {
            app_id: format!("amzn1.application.{app_id}"),
            name: name.to_owned(),
            privacy_url: "https://www.example.com/privacy".to_owned(),
            essential: vec![Scope::Profile],
            clients,
        };
        let television = Client::new(DEVICE_CLIENT_ID, Kind::Device, None);
        let clients = vec![website, app, ios, television];
        let shop = profile("00112233445566778899aabbccddeeff", "The shop", clients);
        let elsewhere = profile("ffeeddccbbaa99887766554433221100", "Elsewhere", vec![foreign]);
        Self {
            clock: Clock::System,
            companies: vec![
                Company { id: "shop".to_owned(), profiles: vec![shop] },
                Company { id: "elsewhere".to_owned(), profiles: vec![elsewhere] },
            ],
            customers: Customer::everybody(),
            habits: Habits::default(),
            ledger: Ledger::default(),
        }
    }

    /// The customer who signs in as `login`.
    pub fn customer(&self, login: &str) -> Option<&Customer> {
        self.customers.iter().find(|customer| customer.login == login)
    }

    /// The customer who signs in as `login`, to be changed.
    pub fn customer_mut(&mut self, login: &str) -> Option<&mut Customer> {
        self.customers.iter_mut().find(|customer| customer.login == login)
    }

    /// The client with this id, to be changed.
    pub fn client_mut(&mut self, client_id: &str) -> Option<&mut Client> {
        let profiles = self.companies.iter_mut().flat_map(|company| &mut company.profiles);
        profiles
            .flat_map(|profile| &mut profile.clients)
            .find(|client| client.client_id == client_id)
    }

    /// Who a customer is to a client: `amzn1.account.` and 28 characters that depend on nothing
    /// but the customer's login and the client's company.
    ///
    /// To a client that nobody registered, as to a company of its own.
    pub fn user_id(&self, customer: &str, client_id: &str) -> String {
        const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let company = self.registered(client_id).map_or(client_id, |known| &known.company.id);
        let hash =
            Sha256::new().chain_update(company).chain_update([0]).chain_update(customer).finalize();
        let text = hash.iter().take(27).map(|byte| char::from(BASE32[usize::from(byte % 32)]));
        format!("amzn1.account.A{}", text.collect::<String>())
    }

    pub(super) fn registered(&self, client_id: &str) -> Option<Registered<'_>> {
        let profiles = self
            .companies
            .iter()
            .flat_map(|company| company.profiles.iter().map(move |profile| (company, profile)));
        profiles
            .flat_map(|(company, profile)| {
                profile.clients.iter().map(move |client| Registered { company, profile, client })
            })
            .find(|known| known.client.client_id == client_id)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl Client {
    /// A client that may ask for every scope and is not registered to return anywhere yet.
    pub fn new(client_id: &str, kind: Kind, secret: Option<&str>) -> Self {
        Self {
            client_id: client_id.to_owned(),
            kind,
            secret: secret.map(str::to_owned),
            scopes: vec![Scope::Profile, Scope::UserId, Scope::PostalCode],
            return_urls: Vec::new(),
        }
    }

    /// Registers a URL to return to.
    ///
    /// # Errors
    ///
    /// [`NotAllowed`] unless it is HTTPS or on `http://localhost` for a website, `amzn://…` for
    /// Android, `amzn-…://…` for iOS.
    pub fn allow_return_url(&mut self, url: &str) -> Result<(), NotAllowed> {
        let allowed = match self.kind {
            Kind::Web => {
                url.strip_prefix("https://").is_some_and(|rest| !rest.is_empty())
                    || url.strip_prefix("http://localhost").is_some_and(|rest| {
                        rest.is_empty() || rest.starts_with('/') || rest.starts_with(':')
                    })
            }
            Kind::Android => url.starts_with("amzn://"),
            Kind::Ios => url.starts_with("amzn-") && url.contains("://"),
            Kind::Device => false,
        };
        if !allowed || url.contains('#') || url.contains('@') {
            return Err(NotAllowed);
        }
        self.return_urls.push(url.to_owned());
        Ok(())
    }

    /// Whether it is registered to return exactly there.
    pub fn returns_to(&self, url: &str) -> bool {
        self.return_urls.iter().any(|registered| registered == url)
    }
}

impl Scope {
    /// The scope with this name, if Amazon knows one.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Profile, Self::UserId, Self::PostalCode]
            .into_iter()
            .find(|scope| scope.as_str() == text)
    }

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::UserId => "profile:user_id",
            Self::PostalCode => "postal_code",
        }
    }

    /// The scopes that are named in a list separated by spaces, each once; others are left out.
    pub(super) fn list(text: &str) -> Vec<Self> {
        let mut scopes: Vec<_> = text.split(' ').filter_map(Self::parse).collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    }
}

impl Customer {
    /// Somebody of this name, who shares everything: `ann`, `ann@example.com`, password `amazon-ann`.
    pub fn new(login: &str) -> Self {
        Self {
            login: login.to_owned(),
            password: format!("amazon-{login}"),
            name: Some(login.to_owned()),
            email: Some(format!("{login}@example.com")),
            postal_code: Some("98101".to_owned()),
            note: String::new(),
        }
    }

    /// Whoever is worth trying out at the shop, in that order.
    fn everybody() -> Vec<Self> {
        let person = |login: &str, name: &str, note: &str| Self {
            name: Some(name.to_owned()),
            note: note.to_owned(),
            ..Self::new(login)
        };
        vec![
            person("nora", "Nora New", "A newcomer: the shop opens an account for her."),
            person(
                "ann",
                "Ann Local",
                "The shop has an account with her e-mail address: \
                 it asks for that account's password, then links the two.",
            ),
            person("lin", "Lin Linked", "Linked before: she is let in at once."),
            Self {
                email: None,
                ..person(
                    "noa",
                    "Noa Nomail",
                    "Shares no e-mail address: the shop has to ask for one.",
                )
            },
            person(
                "max",
                "Max Minds",
                "Will say no: press Cancel on the next page, and the shop learns nothing.",
            ),
            Self {
                name: None,
                email: None,
                postal_code: None,
                ..person(
                    "ida",
                    "",
                    "Shares only her id: neither name, e-mail address nor postal code.",
                )
            },
        ]
    }
}
