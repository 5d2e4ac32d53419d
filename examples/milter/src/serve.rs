//! Accepting connections, and stopping.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mailproof::Verifier;
use mailproof::dns::Resolver;
use miltr_server::Server;
use tokio::sync::{Semaphore, watch};
use tokio_util::compat::TokioAsyncReadCompatExt;
use tokio_util::task::TaskTracker;

use crate::config::Settings;
use crate::connection::Connection;
use crate::listener::{Listener, Patient, Stream};
use crate::log;

/// What all connections share.
pub(crate) struct Service {
    pub(crate) settings: Settings,
    pub(crate) verifier: Verifier<Arc<dyn Resolver>>,
    pub(crate) resolver: Arc<dyn Resolver>,
}

/// The milter, ready to serve.
#[derive(Clone)]
pub struct Milter(Arc<Service>);

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}

impl Milter {
    /// A milter that asks the DNS through `resolver`.
    pub fn new(settings: Settings, resolver: Arc<dyn Resolver>) -> Self {
        let verifier = Verifier::with_settings(Arc::clone(&resolver), settings.verifier.clone());
        Self(Arc::new(Service {
            settings,
            verifier,
            resolver,
        }))
    }

    /// Serves until `stop` completes; then accepts nothing new, lets messages under way come to
    /// their end for as long as `patience` lasts, and closes the other connections. A mail server
    /// whose connection is closed defers what it has.
    pub async fn serve(
        &self,
        listener: Listener,
        max_connections: usize,
        stop: impl Future<Output = ()>,
        patience: Duration,
    ) {
        let (stopping, _) = watch::channel(false);
        let connections = TaskTracker::new();
        let free = Arc::new(Semaphore::new(max_connections));
        let mut stop = pin!(stop);
        loop {
            // Beyond the limit, mail servers wait in the listener's queue.
            let accepted = async {
                let place = Arc::clone(&free).acquire_owned().await;
                (listener.accept().await, place)
            };
            let (stream, place) = tokio::select! {
                () = &mut stop => break,
                accepted = accepted => accepted,
            };
            match stream {
                Ok(stream) => {
                    let connection = self.clone().attend(stream, stopping.subscribe());
                    connections.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    // Out of file descriptors, say: the queue of the listener keeps the others.
                    log::error(&error);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        drop(listener);
        let _ = stopping.send(true);
        connections.close();
        let _ = tokio::time::timeout(patience, connections.wait()).await;
    }

    async fn attend(self, stream: Box<dyn Stream>, mut stopping: watch::Receiver<bool>) {
        let busy = Arc::new(AtomicBool::new(false));
        let mut connection = Connection::new(self.0, Arc::clone(&busy));
        let mut server = Server::new(&mut connection, false, MAX_PACKET);
        let idle = async {
            let _ = stopping.wait_for(|stopping| *stopping).await;
            // The answer to a message leaves after the message is done: idle is who is so twice.
            let mut before = false;
            loop {
                let now = !busy.load(Ordering::Acquire);
                if before && now {
                    break;
                }
                before = now;
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::select! {
            served = server.handle_connection(Patient::new(stream, SILENCE).compat()) => {
                if let Err(error) = served {
                    log::error(&error);
                }
            }
            () = idle => {}
        }
    }
}

/// A field with all its lines is one packet. Mail servers cut bodies into pieces of 64 KiB.
const MAX_PACKET: usize = 1 << 20;

/// As long as libmilter waits for the next command. Between two of them may be a slow client, whose
/// patience and whose end is the mail server's to decide.
const SILENCE: Duration = Duration::from_secs(7_210);

const PAUSE: Duration = Duration::from_millis(100);
