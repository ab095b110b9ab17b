//! Linked site: a site with a link, as [`Site`] is one without.

use std::{
    fmt::Write,
    fs,
    net::SocketAddr,
    ops::{Deref, DerefMut},
    process::Command,
    sync::Arc,
};

use serde_json::Value;

use farhold_contract::model::RuntimeType;

use super::{EnrollmentToken, Kernel};
use crate::{
    net::{Identity, namespace::Host},
    site::{Ran, Runtime, Site, Vendor, eventually},
};

/// A managed site. Every word of [`Site`] is a word of it.
pub struct LinkedSite {
    site: Site,
    host: Option<Arc<Host>>,
    /// Keys and their values as TOML, over those of [`Site`].
    settings: Vec<(&'static str, String)>,
    environment: Vec<(&'static str, String)>,
}

impl LinkedSite {
    /// A managed site, its agent running and not enrolled.
    #[track_caller]
    pub fn new(vendor: &Vendor) -> Self {
        let mut site = Self::prepared(vendor);
        site.started();
        site
    }

    /// The same, with no agent running yet.
    pub fn prepared(vendor: &Vendor) -> Self {
        let site = Self {
            site: Site::prepared(vendor, |plan| plan.undecided()),
            host: None,
            settings: vec![
                ("mode", "\"managed\"".to_owned()),
                ("link.reconnect_spread", "0".to_owned()),
            ],
            environment: Vec::new(),
        };
        site.write_settings();
        site
    }

    /// Everything is logged, at this level.
    pub fn logging(self, level: &str) -> Self {
        self.with("log.level", &format!("\"{level}\""))
    }

    /// With another setting, its value as TOML writes it.
    pub fn with(mut self, key: &'static str, value: &str) -> Self {
        self.settings.retain(|(known, _)| *known != key);
        self.settings.push((key, value.to_owned()));
        self.write_settings();
        self
    }

    /// With a variable in its environment.
    pub fn in_environment(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// Its way out is a proxy.
    pub fn through(self, proxy: SocketAddr) -> Self {
        self.with("link.proxy", &format!("\"http://{proxy}\""))
    }

    /// On a host of its own.
    pub fn on(mut self, host: &Arc<Host>) -> Self {
        self.host = Some(Arc::clone(host));
        self
    }

    /// Enrolls it with a new token for these organizations.
    #[track_caller]
    pub fn enrolled(self, kernel: &Kernel, tenants: &[&str]) -> Self {
        self.enrolls(&kernel.enrollment_token(tenants)).done();
        self
    }

    /// Enrolls it; how that ended.
    pub fn enrolls(&self, token: &EnrollmentToken) -> Ran {
        Ran::command(self.command(["enroll", token.file.to_str().unwrap()]).arg("--json"))
    }

    /// Starts the agent, where it belongs.
    #[track_caller]
    pub fn started(&mut self) -> &mut Self {
        let command = self.command(["run"]);
        self.site.started_by(command);
        self
    }

    /// Ends the agent without a word, as kill -9 does.
    pub fn killed(&mut self) -> &mut Self {
        self.site.killed();
        self
    }

    /// Stops the agent as a service manager does.
    #[track_caller]
    pub fn stopped(&mut self) -> &mut Self {
        self.site.stopped();
        self
    }

    /// The command of a verb, on the site's own host and in its environment.
    pub fn command<'w>(&self, words: impl IntoIterator<Item = &'w str>) -> Command {
        let mut command = self.site.command(words);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        match &self.host {
            None => command,
            Some(host) => host.runs(&command),
        }
    }

    /// A new token of an organization's, and the runtime that holds it; not yet registered.
    #[track_caller]
    pub fn runtime_of(&self, tenant: &str, kind: RuntimeType) -> Runtime {
        let words = ["token", "create", "--type", kind.as_str(), "--tenant", tenant];
        Runtime::new(self.unix_door(), kind, tenant, &self.verb(words).done())
    }

    /// Waits until what it answers a runtime is by a fresh word of the Kernel.
    #[track_caller]
    pub fn comes_online(&self, runtime: &Runtime, feature: &str) {
        eventually("the site is online", || self.mode(runtime, feature) == "online");
    }

    /// Waits until no fresh word of the Kernel is left.
    #[track_caller]
    pub fn goes_offline(&self, runtime: &Runtime, feature: &str) {
        eventually("the site is offline", || self.mode(runtime, feature) == "offline");
    }

    /// By a word how fresh a runtime is answered.
    #[track_caller]
    pub fn mode(&self, runtime: &Runtime, feature: &str) -> String {
        let answer = runtime.check(feature).answer().ok();
        answer["mode"].as_str().expect("a mode").to_owned()
    }

    /// Waits until a verified document speaks for it.
    #[track_caller]
    pub fn is_ready(&self) {
        eventually("the site is ready", || {
            self.admin("GET", "/statusz").tried().is_ok_and(|told| told.ok()["ready"] == true)
        });
    }

    /// Waits until the Kernel has confirmed every record there is.
    #[track_caller]
    pub fn drains(&self) {
        eventually("the queue is drained", || {
            let queue = self.verb(["queue", "stats"]).done();
            queue["events"] == 0
        });
    }

    /// Records that the Kernel has not confirmed.
    #[track_caller]
    pub fn waiting(&self) -> u64 {
        let queue = self.verb(["queue", "stats"]).done();
        queue["events"].as_u64().unwrap_or_else(|| panic!("nothing waits in {queue}"))
    }

    /// The certificate by which it is known, with its key.
    pub fn identity(&self) -> Identity {
        let kept = fs::read(self.state().join("enrollment.json")).unwrap();
        let kept: Value = serde_json::from_slice(&kept).unwrap();
        let current = &kept["current"];
        let text = |value: &Value| value.as_str().expect("PEM").to_owned();
        let chain = current["chain"].as_array().expect("a chain").iter().map(text);
        let certificate = text(&current["certificate"]) + "\n" + &chain.collect::<String>();
        Identity { certificate, key: text(&current["key"]) }
    }

    /// The agent, as the Kernel knows it.
    pub fn agent_id(&self) -> String {
        let kept = fs::read(self.state().join("enrollment.json")).unwrap();
        let kept: Value = serde_json::from_slice(&kept).unwrap();
        kept["runtime_id"].as_str().expect("it is enrolled").to_owned()
    }

    fn write_settings(&self) {
        let mut text = self.site.configuration();
        for (key, value) in &self.settings {
            let begins = format!("{key} = ");
            text = text.lines().filter(|line| !line.starts_with(&begins)).fold(
                String::new(),
                |mut kept, line| {
                    writeln!(kept, "{line}").unwrap();
                    kept
                },
            );
            writeln!(text, "{key} = {value}").unwrap();
        }
        self.site.configured(&text);
    }
}

impl Deref for LinkedSite {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl DerefMut for LinkedSite {
    fn deref_mut(&mut self) -> &mut Site {
        &mut self.site
    }
}
