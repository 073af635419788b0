//! A server that spawns tasks by itself: axum with the `TraceLayer` of tower-http, on a loopback socket and
//! several threads.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    panic::{AssertUnwindSafe, catch_unwind},
};

use axum::{Router, extract::Path, http::StatusCode, routing::get};
use spanshot::{Capture, CaptureBuilder, Print};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};
use tower_http::trace::TraceLayer;
use tracing::{error, info};

/// A server on a runtime of its own, which is shut down when it is dropped.
pub struct Server {
    runtime: Runtime,
    address: SocketAddr,
}

/// Cents that an account is charged, which `declined` has not.
async fn charge(Path((account, cents)): Path<(String, u32)>) -> Result<String, StatusCode> {
    info!(account, cents, "charging");
    tokio::task::yield_now().await; // and go on wherever there is a thread
    let task = tokio::spawn(async move {
        let blocking = tokio::task::spawn_blocking(move || info!(cents, "booking"));
        blocking.await
    });
    task.await.unwrap().unwrap();
    if account == "declined" {
        error!(cents, "the card was declined");
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    Ok(format!("charged {cents}"))
}

impl Server {
    /// Starts a server on a runtime that is built so.
    pub fn start(builder: &mut Builder) -> Self {
        let runtime = builder.worker_threads(4).enable_io().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/charge/{account}/{cents}", get(charge))
            .layer(TraceLayer::new_for_http());
        runtime.spawn(async { axum::serve(listener, router).await });
        Self { runtime, address }
    }

    /// Sends a request, and returns the status and the body of the response.
    pub fn get(&self, path: &str) -> (u16, String) {
        let mut connection = TcpStream::connect(self.address).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        connection.read_to_string(&mut response).unwrap();
        let status = response.split(' ').nth(1).unwrap().parse().unwrap();
        let body = response.split_once("\r\n\r\n").unwrap().1;
        (status, body.to_owned())
    }

    /// Shuts the server down, so that nothing is traced any more.
    pub fn stop(self) {
        drop(self.runtime);
    }
}

pub fn quiet() -> CaptureBuilder {
    Capture::builder().print(Print::Never)
}

pub fn panic_message<T>(f: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| drop(f()))).expect_err("it did not panic");
    *panic.downcast::<String>().unwrap()
}
