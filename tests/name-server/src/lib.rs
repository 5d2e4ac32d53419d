//! A name server on the loopback interface that answers, or fails to, as a test tells it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Message, MessageType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinHandle;

pub use hickory_proto;

/// How a question came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Over {
    /// In a datagram.
    Udp,
    /// On a connection.
    Tcp,
}

/// What the server does with a question.
pub enum Reply {
    /// Sends these octets, one datagram or message for each element.
    Octets(Vec<Vec<u8>>),
    /// Sends this answer, truncated where it does not fit into a datagram.
    Message(Box<Message>),
    /// Nothing.
    Silence,
}

type Answer = dyn Fn(&Message, Over) -> Reply + Send + Sync;

/// The server; it ends when it is dropped.
pub struct NameServer {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<(Message, Over)>>>,
    tasks: Vec<JoinHandle<()>>,
}

impl NameServer {
    /// Listens for UDP and TCP on one port.
    pub async fn start(answer: impl Fn(&Message, Over) -> Reply + Send + Sync + 'static) -> Self {
        loop {
            let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .await
                .expect("a port");
            let address = tcp.local_addr().expect("an address");
            // The port may be in use by another UDP socket.
            if let Ok(udp) = UdpSocket::bind(address).await {
                return Self::serve(address, udp, Some(tcp), Arc::new(answer));
            }
        }
    }

    /// Listens for UDP alone, so that TCP is refused.
    pub async fn start_udp(
        answer: impl Fn(&Message, Over) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port");
        let address = udp.local_addr().expect("an address");
        Self::serve(address, udp, None, Arc::new(answer))
    }

    fn serve(
        address: SocketAddr,
        udp: UdpSocket,
        tcp: Option<TcpListener>,
        answer: Arc<Answer>,
    ) -> Self {
        let asked = Arc::default();
        let mut tasks = vec![tokio::spawn(serve_udp(
            udp,
            Arc::clone(&answer),
            Arc::clone(&asked),
        ))];
        tasks.extend(tcp.map(|tcp| tokio::spawn(serve_tcp(tcp, answer, Arc::clone(&asked)))));
        Self {
            address,
            asked,
            tasks,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The questions so far.
    pub fn asked(&self) -> Vec<(Message, Over)> {
        self.asked.lock().expect("no panic under the lock").clone()
    }

    /// Over what the questions came so far.
    pub fn asked_over(&self) -> Vec<Over> {
        self.asked().into_iter().map(|(_, over)| over).collect()
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// An answer to the question, with nothing in it yet.
pub fn answer_to(query: &Message) -> Message {
    let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
    answer.metadata.message_type = MessageType::Response;
    answer.metadata.recursion_desired = query.metadata.recursion_desired;
    answer.metadata.recursion_available = true;
    answer.add_queries(query.queries.clone());
    answer
}

async fn serve_udp(udp: UdpSocket, answer: Arc<Answer>, asked: Arc<Mutex<Vec<(Message, Over)>>>) {
    let mut buffer = vec![0; 65_535];
    loop {
        let Ok((length, from)) = udp.recv_from(&mut buffer).await else {
            continue;
        };
        let query = Message::from_vec(&buffer[..length]).expect("a query");
        asked
            .lock()
            .expect("no panic under the lock")
            .push((query.clone(), Over::Udp));
        let datagrams = match answer(&query, Over::Udp) {
            Reply::Silence => Vec::new(),
            Reply::Octets(octets) => octets,
            Reply::Message(message) => {
                let octets = message.to_vec().expect("a message");
                if octets.len() <= usize::from(query.max_payload()) {
                    vec![octets]
                } else {
                    let mut truncated = answer_to(&query);
                    truncated.metadata.truncation = true;
                    vec![truncated.to_vec().expect("a message")]
                }
            }
        };
        for datagram in datagrams {
            udp.send_to(&datagram, from).await.expect("sent");
        }
    }
}

async fn serve_tcp(tcp: TcpListener, answer: Arc<Answer>, asked: Arc<Mutex<Vec<(Message, Over)>>>) {
    while let Ok((stream, _)) = tcp.accept().await {
        let (answer, asked) = (Arc::clone(&answer), Arc::clone(&asked));
        // Clients may go away at any time.
        tokio::spawn(async move { serve_stream(stream, &*answer, &asked).await.ok() });
    }
}

async fn serve_stream(
    mut stream: TcpStream,
    answer: &Answer,
    asked: &Mutex<Vec<(Message, Over)>>,
) -> io::Result<()> {
    loop {
        let mut octets = vec![0; stream.read_u16().await?.into()];
        stream.read_exact(&mut octets).await?;
        let query = Message::from_vec(&octets).map_err(io::Error::other)?;
        asked
            .lock()
            .expect("no panic under the lock")
            .push((query.clone(), Over::Tcp));
        let messages = match answer(&query, Over::Tcp) {
            Reply::Silence => Vec::new(),
            Reply::Octets(octets) => octets,
            Reply::Message(message) => vec![message.to_vec().map_err(io::Error::other)?],
        };
        for message in messages {
            let length = u16::try_from(message.len()).map_err(io::Error::other)?;
            stream.write_u16(length).await?;
            stream.write_all(&message).await?;
        }
    }
}
