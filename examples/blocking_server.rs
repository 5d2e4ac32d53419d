//! A server with one thread for each connection and no runtime: `dns::block_on` drives the
//! verification where it stands. With a resolver that blocks, as most servers have one, nothing is ever
//! pending; with one that does not, the thread sleeps until it is woken.
//!
//! The protocol here is LMTP at its shortest: a line with client, HELO and sender, then the message up
//! to the end of the stream. Prints the verdict of each.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Instant;

use mailproof::dns::{Cache, Zone, block_on};
use mailproof::{Message, Session, Verifier};

fn serve(stream: &TcpStream, verifier: &Verifier<Cache<Zone>>) -> Result<(), Box<dyn Error>> {
    let mut reader = BufReader::new(stream.take(50 << 20));
    let mut envelope = String::new();
    reader.read_line(&mut envelope)?;
    let mut words = envelope.split_whitespace();
    let mut word = || words.next().ok_or("client, HELO and sender, please");
    let session = Session::new(word()?.parse()?, word()?, word()?);
    let mut octets = Vec::new();
    reader.read_to_end(&mut octets)?;
    let verdict = block_on(verifier.verify(&session, &Message::parse(&octets)));
    let reply = verdict
        .smtp_reply()
        .map_or("250 2.0.0 ok".to_owned(), |reply| reply.to_string());
    let mut stream = stream;
    writeln!(stream, "{reply}")?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let zone = Zone::from_text(include_bytes!("data/forwarded.zone"))?;
    let start = Instant::now();
    let cache = Cache::new(zone, move || start.elapsed());
    // One verifier with one cache for all threads.
    let verifier = Arc::new(Verifier::new(cache));

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let verifier = Arc::clone(&verifier);
            std::thread::spawn(move || {
                if let Err(error) = serve(&stream, &verifier) {
                    // The client must come again: nothing was decided.
                    let _ = writeln!(&stream, "451 4.3.0 {error}");
                }
                let _ = stream.shutdown(Shutdown::Both);
            });
        }
    });

    for envelope in [
        "192.0.2.10 mx.firma-a.tld userA@firma-a.tld",
        "104.47.11.20 mail-b.outbound.protection.outlook.com userA@firma-a.tld",
        "nobody",
    ] {
        let mut stream = TcpStream::connect(address)?;
        write!(
            stream,
            "{envelope}\r\nFrom: userA@firma-a.tld\r\n\r\nHello.\r\n"
        )?;
        stream.shutdown(Shutdown::Write)?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        println!("{envelope}\n    {}", reply.trim_end());
    }
    Ok(())
}
