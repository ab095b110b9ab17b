//! The processor's model: shown to people, never counted; any cloud moves it with a resize.

use super::system::Machine;

pub(super) fn read(machine: &Machine) -> Option<String> {
    let info = machine.processor()?;
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    let (_, model) = line.split_once(':')?;
    Some(model.split_whitespace().collect::<Vec<_>>().join(" "))
}
