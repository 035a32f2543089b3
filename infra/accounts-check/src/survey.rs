//! x
use crate::{Error, arguments::Surveying};
pub(crate) async fn run(_: Surveying) -> Result<bool, Error> {
    Ok(true)
}
