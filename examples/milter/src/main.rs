//! `mailproof-milter FILE`: see `milter.toml` for the file and the README for the mail server's side.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mailproof::dns::{Cache, HickoryResolver, Resolver};
use mailproof_milter::{Config, ConfigError, Listener, Milter};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mailproof-milter: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args_os().nth(1);
    let file = file.ok_or("usage: mailproof-milter FILE")?;
    let text = std::fs::read_to_string(&file)
        .map_err(|error| format!("{}: {error}", file.to_string_lossy()))?;
    let named = |error: ConfigError| format!("{}: {error}", file.to_string_lossy());
    let config = Config::parse(&text).map_err(named)?;
    let settings = config.settings().map_err(named)?;
    let max_connections = settings.max_connections;
    let resolver = resolver(&config, settings.question_time)?;
    let milter = Milter::new(settings, resolver);
    let listener = Listener::bind(&config.listen)
        .await
        .map_err(|error| format!("listen = {:?}: {error}", config.listen))?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let patience = Duration::from_secs(config.stop_seconds);
    milter
        .serve(listener, max_connections, stop, patience)
        .await;
    Ok(())
}

/// One resolver and one cache for all connections.
fn resolver(
    config: &Config,
    question_time: Duration,
) -> Result<Arc<dyn Resolver>, Box<dyn std::error::Error>> {
    let resolver = match config.dns.servers.as_slice() {
        [] => HickoryResolver::from_system()?,
        servers => HickoryResolver::new(servers.iter().copied())?,
    };
    let resolver = resolver.timeout(question_time);
    let start = Instant::now();
    Ok(Arc::new(Cache::new(resolver, move || start.elapsed())))
}
