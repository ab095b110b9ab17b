//! The agent's own doors, with thousands at them who ask nothing.

use std::{
    net::TcpStream,
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use farhold_contract::model::RuntimeType::Courses;
use farhold_tests::{
    http::Address,
    site::{Site, Vendor},
};

use crate::files;

const COME: usize = 10_000;

#[test]
fn ten_thousand_idle_connections_shut_neither_products_nor_the_administrator_out() {
    if !files::are_allowed("ten_thousand_idle_connections", COME as u64 + 500) {
        return;
    }
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(10));
    let site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    let [Address::Unix(unix), Address::Tcp(tcp)] = site.doors() else {
        unreachable!("one door of each kind")
    };
    let by_file: Vec<UnixStream> =
        (0..COME / 2).map(|_| UnixStream::connect(&unix).unwrap()).collect();
    let by_address: Vec<TcpStream> =
        (0..COME / 2).map(|_| TcpStream::connect(tcp).unwrap()).collect();
    let began = Instant::now();
    for door in site.doors() {
        courses.check("export").at(&door).consume(1).allowed();
    }
    site.status();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    println!("answered after {:?} beside {COME} others", began.elapsed());
    drop((by_file, by_address));
    courses.check("export").allowed().used(2);
}
