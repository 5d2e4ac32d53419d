//! Where mail servers connect to.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, UnixListener};
use tokio::time::{Instant, Sleep};

/// A TCP or Unix socket.
#[derive(Debug)]
pub enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection over either.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection that ends when nothing came for too long: the mail server's host may be gone.
#[derive(Debug)]
pub(crate) struct Patient<S> {
    stream: S,
    patience: Duration,
    end: Pin<Box<Sleep>>,
}

impl<S> Patient<S> {
    pub(crate) fn new(stream: S, patience: Duration) -> Self {
        Self {
            stream,
            patience,
            end: Box::pin(tokio::time::sleep(patience)),
        }
    }
}

impl<S: Stream> AsyncRead for Patient<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if read.is_ready() {
            this.end.as_mut().reset(Instant::now() + this.patience);
            return read;
        }
        let end = this.end.as_mut().poll(context);
        end.map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: Stream> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Listener {
    /// Binds `address:port`, or `unix:` and a path, where a socket that nobody listens on any more
    /// is replaced.
    pub async fn bind(text: &str) -> io::Result<Self> {
        let Some(path) = text.strip_prefix("unix:") else {
            return Ok(Self::Tcp(TcpListener::bind(text).await?));
        };
        let is_socket =
            std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
        if is_socket && tokio::net::UnixStream::connect(path).await.is_err() {
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        // The mail server runs as somebody else. Whoever may enter the directory may connect.
        std::fs::set_permissions(path, Permissions::from_mode(0o666))?;
        Ok(Self::Unix(listener))
    }

    pub(crate) async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Each answer is a packet of its own that the mail server waits for.
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
            Self::Unix(listener) => Ok(Box::new(listener.accept().await?.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn only_sockets_are_replaced() {
        let path = std::env::temp_dir().join(format!("milter-{}-listen", std::process::id()));
        let address = format!("unix:{}", path.display());
        std::fs::write(&path, "mine").unwrap();
        Listener::bind(&address).await.unwrap_err();
        assert_eq!(std::fs::read(&path).unwrap(), b"mine");
        std::fs::remove_file(&path).unwrap();
        // One that is left over is replaced, one that is in use is not.
        drop(Listener::bind(&address).await.unwrap());
        let _listener = Listener::bind(&address).await.unwrap();
        Listener::bind(&address).await.unwrap_err();
        std::fs::remove_file(&path).unwrap();
    }

    #[tokio::test]
    async fn silence_has_an_end() {
        let (mut peer, stream) = tokio::io::duplex(16);
        let mut patient = Patient::new(stream, Duration::from_millis(20));
        peer.write_all(b"x").await.unwrap();
        assert_eq!(patient.read_u8().await.unwrap(), b'x');
        let error = patient.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
