//! An SMTP server on tokio that verifies while a message arrives: the look-ups run as a task of their
//! own, and the body is hashed line by line.
//!
//! Brings a client along that sends two messages, and prints what both say.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use mailproof::dns::{Resolver, Zone};
use mailproof::message::Head;
use mailproof::{Session, Verdict, Verifier};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What all connections share; with real DNS, the resolver is a `Cache` around a `HickoryResolver`.
struct Server {
    resolver: Arc<dyn Resolver>,
    verifier: Verifier<Arc<dyn Resolver>>,
}

struct Connection {
    stream: BufReader<TcpStream>,
    client_ip: IpAddr,
    helo: String,
    mail_from: String,
}

impl Connection {
    async fn serve(mut self, server: Arc<Server>) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.say("220 mx.example.net").await?;
        while let Some(line) = self.line().await? {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let (verb, argument) = line.split_once([' ', ':']).unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" | "HELO" => {
                    self.helo = argument.to_owned();
                    self.say("250 mx.example.net").await?;
                }
                "MAIL" => {
                    let address = argument.split_once(':').map_or("", |(_, address)| address);
                    self.mail_from = address.to_owned();
                    self.say("250 ok").await?;
                }
                "DATA" => {
                    self.say("354 go on").await?;
                    let verdict = self.receive(&server).await?;
                    // Accepted mail is stored with `verdict.authentication_results(..)` above it.
                    let reply = match verdict.smtp_reply() {
                        Some(reply) => reply.to_string(),
                        None => format!("250 2.0.0 accepted ({})", verdict.action()),
                    };
                    self.say(&reply).await?;
                }
                "QUIT" => return self.say("221 bye").await,
                _ => self.say("250 ok").await?,
            }
        }
        Ok(())
    }

    /// Reads a message up to the dot, and judges it.
    async fn receive(&mut self, server: &Server) -> Result<Verdict, Box<dyn Error + Send + Sync>> {
        let mut header = Vec::new();
        while let Some(line) = self.message_line().await? {
            header.extend_from_slice(&line);
            if line == b"\r\n" {
                break;
            }
        }
        let session = Session::new(self.client_ip, &self.helo, &self.mail_from);
        let (head, _) = Head::parse(&header);
        let (lookups, mut body) = server.verifier.begin(&session, &head);
        // RFC 7208 4.6.4: no less than 20 seconds.
        let deadline = tokio::time::sleep(Duration::from_secs(20));
        let resolver = Arc::clone(&server.resolver);
        let answers = tokio::spawn(lookups.run_until(resolver, deadline));
        while let Some(line) = self.message_line().await? {
            body.update(&line);
        }
        Ok(server.verifier.finish(answers.await?, body.finish()))
    }

    /// A line of a message, its dot removed; none at its end.
    async fn message_line(&mut self) -> Result<Option<Vec<u8>>, Box<dyn Error + Send + Sync>> {
        let line = self.line().await?.ok_or("the client has gone")?;
        Ok(match line.strip_prefix(b".") {
            Some(b"\r\n") => None,
            Some(rest) => Some(rest.to_vec()),
            None => Some(line),
        })
    }

    async fn line(&mut self) -> Result<Option<Vec<u8>>, Box<dyn Error + Send + Sync>> {
        let mut line = Vec::new();
        // A server for strangers has a limit on the message as a whole, too.
        let mut limited = (&mut self.stream).take(MAX_LINE);
        limited.read_until(b'\n', &mut line).await?;
        Ok((!line.is_empty()).then_some(line))
    }

    async fn say(&mut self, line: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
        println!("S: {line}");
        self.stream
            .get_mut()
            .write_all(format!("{line}\r\n").as_bytes())
            .await?;
        Ok(())
    }
}

const MAX_LINE: u64 = 1 << 20;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let resolver: Arc<dyn Resolver> =
        Arc::new(Zone::from_text(include_bytes!("data/forwarded.zone"))?);
    let server = Arc::new(Server {
        verifier: Verifier::new(Arc::clone(&resolver)),
        resolver,
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let client = tokio::spawn(client(TcpStream::connect(listener.local_addr()?).await?));
    let (stream, _) = listener.accept().await?;
    let connection = Connection {
        stream: BufReader::new(stream),
        // A server takes the address that `accept` gives; this client pretends to be Exchange Online.
        client_ip: [104, 47, 11, 20].into(),
        helo: String::new(),
        mail_from: String::new(),
    };
    let served = connection.serve(server).await;
    client.await??;
    served.map_err(|error| error.to_string().into())
}

/// A list's message, and a forgery.
async fn client(stream: TcpStream) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let list = "Verteilername+SRS=y1OwP=BF=firma-a.tld=userA@firma-b.tld";
    let forgery = b"From: boss@firma-a.tld\r\nSubject: urgent\r\n\r\nPay this.\r\n";
    let mails: [(&str, &[u8]); 2] = [
        (list, include_bytes!("data/forwarded.eml")),
        ("boss@firma-a.tld", forgery),
    ];
    let mut lines = vec![b"EHLO mail-b.outbound.protection.outlook.com".to_vec()];
    for (mail_from, mail) in mails {
        lines.push(format!("MAIL FROM:<{mail_from}>").into_bytes());
        lines.push(b"RCPT TO:<UserC@firma-c.tld>".to_vec());
        lines.push(b"DATA".to_vec());
        lines.push([mail, b"."].concat());
    }
    lines.push(b"QUIT".to_vec());
    let mut reply = String::new();
    for line in lines {
        stream.read_line(&mut reply).await?;
        let shown = String::from_utf8_lossy(&line);
        println!("C: {}", shown.lines().last().unwrap_or_default());
        stream
            .write_all(&[&line, b"\r\n".as_slice()].concat())
            .await?;
    }
    Ok(())
}
