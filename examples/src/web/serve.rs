use std::future::Future;
use std::io;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long answers that are under way may take once the program was asked to end.
const GRACE: Duration = Duration::from_secs(10);

/// Serves each router on its listener until `stop`, then lets the answers under way finish.
pub(crate) async fn serve(
    sites: Vec<(TcpListener, Router)>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let (ask_to_end, asked) = watch::channel(false);
    let mut running = JoinSet::new();
    for (listener, router) in sites {
        let mut asked = asked.clone();
        let end = async move {
            // A sender that is gone asks to end as well.
            let _ = asked.wait_for(|end| *end).await;
        };
        let router = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
        running.spawn(async move { axum::serve(listener, router).with_graceful_shutdown(end).await });
    }
    tokio::select! {
        () = stop => {}
        Some(ended) = running.join_next() => return ended.map_err(io::Error::other)?,
    }
    // Every receiver may be gone when every site has ended by itself.
    let _ = ask_to_end.send(true);
    match tokio::time::timeout(GRACE, drained(&mut running)).await {
        Ok(ended) => ended,
        Err(_) => Ok(()),
    }
}

async fn drained(running: &mut JoinSet<io::Result<()>>) -> io::Result<()> {
    while let Some(ended) = running.join_next().await {
        ended.map_err(io::Error::other)??;
    }
    Ok(())
}
