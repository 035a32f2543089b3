//! What the functions of this machine are told.

use std::collections::{BTreeMap, HashMap};

use crate::{REGION, amazon, template::Function};

/// Where the functions find the client secret.
pub const CLIENT_SECRET_ARN: &str =
    "arn:aws:secretsmanager:us-east-1:000000000000:secret:login-with-amazon";
/// Where `lifecycle` finds what the shop signs its messages with.
pub const WEBHOOK_SECRET_ARN: &str =
    "arn:aws:secretsmanager:us-east-1:000000000000:secret:accounts-webhook";
/// The function that answers where accounts are asked about that way.
const ACCOUNTS_FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:accounts";

/// The values of the template's parameters on this machine.
pub(crate) fn parameters(
    url: &str,
    amazon: &str,
    own: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let apps = format!("{},{}", amazon::APP_CLIENT_ID, amazon::IOS_CLIENT_ID);
    let ours = [
        ("AccountsFunctionArn", ACCOUNTS_FUNCTION_ARN),
        ("AccountsWebhookSecretArn", WEBHOOK_SECRET_ARN),
        ("BrandName", "Corner Shop"),
        ("LwaAcceptedClientIds", &apps),
        ("LwaApiUrl", amazon),
        ("LwaAuthorizeUrl", &format!("{amazon}/ap/oa")),
        ("LwaClientId", amazon::SHOP_CLIENT_ID),
        ("LwaClientSecretArn", CLIENT_SECRET_ARN),
        ("LwaDeviceClientId", amazon::DEVICE_CLIENT_ID),
        ("Notices", "arn:aws:sqs:us-east-1:000000000000:notices"),
        ("PasswordResetUrl", "/reset-password"),
        ("PublicUrl", url),
        ("SignInPath", "/sign-in"),
    ];
    let mut all: BTreeMap<_, _> =
        ours.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    all.extend(own.clone());
    all
}

/// What surrounds the functions.
pub(crate) struct Surroundings {
    pub(crate) endpoints: [(&'static str, String); 5],
    /// Where one function of ours invokes the others.
    pub(crate) functions_url: String,
    /// Where the shop is asked about its accounts, unless somebody else is.
    pub(crate) webhook_url: String,
    pub(crate) clock: BTreeMap<String, String>,
    /// What a test wants them to find besides, or instead.
    pub(crate) own: BTreeMap<String, String>,
}

impl Surroundings {
    /// What a function finds in its environment, save what tells it about Lambda.
    pub(crate) fn around(&self, function: &Function) -> HashMap<String, String> {
        let aws = [
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_DEFAULT_REGION", REGION),
            ("AWS_REGION", REGION),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_SESSION_TOKEN", "local"),
        ];
        let endpoints = self.endpoints.iter().map(|(name, url)| (*name, url.as_str()));
        let ours = aws.into_iter().chain(endpoints);
        let mut settings: HashMap<_, _> = function.settings.clone().into_iter().collect();
        settings.extend(ours.map(|(name, value)| (name.to_owned(), value.to_owned())));
        // Whoever else invokes a function, invokes the account system.
        if function.name == "pretraffic" {
            settings.insert("AWS_ENDPOINT_URL_LAMBDA".to_owned(), self.functions_url.clone());
        }
        let url = settings.get_mut("ACCOUNTS_WEBHOOK_URL").filter(|url| url.is_empty());
        url.into_iter().for_each(|url| self.webhook_url.clone_into(url));
        settings.extend(self.clock.clone());
        settings.extend(self.own.clone());
        settings
    }
}
