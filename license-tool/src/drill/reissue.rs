//! Reissue: the lines that issue anew what fell, and bundle it for each site.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use farhold_bundle::{
    Positive,
    payload::{Binding, Role, SiteMode},
};
use farhold_contract::id::TenantId;

use super::{
    Stage,
    paper::{Paper, word},
    report::Step,
    site::Site,
};
use crate::{
    issue::many::file_name,
    issued::{IssuedLicense, licenses},
    template::Stamp,
};

/// What one site is issued anew; nothing where nothing of it fell.
pub(super) struct Anew<'a> {
    pub(super) site: &'a Site,
    pub(super) licenses: Vec<(IssuedLicense, Positive)>,
}

/// Issues anew and bundles; then tells the Kernel.
pub(super) fn steps(stage: &Stage<'_>, paper: &Paper<'_>, sites: &[Anew<'_>]) -> Vec<Step> {
    let folder = Folder::of(stage, paper);
    let mut steps = Vec::new();
    let (typed, told): (Vec<_>, Vec<_>) = sites
        .iter()
        .flat_map(|anew| &anew.licenses)
        .partition(|(issued, _)| is_at_hand(stage, issued));
    if !typed.is_empty() {
        let what = format!(
            "Issue {} anew by a key that is not stolen, each from its own file, bound as it was. \
             What came from a table may come from it again, all at once: issue --csv gives a row \
             the next serial where its key is revoked",
            licenses(typed.len())
        );
        let each = typed.iter().map(|(issued, serial)| {
            issue_line(stage, paper, issued, *serial, &folder.file(issued, *serial))
        });
        steps.push(Step::new(what, folder.make.iter().cloned().chain(each)));
    }
    if !told.is_empty() {
        let is_bound = |(issued, _): &&(IssuedLicense, Positive)| {
            matches!(issued.license.binding, Some(Binding::DeviceKey(_) | Binding::Fingerprint(_)))
        };
        let mut what = format!(
            "Issue {} anew from templates, as the serials above say, and bundle them with {}: their \
             files are not known, or no root at hand proves them (--licenses, --ledger)",
            licenses(told.len()),
            paper.new_root
        );
        if let bound @ 1.. = told.iter().filter(|one| is_bound(one)).count() {
            what.push_str(&format!(
                ". Of these, {bound} bound to a machine: answer each site's request, the one that \
                 you kept or a new one",
            ));
        }
        steps.push(Step::new(what, []));
    }
    let bundles = bundles(stage, paper, sites, &folder);
    let (lines, names): (Vec<String>, Vec<String>) = bundles.into_iter().unzip();
    if !lines.is_empty() {
        let mut what = "Bundle for each site, and send it: one import. Until then the site takes \
                        the thief's file"
            .to_owned();
        if lines.iter().any(|line| line.contains("--allow-loss")) {
            what.push_str(
                ". Where --allow-loss stands, what it names as lost is in another of these bundles",
            );
        }
        steps.push(Step::new(what, lines));
    }
    steps.push(paper.kernel_step(&names));
    steps
}

/// Whether its file is known, and proven by the root in force or by the ledger.
fn is_at_hand(stage: &Stage<'_>, issued: &IssuedLicense) -> bool {
    issued.source.is_some() && (is_proven(stage, issued) || stage.files.ledger.is_some())
}

/// Whether the root in force proves it.
fn is_proven(stage: &Stage<'_>, issued: &IssuedLicense) -> bool {
    issued.is_current_under(stage.root)
}

fn issue_line(
    stage: &Stage<'_>,
    paper: &Paper<'_>,
    issued: &IssuedLicense,
    serial: Positive,
    out: &str,
) -> String {
    let mut line = "license-tool issue".to_owned();
    if let Some(source) = &issued.source {
        line.push_str(&format!(" --from {}", word(&source.file)));
        if !source.is_alone {
            let license = &issued.license;
            line.push_str(&format!(" --from-license {}:{}", license.license_id, license.serial));
        }
    }
    if is_proven(stage, issued) {
        line.push_str(&format!(" --from-root {}", paper.old_root));
    }
    line.push_str(&format!(" --serial {serial}"));
    if let Some(ledger) = stage.files.ledger {
        line.push_str(&format!(" --ledger {}", word(ledger)));
    }
    for key in paper.keys(Role::License) {
        line.push_str(&format!(" --key {key}"));
    }
    format!("{line} --root {} --out {out}", paper.new_root)
}

/// Where what is issued anew goes: where the rest is, so that it is known there.
struct Folder {
    path: PathBuf,
    /// The line that makes it, if it is not there.
    make: Option<String>,
    /// What tells `bundle` of it, if nothing else does.
    known: String,
}

impl Folder {
    fn of(stage: &Stage<'_>, paper: &Paper<'_>) -> Self {
        let sources = || stage.issued.licenses().filter_map(|issued| issued.source.as_ref());
        let is_folder = |path: &&PathBuf| {
            sources().any(|source| source.file != **path && source.file.starts_with(path))
        };
        match stage.files.licenses.iter().find(is_folder) {
            Some(path) => Self { path: path.clone(), make: None, known: String::new() },
            None => {
                let path = paper.free("reissued");
                let (make, known) = (format!("mkdir {path}"), format!(" --licenses {path}"));
                Self { path: path.into(), make: Some(make), known }
            }
        }
    }

    /// The file of a license that is issued anew.
    fn file(&self, issued: &IssuedLicense, serial: Positive) -> String {
        let license_id = issued.license.license_id;
        let stamp = Stamp { license_id, serial, issued_at: issued.license.issued_at };
        word(&self.path.join(file_name(stamp)))
    }
}

/// What goes into one bundle: what is for one machine, with what is for any of the same kind.
struct Group<'a> {
    machine: Option<&'a Binding>,
    modes: &'a BTreeSet<SiteMode>,
    anew: Vec<&'a (IssuedLicense, Positive)>,
}

/// The line and the file of every bundle.
fn bundles(
    stage: &Stage<'_>,
    paper: &Paper<'_>,
    sites: &[Anew<'_>],
    folder: &Folder,
) -> Vec<(String, String)> {
    let (old, new) = (&paper.old_root, &paper.new_root);
    let known = format!("{}{}", paper.known(), folder.known);
    let mut tenants: BTreeMap<TenantId, Vec<&Anew<'_>>> = BTreeMap::new();
    let is_hit =
        |anew: &&Anew<'_>| anew.licenses.iter().any(|(issued, _)| is_at_hand(stage, issued));
    for anew in sites.iter().filter(is_hit) {
        tenants.entry(anew.site.customer.tenant_id).or_default().push(anew);
    }
    let mut bundles = Vec::new();
    for hit in tenants.values() {
        let lines: BTreeSet<&str> =
            hit.iter().map(|anew| anew.site.customer.product.as_str()).collect();
        for group in groups(hit) {
            let at_hand: Vec<&(IssuedLicense, Positive)> =
                group.anew.into_iter().filter(|(issued, _)| is_at_hand(stage, issued)).collect();
            let Some((first, serial)) = at_hand.first() else { continue };
            let files: String = at_hand
                .iter()
                .map(|(issued, serial)| format!(" {}", folder.file(issued, *serial)))
                .collect();
            let brought: BTreeSet<&str> =
                at_hand.iter().map(|(issued, _)| issued.license.product.as_str()).collect();
            let loss = if brought == lines { "" } else { " --allow-loss" };
            let out = paper.free(&format!("{}.{serial}.bundle", first.license.license_id));
            let line =
                format!("license-tool bundle {new}{files} --root {old}{known}{loss} --out {out}");
            bundles.push((line, out));
        }
    }
    if sites.iter().any(|anew| anew.licenses.is_empty()) {
        // Whose license did not fall needs the root all the same: the thief could still sign one.
        let is_any_hit = sites.iter().any(|anew| !anew.licenses.is_empty());
        let loss = if is_any_hit { " --allow-loss" } else { "" };
        let known = if is_any_hit { known } else { paper.known() };
        let out = paper.free(&format!("root.{}.bundle", stage.root.version() + 1));
        bundles.push((
            format!("license-tool bundle {new} --root {old}{known}{loss} --out {out}"),
            out,
        ));
    }
    bundles
}

fn groups<'a>(hit: &[&'a Anew<'a>]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let license = |anew: &&'a Anew<'a>| &anew.licenses.first().expect("it is hit").0.license;
    let machine = |anew: &&'a Anew<'a>| match &license(anew).binding {
        Some(Binding::None) | None => None,
        bound => bound.as_ref(),
    };
    for anew in hit.iter().filter(|anew| machine(anew).is_some()) {
        let (machine, modes) = (machine(anew), &license(anew).modes);
        match groups.iter_mut().find(|group| (group.machine, group.modes) == (machine, modes)) {
            Some(group) => group.anew.extend(&anew.licenses),
            None => groups.push(Group { machine, modes, anew: anew.licenses.iter().collect() }),
        }
    }
    let machines = groups.len();
    for anew in hit.iter().filter(|anew| machine(anew).is_none()) {
        let modes = &license(anew).modes;
        // Any machine of the same kind may have it; where none is known, it has a bundle of its own.
        let mut is_placed = false;
        for (at, group) in groups.iter_mut().enumerate() {
            if group.modes == modes && (at < machines || group.machine.is_none()) {
                group.anew.extend(&anew.licenses);
                is_placed = true;
            }
        }
        if !is_placed {
            let anew = anew.licenses.iter().collect();
            groups.push(Group { machine: None, modes, anew });
        }
    }
    groups
}
