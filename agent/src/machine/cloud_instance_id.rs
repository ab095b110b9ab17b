//! `cloud_instance_id`: what the cloud calls this instance, as it is written on the machine itself.

use super::{
    dmi,
    reading::{RawValue, Reading},
    system::Machine,
};

/// Where cloud-init keeps it; the first is gone until cloud-init has run after a boot.
const INSTANCE: &str = "/run/cloud-init/instance-data.json";
const KEPT: &str = "/var/lib/cloud/data/instance-id";

/// What cloud-init writes, or people copy from its manual, where no cloud gave an id.
const PLACEHOLDERS: [&str; 4] = ["iid-datasource-none", "iid-local01", "nocloud", "i-abcdefg"];

pub(super) fn read(machine: &Machine) -> Reading<RawValue> {
    // EC2 writes it into the board's asset tag, for everybody to read.
    if let Some(tag) = dmi::field(machine, "board_asset_tag")
        && dmi::field(machine, "sys_vendor").as_deref() == Some("Amazon EC2")
        && tag.starts_with("i-")
    {
        return judge(tag);
    }
    // The kept one goes first: it is there as soon as the disk is, and says the same.
    match machine.value(KEPT) {
        Reading::Read(value) => judge(value.danger_shown().to_owned()),
        other => match of_instance_data(machine) {
            Some(id) => judge(id),
            None => other,
        },
    }
}

fn of_instance_data(machine: &Machine) -> Option<String> {
    let instance: serde_json::Value = serde_json::from_str(&machine.text(INSTANCE)?).ok()?;
    Some(instance.get("v1")?.get("instance_id")?.as_str()?.trim().to_owned())
}

fn judge(id: String) -> Reading<RawValue> {
    if id.is_empty() || PLACEHOLDERS.contains(&id.to_ascii_lowercase().as_str()) {
        return Reading::Ignored("the instance id is a placeholder of cloud-init's".to_owned());
    }
    Reading::Read(RawValue::new(id))
}
