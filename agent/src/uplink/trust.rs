//! Trust: a root that came by hand may name the CA of a Kernel that was replaced meanwhile.

use std::sync::Arc;

use super::line::Line;

/// Ends every wait when an import changes whom the line trusts: a site that slept through the
/// change of its Kernel's CA is back as soon as the root is there.
pub(super) async fn run(line: Arc<Line>) {
    let mut imported = line.wiring.importer.imported.subscribe();
    let mut trusted = line.kernel_ca();
    while imported.changed().await.is_ok() {
        let now = line.kernel_ca();
        if now != trusted {
            tracing::info!("the trust root names other CAs of the Kernel; the line begins anew");
            trusted = now;
            line.note_changed();
        }
    }
}
