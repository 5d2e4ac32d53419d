//! The name server, which is stopped and started under way, and the ports of everything.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mailproof::dns::{HickoryResolver, Name, Resolver};
use tokio::process::{Child, Command};

/// Where everything is: set by the script that starts the rest.
pub struct Places {
    pub work: PathBuf,
    pub nsd: PathBuf,
    /// NSD on port 0 of these, then the mail server without milter, with ours, with the others'.
    pub base: u16,
    pub others: bool,
}

impl Places {
    pub fn from_environment() -> Self {
        let value =
            |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
        Self {
            work: value("RUN_FOLDER").into(),
            nsd: value("RUN_NSD").into(),
            base: value("RUN_PORT").parse().unwrap(),
            others: value("RUN_OTHERS") == "yes",
        }
    }

    pub fn name_server(&self) -> u16 {
        self.base
    }

    pub fn plain(&self) -> u16 {
        self.base + 2
    }

    pub fn milter(&self) -> u16 {
        self.base + 3
    }

    pub fn others(&self) -> u16 {
        self.base + 4
    }

    pub fn sink(&self) -> u16 {
        self.base + 5
    }

    /// Runs one of Postfix's commands on its queue.
    pub async fn postfix(&self, command: &str, arguments: &[&str]) {
        let folder = self.work.join("etc");
        let done = Command::new(command)
            .arg("-c")
            .arg(folder)
            .args(arguments)
            .status()
            .await;
        assert!(done.unwrap().success(), "{command}");
    }

    pub fn held(&self) -> usize {
        files(&self.work.join("queue/hold"))
    }

    /// Messages on their way, also those whose delivery is tried again later.
    pub fn queued(&self) -> usize {
        let queues = ["incoming", "active", "deferred", "maildrop"];
        queues
            .iter()
            .map(|queue| files(&self.work.join("queue").join(queue)))
            .sum()
    }
}

fn files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => files(&entry.path()),
            _ => 1,
        })
        .sum()
}

/// NSD, as the only name server in the world.
pub struct NameServer<'a> {
    places: &'a Places,
    running: Option<Child>,
}

impl<'a> NameServer<'a> {
    pub fn new(places: &'a Places) -> Self {
        Self {
            places,
            running: None,
        }
    }

    /// Starts with this zone; `serial` tells when it is up.
    pub async fn start(&mut self, text: &str, serial: &str) {
        self.stop().await;
        // Negative answers may be kept for as long as the SOA record says.
        let head = "$ORIGIN .\n$TTL 0\n. SOA ns.test. root.test. 1 1 1 1 0\n. NS ns.test.\n\
            ns.test. A 127.0.0.1\n";
        let zone = format!("{head}serial.test. TXT \"{serial}\"\n{text}");
        std::fs::write(self.places.work.join("root.zone"), zone).unwrap();
        self.start_again(serial).await;
    }

    pub async fn start_again(&mut self, serial: &str) {
        let nsd = Command::new(&self.places.nsd)
            .args(["-d", "-c"])
            .arg(self.places.work.join("nsd.conf"))
            .kill_on_drop(true)
            .spawn();
        self.running = Some(nsd.unwrap());
        let server = ([127, 0, 0, 1], self.places.name_server()).into();
        let resolver = HickoryResolver::new([server]).unwrap();
        let resolver = resolver.timeout(Duration::from_millis(500));
        let name: Name = "serial.test".parse().unwrap();
        for _ in 0..200 {
            let answer = resolver.txt(&name).await;
            let up = answer.is_ok_and(|outcome| {
                outcome
                    .as_slice()
                    .iter()
                    .any(|txt| txt.as_bytes() == serial.as_bytes())
            });
            if up {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the name server does not answer");
    }

    pub async fn stop(&mut self) {
        let Some(mut nsd) = self.running.take() else {
            return;
        };
        let id = nsd.id().unwrap_or_default().to_string();
        let _ = Command::new("kill").arg(id).status().await;
        let _ = nsd.wait().await;
    }
}
