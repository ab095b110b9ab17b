//! Namespace: hosts on a network of their own, made of the system's network namespaces.
//!
//! A [`Network`] is a namespace with a bridge; each [`Host`] is another, with one cable to it.
//! Nothing of the machine's own network is touched. Needs root (`CAP_SYS_ADMIN`, `CAP_NET_ADMIN`)
//! and iproute2: [`namespaces`] says whether they are there.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        OnceLock,
        atomic::{AtomicU8, AtomicU16, Ordering},
    },
};

/// What every name of ours begins with; the number of the process that made it comes next.
const PREFIX: &str = "fhtest";

/// A network that its hosts alone are on.
pub struct Network {
    name: String,
    hosts: AtomicU8,
}

/// A host on a network.
pub struct Host {
    /// Its namespace.
    name: String,
    /// The namespace with the bridge, and the end of the cable there.
    network: String,
    cable: String,
    address: String,
}

/// Whether this machine allows network namespaces.
///
/// # Errors
/// Why it does not.
pub fn namespaces() -> Result<(), String> {
    static KNOWN: OnceLock<Result<(), String>> = OnceLock::new();
    KNOWN
        .get_or_init(|| {
            tool().ok_or("iproute2 (the program ip) is not installed")?;
            remove_leftovers();
            let tried = format!("{PREFIX}-{}-try", std::process::id());
            ip(&["netns", "add", &tried])?;
            let bridged =
                ip(&["-n", &tried, "link", "add", "bridge", "type", "bridge"]).and_then(|()| {
                    ip(&["-n", &tried, "link", "add", "one", "type", "veth", "peer", "two"])
                });
            ip(&["netns", "del", &tried])?;
            bridged
        })
        .clone()
}

/// The network, or a loud word that the test did not run.
///
/// A test that needs it begins with `let Some(network) = network("its name") else { return };`.
pub fn network(test: &str) -> Option<Network> {
    match namespaces() {
        Ok(()) => Some(Network::new()),
        Err(reason) => {
            eprintln!("SKIPPED: {test}: no network namespaces here: {reason}");
            None
        }
    }
}

impl Network {
    fn new() -> Self {
        static MADE: AtomicU16 = AtomicU16::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}-{}-{number}", std::process::id());
        must(&["netns", "add", &name]);
        must(&["-n", &name, "link", "add", "bridge", "type", "bridge"]);
        must(&["-n", &name, "link", "set", "bridge", "up"]);
        Self { name, hosts: AtomicU8::new(1) }
    }

    /// A host with an address of its own, and loopback.
    pub fn host(&self, called: &str) -> Host {
        let number = self.hosts.fetch_add(1, Ordering::Relaxed);
        let (name, network) = (format!("{}-{called}", self.name), self.name.clone());
        let (cable, address) = (format!("port{number}"), format!("10.77.0.{number}"));
        must(&["netns", "add", &name]);
        let peer = ["peer", "name", "eth0", "netns", &name];
        must(&[&["-n", &network, "link", "add", &cable, "type", "veth"][..], &peer].concat());
        must(&["-n", &network, "link", "set", &cable, "master", "bridge", "up"]);
        must(&["-n", &name, "addr", "add", &format!("{address}/24"), "dev", "eth0"]);
        must(&["-n", &name, "link", "set", "eth0", "up"]);
        must(&["-n", &name, "link", "set", "lo", "up"]);
        Host { name, network, cable, address }
    }
}

impl Host {
    /// Its address on the network.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The same command, on this host. The process keeps its number; files are the machine's.
    ///
    /// The environment is the command's own alone: nothing of the test's is handed on.
    pub fn runs(&self, command: &Command) -> Command {
        let mut there = Command::new(tool().expect("a network was made by it"));
        there.env_clear().args(["netns", "exec", &self.name]);
        there.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            value.map(|value| there.env(name, value));
        }
        if let Some(folder) = command.get_current_dir() {
            there.current_dir(folder);
        }
        there
    }

    /// Takes its cable off at the far end: what it sends is lost, and nobody tells it.
    pub fn cut(&self) {
        must(&["-n", &self.network, "link", "set", &self.cable, "down"]);
    }

    /// Puts it back.
    pub fn healed(&self) {
        must(&["-n", &self.network, "link", "set", &self.cable, "up"]);
    }

    /// Has no way to another host: the system says so at once.
    pub fn has_no_way_to(&self, other: &Self) {
        let to = format!("{}/32", other.address);
        must(&["-n", &self.name, "route", "replace", "unreachable", &to]);
    }

    /// What is sent to another host is dropped there, without a word.
    pub fn black_hole_at(&self, other: &Self) {
        let back = format!("{}/32", self.address);
        must(&["-n", &other.name, "route", "replace", "blackhole", &back]);
    }

    /// Knows these names and no others: its name server is a host that is not there. A process
    /// that runs sees it at once.
    pub fn resolves(&self, names: &[(&str, &str)]) {
        let folder = files(&self.name);
        fs::create_dir_all(&folder).expect("root may write there");
        let hosts: String =
            names.iter().map(|(name, address)| format!("{address} {name}\n")).collect();
        // Written in place: a process has these very files under /etc.
        fs::write(folder.join("hosts"), hosts).expect("root may write there");
        fs::write(folder.join("resolv.conf"), "nameserver 10.77.0.254\n").expect("the same");
    }

    /// Undoes both of the ways above.
    pub fn has_a_way_to(&self, other: &Self) {
        // Whichever was not there is no loss.
        let _ = ip(&["-n", &self.name, "route", "del", "unreachable", &other.address]);
        let _ = ip(&["-n", &other.name, "route", "del", "blackhole", &self.address]);
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = ip(&["netns", "del", &self.name]);
    }
}

/// Takes away what a killed run of the tests left behind.
fn remove_leftovers() {
    let Ok(listed) = output(&["netns", "list"]) else { return };
    for line in String::from_utf8_lossy(&listed.stdout).lines() {
        let name = line.split(' ').next().unwrap_or_default();
        let mut parts = name.split('-');
        let (Some(PREFIX), Some(owner)) = (parts.next(), parts.next()) else { continue };
        if owner.parse::<u32>().is_ok() && !Path::new("/proc").join(owner).exists() {
            remove(name);
        }
    }
}

fn remove(name: &str) {
    let _ = ip(&["netns", "del", name]);
    let _ = fs::remove_dir_all(files(name));
}

/// Where `ip netns exec` takes the files of a namespace's own `/etc` from.
fn files(name: &str) -> PathBuf {
    Path::new("/etc/netns").join(name)
}

#[track_caller]
fn must(words: &[&str]) {
    if let Err(error) = ip(words) {
        panic!("{error}");
    }
}

fn ip(words: &[&str]) -> Result<(), String> {
    let output = output(words)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("ip {}: {}", words.join(" "), said.trim()))
}

fn output(words: &[&str]) -> Result<Output, String> {
    let tool = tool().ok_or("ip is not installed")?;
    Command::new(tool).args(words).output().map_err(|error| format!("ip: {error}"))
}

/// Where iproute2 is: it need not be on the path of who runs the tests.
fn tool() -> Option<&'static Path> {
    let places = ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip", "/bin/ip"];
    places.into_iter().map(Path::new).find(|path| fs::metadata(path).is_ok())
}
