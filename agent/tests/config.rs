//! Configuration: what is refused and where it stands, what wins, what is meant.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::{collections::BTreeMap, fs, net::SocketAddr, path::Path};

use farhold_agent::config::{
    Config, ConfigError, Key, RawConfig, Sources, default_file, effective,
};
use farhold_bundle::payload::SiteMode;

const TENANT: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f";

fn file(text: &str) -> Result<Config, ConfigError> {
    let mut raw = RawConfig::default();
    raw.lay_file(Path::new("/etc/farhold/agent.toml"), text)?;
    Config::resolve(&raw)
}

fn variable(name: &str, value: &str) -> Result<Config, ConfigError> {
    let mut raw = RawConfig::default();
    raw.lay_variable(name, value)?;
    Config::resolve(&raw)
}

#[track_caller]
fn refused(text: &str, what: &str, action: &str) {
    let error = file(text).unwrap_err();
    assert_eq!(error.to_string(), format!("/etc/farhold/agent.toml:{what}"));
    assert_eq!(error.next_action(), action);
}

#[test]
fn nothing_written_is_an_agent_without_a_mode() {
    let config = file("").unwrap();
    assert_eq!((config.mode, config.tenant_id, config.local_tcp), (None, None, None));
    assert_eq!(config.state_dir, Path::new("/var/lib/farhold"));
    assert_eq!(config.admin_socket(), Path::new("/run/farhold/admin.sock"));
    assert_eq!(config.queue_cap_bytes, None);
}

#[test]
fn everything_written_is_meant() {
    let config = file(&format!(
        "mode = \"detached\"\ntenant_id = \"{TENANT}\"\nstate_dir = \"/srv/farhold\"\n\
         local = {{ tcp = \"[::1]:7600\", gid = 990 }}\nqueue.cap = \"4GiB\"\n\
         [log]\nformat = \"json\"\nlevel = \"debug\"\n"
    ))
    .unwrap();
    assert_eq!(config.mode, Some(SiteMode::Detached));
    assert_eq!(config.tenant_id.unwrap().to_string(), TENANT);
    assert_eq!(config.local_tcp, Some(SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 7600))));
    assert_eq!(config.local_gid, Some(990));
    assert_eq!(config.queue_cap_bytes, Some(4 << 30));
    assert_eq!(config.log.level, tracing::Level::DEBUG);
}

#[test]
fn a_typo_is_refused_by_file_line_and_key_with_what_was_meant() {
    refused(
        "mode = \"managed\"\n\ntennant_id = \"x\"\n",
        "3: tennant_id: is no key of this version",
        "Did you mean tenant_id?",
    );
    refused(
        "[local]\n# TCP\ntpc = \"x\"\n",
        "3: local.tpc: is no key of this version",
        "Did you mean local.tcp?",
    );
    refused("[locla]\ntcp = \"x\"\n", "1: locla: is no key of this version", "Did you mean local?");
    refused("cap = \"1GiB\"\n", "1: cap: is no key of this version", "Did you mean queue.cap?");
    refused(
        "xyzzy = 1\n",
        "1: xyzzy: is no key of this version",
        "Remove it; farhold config default lists the keys.",
    );
}

#[test]
fn of_several_mistakes_the_first_line_is_told() {
    let error = file("zzz = 1\n[queue]\ncup = 2\n\n[aaa]\n").unwrap_err();
    assert!(error.to_string().starts_with("/etc/farhold/agent.toml:1: zzz:"), "{error}");
}

#[test]
fn text_that_is_no_toml_is_refused_by_line() {
    let error = file("mode = \"managed\"\nstate_dir = \n").unwrap_err();
    assert!(error.to_string().starts_with("/etc/farhold/agent.toml:2: "), "{error}");
    let error = file("mode = \"managed\"\nmode = \"managed\"\n").unwrap_err();
    assert!(error.to_string().starts_with("/etc/farhold/agent.toml:2: "), "{error}");
    assert!(!error.to_string().contains('\n'));
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_with_the_right_one() {
    refused(
        "\nmode = 1\n",
        "2: mode: needs a text in quotes, not an integer",
        "Write mode = \"detached\".",
    );
    refused(
        "[local]\ngid = \"990\"\n",
        "2: local.gid: needs a group's number, without quotes, not a string",
        "Write gid = 990.",
    );
    refused(
        "log = \"json\"\n",
        "1: log: is a table, not a string",
        "Write [log] and its keys below it.",
    );
    refused(
        "[queue]\ncap = true\n",
        "2: queue.cap: needs a size like \"4GiB\", not a boolean",
        "Write cap = \"4GiB\".",
    );
}

#[test]
fn a_value_out_of_bounds_is_refused() {
    for (text, what) in [
        ("mode = \"offline\"", "\"offline\" is not one of its values"),
        ("mode = \"detached\"\ntenant_id = \"x\"", "is not a UUID in canonical form"),
        ("state_dir = \"var/lib\"", "is not an absolute path"),
        ("state_dir = \"/var/../lib\"", "is not an absolute path"),
        ("[queue]\ncap = \"4GB\"", "is not a size"),
        ("[queue]\ncap = -1", "is not a size"),
        ("[queue]\ncap = \"1MiB\"", "is less than 8 MiB"),
        ("[local]\ngid = 4294967295", "is no group's number"),
        ("[local]\ngid = -1", "is no group's number"),
        ("[log]\nlevel = \"INFO\"", "is not one of its values"),
        ("runtime_dir = \"/var/lib/farhold/run\"", "lies in state_dir"),
    ] {
        let error = file(text).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    }
    let long = format!("runtime_dir = \"/{}\"", "r".repeat(100));
    assert!(file(&long).unwrap_err().to_string().contains("at most 107 bytes"));
}

#[test]
fn only_loopback_is_listened_on() {
    for address in ["0.0.0.0:7600", "192.168.1.5:7600", "[::]:7600", "[::ffff:127.0.0.1]:7600"] {
        let error = file(&format!("[local]\ntcp = \"{address}\"\n")).unwrap_err();
        assert!(error.to_string().contains("is not loopback"), "{error}");
        assert!(error.to_string().starts_with("/etc/farhold/agent.toml:2: local.tcp: "), "{error}");
    }
    for address in ["localhost:7600", "127.0.0.1", "7600"] {
        let error = file(&format!("local.tcp = \"{address}\"\n")).unwrap_err();
        assert!(error.to_string().contains("is not an address with a port"), "{error}");
    }
    assert!(file("local.tcp = \"127.0.0.1:0\"").unwrap_err().to_string().contains("port 0"));
    assert!(file("local.tcp = \"127.8.9.10:7600\"").is_ok());
}

#[test]
fn mode_and_tenant_agree_or_are_refused() {
    for text in [
        "mode = \"detached\"".to_owned(),
        format!("tenant_id = \"{TENANT}\""),
        format!("mode = \"managed\"\ntenant_id = \"{TENANT}\""),
    ] {
        assert!(file(&text).is_err(), "{text}");
    }
    assert_eq!(file("mode = \"managed\"").unwrap().mode, Some(SiteMode::Managed));
}

#[test]
fn the_environment_sets_every_key_by_its_name() {
    assert_eq!(
        variable("FARHOLD_LOCAL_TCP", "127.0.0.1:7600").unwrap().local_tcp.unwrap().port(),
        7600
    );
    assert_eq!(variable("FARHOLD_LOCAL_GID", "990").unwrap().local_gid, Some(990));
    assert_eq!(variable("FARHOLD_QUEUE_CAP", "1073741824").unwrap().queue_cap_bytes, Some(1 << 30));
    assert_eq!(variable("PATH", "/bin").unwrap(), file("").unwrap());
}

#[test]
fn a_mistaken_variable_is_refused_but_not_what_a_cluster_injects() {
    let error = variable("FARHOLD_STATEDIR", "/srv").unwrap_err();
    assert_eq!(
        error.to_string(),
        "environment variable FARHOLD_STATEDIR: is no setting of this version"
    );
    assert_eq!(error.next_action(), "Did you mean FARHOLD_STATE_DIR?");
    let error = variable("FARHOLD_TCP", "127.0.0.1:1").unwrap_err();
    assert_eq!(error.next_action(), "Did you mean FARHOLD_LOCAL_TCP?");
    assert!(variable("FARHOLD_XYZZY", "1").is_err());
    assert!(variable("FARHOLD_STATE_DIR", "").unwrap_err().to_string().contains("empty"));
    assert!(variable("FARHOLD_LOCAL_GID", "clients").is_err());
    for injected in [
        "FARHOLD_PORT",
        "FARHOLD_SERVICE_HOST",
        "FARHOLD_SERVICE_PORT",
        "FARHOLD_SERVICE_PORT_HTTPS",
        "FARHOLD_KERNEL_PORT_443_TCP_ADDR",
        "FARHOLD_PORT_7600_TCP",
    ] {
        assert_eq!(variable(injected, "tcp://10.0.0.1:7600").unwrap(), file("").unwrap());
    }
}

#[test]
fn flags_win_over_environment_over_later_files_over_earlier_ones() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("agent.toml");
    fs::write(&main, "state_dir = \"/1\"\nruntime_dir = \"/1r\"\n[trust]\nfile = \"/1t\"\n[log]\nlevel = \"error\"\n").unwrap();
    fs::create_dir(folder.path().join("agent.d")).unwrap();
    fs::write(folder.path().join("agent.d/20.toml"), "state_dir = \"/3\"\nlog.level = \"trace\"\n")
        .unwrap();
    fs::write(folder.path().join("agent.d/10.toml"), "state_dir = \"/2\"\ntrust.file = \"/2t\"\n")
        .unwrap();
    fs::write(folder.path().join("agent.d/.30.toml.swp"), "state_dir = 1").unwrap();
    fs::write(folder.path().join("agent.d/readme.txt"), "not toml").unwrap();

    let mut sources = Sources { file: Some(main), ..Sources::default() };
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.state_dir, Path::new("/3"));
    assert_eq!(config.trust_file, Path::new("/2t"));
    assert_eq!(config.runtime_dir, Path::new("/1r"));

    sources.environment = BTreeMap::from([
        ("FARHOLD_STATE_DIR".to_owned(), "/4".to_owned()),
        ("FARHOLD_LOG_LEVEL".to_owned(), "warn".to_owned()),
    ]);
    sources.flags = vec![("--state-dir", Key::StateDir, "/5".to_owned())];
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.state_dir, Path::new("/5"));
    assert_eq!(config.log.level, tracing::Level::WARN);

    sources.flags[0].2 = "relative".to_owned();
    let error = Config::load(&sources).unwrap_err();
    assert!(error.to_string().starts_with("flag --state-dir: state_dir: "), "{error}");
}

#[test]
fn a_named_file_must_be_there_and_a_broken_drop_in_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("agent.toml");
    let sources = Sources { file: Some(main.clone()), ..Sources::default() };
    assert!(Config::load(&sources).unwrap_err().to_string().contains("can't be read"));
    fs::write(&main, "").unwrap();
    assert!(Config::load(&sources).is_ok());
    fs::create_dir(folder.path().join("agent.d")).unwrap();
    fs::write(folder.path().join("agent.d/site.toml"), "\nmdoe = \"managed\"\n").unwrap();
    let error = Config::load(&sources).unwrap_err();
    assert!(error.to_string().contains("agent.d/site.toml:2: mdoe"), "{error}");
    assert_eq!(error.next_action(), "Did you mean mode?");
}

#[test]
fn the_default_file_changes_nothing_and_is_right_line_by_line() {
    let text = default_file();
    assert_eq!(file(&text).unwrap(), file("").unwrap());
    let uncommented: String = text
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
        .flat_map(|line| [line, "\n"])
        .collect();
    let config = file(&uncommented).unwrap();
    assert_eq!(config.mode, Some(SiteMode::Detached));
    assert!(config.local_tcp.is_some());
    for key in Key::ALL {
        assert!(text.contains(&format!("\n#{} = ", key.name())), "{}", key.as_str());
    }
}

#[test]
fn what_is_shown_reads_back_as_the_same() {
    let mut raw = RawConfig::default();
    raw.lay_file(Path::new("/a.toml"), "\nmode = \"managed\"\nqueue.cap = \"1GiB\"\n").unwrap();
    raw.lay_variable("FARHOLD_LOG_LEVEL", "trace").unwrap();
    let config = Config::resolve(&raw).unwrap();
    let shown = effective(&config, &raw);
    assert!(shown.contains("mode = \"managed\" # /a.toml:2\n"), "{shown}");
    assert!(
        shown.contains("level = \"trace\" # environment variable FARHOLD_LOG_LEVEL\n"),
        "{shown}"
    );
    assert!(shown.contains("# tenant_id is not set\n"), "{shown}");
    assert_eq!(file(&shown).unwrap(), config);
}
