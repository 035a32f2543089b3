//! Where an interrupted survey goes on: a line of JSON for each page, after one that says what is
//! surveyed. It holds figures, hashes of addresses, and the last id of each page: a file to delete
//! when the survey is over.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, Write as _},
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{
    addresses::{Addresses, Salt, Trace},
    figures::Figures,
    pages::{Next, Page},
    salt,
};
use crate::{Error, arguments::Surveying};

/// The journal of a survey, if it keeps one.
pub(crate) struct Journal {
    file: Option<File>,
    /// The salt of all hashes in it.
    pub(crate) salt: Salt,
}

/// What is surveyed: nothing else may go on here.
#[derive(PartialEq, Serialize, Deserialize)]
struct Head {
    table: String,
    attributes: String,
    segments: i32,
    writes: bool,
    salt: String,
}

#[derive(Serialize, Deserialize)]
struct Line {
    segment: i32,
    next: Option<String>,
    figures: Figures,
    usable: String,
    foreign: String,
}

impl Journal {
    /// Opens it, and reads what is there already.
    pub(crate) fn open(surveying: &Surveying) -> Result<(Self, Vec<Page>), Error> {
        let salt = salt()?;
        let Some(path) = &surveying.state else {
            return Ok((Self { file: None, salt }, Vec::new()));
        };
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        let mut file = private(path).map_err(failed)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        // A line without an end was being written when the survey was interrupted.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64).map_err(failed)?;
        file.seek(std::io::SeekFrom::End(0)).map_err(failed)?;
        let mut lines = text[..whole].lines();
        let mut head = Head {
            table: surveying.place.table.clone(),
            attributes: surveying.spelled.clone(),
            segments: surveying.segments,
            writes: surveying.email_key && surveying.yes,
            salt: STANDARD.encode(salt),
        };
        let Some(first) = lines.next() else {
            let mut journal = Self { file: Some(file), salt };
            journal.append(&head)?;
            return Ok((journal, Vec::new()));
        };
        let wrong = || {
            format!(
                "{} is the state of another survey: delete it, or name another.",
                path.display()
            )
        };
        let before: Head = serde_json::from_str(first).map_err(|_| wrong())?;
        head.salt.clone_from(&before.salt);
        let salt = STANDARD.decode(&before.salt).ok().and_then(|salt| salt.try_into().ok());
        let (Some(salt), true) = (salt, head == before) else { return Err(wrong().into()) };
        let pages = lines.map(|line| page(line).ok_or_else(wrong)).collect::<Result<_, _>>()?;
        Ok((Self { file: Some(file), salt }, pages))
    }

    /// Notes that a page was read.
    pub(crate) fn write(&mut self, page: &Page) -> Result<(), Error> {
        if self.file.is_none() {
            return Ok(());
        }
        self.append(&Line {
            segment: page.segment,
            next: match &page.next {
                Next::After(id) => Some(id.clone()),
                Next::Start | Next::Done => None,
            },
            figures: page.figures.clone(),
            usable: STANDARD.encode(page.addresses.usable.as_flattened()),
            foreign: STANDARD.encode(page.addresses.foreign.as_flattened()),
        })
    }

    fn append(&mut self, line: &impl Serialize) -> Result<(), Error> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        if let Some(file) = &mut self.file {
            file.write_all(text.as_bytes())?;
        }
        Ok(())
    }
}

/// A file for its owner's eyes.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn page(line: &str) -> Option<Page> {
    let Line { segment, next, figures, usable, foreign } = serde_json::from_str(line).ok()?;
    let traces = |text: String| {
        let bytes = STANDARD.decode(text).ok()?;
        let (traces, rest) = bytes.as_chunks::<{ size_of::<Trace>() }>();
        rest.is_empty().then(|| traces.to_vec())
    };
    let addresses = Addresses { usable: traces(usable)?, foreign: traces(foreign)? };
    Some(Page { segment, next: next.map_or(Next::Done, Next::After), figures, addresses })
}
