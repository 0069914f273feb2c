//! Messages over a stream: bounded, with deadlines, and each answer checked against its request.

use std::collections::VecDeque;
use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use crate::ber;
use crate::error::{Fate, LdapError};
use crate::reason::Reason;
use crate::request::Request;
use crate::response::{Body, Kind, Message};

/// How much is read at once.
const CHUNK: usize = 16 * 1024;
/// How many unasked notices are passed over in one operation.
const NOTICES: usize = 8;
/// How many abandoned operations are remembered.
const ABANDONED: usize = 8;

/// A stream of bytes in both directions.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// One stream and what of it has been read so far.
pub(crate) struct Wire<S> {
    stream: S,
    inbox: BytesMut,
    limit: usize,
    next_id: i32,
    /// False from the first byte of a request to the last of its answer: a caller who stopped waiting leaves it so.
    is_ready: bool,
    abandoned: VecDeque<i32>,
}

impl<S: Stream> Wire<S> {
    pub(crate) fn new(stream: S, limit: usize) -> Self {
        Self { stream, inbox: BytesMut::new(), limit, next_id: 1, is_ready: true, abandoned: VecDeque::new() }
    }

    pub(crate) const fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// Says that the answer was read to its end.
    pub(crate) const fn finish(&mut self) {
        self.is_ready = true;
    }

    /// Tells whether bytes have arrived that nobody read yet.
    pub(crate) fn has_unread(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// Sends a request and returns its id.
    pub(crate) async fn send(&mut self, request: &Request, deadline: Instant) -> Result<i32, LdapError> {
        if !self.is_ready {
            return Err(Reason::ConnectionUnusable.into());
        }
        let message = request.message(self.next_id);
        if message.len() > self.limit {
            return Err(Reason::RequestTooLarge.into());
        }
        let id = self.number();
        self.is_ready = false;
        self.write(&message, deadline).await?;
        Ok(id)
    }

    /// Sends several requests in one piece and returns their ids, in their order.
    pub(crate) async fn send_all(
        &mut self,
        requests: &[Request],
        deadline: Instant,
    ) -> Result<Vec<i32>, LdapError> {
        if !self.is_ready {
            return Err(Reason::ConnectionUnusable.into());
        }
        let ids: Vec<_> = requests.iter().map(|_| self.number()).collect();
        let messages: Vec<_> = requests.iter().zip(&ids).map(|(request, id)| request.message(*id)).collect();
        if messages.iter().any(|message| message.len() > self.limit) {
            return Err(Reason::RequestTooLarge.into());
        }
        // wiped as its parts are: it never grows, which would leave copies behind
        let whole = messages.iter().map(|message| message.len()).sum();
        let mut piece = Zeroizing::new(Vec::with_capacity(whole));
        for message in &messages {
            piece.extend_from_slice(message);
        }
        self.is_ready = false;
        self.write(&piece, deadline).await?;
        Ok(ids)
    }

    /// RFC 4511 §4.1.1.1: never nought; a number comes again only after all the others.
    fn number(&mut self) -> i32 {
        let id = self.next_id;
        self.next_id = id.checked_add(1).unwrap_or(1);
        id
    }

    /// Stops an operation; its answers are passed over from now on. The server never answers this itself.
    pub(crate) async fn abandon(&mut self, id: i32, deadline: Instant) -> Result<(), LdapError> {
        let own = self.number();
        self.write(&Request::abandon(id).message(own), deadline).await?;
        if self.abandoned.len() >= ABANDONED {
            self.abandoned.pop_front();
        }
        self.abandoned.push_back(id);
        self.is_ready = true;
        Ok(())
    }

    /// Says good-bye as far as the other side lets us at once.
    pub(crate) async fn unbind(&mut self, deadline: Instant) {
        let id = self.next_id;
        let _sent = self.write(&Request::unbind().message(id), deadline).await;
        let _closed = timeout_at(deadline, self.stream.shutdown()).await;
        self.is_ready = false;
    }

    async fn write(&mut self, message: &[u8], deadline: Instant) -> Result<(), LdapError> {
        let sent = timeout_at(deadline, async {
            self.stream.write_all(message).await?;
            self.stream.flush().await
        });
        match sent.await {
            Ok(Ok(())) => Ok(()),
            // the server may have read all of it nevertheless
            Ok(Err(error)) => {
                Err(LdapError::new(Reason::ConnectionLost).with_fate(Fate::Unknown).caused_by(error))
            }
            Err(_) => Err(LdapError::new(Reason::Timeout).with_fate(Fate::Unknown)),
        }
    }

    /// Receives the next message that answers this request.
    pub(crate) async fn answer(&mut self, id: i32, deadline: Instant) -> Result<Message, LdapError> {
        self.answer_to(&[id], deadline).await
    }

    /// Receives the next message that answers one of these requests.
    pub(crate) async fn answer_to(&mut self, ids: &[i32], deadline: Instant) -> Result<Message, LdapError> {
        let mut notices = 0;
        loop {
            let message = self.receive(deadline).await.map_err(|error| error.with_fate(Fate::Unknown))?;
            if ids.contains(&message.id) {
                return Ok(message);
            }
            if self.abandoned.contains(&message.id) {
                continue;
            }
            notices += 1;
            let reason = match &message.body {
                _ if message.is_notice_of_disconnection() => Reason::Disconnected,
                _ if notices > NOTICES => Reason::TooManyNotices,
                Body::Done { kind: Kind::Extended, .. } if message.id == 0 => continue,
                _ => Reason::MessageIdUnexpected,
            };
            return Err(LdapError::new(reason).with_fate(Fate::Unknown));
        }
    }

    async fn receive(&mut self, deadline: Instant) -> Result<Message, LdapError> {
        loop {
            match ber::frame(&self.inbox, self.limit) {
                Ok(Some(length)) => {
                    let message = self.inbox.split_to(length);
                    return Message::decode(&message).map_err(|reason| said_by(reason, &message));
                }
                Ok(None) => self.read(deadline).await?,
                Err(Reason::MessageTooLarge) => return Err(self.too_large(deadline).await),
                Err(reason) => return Err(reason.into()),
            }
        }
    }

    async fn read(&mut self, deadline: Instant) -> Result<(), LdapError> {
        // room for what comes next, never for what is announced
        self.inbox.reserve(CHUNK);
        match timeout_at(deadline, self.stream.read_buf(&mut self.inbox)).await {
            Ok(Ok(0)) => Err(Reason::ConnectionLost.into()),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(LdapError::new(Reason::ConnectionLost).caused_by(error)),
            Err(_) => Err(Reason::Timeout.into()),
        }
    }

    /// Reads on in a message that is too large as far as it takes to name the entry in it.
    async fn too_large(&mut self, deadline: Instant) -> LdapError {
        while self.inbox.len() < CHUNK && ber::entry_name(&self.inbox) == Ok(None) {
            if self.read(deadline).await.is_err() {
                break;
            }
        }
        said_by(Reason::MessageTooLarge, &self.inbox)
    }

    /// Looks without waiting whether the other side has closed, or said something that nobody asked for.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        if !self.is_ready || self.has_unread() {
            return false;
        }
        // the runtime learns only now and then what has arrived
        tokio::task::yield_now().await;
        self.inbox.reserve(1);
        let mut read = pin!(self.stream.read_buf(&mut self.inbox));
        poll_fn(|context| Poll::Ready(read.as_mut().poll(context).is_pending())).await
    }
}

/// What is wrong with a message, and with which entry, where it is as large as none may be.
fn said_by(reason: Reason, message: &[u8]) -> LdapError {
    let error = LdapError::new(reason);
    match ber::entry_name(message) {
        Ok(Some(name)) if reason == Reason::MessageTooLarge => error.about(name),
        _ => error,
    }
}
