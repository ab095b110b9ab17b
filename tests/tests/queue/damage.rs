//! Pages of the database torn or with a bit flipped, while records wait: the license is served,
//! the queue never jams in silence, and what is lost is told.

use std::{collections::BTreeSet, fs, path::PathBuf};

use rusqlite::Connection;

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Document, EventDraft, Records, Runtime, Site, TENANT, Vendor};

use crate::stage::Stage;

/// SQLite's.
const PAGE_BYTES: usize = 4096;
/// Events that wait.
const EVENTS: usize = 300;

/// What is done to a page.
#[derive(Debug, Clone, Copy)]
enum Damage {
    /// Only its first half was written.
    Torn,
    /// One bit is another.
    Flipped,
}

/// A stopped site with records that wait, and its database as it should be.
struct Waiting {
    vendor: Vendor,
    site: Site,
    courses: Runtime,
    told: BTreeSet<String>,
    database: PathBuf,
    good: Vec<u8>,
}

impl Waiting {
    fn new() -> Self {
        let vendor = Vendor::new();
        let license = vendor.license(|l| l.feature("export").quota(100));
        let mut site = Site::new(&vendor).trusting().holding(&license);
        let courses = site.runtime(Courses).registered();
        courses.check("export").consume(1).allowed();
        let events: Vec<EventDraft> = (0..EVENTS).map(|_| courses.event("login")).collect();
        courses.tells_all(&events).answer().ok();
        // Whatever it finds damaged it tells.
        site.expecting("").stopped();
        let database = site.state().join("agent.db");
        let good = fs::read(&database).unwrap();
        let told = events.iter().map(EventDraft::id).collect();
        Self { vendor, site, courses, told, database, good }
    }

    fn damaged(&self, page: usize, damage: Damage) {
        for entry in fs::read_dir(self.site.state()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with("agent.db") {
                fs::remove_file(path).unwrap();
            }
        }
        let mut bytes = self.good.clone();
        // Rows have one length: in every page another part of one is met.
        let bit = (page * 397 + 1_500) % PAGE_BYTES;
        let page = &mut bytes[page * PAGE_BYTES..(page + 1) * PAGE_BYTES];
        match damage {
            Damage::Torn => page[PAGE_BYTES / 2..].fill(0),
            Damage::Flipped => page[bit] ^= 0x10,
        }
        fs::write(&self.database, bytes).unwrap();
    }

    /// A product is served, this one or, where its token was lost with a page, a new one. Where a
    /// page is met only by a write, the write is refused as what it is.
    fn serves_or_says_what_it_can_not(&self) {
        let answered = self.courses.check("export").answer();
        if answered.answer.status == 200 {
            assert_eq!(answered.ok()["allowed"], true);
        } else {
            answered.refused(Code::AuthInvalid);
            self.site.runtime(Courses).registered().check("export").allowed();
        }
        let told = self.courses.tells(&self.courses.event("login")).answer();
        match told.answer.status {
            200 => drop(told.ok()),
            401 => drop(told.refused(Code::AuthInvalid)),
            _ => {
                told.refused(Code::StoreUnavailable);
                self.site.logs("the database refuses changes");
            }
        }
    }

    /// Whether everything that waited is there and verifies; if not, that it is told.
    fn is_whole_or_tells(&self, case: &str) -> bool {
        let site = &self.site;
        // A status that can't be read hides nothing either.
        let status = site.admin("GET", "/statusz").answer();
        if status.answer.status != 200 || site.suffers("store_recovered") {
            return false;
        }
        let verified = site.admin("GET", "/admin/audit/verify").answer();
        let out = site.path("damaged.export");
        let _ = fs::remove_file(&out);
        let exported = site.verb(["export", "--out", out.to_str().unwrap()]);
        if exported.exit != 0 {
            assert!(!out.exists(), "{case}: no file is left of an export that broke off");
            return false;
        }
        let export = Document::at(out);
        self.vendor.verifies_export(&export, &site.device_key());
        let there: BTreeSet<String> = Records::of_export(&export.bytes())
            .of_type("login")
            .iter()
            .map(|event| event["event_id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(there, self.told, "{case}: lost, and nobody was told");
        verified.answer.status == 200
    }
}

fn whichever_page_is(damage: Damage) {
    let mut waiting = Waiting::new();
    let pages = waiting.good.len() / PAGE_BYTES;
    let mut told = 0;
    for page in 0..pages {
        let case = format!("page {page} {damage:?}");
        waiting.damaged(page, damage);
        waiting.site.started();
        let ready = waiting.site.admin("GET", "/readyz").answer();
        assert_eq!(ready.answer.status, 200, "{case}: no license is taken away");
        told += usize::from(!waiting.is_whole_or_tells(&case));
        waiting.serves_or_says_what_it_can_not();
        waiting.site.killed();
    }
    println!("{told} of {pages} pages {damage:?} cost something, and it was told");
    assert!(told > 0, "no damage was ever seen");
}

#[test]
fn whichever_page_is_torn_nothing_is_lost_in_silence() {
    whichever_page_is(Damage::Torn);
}

#[test]
fn whichever_page_has_a_bit_flipped_nothing_is_lost_in_silence() {
    whichever_page_is(Damage::Flipped);
}

/// What was changed on the disk is never handed over as if it had been told so.
#[test]
fn a_waiting_record_that_is_changed_on_the_disk_is_told_and_never_reaches_the_kernel() {
    let mut stage = Stage::set();
    stage.site.drains();
    stage.kernel.killed();
    let events: Vec<EventDraft> = (0..10).map(|_| stage.courses.event("login")).collect();
    stage.courses.tells_all(&events).answer().ok();
    // Whatever can't be sent it tells.
    stage.site.expecting("").stopped();
    let database = Connection::open(stage.site.state().join("agent.db")).unwrap();
    let changed = database.execute(
        "UPDATE record SET event = CAST(replace(CAST(event AS TEXT), 'ana', 'eve') AS BLOB)
         WHERE seq = (SELECT max(seq) FROM record WHERE CAST(event AS TEXT) LIKE '%\"ana\"%')",
        [],
    );
    assert_eq!(changed.unwrap(), 1);
    drop(database);

    stage.site.started();
    stage.kernel.started();
    stage.site.comes_online(&stage.courses, "exams");
    stage.site.logs("\"ERROR\"");
    stage.courses.check("export").consume(1).allowed();
    stage.courses.tells(&stage.courses.event("login")).answer().ok();
    stage.site.admin("GET", "/admin/audit/verify").answer().refused(Code::ChainBroken);
    let taken = stage.kernel.audit_of_type(TENANT, "login").events();
    let eve = taken.iter().filter(|event| event["actor_id"] == "eve").count();
    assert_eq!(eve, 0, "{taken:#?}");
    stage.kernel.verifies();
}
