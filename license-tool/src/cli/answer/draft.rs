//! The license that would answer a request, before it is bound.

use farhold_bundle::{
    Envelope, LIMITS, Positive, TrustRoot, Whole,
    payload::{Binding, License, Request},
};
use farhold_contract::{Code, Timestamp, id::LicenseId};
use farhold_ledger::Ledger;

use super::Args;
use crate::{
    answer::{contract_for, interrupted_contract},
    assemble::open_lines,
    cli::{clock, issue::template_text},
    file, issue,
    refusal::Refusal,
    template::{self, BindTo, Mold, Template},
};

/// The license that would answer, before it is bound.
pub(super) struct Draft {
    pub(super) mold: Mold,
    license_id: Option<LicenseId>,
    is_new: bool,
    pub(super) bind: BindTo,
    pub(super) rehosts_per_year: Option<Whole>,
    template: Option<Template>,
}

impl Draft {
    /// What would answer; nothing where the request is only to be shown.
    pub(super) fn of(args: &Args, root: &TrustRoot) -> Result<Option<Self>, Refusal> {
        if let Some(path) = &args.template {
            let of_template = |refusal: Refusal| refusal.of_file(path);
            let template = template::read(&template_text(path)?).map_err(of_template)?;
            let license_id = template.license_id();
            if license_id.is_some() && args.new_id {
                return Err(Refusal::usage(
                    "the template has a license_id and --new-id asks for another",
                    "Leave out one of them.",
                ));
            }
            return Ok(Some(Self {
                mold: template.mold(root.root().issuer.id).map_err(of_template)?,
                license_id,
                is_new: args.new_id,
                bind: args.bind.unwrap_or_else(|| template.bind_to()),
                rehosts_per_year: template.rehosts_per_year(),
                template: Some(template),
            }));
        }
        let Some(path) = &args.from else { return Ok(None) };
        let verify = |envelope: Envelope| Ok(root.verify::<License>(envelope)?);
        let license = open_lines(&file::read(path, LIMITS.bundle_bytes)?)
            .and_then(|mut lines| match (lines.pop(), lines.len()) {
                (Some(envelope), 0) => verify(envelope),
                _ => Err(Refusal::new(Code::BundleMalformed, "one license is needed")),
            })
            .map_err(|refusal| refusal.of_file(path))?;
        Ok(Some(Self {
            license_id: Some(license.license_id),
            is_new: false,
            bind: args.bind.unwrap_or_else(|| of_binding(&license)),
            rehosts_per_year: None,
            mold: Mold::of(license.content().clone()),
            template: None,
        }))
    }

    /// Which license it is, once bound: the one that was named, a new one, or the ledger's of that
    /// line and machine.
    ///
    /// # Errors
    /// `template.invalid` where nothing says.
    pub(super) fn license_id(
        &self,
        ledger: &Ledger,
        request: &Request,
    ) -> Result<LicenseId, Refusal> {
        if let Some(id) = self.license_id {
            return Ok(id);
        }
        if self.is_new {
            // A new contract that was entered and never written is that one.
            let known = interrupted_contract(ledger, &self.mold, request)?;
            return Ok(known.unwrap_or_else(|| clock::new_id(LicenseId::from_uuid)));
        }
        contract_for(ledger, &self.mold, request)?.ok_or_else(|| {
            Refusal::new(
                Code::TemplateInvalid,
                "the template has no license_id, and the ledger has none",
            )
            .with_next("Give --new-id for a new contract.")
        })
    }

    /// Holds what would be signed to every rule, before anyone types a passphrase.
    pub(super) fn check(
        &self,
        args: &Args,
        root: &TrustRoot,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let license = self.mold.cast(template::Stamp {
            license_id: self.mold.content().license_id,
            serial: Positive::MIN,
            issued_at: now,
        });
        match (&self.template, &args.template) {
            (Some(template), Some(path)) => template
                .check(&license)
                .and_then(|()| issue::refuse_nonsense(template, &license, root))
                .map_err(|refusal| refusal.of_file(path)),
            _ => match issue::nonsense(&license, root) {
                Some((member, why)) => Err(Refusal::usage(
                    format!("the license's {member} {why}"),
                    "Answer with a template that says otherwise.",
                )),
                None => Ok(()),
            },
        }
    }
}

/// As a license is bound already; to the device where it is bound to nothing.
fn of_binding(license: &License) -> BindTo {
    match &license.binding {
        Some(Binding::Fingerprint(binding)) => BindTo::Fingerprint(Some(binding.require)),
        _ => BindTo::Device,
    }
}
