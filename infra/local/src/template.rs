//! What `infra/template.yaml` says of functions, routes, settings and tables, so that this machine
//! cannot differ from the cloud.

mod intrinsic;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fs, path::Path, str::FromStr, time::Duration};

use serde_json::{Map, Value as Json};
use serde_norway::Value as Yaml;

use self::intrinsic::Source;
use crate::Error;

/// The project's own template.
const TEMPLATE: &str = include_str!("../../template.yaml");

/// A template with its parameters filled in.
#[derive(Debug)]
pub struct Template {
    /// The functions, in the template's order.
    pub functions: Vec<Function>,
    /// The tables that these parameters create, in the template's order.
    pub tables: Vec<Table>,
    /// How many requests the API takes.
    pub throttles: Throttles,
}

/// How many requests the API takes before it refuses some.
#[derive(Clone, Debug, Default)]
pub struct Throttles {
    /// Of the routes that have no throttle of their own.
    pub stage: Option<Throttle>,
    /// Of single routes, by their keys.
    pub routes: BTreeMap<String, Throttle>,
}

/// A bucket of tokens, of which every request takes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// How many tokens come back in a second.
    pub rate: u32,
    /// How many there are at most, and at first.
    pub burst: u32,
}

/// A function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its logical id.
    pub id: String,
    /// Its name, which is the name of its binary.
    pub name: String,
    /// The routes that lead to it.
    pub routes: Vec<Route>,
    /// Its environment.
    pub settings: BTreeMap<String, String>,
    /// What it may use, in MiB.
    pub memory: u64,
    /// How long a request may take.
    pub timeout: Duration,
    /// How many invocations may run at once, if some concurrency is set aside for it.
    pub reserved: Option<usize>,
}

/// A route of the HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// This path, by this method or by `ANY`.
    Path {
        /// The method, or `ANY`.
        method: String,
        /// The path.
        path: String,
    },
    /// Whatever no other route takes.
    Default,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name: the logical id in lowercase, without `Table`.
    pub name: String,
    /// What `CreateTable` takes: keys, attributes, indexes and billing.
    pub definition: Json,
    /// The attribute that says when a row may go.
    pub ttl: Option<String>,
}

impl Template {
    /// The project's template with these values for its parameters, and the defaults for all others.
    ///
    /// # Errors
    ///
    /// A parameter lacks a value, has one that is not allowed, or is not the template's; or the
    /// template says something that is not understood here.
    pub fn read(parameters: &BTreeMap<String, String>) -> Result<Self, Error> {
        Self::parse(TEMPLATE, parameters)
    }

    /// The template of another tree of this project, with those of these values that it knows the
    /// parameters of.
    pub(crate) fn read_of(
        tree: &Path,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Self, Error> {
        let path = tree.join("infra/template.yaml");
        let yaml = fs::read_to_string(&path);
        let yaml = yaml.map_err(|error| format!("{}: {error}", path.display()))?;
        let declared: Yaml = serde_norway::from_str(&yaml)?;
        let mut parameters = parameters.clone();
        parameters.retain(|name, _| declared["Parameters"].get(name).is_some());
        Self::parse(&yaml, &parameters)
    }

    fn parse(yaml: &str, parameters: &BTreeMap<String, String>) -> Result<Self, Error> {
        let source = Source::parse(yaml, parameters)?;
        let globals = source.globals("Function", &OF_A_FUNCTION)?;
        let mut template =
            Self { functions: Vec::new(), tables: Vec::new(), throttles: Throttles::default() };
        for (id, resource) in source.resources() {
            if source.exists(resource)? {
                let taken = template.take(&source, &globals, (id, resource));
                taken.map_err(|error| format!("{id} in the template: {error}"))?;
            }
        }
        Ok(template)
    }

    /// Takes what a resource says, if it is of a kind that has a meaning here.
    fn take(
        &mut self,
        source: &Source,
        globals: &Map<String, Json>,
        (id, resource): (&str, &Yaml),
    ) -> Result<(), Error> {
        match resource.get("Type").and_then(Yaml::as_str) {
            Some("AWS::Serverless::Function") => {
                let binary = &resource["Metadata"]["BuildProperties"]["Binary"];
                let binary = binary.as_str().ok_or("has no Metadata.BuildProperties.Binary")?;
                let own = source.properties(resource, &OF_A_FUNCTION)?;
                self.functions.push(Function::from_properties((id, binary), globals, &own)?);
            }
            Some("AWS::DynamoDB::Table") => {
                let wanted = [&DEFINES_A_TABLE[..], &["TimeToLiveSpecification"]].concat();
                self.tables.push(Table::new(id, source.properties(resource, &wanted)?));
            }
            Some("AWS::Serverless::HttpApi") => {
                let own =
                    source.properties(resource, &["DefaultRouteSettings", "RouteSettings"])?;
                self.throttles = Throttles::from_properties(&own)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The same without a limit on how much may be asked at once.
    pub(crate) fn unlimited(mut self) -> Self {
        self.throttles = Throttles::default();
        self.functions.iter_mut().for_each(|function| function.reserved = None);
        self
    }

    /// The function that answers this request, and the key of the route that led to it.
    ///
    /// As the HTTP API chooses: path and method, then the path by `ANY`, then `$default`.
    pub fn route(&self, method: &str, path: &str) -> Option<(&Function, String)> {
        let by = |route: &Route| {
            self.functions.iter().find(|f| f.routes.contains(route)).map(|f| (f, route.key()))
        };
        let at = |method: &str| Route::Path { method: method.to_owned(), path: path.to_owned() };
        by(&at(method)).or_else(|| by(&at("ANY"))).or_else(|| by(&Route::Default))
    }
}

impl Function {
    fn from_properties(
        (id, name): (&str, &str),
        globals: &Map<String, Json>,
        own: &Map<String, Json>,
    ) -> Result<Self, Error> {
        // Of an object in both, SAM takes the members of both; of all else, the function's own.
        let both = |property: &str, member: &str| {
            let of = |from: &Map<String, Json>| from.get(property)?.get(member).cloned();
            (of(globals), of(own))
        };
        let found = |property: &str| own.get(property).or_else(|| globals.get(property));
        let number = |property: &str, otherwise: u64| {
            found(property).and_then(Json::as_u64).unwrap_or(otherwise)
        };
        let reserved = found("ReservedConcurrentExecutions").filter(|value| !value.is_null());
        let mut settings = BTreeMap::new();
        let (of_all, of_this) = both("Environment", "Variables");
        for variables in [of_all, of_this].into_iter().flatten() {
            for (name, value) in variables.as_object().into_iter().flatten() {
                let value = intrinsic::text(value);
                settings.insert(name.clone(), value.ok_or(format!("{name} is not a string"))?);
            }
        }
        // Lambda tells a function how it is to log in these two.
        for (member, name) in [
            ("LogFormat", "AWS_LAMBDA_LOG_FORMAT"),
            ("ApplicationLogLevel", "AWS_LAMBDA_LOG_LEVEL"),
        ] {
            let (of_all, of_this) = both("LoggingConfig", member);
            if let Some(value) = of_this.or(of_all).as_ref().and_then(intrinsic::text) {
                settings.insert(name.to_owned(), value);
            }
        }
        let events = own.get("Events").and_then(Json::as_object).into_iter().flatten();
        let routes = events.filter(|(_, event)| event["Type"] == "HttpApi");
        Ok(Self {
            id: id.to_owned(),
            name: name.to_owned(),
            routes: routes.map(|(_, event)| Route::of(event)).collect::<Result<_, _>>()?,
            settings,
            memory: number("MemorySize", 128),
            timeout: Duration::from_secs(number("Timeout", 3)),
            reserved: reserved.map(whole_number).transpose()?,
        })
    }
}

impl Throttles {
    fn from_properties(own: &Map<String, Json>) -> Result<Self, Error> {
        let routes = own.get("RouteSettings").and_then(Json::as_object).into_iter().flatten();
        let routes = routes.map(|(key, settings)| Ok((key.clone(), Throttle::of(settings)?)));
        let stage = own.get("DefaultRouteSettings").map(Throttle::of).transpose()?;
        Ok(Self { stage, routes: routes.collect::<Result<_, Error>>()? })
    }
}

impl Throttle {
    fn of(settings: &Json) -> Result<Self, Error> {
        let number = |name: &str| whole_number(&settings[name]);
        Ok(Self { rate: number("ThrottlingRateLimit")?, burst: number("ThrottlingBurstLimit")? })
    }
}

/// A number, which a parameter gives as a text.
fn whole_number<T: FromStr>(value: &Json) -> Result<T, Error> {
    let number = intrinsic::text(value).and_then(|text| text.parse().ok());
    number.ok_or_else(|| format!("{value} is no whole number").into())
}

impl Route {
    fn of(event: &Json) -> Result<Self, Error> {
        let property = |name: &str| event["Properties"][name].as_str();
        let Some(path) = property("Path") else { return Ok(Self::Default) };
        if path.contains('{') {
            return Err(format!("a route with a variable, {path}, is not understood here").into());
        }
        let method = property("Method").unwrap_or("ANY").to_ascii_uppercase();
        Ok(Self::Path { method, path: path.to_owned() })
    }

    /// What API Gateway calls it: `ANY /auth/session`, `$default`.
    pub fn key(&self) -> String {
        match self {
            Self::Path { method, path } => format!("{method} {path}"),
            Self::Default => "$default".to_owned(),
        }
    }
}

/// The properties of a function that have a meaning here: roles, aliases and the like have none.
const OF_A_FUNCTION: [&str; 6] = [
    "Environment",
    "Events",
    "LoggingConfig",
    "MemorySize",
    "ReservedConcurrentExecutions",
    "Timeout",
];

/// The properties of a table that `CreateTable` takes in the same words.
const DEFINES_A_TABLE: [&str; 4] =
    ["AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema"];

impl Table {
    fn new(id: &str, mut own: Map<String, Json>) -> Self {
        let name = Self::name_of(id);
        let ttl = own.remove("TimeToLiveSpecification").filter(|ttl| ttl["Enabled"] == true);
        own.insert("TableName".to_owned(), name.clone().into());
        let ttl = ttl.and_then(|ttl| Some(ttl["AttributeName"].as_str()?.to_owned()));
        Self { name, definition: own.into(), ttl }
    }

    fn name_of(id: &str) -> String {
        id.strip_suffix("Table").unwrap_or(id).to_ascii_lowercase()
    }
}
