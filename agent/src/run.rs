//! The running agent: bind first, serve late, READY last.

mod listeners;
mod reconfigure;
mod signals;
mod turns;
mod waiting;

use std::{path::Path, sync::Arc};

use anyhow::Context;
use axum::Router;
use serde_json::json;
use tokio::sync::watch;

use farhold_api::Limits;
use farhold_audit::OwnKind;
use farhold_store::SECOND_COPY;

use crate::{
    admin::{self, Admin},
    assembly::Assembly,
    bundle_route,
    config::{Config, ConfigError},
    doors::Doors,
    drop_folder,
    kernel::LocalKernel,
    own_event::Draft,
    owner::AppendOwn,
    probes, uplink,
};

use reconfigure::reconfigure;
use signals::Signals;
use turns::{Ended, Turns, notify};
use waiting::{assemble, assemble_again};

/// Runs the agent until it is told to stop. `reload` reads the configuration again.
///
/// # Errors
/// Whatever keeps it from serving; after READY only that a door is served no more, by a defect of
/// ours. Whoever watches the service starts it again.
pub fn run(
    config: Config,
    reload: impl Fn() -> Result<Config, ConfigError> + Send + 'static,
) -> anyhow::Result<()> {
    // Two workers serve a site; more would only cost memory there.
    let workers = std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 4));
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .max_blocking_threads(8)
        .enable_all()
        .build()
        .context("no threads to run on")?
        .block_on(async {
            // Once for all of it: a signal between an end and the next beginning is not lost.
            let mut signals = Signals::catch()?;
            let Some(mut assembly) = assemble(&config, &mut signals).await? else {
                return Ok(());
            };
            while serve(&config, assembly, &mut signals, &reload).await? == Ended::ToBeginAnew {
                tracing::info!("the site has changed: the agent begins anew");
                assembly = assemble_again(&config).await?;
            }
            Ok(())
        })
}

/// The admin router without a running agent: the verb owns the site for as long as it lives.
///
/// # Errors
/// Whatever keeps the site from being opened; `state.locked` if an agent runs.
pub fn standalone(config: &Config) -> anyhow::Result<Router> {
    let Assembly { admin, .. } = Assembly::of_system(config)?;
    Ok(admin::routes(Arc::clone(&admin)).merge(probes::routes(admin)))
}

async fn serve(
    config: &Config,
    assembly: Assembly,
    signals: &mut Signals,
    reload: &impl Fn() -> Result<Config, ConfigError>,
) -> anyhow::Result<Ended> {
    // The lock came before the sockets: a second agent must not take the first one's away.
    let Assembly { kernel, admin, owner_thread } = assembly;
    admin.place.is_an_agents();
    let doors = Doors::bind(config).await?;
    let (stop, stopped) = watch::channel(false);

    let mut serving = listeners::open(doors, &kernel, &admin, &stopped);
    tell(&admin, OwnKind::Started, json!({"version": env!("CARGO_PKG_VERSION")})).await;
    if let Some(aside) = &admin.place.moved_aside {
        tell(
            &admin,
            OwnKind::StoreRecovered,
            json!({"kept_as": aside.file_name().map(|name| name.to_string_lossy())}),
        )
        .await;
    }
    if admin.place.by_second_copy {
        tell(&admin, OwnKind::StoreRecovered, json!({"documents_of": SECOND_COPY})).await;
    }
    tracing::info!(state_dir = %config.state_dir.display(), "the agent serves");
    notify(&[sd_notify::NotifyState::Ready]);
    // Nothing is asked of the network before products are answered.
    let mut linking = kernel.line.as_ref().map(|line| uplink::start(line, &stopped));
    let dropping = config.drop_folder.as_ref().and_then(|folder| dropped(folder, &admin));

    let mut turns = Turns::of(&kernel, &admin);
    let reconfigure = || reconfigure(config, reload, &admin.health);
    let ended = turns.until_told(signals, &mut serving, reconfigure).await;

    if !matches!(ended, Ok(Ended::ToBeginAnew)) {
        tracing::info!("the agent stops");
        notify(&[sd_notify::NotifyState::Stopping]);
    }
    stop.send_replace(true);
    if let Some(dropping) = dropping {
        dropping.stop().await;
    }
    while serving.join_next().await.is_some() {}
    if let Some(linking) = &mut linking {
        while linking.join_next().await.is_some() {}
    }
    turns.last().await;
    tell(&admin, OwnKind::Stopped, json!({})).await;
    drop((kernel, admin));
    // The owner's thread ends with the last of its callers.
    let _ = tokio::task::spawn_blocking(move || owner_thread.join()).await;
    ended
}

/// The runtimes' routes; no admin route is among them.
pub fn runtime_routes(kernel: &Arc<LocalKernel>, admin: &Arc<Admin>, limits: &Limits) -> Router {
    let routes = farhold_api::calls(Arc::clone(kernel), limits)
        .merge(bundle_route::routes(Arc::clone(kernel)))
        .merge(probes::routes(Arc::clone(admin)));
    farhold_api::refusing_the_rest(routes)
}

/// Watches the drop folder. Without a thread for it, everything else goes on.
fn dropped(folder: &Path, admin: &Admin) -> Option<drop_folder::Watch> {
    drop_folder::Watch::start(folder.to_owned(), &admin.importer)
        .inspect_err(|error| tracing::error!(%error, "the drop folder can't be watched"))
        .ok()
}

/// Keeps an event about the agent itself, where there is a tenant to keep it for.
async fn tell(admin: &Admin, kind: OwnKind, payload: serde_json::Value) {
    if let Some(tenant_id) = admin.place.own_tenant() {
        let _ = admin.owner.submit(AppendOwn { tenant_id, draft: Draft::new(kind, payload) }).await;
    }
}
