//! `farhold fingerprint explain`: how licenses hang on the machine.

use farhold_terminal::{stdout, text};

use super::{show, values::Values};
use crate::{
    admin::{
        answer::fingerprint::{BoundAnswer, FingerprintAnswer},
        client::Ask,
    },
    cli::session::Session,
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    values: Values,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let values = self.values.read(session)?;
        let answer: FingerprintAnswer = session.door()?.json(Ask::get("/admin/fingerprint"))?;
        if session.json() {
            return stdout::json(&answer);
        }
        let mut told = show::components(&answer, &values);
        told.push('\n');
        if answer.licenses.is_empty() {
            told.push_str("No license is bound to components of this machine.\n");
        }
        for license in &answer.licenses {
            told.push_str(&bound(license, &answer));
        }
        told.push('\n');
        told.push_str(&show::environment(&answer));
        stdout::write(told.as_bytes())
    }
}

fn bound(license: &BoundAnswer, answer: &FingerprintAnswer) -> String {
    let mut told = format!(
        "{}, license {} serial {}: {} of {} hold, {} needed: {}\n",
        text::plain(&license.product),
        license.license_id,
        license.serial,
        license.holding,
        license.components.len(),
        license.require,
        if license.holds { "it holds" } else { "it does not hold" },
    );
    let rows = license.components.iter().map(|(name, state)| {
        let here = license.renamed.get(name).unwrap_or(name);
        let known = answer.components.iter().find(|component| component.name == *here);
        let since = match (state.as_str(), known.and_then(|known| known.changed_at)) {
            ("changed", Some(at)) => format!("since {}", text::moment(at, answer.looked_at)),
            ("unknown", _) => "what was read last counts".to_owned(),
            _ if here != name => format!("as {}", text::plain(here)),
            _ => String::new(),
        };
        vec![format!("  {}", text::plain(name)), text::plain(state), since]
    });
    told.push_str(&text::columns(&rows.collect::<Vec<_>>()));
    told.push_str(&format!("  {}\n", text::plain(&license.next_change)));
    told
}
