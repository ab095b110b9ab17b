//! Environment: what kind of machine this seems to be, and by which signs.

use serde::{Deserialize, Serialize};

use super::{dmi, system::Machine};

/// What kind of machine it seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surroundings {
    /// A container of a Kubernetes cluster.
    Kubernetes,
    /// Another container.
    Container,
    /// A virtual machine.
    VirtualMachine,
    /// A machine of its own.
    BareMetal,
}

/// What kind of machine it seems to be, and by which signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// The kind.
    pub kind: Surroundings,
    /// What shows it, for people; none for what shows nothing else.
    pub signs: Vec<String>,
}

/// Makers of machines that are none. Of Microsoft and of Amazon there are both kinds.
const HYPERVISORS: [&str; 10] = [
    "QEMU",
    "VMware",
    "innotek GmbH",
    "Xen",
    "Google Compute Engine",
    "OpenStack",
    "Parallels",
    "BHYVE",
    "Nutanix",
    "Virtual Machine",
];

/// What container managers call the groups that they put containers in.
const CONTAINER_GROUPS: [&str; 5] = ["docker", "containerd", "libpod", "lxc", "crio"];

impl Surroundings {
    /// The kind for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kubernetes => "Kubernetes",
            Self::Container => "container",
            Self::VirtualMachine => "virtual machine",
            Self::BareMetal => "bare metal",
        }
    }

    fn signs(self, machine: &Machine) -> Vec<String> {
        match self {
            Self::Kubernetes => kubernetes(machine),
            Self::Container => container(machine),
            Self::VirtualMachine => virtual_machine(machine),
            Self::BareMetal => Vec::new(),
        }
    }
}

impl Environment {
    /// Recognizes it by what the system shows of itself: the innermost that shows counts.
    pub(super) fn recognize(machine: &Machine) -> Self {
        let kinds =
            [Surroundings::Kubernetes, Surroundings::Container, Surroundings::VirtualMachine];
        kinds
            .into_iter()
            .map(|kind| Self { kind, signs: kind.signs(machine) })
            .find(|found| !found.signs.is_empty())
            .unwrap_or(Self { kind: Surroundings::BareMetal, signs: Vec::new() })
    }
}

fn kubernetes(machine: &Machine) -> Vec<String> {
    let mut signs = Vec::new();
    let mut note = |shows: bool, sign: &str| {
        if shows {
            signs.push(sign.to_owned());
        }
    };
    note(machine.kubernetes, "KUBERNETES_SERVICE_HOST is set");
    let account = "/var/run/secrets/kubernetes.io/serviceaccount";
    note(machine.exists(account), "a service account is mounted");
    note(groups(machine).contains("kubepods"), "its control group is a pod's");
    signs
}

fn container(machine: &Machine) -> Vec<String> {
    let mut signs: Vec<String> = ["/.dockerenv", "/run/.containerenv"]
        .into_iter()
        .filter(|file| machine.exists(file))
        .map(|file| format!("{file} is there"))
        .collect();
    // systemd tells its services what it found itself in.
    if let Some(manager) = machine.text("/run/systemd/container").filter(|name| !name.is_empty()) {
        signs.push(format!("/run/systemd/container says {manager}"));
    }
    let groups = groups(machine);
    if let Some(name) = CONTAINER_GROUPS.into_iter().find(|name| groups.contains(name)) {
        signs.push(format!("its control group is {name}'s"));
    }
    // Control groups v2 hide where a container's lie: its first process is then at their root,
    // where no init of a whole system is.
    let layered = machine.text("/proc/self/mountinfo").is_some_and(|mounts| {
        let root = mounts.lines().rev().find(|line| line.split(' ').nth(4) == Some("/"));
        root.is_some_and(|line| line.contains(" - overlay "))
    });
    if layered && groups.lines().any(|line| line == "0::/") {
        signs.push("its root filesystem is a stack of layers, and it has a view of its own of control groups".to_owned());
    }
    signs
}

fn virtual_machine(machine: &Machine) -> Vec<String> {
    let mut signs = Vec::new();
    let processor = machine.processor().unwrap_or_default();
    let flags = processor.lines().find(|line| line.starts_with("flags"));
    if flags.is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor")) {
        signs.push("the processor says it runs under a hypervisor".to_owned());
    }
    if let Some(hypervisor) = machine.text("/sys/hypervisor/type").filter(|name| !name.is_empty()) {
        signs.push(format!("/sys/hypervisor/type says {hypervisor}"));
    }
    // Where the processor can tell, clouds' bare machines carry their names all the same.
    if flags.is_none() || !signs.is_empty() {
        let fields = ["sys_vendor", "product_name"];
        let named = fields
            .into_iter()
            .filter_map(|name| dmi::field(machine, name))
            .find(|text| HYPERVISORS.iter().any(|hypervisor| text.contains(hypervisor)));
        signs.extend(named.map(|name| format!("its firmware says {name}")));
    }
    signs
}

fn groups(machine: &Machine) -> String {
    let own = machine.text("/proc/self/cgroup").unwrap_or_default();
    machine.text("/proc/1/cgroup").unwrap_or_default() + "\n" + &own
}
