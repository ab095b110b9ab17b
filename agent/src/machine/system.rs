//! Where a machine is read: under a root, so that a test's tree is read as the system's is.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
};

use crate::config::Config;

use super::{
    cloud_instance_id, cluster_id, cpu_model, disk_root, dmi_product_uuid,
    environment::Environment,
    look::Look,
    machine_id, nic,
    reading::{RawValue, Reading},
};

/// Nothing read here is longer.
const FILE_MAX_BYTES: u64 = 256 << 10;
/// Of `/proc/cpuinfo` the first processor is enough, and each further one costs time.
const PROCESSOR_BYTES: u64 = 8 << 10;

/// Where a machine is read.
#[derive(Debug, Clone)]
pub struct Machine {
    root: PathBuf,
    credentials: Option<PathBuf>,
    cluster_id: Option<String>,
    pub(super) kubernetes: bool,
}

impl Machine {
    /// The machine this process runs on.
    pub fn of_system(config: &Config) -> Self {
        let machine = Self {
            // Kubernetes tells every container where its API is.
            kubernetes: std::env::var_os("KUBERNETES_SERVICE_HOST").is_some(),
            ..Self::at("/", config)
        };
        // What the unit has the service manager read for the agent (systemd.exec(5)).
        match std::env::var_os("CREDENTIALS_DIRECTORY") {
            Some(folder) => machine.with_credentials(folder),
            None => machine,
        }
    }

    /// A machine below a folder that has `/etc`, `/proc`, `/run`, `/sys` and `/var` of its own.
    pub fn at(root: impl Into<PathBuf>, config: &Config) -> Self {
        Self {
            root: root.into(),
            credentials: None,
            cluster_id: config.cluster_id.clone(),
            kubernetes: false,
        }
    }

    /// With a folder of files that only a service manager can read.
    #[must_use]
    pub fn with_credentials(self, folder: impl Into<PathBuf>) -> Self {
        Self { credentials: Some(folder.into()), ..self }
    }

    /// Reads every component once. It asks nothing of any network.
    pub fn look(&self) -> Look {
        let mut readings = nic::read(self);
        for (name, read) in COMPONENTS {
            readings.insert(name.to_owned(), read(self));
        }
        Look {
            readings,
            cpu_model: cpu_model::read(self),
            environment: Environment::recognize(self),
        }
    }

    pub(super) fn cluster_id(&self) -> Option<&str> {
        self.cluster_id.as_deref()
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    pub(super) fn exists(&self, path: &str) -> bool {
        self.path(path).symlink_metadata().is_ok()
    }

    /// A file's text without white space at its ends; `None` if it can't be read.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        text_of(&self.path(path)).ok()
    }

    /// What is said of the first processor.
    pub(super) fn processor(&self) -> Option<String> {
        beginning_of(&self.path("/proc/cpuinfo"), PROCESSOR_BYTES).ok()
    }

    /// A file as a component's value.
    pub(super) fn value(&self, path: &str) -> Reading<RawValue> {
        match text_of(&self.path(path)) {
            Ok(text) => Reading::Read(RawValue::new(text)),
            Err(error) => Reading::failed(path, &error),
        }
    }

    /// What the service manager read for the agent under a name.
    pub(super) fn credential(&self, name: &str) -> Option<String> {
        let text = text_of(&self.credentials.as_ref()?.join(name)).ok()?;
        (!text.is_empty()).then_some(text)
    }

    /// The names in a folder, in order.
    pub(super) fn names(&self, folder: &str) -> io::Result<Vec<String>> {
        names_in(&self.path(folder))
    }
}

type ReadComponent = fn(&Machine) -> Reading<RawValue>;

/// The components that a machine has once.
const COMPONENTS: [(&str, ReadComponent); 5] = [
    ("machine_id", machine_id::read),
    ("dmi_product_uuid", dmi_product_uuid::read),
    ("disk.root", disk_root::read),
    ("cloud_instance_id", cloud_instance_id::read),
    ("cluster_id", cluster_id::read),
];

pub(super) fn text_of(path: &Path) -> io::Result<String> {
    beginning_of(path, FILE_MAX_BYTES)
}

fn beginning_of(path: &Path, most_bytes: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most_bytes).read_to_end(&mut bytes)?;
    // Not all of sysfs is UTF-8: an identifier that isn't is none that could be told.
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned())
}

pub(super) fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
    let mut names: Vec<String> =
        entries.filter_map(io::Result::transpose).collect::<io::Result<_>>()?;
    names.sort();
    Ok(names)
}

impl<T> Reading<T> {
    /// A file that can't be read: not there, or kept from the agent.
    pub(super) fn failed(path: &str, error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Self::Absent,
            ErrorKind::PermissionDenied => Self::Unreadable(format!(
                "/{} is not for the agent's user to read",
                path.trim_start_matches('/')
            )),
            kind => Self::Unreadable(format!("/{}: {kind}", path.trim_start_matches('/'))),
        }
    }
}
