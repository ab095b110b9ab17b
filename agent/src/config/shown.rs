//! Configuration as text: the commented default file, and the values in effect.

use std::fmt::Write;

use super::{Config, Key, LogFormat, Origin, RawConfig};

/// The default file: every key with its comment, all of it commented out.
pub fn default_file() -> String {
    let mut text = String::from(
        "# The agent's configuration. Every line is commented out and shows the default, or an\n\
         # example where there is none. Read after this file, each over the one before:\n\
         # agent.d/*.toml by name, FARHOLD_* variables (FARHOLD_LOCAL_TCP sets local.tcp), flags.\n\
         # farhold config check verifies it; farhold config show prints what is in effect.\n",
    );
    by_table(&mut text, |text, key| {
        text.push('\n');
        for line in key.comment().lines() {
            text.push_str(&format!("# {line}\n"));
        }
        text.push_str(&format!("#{} = {}\n", key.name(), key.example()));
    });
    text
}

/// The values in effect as TOML, each with where it comes from.
pub fn effective(config: &Config, raw: &RawConfig) -> String {
    let mut text = String::new();
    by_table(&mut text, |text, key| {
        let origin = raw.written(key).map_or(&Origin::Default, |written| &written.origin);
        let line = match value(config, key) {
            Some(value) => format!("{} = {value} # {origin}\n", key.name()),
            None => format!("# {} is not set\n", key.name()),
        };
        text.push_str(&line);
    });
    text
}

/// One key's value in effect, `null` where it is unset, with where it comes from.
pub fn setting(config: &Config, raw: &RawConfig, key: Key) -> serde_json::Value {
    let origin = raw.written(key).map_or(&Origin::Default, |written| &written.origin);
    serde_json::json!({ "value": value(config, key), "origin": origin.to_string() })
}

fn by_table(text: &mut String, mut each: impl FnMut(&mut String, Key)) {
    let mut table = "";
    for key in Key::ALL {
        if key.table() != table {
            table = key.table();
            write!(text, "\n[{table}]\n").expect("writing into memory can't fail");
        }
        each(text, *key);
    }
}

fn value(config: &Config, key: Key) -> Option<toml::Value> {
    let text = |text: &str| Some(toml::Value::String(text.to_owned()));
    let path = |path: &std::path::Path| text(&path.to_string_lossy());
    match key {
        Key::Mode => text(config.mode?.as_str()),
        Key::TenantId => text(&config.tenant_id?.to_string()),
        Key::StateDir => path(&config.state_dir),
        Key::RuntimeDir => path(&config.runtime_dir),
        Key::LocalTcp => text(&config.local_tcp?.to_string()),
        Key::LocalGid => Some(toml::Value::Integer(config.local_gid?.into())),
        Key::LinkProxy => text(config.link.proxy.as_deref()?),
        Key::LinkNoProxy => text(config.link.no_proxy.as_deref()?),
        Key::LinkProxyUser => text(config.link.proxy_user.as_deref()?),
        Key::LinkProxyPasswordFile => path(config.link.proxy_password_file.as_deref()?),
        Key::LinkReconnectSpread => {
            let seconds = config.link.reconnect_spread.as_secs();
            Some(toml::Value::Integer(i64::try_from(seconds).unwrap_or(i64::MAX)))
        }
        Key::ImportDropFolder => path(config.drop_folder.as_deref()?),
        Key::MachineClusterId => text(config.cluster_id.as_deref()?),
        Key::QueueCap => {
            let bytes = config.queue_cap_bytes?;
            // A size beyond TOML's integers is still one as text.
            i64::try_from(bytes).map_or_else(
                |_| text(&bytes.to_string()),
                |bytes| Some(toml::Value::Integer(bytes)),
            )
        }
        Key::LogFormat => text(match config.log.format {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        }),
        Key::LogLevel => text(&config.log.level.as_str().to_ascii_lowercase()),
        Key::TrustFile => path(&config.trust_file),
    }
}
