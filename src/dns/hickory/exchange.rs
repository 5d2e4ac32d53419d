//! One question and one answer over the network.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use crate::dns::LookupError;

/// The largest answer that we let servers send over UDP: one that IPv6 carries without fragments,
/// as the DNS flag day 2020 agreed on.
pub(super) const UDP_PAYLOAD: u16 = 1_232;

/// Whether there is a runtime that drives sockets. Without one, tokio panics.
pub(super) fn has_runtime() -> bool {
    tokio::runtime::Handle::try_current().is_ok()
}

/// Asks over UDP, from a port of its own, and takes the first datagram that `answers`.
pub(super) async fn udp(
    server: SocketAddr,
    query: &[u8],
    timeout: Duration,
    answers: impl Fn(&[u8]) -> bool,
) -> Result<Vec<u8>, LookupError> {
    within(timeout, async {
        let any: SocketAddr = match server {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any).await?;
        // From here on the system drops what comes from other addresses.
        socket.connect(server).await?;
        socket.send(query).await?;
        // Some servers exceed what was agreed.
        let mut buffer = vec![0; 4 * usize::from(UDP_PAYLOAD)];
        loop {
            let length = socket.recv(&mut buffer).await?;
            let answer = buffer.get(..length).unwrap_or_default();
            if answers(answer) {
                return Ok(answer.to_vec());
            }
        }
    })
    .await
}

/// Asks over a TCP connection of its own (RFC 1035 4.2.2, RFC 7766).
pub(super) async fn tcp(
    server: SocketAddr,
    query: &[u8],
    timeout: Duration,
) -> Result<Vec<u8>, LookupError> {
    within(timeout, async {
        let length = u16::try_from(query.len()).map_err(io::Error::other)?;
        let mut stream = TcpStream::connect(server).await?;
        // RFC 7766 8: the length and the message in one segment.
        let message = [&length.to_be_bytes(), query].concat();
        stream.write_all(&message).await?;
        let length = stream.read_u16().await?;
        let mut answer = vec![0; length.into()];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    })
    .await
}

async fn within<T>(
    timeout: Duration,
    exchange: impl Future<Output = io::Result<T>>,
) -> Result<T, LookupError> {
    match tokio::time::timeout(timeout, exchange).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => {
            let reason = format!("the name server cannot be reached: {error}");
            Err(LookupError::Other(reason))
        }
        Err(_) => Err(LookupError::Timeout),
    }
}
