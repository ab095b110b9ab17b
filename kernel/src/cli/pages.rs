//! Pages: a listing asked for until it ends.

use serde::de::DeserializeOwned;

use super::client::{AdminDoor, Ask};
use crate::admin::answer::Listing;

/// Rows a page.
const PAGE: usize = 500;

/// Every row, as if it were one page.
pub(super) fn all<L: Listing + DeserializeOwned>(
    door: &AdminDoor,
    ask: impl Fn() -> Ask,
) -> anyhow::Result<L> {
    let page =
        |after: Option<&str>| door.json(ask().with("limit", Some(PAGE)).with("after", after));
    let mut whole: L = page(None)?;
    while let Some(next) = whole.next().take() {
        whole.append(page(Some(&next))?);
    }
    Ok(whole)
}
