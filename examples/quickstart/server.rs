//! A web shop that has a bad day.

use crate::script::{Phase, QUOTA, SLOWNESS};
use anyhow::Context;
use axum::{
    Router,
    extract::{Path, Request, State},
    http::{StatusCode, header::RETRY_AFTER},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use resilient::{Rate, RateLimiter, RateLimiterConfig};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};
use tokio::{net::TcpSocket, sync::watch, time::sleep};

pub struct Server {
    address: SocketAddr,
    socket: TcpSocket,
    shop: Arc<Shop>,
}

pub struct Shop {
    phase: watch::Receiver<Phase>,
    quota: RateLimiter,
    load: AtomicU64,
}

impl Shop {
    /// Requests that arrived while it was in trouble.
    pub fn load(&self) -> u64 {
        self.load.load(Relaxed)
    }
}

impl Server {
    pub fn bind(phase: watch::Receiver<Phase>) -> anyhow::Result<Self> {
        let socket = bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let quota = RateLimiter::new(RateLimiterConfig::new(Rate::per_second(QUOTA)));
        Ok(Self {
            address: socket.local_addr()?,
            socket,
            shop: Arc::new(Shop { phase, quota, load: AtomicU64::new(0) }),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn shop(&self) -> Arc<Shop> {
        Arc::clone(&self.shop)
    }

    /// Serves until the script is over.
    pub async fn run(self) -> anyhow::Result<()> {
        let Self { address, mut socket, shop } = self;
        let app = Router::new()
            .route("/price/{article}", get(async |Path(article): Path<u32>| format!("{}.95", 10 + article)))
            .route("/stock/{article}", get(async |Path(article): Path<u32>| format!("{} left", article % 7)))
            .route("/order", post(async |article: String| format!("article {article} is on its way")))
            .layer(from_fn_with_state(Arc::clone(&shop), bad_day));
        let mut phase = shop.phase.clone();
        while phase.wait_for(|phase| *phase != Phase::Refusing).await.is_ok() {
            let listener = socket.listen(1024).context("cannot listen on the loopback port")?;
            let refusing = refusing(phase.clone());
            axum::serve(listener, app.clone()).with_graceful_shutdown(refusing).await?;
            if phase.has_changed().is_err() {
                break;
            }
            // Bound but not listening: connections are refused, and nobody else gets the port meanwhile.
            socket = bind(address)?;
        }
        Ok(())
    }
}

async fn refusing(mut phase: watch::Receiver<Phase>) {
    // An error means that the script is over.
    let _ = phase.wait_for(|phase| *phase == Phase::Refusing).await;
}

fn bind(address: SocketAddr) -> anyhow::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // The port must be ours again although connections of its former listener linger. On Windows it is without this.
    if cfg!(unix) {
        socket.set_reuseaddr(true)?;
    }
    socket.bind(address).context("cannot bind a loopback port")?;
    Ok(socket)
}

async fn bad_day(State(shop): State<Arc<Shop>>, request: Request, next: Next) -> Response {
    let phase = *shop.phase.borrow();
    if phase.is_struggling() {
        shop.load.fetch_add(1, Relaxed);
    }
    match phase {
        Phase::Healthy | Phase::Recovered => next.run(request).await,
        Phase::Slow => {
            sleep(SLOWNESS).await;
            next.run(request).await
        }
        // What arrives while the listener closes.
        Phase::Failing | Phase::Refusing => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Phase::Throttling => match shop.quota.try_acquire() {
            Ok(_permit) => next.run(request).await,
            Err(error) => {
                let seconds = error.retry_after().map_or(1, |after| after.as_secs() + 1);
                (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, seconds.to_string())]).into_response()
            }
        },
    }
}
