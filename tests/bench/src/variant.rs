//! What is measured: a program, a request, and what it finds behind its doors.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;

use crate::{
    Error,
    doors::{Door, Exchange, Tape, Whom},
    environment::{Environment, Program},
    flows::Flow,
    lambda::PLACES,
    tls::Authority,
};

/// A function with one request of it.
pub(crate) struct Variant {
    /// What it is called in tables.
    pub(crate) name: String,
    program: Program,
    event: Vec<u8>,
    /// The status that it answers with; absent where it answers with none.
    status: Option<u64>,
    tape: Arc<Tape>,
    _aws: Door,
}

impl Variant {
    /// One of ours, as it was recorded.
    pub(crate) fn of(
        name: &str,
        flow: &Flow,
        copies: &Path,
        authority: &Authority,
    ) -> Result<Self, Error> {
        let invocation = &flow.invocation;
        let mut program = invocation.program.clone();
        let binary = program.path.clone();
        program.path = copies.join(flow.function);
        authority.teach(&binary, &program.path)?;
        let exchanges = [&invocation.before[..], &invocation.exchanges].concat();
        let answered: Value = serde_json::from_slice(&invocation.answer)?;
        let status = answered["statusCode"].as_u64();
        Self::new(name, program, &invocation.event, status, &exchanges, authority)
    }

    /// Any program, which is asked what a session check is asked.
    pub(crate) fn new(
        name: &str,
        mut program: Program,
        event: &[u8],
        status: Option<u64>,
        exchanges: &[Exchange],
        authority: &Authority,
    ) -> Result<Self, Error> {
        let tape = Tape::of(exchanges);
        let aws = Door::playing_over_tls(&tape, &authority.server)?;
        for (setting, whom) in PLACES {
            if whom != Whom::Amazon {
                program.settings.insert(setting.to_owned(), aws.url());
            }
        }
        let event = event.to_vec();
        Ok(Self { name: name.to_owned(), program, event, status, tape, _aws: aws })
    }

    /// Starts it, with an Amazon that answers so much later.
    pub(crate) fn start(&self, late: Duration) -> Result<Running<'_>, Error> {
        self.start_by(late, None)
    }

    /// The same by another program, such as callgrind, with its arguments.
    pub(crate) fn start_by(
        &self,
        late: Duration,
        by: Option<(PathBuf, Vec<String>)>,
    ) -> Result<Running<'_>, Error> {
        let amazon = Door::playing(&self.tape, late)?;
        let mut program = self.program.clone();
        if let Some(url) = program.settings.get_mut("LWA_API_URL") {
            *url = amazon.url();
        }
        if let Some((path, mut arguments)) = by {
            arguments.push(program.path.display().to_string());
            arguments.append(&mut program.arguments);
            program = Program { path, arguments, ..program };
        }
        let environment = Environment::start(&program);
        let environment = environment.map_err(|error| format!("{}: {error}", self.name))?;
        Ok(Running { environment, variant: self, _amazon: amazon })
    }
}

/// A process of a variant.
pub(crate) struct Running<'a> {
    pub(crate) environment: Environment,
    variant: &'a Variant,
    _amazon: Door,
}

impl Running<'_> {
    /// How long one request takes.
    pub(crate) fn invoke(&self) -> Result<Duration, Error> {
        let Variant { name, event, status, .. } = self.variant;
        let invoked = self.environment.invoke(event);
        let (answer, took) = invoked.map_err(|error| format!("{name}: {error}"))?;
        let answered: Value = serde_json::from_slice(&answer)?;
        if answered["statusCode"].as_u64() != *status {
            let said = self.environment.last_line();
            return Err(format!("{name} answered {}: {said}", answered["statusCode"]).into());
        }
        Ok(took)
    }
}
