//! The request at hand, as far as every line about it tells of it. It goes by the thread, as the tally
//! does: a function works on one, and has one request at a time.

use std::cell::{Cell, RefCell};

use super::Line;
use crate::Settings;

/// Who writes, as Lambda tells it. On other machines nobody may say.
#[derive(Clone, Default)]
pub(crate) struct Author {
    function: Option<String>,
    version: Option<String>,
    log_group: Option<String>,
}

impl Author {
    /// Reads what Lambda sets.
    pub(crate) fn of(settings: &Settings) -> Self {
        let own = |name| settings.optional(name).map(str::to_owned);
        Self {
            function: own("AWS_LAMBDA_FUNCTION_NAME"),
            version: own("AWS_LAMBDA_FUNCTION_VERSION"),
            log_group: own("AWS_LAMBDA_LOG_GROUP_NAME"),
        }
    }
}

#[derive(Default)]
struct AtHand {
    author: Author,
    request_id: String,
}

thread_local! {
    static AT_HAND: RefCell<AtHand> = RefCell::default();
    static SILENT: Cell<bool> = const { Cell::new(false) };
}

/// Does something about which no line is written.
pub(crate) async fn silently<T>(done: impl Future<Output = T>) -> T {
    SILENT.set(true);
    let done = done.await;
    SILENT.set(false);
    done
}

/// Whether no line is to be written.
pub(super) fn is_silent() -> bool {
    SILENT.get()
}

/// A request begins: lines are about it from now on, and what was asked of others before is forgotten.
pub(crate) fn begin(author: &Author, request_id: &str) {
    let (author, request_id) = (author.clone(), request_id.to_owned());
    AT_HAND.set(AtHand { author, request_id });
    tally::take();
}

/// How bad it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Level {
    Info,
    Warn,
    Error,
}

/// A line, as each of them begins.
pub(super) fn line(level: Level) -> Line {
    let level = match level {
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
    };
    let mut line = Line::new();
    line.put("level", level);
    line.put("timestamp", super::now().rfc3339());
    AT_HAND.with_borrow(|AtHand { author, request_id }| {
        let told = [("function", author.function.as_ref()), ("version", author.version.as_ref())];
        let request_id = Some(request_id).filter(|id| !id.is_empty());
        for (name, text) in told.into_iter().chain([("request_id", request_id)]) {
            if let Some(text) = text {
                line.put(name, text);
            }
        }
    });
    line
}

/// The log group, by which a stack is told from another.
pub(super) fn log_group() -> Option<String> {
    AT_HAND.with_borrow(|at_hand| at_hand.author.log_group.clone())
}
