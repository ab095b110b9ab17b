//! How long a root brings in new words.

use jiff::{ToSpan, tz::TimeZone};

use farhold_contract::{Date, Timestamp};

use crate::refusal::Refusal;

/// A root's end, where it is said.
#[derive(clap::Args)]
pub(super) struct LifeArgs {
    /// The last day, in UTC, on which it brings in something new
    #[arg(long, value_name = "DATE", conflicts_with = "years")]
    expires: Option<Date>,
    /// The same, in years from now; a new root lives 5
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i16).range(1..=100))]
    years: Option<i16>,
}

/// Life of a root where nothing is said, in years (`bundle.md` §3).
const YEARS: i16 = 5;

impl LifeArgs {
    /// The end that was asked for.
    ///
    /// # Errors
    /// `usage.invalid` beyond the last year.
    pub(super) fn given(&self, made_at: Timestamp) -> Result<Option<Timestamp>, Refusal> {
        match (self.expires, self.years) {
            // The day given is the last one.
            (Some(day), _) => {
                let next = day.civil().tomorrow().and_then(|next| next.to_zoned(TimeZone::UTC));
                Ok(Some(next.map_err(|_| beyond())?.timestamp().into()))
            }
            (None, Some(years)) => years_after(made_at, years).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// The end that was asked for, or the usual one.
    ///
    /// # Errors
    /// `usage.invalid` beyond the last year.
    pub(super) fn end(&self, made_at: Timestamp) -> Result<Timestamp, Refusal> {
        self.given(made_at)?.map_or_else(|| years_after(made_at, YEARS), Ok)
    }
}

fn years_after(made_at: Timestamp, years: i16) -> Result<Timestamp, Refusal> {
    let made = jiff::Timestamp::from(made_at).to_zoned(TimeZone::UTC);
    made.checked_add(years.years()).map(|end| end.timestamp().into()).map_err(|_| beyond())
}

fn beyond() -> Refusal {
    Refusal::usage("the root's end is beyond year 9999", "Choose an earlier --expires.")
}
