//! Taking in what is to be looked at.

use farhold_bundle::payload::License;
use farhold_contract::Code;

use super::{Paper, Papers};
use crate::{
    contents::{self, Content, Fill},
    refusal::Refusal,
};

impl Papers<'_> {
    /// Adds what a file holds: a template, or documents one a line or in typed form.
    ///
    /// # Errors
    /// As [`contents::read`].
    pub fn add(&mut self, name: &str, bytes: &[u8], fill: Fill) -> Result<(), Refusal> {
        let contents = contents::read(bytes, fill)?;
        let is_one = contents.len() == 1;
        for (at, content) in contents.into_iter().enumerate() {
            let name = if is_one { name.to_owned() } else { format!("{name} line {}", at + 1) };
            self.add_content(name, content);
        }
        Ok(())
    }

    /// Adds sites' requests.
    ///
    /// # Errors
    /// As [`contents::read`]; `payload.type_unknown` for anything but requests.
    pub fn add_requests(&mut self, bytes: &[u8], fill: Fill) -> Result<(), Refusal> {
        for content in contents::read(bytes, fill)? {
            let Content::Request(request) = content else {
                return Err(Refusal::new(Code::PayloadType, "this is not a site's request")
                    .with_next("Give what the site wrote by farhold request."));
            };
            self.requests.push(*request);
        }
        Ok(())
    }

    fn add_content(&mut self, name: String, content: Content) {
        match content {
            Content::Template(license) => {
                let license = *license;
                self.licenses.push(Paper { name, license, is_signed: false, refusal: None });
            }
            Content::License(license, document) => {
                let license = *license;
                let refusal = self.trust.and_then(|trust| trust.verify::<License>(document).err());
                let refusal = refusal.map(Refusal::from);
                self.licenses.push(Paper { name, license, is_signed: true, refusal });
            }
            Content::Root(root, _) => self.roots.push((name, root)),
            Content::Request(request) => self.requests.push(*request),
            Content::Revocations(list, _) => self.revocations.push((name, list)),
            // Nothing of theirs is chosen by hand.
            Content::Other(_) => {}
        }
    }
}
