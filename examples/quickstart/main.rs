//! Real traffic, and two servers that have the same bad day: one's client is protected by `resilient`, the other's by
//! nothing. Start reading at `client.rs`.

#![allow(unreachable_pub, reason = "the modules are written as a library's would be")]

mod api;
mod client;
mod figures;
mod report;
mod row;
mod script;
mod server;
mod traffic;
mod view;

use crate::{
    api::Api,
    client::Client,
    report::{Report, Side},
    script::Phase,
    server::Server,
    traffic::Log,
};
use std::io::Write;
use tokio::{sync::watch, time::Instant};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (stage, phase) = watch::channel(Phase::FIRST);
    let (guarded, exposed) = (Server::bind(phase.clone())?, Server::bind(phase.clone())?);
    let (client, bare) = (Client::new(Api::new(guarded.address())?), Api::new(exposed.address())?);
    let (guarded_shop, exposed_shop) = (guarded.shop(), exposed.shop());
    let (client_log, bare_log) = (Log::default(), Log::default());

    let start = Instant::now();
    let servers = async {
        tokio::select! {
            stopped = tokio::spawn(guarded.run()) => stopped,
            stopped = tokio::spawn(exposed.run()) => stopped,
        }
    };
    let view = tokio::spawn(view::show(start, phase, bare_log.clone()));
    let run = async {
        tokio::join!(
            script::play(start, &stage),
            traffic::send(client, start, client_log.clone()),
            traffic::send(bare, start, bare_log.clone()),
        )
    };
    let recovered = tokio::select! {
        (recovered, (), ()) = run => recovered,
        stopped = servers => {
            stopped??;
            anyhow::bail!("a server stopped early");
        }
    };
    view.abort();
    let _ = view.await;

    let protected = Side::new(&client_log, &guarded_shop, start, recovered);
    let bare = Side::new(&bare_log, &exposed_shop, start, recovered);
    let _ = writeln!(std::io::stdout(), "\n{}", Report { protected, bare });
    Ok(())
}
