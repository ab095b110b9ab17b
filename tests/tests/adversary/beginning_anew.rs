//! Beginning anew: an agent that was enrolled starts over in its process, and nobody's peer decides
//! how that ends.

use std::{
    fs,
    io::Write,
    os::unix::net::UnixStream,
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use farhold_tests::{
    http::Address,
    kernel_process::{Kernel, LinkedSite},
    site::{TENANT, Vendor, eventually},
};

/// Half a request at the products' door: it may stay for ten seconds.
fn half_a_head(site: &LinkedSite) -> UnixStream {
    let Address::Unix(socket) = site.unix_door() else { panic!("a socket") };
    let mut peer = UnixStream::connect(socket).unwrap();
    peer.write_all(b"GET /livez HTTP/1.1\r\nhost: ").unwrap();
    peer
}

#[test]
fn an_agent_told_to_stop_while_it_begins_anew_stops() {
    let vendor = Vendor::new();
    let kernel = Kernel::start(&vendor);
    kernel.has_tenant(TENANT);
    let mut site = LinkedSite::new(&vendor);
    let peer = half_a_head(&site);
    let token = kernel.enrollment_token(&[TENANT]);
    let mut enrolling = site.command(["enroll", token.file.to_str().unwrap()]).spawn().unwrap();
    // The doors are closed and the one peer is waited for: the moment lasts ten seconds.
    eventually("the doors close", || UnixStream::connect(site.admin_socket()).is_err());
    site.agent().signal(Signal::TERM);
    let stat = format!("/proc/{}/stat", site.agent().id());
    let ended = || fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "));
    let begun = Instant::now();
    while !ended() && begun.elapsed() < Duration::from_secs(25) {
        thread::sleep(Duration::from_millis(20));
    }
    let stopped = ended();
    drop(peer);
    let _ = enrolling.kill();
    let _ = enrolling.wait();
    site.stopped();
    assert!(stopped, "it was told to stop 25 seconds ago");
}
