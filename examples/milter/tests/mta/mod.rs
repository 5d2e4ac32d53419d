//! The mail server's side of the milter protocol, octet by octet, and a milter to speak it with.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mailproof::dns::Zone;
use mailproof::message::Head;
use mailproof_milter::{Config, Listener, Milter};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub const LEADING_SPACE: u32 = 0x10_0000;
pub const SKIP: u32 = 0x400;
/// All that Postfix and Sendmail offer.
pub const ALL: u32 = 0x1f_ffff;

/// A milter of the test's own.
pub struct Running {
    pub address: SocketAddr,
    pub stop: oneshot::Sender<()>,
    pub task: JoinHandle<()>,
}

pub async fn milter(zone: Zone, settings: &str) -> Running {
    let text = format!("listen = \"\"\nauthserv_id = \"mx.example.net\"\n{settings}");
    let settings = Config::parse(&text).unwrap().settings().unwrap();
    let milter = Milter::new(settings, Arc::new(zone));
    let listener = Listener::bind("127.0.0.1:0").await.unwrap();
    let Listener::Tcp(tcp) = &listener else {
        unreachable!()
    };
    let address = tcp.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        milter
            .serve(listener, 10, stopped, Duration::from_secs(10))
            .await;
    });
    Running {
        address,
        stop,
        task,
    }
}

pub struct Mta {
    stream: TcpStream,
    /// What was agreed on.
    pub protocol: u32,
}

/// What the milter said about a message: changes, and the last word.
#[derive(Debug)]
pub struct Answer(pub Vec<(u8, Vec<u8>)>);

impl Mta {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            protocol: 0,
        }
    }

    pub async fn open(address: SocketAddr, offered: u32) -> Self {
        let mut mta = Self::connect(address).await;
        let mut negotiation = 6_u32.to_be_bytes().to_vec();
        negotiation.extend(0x1ff_u32.to_be_bytes());
        negotiation.extend(offered.to_be_bytes());
        let (code, answer) = mta.ask(b'O', &negotiation).await;
        assert_eq!(code, b'O');
        assert_eq!(answer[..4], 6_u32.to_be_bytes());
        mta.protocol = u32::from_be_bytes(answer[8..12].try_into().unwrap());
        assert_eq!(mta.protocol & !offered, 0, "agreed to what was not offered");
        mta
    }

    pub async fn client(&mut self, address: &str, helo: &str) {
        let family = if address.contains(':') { b'6' } else { b'4' };
        let mut connect = b"host.example\0".to_vec();
        connect.push(family);
        connect.extend(25_u16.to_be_bytes());
        connect.extend(address.as_bytes());
        connect.push(0);
        assert_eq!(self.ask(b'C', &connect).await.0, b'c');
        let helo = [helo.as_bytes(), b"\0"].concat();
        assert_eq!(self.ask(b'H', &helo).await.0, b'c');
    }

    pub async fn send(&mut self, code: u8, data: &[u8]) {
        let length = u32::try_from(data.len() + 1).unwrap();
        let packet = [&length.to_be_bytes(), [code].as_slice(), data].concat();
        self.stream.write_all(&packet).await.unwrap();
    }

    pub async fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).await.ok()?;
        let mut packet = vec![0; u32::from_be_bytes(length).try_into().unwrap()];
        self.stream.read_exact(&mut packet).await.ok()?;
        Some((packet[0], packet.split_off(1)))
    }

    pub async fn ask(&mut self, code: u8, data: &[u8]) -> (u8, Vec<u8>) {
        self.send(code, data).await;
        self.read().await.expect("an answer")
    }

    pub async fn envelope(&mut self, mail_from: &str, recipient: &str) {
        let mail = format!("<{mail_from}>\0SIZE=1\0");
        assert_eq!(self.ask(b'M', mail.as_bytes()).await.0, b'c');
        let recipient = format!("<{recipient}>\0");
        assert_eq!(self.ask(b'R', recipient.as_bytes()).await.0, b'c');
    }

    /// The header as Postfix and Sendmail pass it.
    pub async fn header(&mut self, head: &Head<'_>) {
        for field in head.fields() {
            let value: Vec<u8> = field
                .value()
                .iter()
                .copied()
                .filter(|o| *o != b'\r')
                .collect();
            let value = match self.protocol & LEADING_SPACE {
                0 => value.strip_prefix(b" ").unwrap_or(&value),
                _ => &value,
            };
            let packet = [field.name(), b"\0", value, b"\0"].concat();
            assert_eq!(self.ask(b'L', &packet).await.0, b'c');
        }
        assert_eq!(self.ask(b'N', b"").await.0, b'c');
    }

    pub async fn end(&mut self) -> Answer {
        self.send(b'E', b"").await;
        let mut answers = Vec::new();
        loop {
            let answer = self.read().await.expect("a verdict");
            answers.push(answer);
            if b"caryt".contains(&answers.last().unwrap().0) {
                return Answer(answers);
            }
        }
    }

    /// A whole message, its body in pieces of `size`.
    pub async fn message(
        &mut self,
        mail_from: &str,
        recipient: &str,
        octets: &[u8],
        size: usize,
    ) -> Answer {
        self.envelope(mail_from, recipient).await;
        let (head, body) = Head::parse(octets);
        self.header(&head).await;
        for chunk in body.chunks(size) {
            match self.ask(b'B', chunk).await.0 {
                b's' => break,
                code => assert_eq!(code, b'c'),
            }
        }
        self.end().await
    }
}

impl Answer {
    pub fn accepted(&self) -> bool {
        self.0.last().unwrap().0 == b'c'
    }

    /// The reply to the client.
    pub fn reply(&self) -> String {
        let (code, data) = self.0.last().unwrap();
        assert_eq!(*code, b'y', "{self:?}");
        String::from_utf8(data[..data.len() - 1].to_vec()).unwrap()
    }

    /// The changes of one kind, NULs shown as `|`.
    pub fn changes(&self, kind: u8) -> Vec<String> {
        let all = self.0.iter().filter(|(code, _)| *code == kind);
        all.map(|(_, data)| String::from_utf8_lossy(data).replace('\0', "|"))
            .collect()
    }

    /// The message as it is once the fields are inserted.
    pub fn applied(&self, octets: &[u8]) -> Vec<u8> {
        let mut message = octets.to_vec();
        for (_, data) in self.0.iter().filter(|(code, _)| *code == b'i') {
            assert_eq!(data[..4], [0; 4], "inserted at the top");
            let mut parts = data[4..].split(|octet| *octet == 0);
            let name = String::from_utf8(parts.next().unwrap().to_vec()).unwrap();
            let value = String::from_utf8(parts.next().unwrap().to_vec()).unwrap();
            let field = format!("{name}:{}\r\n", value.replace('\n', "\r\n"));
            message = [field.as_bytes(), &message].concat();
        }
        message
    }
}
