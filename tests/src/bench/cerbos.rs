//! Cerbos: a policy decision point, asked over HTTP about one resource under one policy.

use std::{fs, path::PathBuf, process::Command};

use anyhow::Result;
use tempfile::TempDir;

use super::server::{Server, free_port, printed, program};
use crate::binaries;

/// Where a check is asked.
pub(super) const PATH: &str = "/api/check/resources";

/// May this runtime use this feature now? One principal, one resource, one action.
pub(super) const BODY: &str = r#"{"requestId":"bench-0123456789abcdef","principal":{"id":"01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f","roles":["runtime"],"attr":{"type":"courses"}},"resources":[{"resource":{"kind":"feature","id":"courses.module-00005"},"actions":["use"]}]}"#;

/// As comparable as it gets: a right of one kind of runtime that ends at a date.
const POLICY: &str = r#"apiVersion: api.cerbos.dev/v1
resourcePolicy:
  version: default
  resource: feature
  rules:
    - actions: ["use"]
      effect: EFFECT_ALLOW
      roles: ["runtime"]
      condition:
        match:
          expr: P.attr.type == "courses" && now() < timestamp("2099-12-31T00:00:00Z")
"#;

/// A running decision point with one policy.
pub(super) struct Cerbos {
    /// The process.
    pub(super) server: Server,
    /// What it calls itself.
    pub(super) version: String,
    _folder: TempDir,
}

impl Cerbos {
    /// Starts it.
    ///
    /// # Errors
    /// If it is not installed or does not start.
    pub(super) fn start() -> Result<Self> {
        let binary = binary()?;
        let told = printed(Command::new(&binary).arg("--version"))?;
        let version = told.split_whitespace().find(|word| word.contains('.')).unwrap_or_default();
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("policies"))?;
        fs::write(folder.path().join("policies/feature.yaml"), POLICY)?;
        let (http, grpc) = (free_port()?, free_port()?);
        let configuration = format!(
            "server:\n  httpListenAddr: \"127.0.0.1:{http}\"\n  grpcListenAddr: \"127.0.0.1:{grpc}\"\n\
             telemetry:\n  disabled: true\n\
             storage:\n  driver: disk\n  disk:\n    directory: \"{}/policies\"\n",
            folder.path().display()
        );
        fs::write(folder.path().join("cerbos.yaml"), configuration)?;
        let mut command = Command::new(binary);
        command.arg("server").arg("--config").arg(folder.path().join("cerbos.yaml"));
        command.arg("--log-level=error");
        let server = Server::at(command, http)?;
        Ok(Self { server, version: format!("Cerbos {version}"), _folder: folder })
    }
}

fn binary() -> Result<PathBuf> {
    // Where `just bench` puts it.
    let package = "target/peers/node_modules/@cerbos/cerbos-linux-x64/cerbos-linux-x64";
    let packaged = binaries::project().join(package);
    if packaged.is_file() { Ok(packaged) } else { program("cerbos") }
}
