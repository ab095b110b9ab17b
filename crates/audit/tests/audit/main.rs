//! What the crate claims, tried from outside.

#[cfg(test)]
mod events;
#[cfg(test)]
mod exports;
#[cfg(test)]
mod known_answers;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod site;
#[cfg(test)]
mod submitted;
#[cfg(test)]
mod tampering;
