//! `farhold-kernel init`: makes the data directory.

use farhold_terminal::{stdout, text};

use super::session::Session;
use crate::init::{Initialized, init};

#[derive(clap::Args)]
pub(super) struct Args {
    /// A name or address under which agents reach this Kernel; may be repeated, the first one
    /// goes into enrollment tokens
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
}

impl Args {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        let data = session.data();
        let initialized = init(data.path(), &self.host)?;
        if session.json() {
            return stdout::json(&initialized);
        }
        let folder = data.path().display().to_string();
        stdout::write(described(&initialized, &folder).as_bytes())
    }
}

fn described(initialized: &Initialized, folder: &str) -> String {
    let head = match initialized.made.as_slice() {
        [] => format!("Everything is in {folder} already.\n"),
        made => format!("Made in {folder}: {}.\n", made.join(", ")),
    };
    let facts = text::facts(&[
        ("receipt key", initialized.receipt_key.to_string()),
        ("CA sha256", initialized.ca_sha256.to_string()),
        ("own tenant", initialized.internal_tenant_id.to_string()),
        ("for agents", initialized.url.clone()),
        ("admin token", format!("in {folder}/admin.token")),
    ]);
    let next = format!(
        "Where the vendor's keys are, make the first trust root with this Kernel's receipt key:\n  \
         license-tool root init --issuer NAME --root-key FILE --license-key FILE \
         --revocation-key FILE --kernel-key {} --out root.json\n\
         Then run the Kernel, and install that root:\n  \
         farhold-kernel run --data {folder}\n  \
         farhold-kernel trust install root.json --sha256 HEX --data {folder}\n",
        initialized.receipt_key
    );
    head + &facts + &next
}
