//! Where mail servers connect to.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};

/// A TCP or Unix socket.
#[derive(Debug)]
pub enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection over either.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Listener {
    /// Binds `address:port`, or `unix:` and a path, where a socket that nobody listens on any more
    /// is replaced.
    pub async fn bind(text: &str) -> io::Result<Self> {
        let Some(path) = text.strip_prefix("unix:") else {
            return Ok(Self::Tcp(TcpListener::bind(text).await?));
        };
        if Path::new(path).exists() && tokio::net::UnixStream::connect(path).await.is_err() {
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
