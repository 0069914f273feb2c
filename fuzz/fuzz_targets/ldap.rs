//! A directory may answer whatever it likes: every operation comes to an end, within its limits.
#![no_main]

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use jit_ldap::connection::SyncMode;
use jit_ldap::{AttributeName, Connection, Dn, EntryName, Filter, Limits, Password, Scope, Search};
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Says its bytes in pieces of this size, and takes everything.
struct Server {
    says: Vec<u8>,
    said: usize,
    piece: usize,
}

impl AsyncRead for Server {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let end = self.says.len().min(self.said + self.piece.min(buffer.remaining()));
        buffer.put_slice(&self.says[self.said..end]);
        self.said = end;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Server {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

async fn ask(connection: &mut Connection, what: u8) {
    let base = Dn::parse("dc=x").unwrap();
    let search = Search::new(&base, Scope::Subtree, Filter::present(&AttributeName::OBJECT_CLASS));
    match what % 8 {
        0 => drop(connection.bind("cn=a", &Password::new("secret").unwrap(), &[]).await),
        1 => {
            let mut pages = connection.pages(search, 10);
            while let Ok(Some(entries)) = pages.next_page().await {
                assert!(entries.len() <= 100);
            }
        }
        2 => drop(connection.changes(&search, SyncMode::Sync, Some(b"cookie")).await),
        3 => drop(connection.changes(&search, SyncMode::DirSync, None).await),
        4 => {
            if let Ok(Some(mut entry)) = connection.find_one(&search).await {
                assert!(search.covers(&entry));
                let _whole = connection.complete(&EntryName::from(&base), &mut entry).await;
            }
        }
        5 => drop(connection.add(&base, &[], &[]).await),
        6 => drop(connection.modify_password(None, None, None).await),
        _ => drop(connection.features().await.map(|features| features.naming_contexts().count())),
    }
}

fuzz_target!(|octets: &[u8]| {
    let [what, piece, says @ ..] = octets else { return };
    let mut limits = Limits::default();
    (limits.entries, limits.values, limits.message_bytes) = (100, 1000, 1 << 16);
    let server = Server { says: says.to_vec(), said: 0, piece: usize::from(*piece).max(1) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut connection = Connection::dangerously_over(server, limits, true);
        // the last answer is followed by the end, so that three questions are always enough
        for turn in 0..3 {
            ask(&mut connection, what.wrapping_add(turn)).await;
        }
    });
});
