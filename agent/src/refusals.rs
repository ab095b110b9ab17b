//! Refusals: bundles that were refused and that nothing has put right since, by the way they came.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// The way a bundle comes to the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// Somebody imports it: `farhold import`, or the admin door.
    Hand,
    /// Somebody put it into the drop folder.
    DropFolder,
    /// The Kernel wants the site to stand at it.
    Kernel,
}

/// The last refusal of each way: what came by one says little of what came by another.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<BTreeMap<Way, String>>);

impl Refusals {
    /// A bundle that matters was refused.
    pub(crate) fn refused(&self, way: Way, told: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(way, told);
    }

    /// Something new was imported. Whoever imports by hand has looked at what there was to see:
    /// that ends them all.
    pub(crate) fn imported(&self, way: Way) {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match way {
            Way::Hand => refused.clear(),
            Way::DropFolder | Way::Kernel => {
                refused.remove(&way);
            }
        }
    }

    /// All of a bundle was in force already, or has been superseded.
    pub(crate) fn nothing_new(&self, way: Way) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&way);
    }

    /// Those that stand, in a sentence each; none if nothing does.
    pub(crate) fn told(&self) -> Option<String> {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told: Vec<String> = refused
            .iter()
            .map(|(way, told)| match way {
                Way::Hand => told.clone(),
                Way::DropFolder => format!("from the drop folder: {told}"),
                Way::Kernel => format!("from the Kernel: {told}"),
            })
            .collect();
        (!told.is_empty()).then(|| told.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both() -> Refusals {
        let refusals = Refusals::default();
        refusals.refused(Way::DropFolder, "one".to_owned());
        refusals.refused(Way::Kernel, "two".to_owned());
        refusals
    }

    #[test]
    fn a_refusal_ends_by_its_own_way_and_by_an_import_by_hand() {
        let all = "from the drop folder: one; from the Kernel: two";
        assert_eq!(both().told().as_deref(), Some(all));
        let refusals = both();
        refusals.nothing_new(Way::Hand);
        assert_eq!(refusals.told().as_deref(), Some(all), "nothing was brought");
        refusals.nothing_new(Way::DropFolder);
        assert_eq!(refusals.told().as_deref(), Some("from the Kernel: two"));
        refusals.imported(Way::Kernel);
        assert_eq!(refusals.told(), None);
        let refusals = both();
        refusals.imported(Way::Kernel);
        assert_eq!(refusals.told().as_deref(), Some("from the drop folder: one"));
        refusals.imported(Way::Hand);
        assert_eq!(refusals.told(), None);
    }
}
