//! CloudFormation's own functions, as far as our template uses them.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use serde_norway::{Mapping, Value as Yaml};

use super::Table;
use crate::{ACCOUNT, Error, REGION};

/// A template and its parameters, and what they make of each other.
pub(super) struct Source {
    template: Mapping,
    parameters: BTreeMap<String, String>,
}

impl Source {
    pub(super) fn parse(yaml: &str, given: &BTreeMap<String, String>) -> Result<Self, Error> {
        let mut template: Yaml = serde_norway::from_str(yaml)?;
        template.apply_merge()?;
        let Yaml::Mapping(template) = template else {
            return Err("the template is not a mapping".into());
        };
        let mut stack = Self { template, parameters: BTreeMap::new() };
        let mut parameters = BTreeMap::new();
        for (name, declared) in stack.section("Parameters") {
            let default = declared.get("Default").and_then(scalar);
            let value = given.get(name).cloned().or(default);
            let value = value.ok_or_else(|| format!("the parameter {name} needs a value"))?;
            let allowed = declared.get("AllowedValues").and_then(Yaml::as_sequence);
            if allowed
                .is_some_and(|all| !all.iter().any(|one| scalar(one).as_ref() == Some(&value)))
            {
                return Err(format!("the parameter {name} cannot be {value:?}").into());
            }
            parameters.insert(name.to_owned(), value);
        }
        if let Some(name) = given.keys().find(|name| !parameters.contains_key(*name)) {
            return Err(format!("the template has no parameter {name}").into());
        }
        stack.parameters = parameters;
        Ok(stack)
    }

    /// The logical ids and resources, those that a condition leaves out included.
    pub(super) fn resources(&self) -> impl Iterator<Item = (&str, &Yaml)> {
        self.section("Resources")
    }

    /// Whether the condition of a resource holds, if it has one.
    pub(super) fn exists(&self, resource: &Yaml) -> Result<bool, Error> {
        resource.get("Condition").map_or(Ok(true), |name| self.holds(name))
    }

    /// The properties of a resource by these names, evaluated.
    pub(super) fn properties(
        &self,
        resource: &Yaml,
        names: &[&str],
    ) -> Result<Map<String, Json>, Error> {
        self.some_of(resource.get("Properties"), names)
    }

    /// What SAM gives to all resources of a kind: the properties by these names, evaluated.
    pub(super) fn globals(&self, kind: &str, names: &[&str]) -> Result<Map<String, Json>, Error> {
        let globals = self.section("Globals").find(|(name, _)| *name == kind);
        self.some_of(globals.map(|(_, value)| value), names)
    }

    fn some_of(&self, members: Option<&Yaml>, names: &[&str]) -> Result<Map<String, Json>, Error> {
        let members = members.and_then(Yaml::as_mapping).into_iter().flatten();
        let members = members.filter_map(|(name, value)| Some((name.as_str()?, value)));
        let wanted = members.filter(|(name, _)| names.contains(name));
        wanted.map(|(name, value)| Ok((name.to_owned(), self.evaluate(value)?))).collect()
    }

    fn section(&self, name: &str) -> impl Iterator<Item = (&str, &Yaml)> {
        let section = self.template.get(name).and_then(Yaml::as_mapping).into_iter().flatten();
        section.filter_map(|(name, value)| Some((name.as_str()?, value)))
    }

    /// A value without functions in it. `null` is CloudFormation's `AWS::NoValue`.
    fn evaluate(&self, value: &Yaml) -> Result<Json, Error> {
        match value {
            Yaml::Null => Ok(Json::Null),
            Yaml::Bool(truth) => Ok((*truth).into()),
            Yaml::Number(number) => {
                let whole = number.as_i64().map(Json::from);
                Ok(whole.or_else(|| number.as_f64().map(Json::from)).unwrap_or(Json::Null))
            }
            Yaml::String(text) => Ok(text.as_str().into()),
            Yaml::Sequence(items) => {
                let items = items.iter().map(|item| self.evaluate(item));
                Ok(Json::Array(items.filter(is_some).collect::<Result<_, _>>()?))
            }
            Yaml::Mapping(members) => match function(value) {
                Some((name, argument)) => self.call(&name, argument),
                None => {
                    let members = members.iter().map(|(name, value)| {
                        let name = scalar(name).ok_or("a key is not a string")?;
                        Ok((name, self.evaluate(value)?))
                    });
                    let members = members.filter(|member| {
                        member.as_ref().map_or(true, |(_, value)| !value.is_null())
                    });
                    Ok(Json::Object(members.collect::<Result<_, Error>>()?))
                }
            },
            Yaml::Tagged(_) => match function(value) {
                Some((name, argument)) => self.call(&name, argument),
                None => Err("a tag without a value".into()),
            },
        }
    }

    fn call(&self, name: &str, argument: &Yaml) -> Result<Json, Error> {
        match (name, argument) {
            ("Ref", Yaml::String(name)) => self.refer(name),
            ("Sub", Yaml::String(text)) => self.substitute(text, &Map::new()),
            ("Sub", Yaml::Sequence(items)) => match items.as_slice() {
                [Yaml::String(text), names] => match self.evaluate(names)? {
                    Json::Object(names) => self.substitute(text, &names),
                    _ => Err("the second part of !Sub is not a mapping".into()),
                },
                _ => Err("!Sub takes a text, or a text and a mapping".into()),
            },
            ("GetAtt", Yaml::String(path)) => self.attribute(path),
            ("GetAtt", Yaml::Sequence(path)) => {
                let path: Option<Vec<_>> = path.iter().map(Yaml::as_str).collect();
                self.attribute(&path.ok_or("!GetAtt takes names")?.join("."))
            }
            ("If", Yaml::Sequence(items)) => match items.as_slice() {
                [condition, then, otherwise] => {
                    self.evaluate(if self.holds(condition)? { then } else { otherwise })
                }
                _ => Err("!If takes a condition and two values".into()),
            },
            ("Join", Yaml::Sequence(items)) => match items.as_slice() {
                [Yaml::String(between), parts] => {
                    let parts = self.evaluate(parts)?;
                    let parts: Option<Vec<_>> =
                        parts.as_array().and_then(|parts| parts.iter().map(text).collect());
                    Ok(parts.ok_or("!Join takes a list of texts")?.join(between).into())
                }
                _ => Err("!Join takes a text and a list".into()),
            },
            ("Equals" | "Not" | "And" | "Or" | "Condition", _) => {
                self.truth(name, argument).map(Json::from)
            }
            _ => Err(format!("!{name} is not understood here").into()),
        }
    }

    /// Whether a condition holds, which is given by name or in place.
    fn holds(&self, condition: &Yaml) -> Result<bool, Error> {
        if let Yaml::String(name) = condition {
            let found = self.section("Conditions").find(|(found, _)| found == name);
            let (_, found) = found.ok_or_else(|| format!("there is no condition {name}"))?;
            return self.holds(found);
        }
        let (name, argument) = function(condition).ok_or("a condition is not a function")?;
        self.truth(&name, argument)
    }

    fn truth(&self, name: &str, argument: &Yaml) -> Result<bool, Error> {
        let several = argument.as_sequence().map(Vec::as_slice);
        match (name, several) {
            ("Condition", None) => self.holds(argument),
            ("Equals", Some([one, other])) => {
                let (one, other) = (self.evaluate(one)?, self.evaluate(other)?);
                Ok(text(&one) == text(&other))
            }
            ("Not", Some([condition])) => Ok(!self.holds(condition)?),
            ("And", Some(all)) => {
                all.iter().try_fold(true, |so_far, one| Ok(so_far & self.holds(one)?))
            }
            ("Or", Some(any)) => {
                any.iter().try_fold(false, |so_far, one| Ok(so_far | self.holds(one)?))
            }
            _ => Err(format!("!{name} is not understood as a condition here").into()),
        }
    }

    fn refer(&self, name: &str) -> Result<Json, Error> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(value.as_str().into());
        }
        Ok(match name {
            "AWS::NoValue" => return Ok(Json::Null),
            "AWS::AccountId" => ACCOUNT.to_owned(),
            "AWS::Partition" => "aws".to_owned(),
            "AWS::Region" => REGION.to_owned(),
            "AWS::StackName" => "local".to_owned(),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            _ => match self.kind(name)? {
                "AWS::DynamoDB::Table" => Table::name_of(name),
                _ => name.to_owned(),
            },
        }
        .into())
    }

    fn attribute(&self, path: &str) -> Result<Json, Error> {
        let (name, attribute) =
            path.split_once('.').ok_or("!GetAtt takes a resource and a name")?;
        let place = match (self.kind(name)?, attribute) {
            ("AWS::DynamoDB::Table", "Arn") => {
                format!("dynamodb:{REGION}:{ACCOUNT}:table/{}", Table::name_of(name))
            }
            ("AWS::DynamoDB::Table", "StreamArn") => {
                format!("dynamodb:{REGION}:{ACCOUNT}:table/{}/stream/1", Table::name_of(name))
            }
            ("AWS::Serverless::Function", "Arn") => {
                format!("lambda:{REGION}:{ACCOUNT}:function:{name}")
            }
            ("AWS::SQS::Queue", "Arn") => format!("sqs:{REGION}:{ACCOUNT}:{name}"),
            _ => return Err(format!("!GetAtt {path} is not understood here").into()),
        };
        Ok(format!("arn:aws:{place}").into())
    }

    fn substitute(&self, template: &str, names: &Map<String, Json>) -> Result<Json, Error> {
        let (mut done, mut rest) = (String::new(), template);
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or("!Sub lacks a closing brace")?;
            done.push_str(before);
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                done.push_str(&format!("${{{literal}}}"));
                continue;
            }
            let value = match names.get(name) {
                Some(value) => value.clone(),
                None if name.contains('.') => self.attribute(name)?,
                None => self.refer(name)?,
            };
            done.push_str(&text(&value).ok_or_else(|| format!("{name} is not a text"))?);
        }
        done.push_str(rest);
        Ok(done.into())
    }

    fn kind(&self, name: &str) -> Result<&str, Error> {
        let found = self.section("Resources").find(|(found, _)| *found == name);
        let kind = found.and_then(|(_, resource)| resource.get("Type")?.as_str());
        kind.ok_or_else(|| format!("the template has nothing called {name}").into())
    }
}

/// The name and argument of a function, written `!Name argument` or `Fn::Name: argument`.
fn function(value: &Yaml) -> Option<(String, &Yaml)> {
    match value {
        Yaml::Tagged(tagged) => {
            Some((tagged.tag.to_string().trim_start_matches('!').to_owned(), &tagged.value))
        }
        Yaml::Mapping(members) if members.len() == 1 => {
            let (name, argument) = members.iter().next()?;
            let name = name.as_str()?;
            let name = if name == "Ref" { name } else { name.strip_prefix("Fn::")? };
            Some((name.to_owned(), argument))
        }
        _ => None,
    }
}

fn is_some(value: &Result<Json, Error>) -> bool {
    value.as_ref().map_or(true, |value| !value.is_null())
}

fn scalar(value: &Yaml) -> Option<String> {
    match value {
        Yaml::String(text) => Some(text.clone()),
        Yaml::Number(number) => Some(number.to_string()),
        Yaml::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// A scalar as CloudFormation writes it where a string is wanted.
pub(super) fn text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}
