//! A listing that may have more than one page.

use super::{
    AgentsAnswer, AlertsAnswer, AuditAnswer, DeadLettersAnswer, EnrollTokensAnswer, RuntimesAnswer,
    TenantsAnswer,
};

/// A listing that may have more than one page.
pub trait Listing {
    /// Where the next page begins.
    fn next(&mut self) -> &mut Option<String>;

    /// Takes the next page's rows over, and where the one after it begins.
    fn append(&mut self, page: Self);
}

macro_rules! listings {
    ($($answer:ident: $rows:ident;)*) => {$(
        impl Listing for $answer {
            fn next(&mut self) -> &mut Option<String> {
                &mut self.next
            }

            fn append(&mut self, page: Self) {
                self.$rows.extend(page.$rows);
                self.next = page.next;
            }
        }
    )*};
}

listings! {
    TenantsAnswer: tenants;
    RuntimesAnswer: runtimes;
    AgentsAnswer: agents;
    EnrollTokensAnswer: tokens;
    AuditAnswer: events;
    DeadLettersAnswer: dead_letters;
    AlertsAnswer: alerts;
}
