//! What is looked at: a stack of CloudFormation's, or the functions' settings in a file of this machine.

mod file;
mod stack;

use std::collections::BTreeMap;

use web::Settings;

use crate::{Error, arguments::Place};

pub(crate) use self::stack::{Stack, said};

/// The functions, and for each of them a path that leads to it; two are led to otherwise. The logical id
/// of `session` is `SessionFunction`.
pub(crate) const FUNCTIONS: [(&str, Option<&str>); 15] = [
    ("login", Some("/auth/amazon/login")),
    ("callback", Some("/auth/amazon/callback")),
    ("link", Some("/auth/amazon/link")),
    ("register", Some("/auth/amazon/register")),
    ("session", Some("/auth/session")),
    ("logout", Some("/auth/logout")),
    ("handoff", Some("/auth/amazon/token")),
    ("device", Some("/auth/amazon/device")),
    ("accept", Some("/auth/session/accept")),
    ("reauthenticate", Some("/auth/reauthenticate")),
    ("connections", Some("/auth/connections")),
    ("authorizer", None),
    ("lifecycle", Some("/auth/lifecycle")),
    ("notices", None),
    ("pretraffic", None),
];

/// A deployment, or what takes its place on this machine.
pub(crate) struct Deployment {
    /// The functions that are there, in the order of [`FUNCTIONS`].
    pub(crate) functions: Vec<Function>,
    /// What CloudFormation tells; nothing on this machine.
    pub(crate) stack: Option<Stack>,
    /// The functions' region.
    pub(crate) region: String,
    /// How AWS's services are reached.
    pub(crate) aws: Aws,
}

/// A function, as it is set up.
pub(crate) struct Function {
    /// Its name, such as `session`.
    pub(crate) name: &'static str,
    /// Its environment.
    pub(crate) settings: BTreeMap<String, String>,
    /// Why it does not run, if AWS says so.
    pub(crate) problem: Option<String>,
}

/// How AWS's services are reached, each at its own address.
pub(crate) struct Aws {
    pub(crate) dynamodb: aws::Config,
    pub(crate) lambda: aws::Config,
    pub(crate) secrets: aws::Config,
    /// The addresses of DynamoDB and Secrets Manager.
    pub(crate) endpoints: [String; 2],
}

impl Deployment {
    /// Asks what there is.
    ///
    /// # Errors
    ///
    /// There is nothing to look at.
    pub(crate) async fn at(place: Place) -> Result<Self, Error> {
        match place {
            Place::Stack(name) => stack::read(&name).await,
            Place::Local => file::local(),
            Place::EnvFile(path) => file::read(&path),
        }
    }

    /// A setting, as the first function has it that has it at all. A check sees to it that they agree.
    pub(crate) fn setting(&self, name: &str) -> Option<&str> {
        let mut all = self.functions.iter().filter_map(|function| function.settings.get(name));
        all.find(|value| !value.is_empty()).map(String::as_str)
    }

    /// All settings together.
    pub(crate) fn settings(&self) -> Settings {
        let mut all = BTreeMap::new();
        for (name, value) in self.functions.iter().flat_map(|function| &function.settings) {
            let kept: &mut String = all.entry(name.clone()).or_default();
            if kept.is_empty() {
                kept.clone_from(value);
            }
        }
        all.into_iter().collect()
    }

    /// The origin that browsers see.
    pub(crate) fn public_url(&self) -> &str {
        self.setting("PUBLIC_URL").unwrap_or_default()
    }

    /// Whether the site is this machine's.
    pub(crate) fn is_here(&self) -> bool {
        is_localhost(self.public_url())
    }
}

/// Whether an origin is this machine's.
pub(crate) fn is_localhost(origin: &str) -> bool {
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.is_some_and(|host| host == "localhost" || host.starts_with("localhost:"))
}

impl Function {
    /// The settings, as the function reads them.
    pub(crate) fn read(&self) -> Settings {
        self.settings.clone().into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use local_stack::template::{Route, Template};

    use super::*;

    #[test]
    fn the_functions_are_those_of_the_template() {
        let needed = [
            ("LwaClientId", "amzn1.application-oa2-client.0123"),
            ("LwaClientSecretArn", "arn:aws:secretsmanager:us-east-1:000000000000:secret:lwa"),
            ("Notices", "arn:aws:sqs:us-east-1:000000000000:notices"),
            ("PublicUrl", "https://shop.example"),
        ];
        let needed = needed.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let template = Template::read(&needed.into()).unwrap();
        let mut names: Vec<_> = template.functions.iter().map(|one| one.name.as_str()).collect();
        let mut ours = FUNCTIONS.map(|(name, _)| name);
        names.sort_unstable();
        ours.sort_unstable();
        assert_eq!(names, ours);
        for (name, path) in FUNCTIONS {
            let function = template.functions.iter().find(|one| one.name == name).unwrap();
            let mut paths = function.routes.iter().filter_map(|route| match route {
                Route::Path { path, .. } => Some(path.as_str()),
                Route::Default => None,
            });
            match path {
                Some(path) => assert!(paths.any(|one| one == path), "{name}"),
                None => assert_eq!(paths.next(), None, "{name}"),
            }
        }
    }
}
