use std::{fs, io::{Seek, SeekFrom, Write}};
use farhold_contract::model::RuntimeType::Courses;
use farhold_tests::site::{Site, Vendor};
#[test]
fn pages() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(5000));
    let mut site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    for _ in 0..20 { courses.check("export").consume(1).allowed(); courses.tells(&courses.event("login")).answer().ok(); }
    site.expecting("").stopped();
    for f in fs::read_dir(site.state()).unwrap() { let f=f.unwrap(); println!("{:?} {}", f.file_name(), f.metadata().unwrap().len()); }
    let good = fs::read(site.state().join("agent.db")).unwrap();
    for page in 0..good.len()/4096 {
        for f in fs::read_dir(site.state()).unwrap() { let p=f.unwrap().path(); if p.file_name().unwrap().to_string_lossy().starts_with("agent.db") { fs::remove_file(p).unwrap(); } }
        fs::write(site.state().join("agent.db"), &good).unwrap();
        let mut f = fs::OpenOptions::new().write(true).open(site.state().join("agent.db")).unwrap();
        f.seek(SeekFrom::Start(page as u64*4096)).unwrap(); f.write_all(&[0xAA;4096]).unwrap(); drop(f);
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| { site.started(); }));
        if ran.is_err() { println!("page {page}: DOES NOT START"); continue; }
        let status = site.admin("GET","/statusz").answer();
        let st = String::from_utf8_lossy(status.bytes()).into_owned();
        let old = courses.check("export").answer();
        let old = String::from_utf8_lossy(old.bytes()).into_owned();
        let oldc = courses.check("export").consume(1).answer();
        let oldc = String::from_utf8_lossy(oldc.bytes()).into_owned();
        let ev = courses.tells(&courses.event("login")).answer();
        let ev = String::from_utf8_lossy(ev.bytes()).into_owned();
        let tok = site.verb(["token","create","--type","labs"]);
        let v = site.verb(["audit","verify"]);
        let cut=|s:&str| s.chars().take(110).collect::<String>();
        println!("page {page}: recovered={} ready={}\n   check {}\n  consume {}\n  event {}\n  token exit {} verify exit {} {}", st.contains("store_recovered"), st.contains("\"ready\":true"), cut(&old), cut(&oldc), cut(&ev), tok.exit, v.exit, cut(&v.stdout));
        site.killed();
    }
}
