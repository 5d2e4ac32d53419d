//! Both ends of the mail server: a client that sends from any address (XCLIENT), and the host to
//! which everything is delivered.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A session with the mail server.
pub struct Client {
    stream: BufReader<TcpStream>,
}

/// What became of a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reply {
    Accepted,
    Refused(String),
    Deferred(String),
}

impl Client {
    pub async fn connect(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let mut client = Self {
            stream: BufReader::new(stream),
        };
        client.reply().await?;
        client.command("EHLO tester.test").await?;
        Ok(client)
    }

    /// Goes on as another client.
    pub async fn become_client(&mut self, ip: &str, helo: &str) -> io::Result<()> {
        let xclient = format!("XCLIENT NAME=[UNAVAILABLE] ADDR={ip}");
        let reply = self.command(&xclient).await?;
        if !reply.starts_with("220") {
            return Err(io::Error::other(reply));
        }
        self.command(&format!("EHLO {helo}")).await?;
        Ok(())
    }

    /// Sends a message; tells also how long the answer to its end took.
    pub async fn send(
        &mut self,
        mail_from: &str,
        recipient: &str,
        octets: &[u8],
    ) -> io::Result<(Reply, Duration)> {
        let start = Instant::now();
        for command in [
            format!("MAIL FROM:<{mail_from}>"),
            format!("RCPT TO:<{recipient}>"),
            "DATA".to_owned(),
        ] {
            let reply = self.command(&command).await?;
            if reply.starts_with(['4', '5']) {
                self.command("RSET").await?;
                return Ok((Reply::of(reply), start.elapsed()));
            }
        }
        let mut data = Vec::with_capacity(octets.len() + 100);
        for line in octets.split_inclusive(|octet| *octet == b'\n') {
            if line.starts_with(b".") {
                data.push(b'.');
            }
            data.extend_from_slice(line);
        }
        data.extend_from_slice(b".\r\n");
        self.stream.get_mut().write_all(&data).await?;
        let start = Instant::now();
        let reply = self.reply().await?;
        Ok((Reply::of(reply), start.elapsed()))
    }

    async fn command(&mut self, line: &str) -> io::Result<String> {
        let line = format!("{line}\r\n");
        self.stream.get_mut().write_all(line.as_bytes()).await?;
        self.reply().await
    }

    /// The reply, its lines joined.
    async fn reply(&mut self) -> io::Result<String> {
        let mut reply = String::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            reply.push_str(line.trim_end());
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(reply);
            }
        }
    }
}

impl Reply {
    fn of(text: String) -> Self {
        match text.as_bytes().first() {
            Some(b'2') => Self::Accepted,
            Some(b'5') => Self::Refused(text),
            _ => Self::Deferred(text),
        }
    }
}

/// All that was delivered, by the local part of the recipient.
#[derive(Clone, Default)]
pub struct Delivered(Arc<Mutex<HashMap<String, Vec<Vec<u8>>>>>);

impl Delivered {
    pub fn count(&self) -> usize {
        self.0.lock().unwrap().values().map(Vec::len).sum()
    }

    pub fn of(&self, recipient: &str) -> Vec<Vec<u8>> {
        let delivered = self.0.lock().unwrap();
        delivered.get(recipient).cloned().unwrap_or_default()
    }

    /// Waits until this many messages have come, and a little longer for more.
    pub async fn wait(&self, count: usize, patience: Duration) {
        let start = Instant::now();
        while self.count() < count && start.elapsed() < patience {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }

    /// Receives mail from now on.
    pub async fn listen(&self, port: u16) -> io::Result<()> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let delivered = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let delivered = delivered.clone();
                tokio::spawn(async move {
                    let _ = delivered.receive(stream).await;
                });
            }
        });
        Ok(())
    }

    async fn receive(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        stream.get_mut().write_all(b"220 sink\r\n").await?;
        let mut recipient = String::new();
        loop {
            let mut line = Vec::new();
            if stream.read_until(b'\n', &mut line).await? == 0 {
                return Ok(());
            }
            let line = String::from_utf8_lossy(&line).to_ascii_lowercase();
            let reply: &[u8] = if let Some(rest) = line.strip_prefix("rcpt to:<") {
                recipient = rest.split('@').next().unwrap_or_default().to_owned();
                b"250 ok\r\n"
            } else if line.starts_with("data") {
                stream.get_mut().write_all(b"354 go on\r\n").await?;
                let message = data(&mut stream).await?;
                let mut delivered = self.0.lock().unwrap();
                delivered
                    .entry(recipient.clone())
                    .or_default()
                    .push(message);
                b"250 ok\r\n"
            } else if line.starts_with("quit") {
                b"221 bye\r\n"
            } else {
                b"250 ok\r\n"
            };
            stream.get_mut().write_all(reply).await?;
        }
    }
}

async fn data(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.strip_prefix(b".") {
            Some(b"\r\n") => return Ok(message),
            Some(rest) => message.extend_from_slice(rest),
            None => message.extend_from_slice(&line),
        }
    }
}
