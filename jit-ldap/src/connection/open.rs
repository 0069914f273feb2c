//! The way to a server: TCP, then TLS, within one deadline.

use std::future::Future;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::wire::{Stream, Wire};
use super::{Connection, Identity};
use crate::error::{Fate, LdapError};
use crate::limits::Limits;
use crate::outcome::ResultCode;
use crate::reason::Reason;
use crate::request::{Request, oid};
use crate::response::{Body, Kind};
use crate::server::{Protection, Server};

impl Connection {
    /// Connects to a server.
    ///
    /// # Errors
    /// `ldap.connect_failed`, `ldap.timeout`, `ldap.tls_failed`, `ldap.tls_certificate`, `ldap.start_tls_refused`,
    /// `ldap.start_tls_injected`, `ldap.settings_invalid`.
    ///
    /// # Cancel safety
    /// The connection is closed.
    pub async fn open(server: &Server, limits: Limits) -> Result<Self, LdapError> {
        let deadline = Instant::now() + limits.connect;
        // whatever fails here, no operation was sent
        let stream =
            connect(server, limits, deadline).await.map_err(|error| error.with_fate(Fate::NotSent))?;
        Ok(Self::over(stream, limits, !matches!(server.protection(), Protection::Plain)))
    }

    /// Speaks LDAP over a stream that is open already, such as a tunnel. `is_confidential` says that nobody else can read
    /// or change it: only then are passwords sent.
    #[must_use]
    pub fn dangerously_over(
        stream: impl AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static,
        limits: Limits,
        is_confidential: bool,
    ) -> Self {
        Self::over(Box::new(stream), limits, is_confidential)
    }

    /// Makes a connection to nowhere.
    pub(crate) fn closed() -> Self {
        Self::over(Box::new(tokio::io::empty()), Limits::default(), false)
    }

    fn over(stream: Box<dyn Stream>, limits: Limits, is_confidential: bool) -> Self {
        let wire = Wire::new(stream, limits.message_bytes);
        Self { wire, limits, is_confidential, identity: Identity::Anonymous }
    }
}

async fn connect(server: &Server, limits: Limits, deadline: Instant) -> Result<Box<dyn Stream>, LdapError> {
    let mut stream = within(deadline, async {
        let stream = TcpStream::connect(server.address()).await?;
        // a request is one packet and waits for its answer: nothing is gained by holding it back
        stream.set_nodelay(true)?;
        Ok(stream)
    })
    .await?
    .map_err(|error: std::io::Error| LdapError::new(Reason::ConnectFailed).caused_by(error))?;
    match server.protection() {
        Protection::Plain => Ok(Box::new(stream)),
        Protection::Tls(tls) => Ok(Box::new(within(deadline, tls.connect(server.host(), stream)).await??)),
        Protection::StartTls(tls) => {
            ask_for_tls(&mut stream, limits.message_bytes, deadline).await?;
            Ok(Box::new(within(deadline, tls.connect(server.host(), stream)).await??))
        }
    }
}

/// RFC 4511 §4.14. What came in plain is not carried over into what is protected.
async fn ask_for_tls(stream: &mut TcpStream, limit: usize, deadline: Instant) -> Result<(), LdapError> {
    let mut wire = Wire::new(stream, limit);
    let id = wire.send(&Request::extended(oid::START_TLS, None), deadline).await?;
    let message = wire.answer(id, deadline).await?;
    match message.body {
        Body::Done { kind: Kind::Extended, answer, .. } if answer.code() == ResultCode::SUCCESS => {}
        Body::Done { kind: Kind::Extended, answer, .. } => {
            return Err(LdapError::refused(answer).with_reason(Reason::StartTlsRefused));
        }
        _ => return Err(Reason::ResponseUnexpected.into()),
    }
    if wire.has_unread() { Err(Reason::StartTlsInjected.into()) } else { Ok(()) }
}

async fn within<T>(deadline: Instant, future: impl Future<Output = T>) -> Result<T, LdapError> {
    timeout_at(deadline, future).await.map_err(|_| Reason::Timeout.into())
}
