//! Gives a server its people, and learns what it calls them.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;
use tokio::task::LocalSet;

use crate::load::{CONNECTIONS, Connection, Requests as _};
use crate::requests::{Asked, Operation};
use crate::server::Server;

/// Makes the people `person-0` and so on, as many as are missing.
pub(crate) fn fill(server: &mut Server, people: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (address, asked) = (server.address, Rc::new(Asked::new(Operation::Post, server)));
    let next = Rc::new(RefCell::new(server.people..people));
    let made = runtime.block_on(LocalSet::new().run_until(async {
        let callers: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let (asked, next) = (Rc::clone(&asked), Rc::clone(&next));
                tokio::task::spawn_local(async move {
                    let mut connection = Connection::open(address).await;
                    let (mut ids, mut request) = (Vec::new(), Vec::new());
                    loop {
                        let Some(number) = next.borrow_mut().next() else { return ids };
                        request.clear();
                        asked.write(number, &mut request);
                        let (status, body) = connection.ask(&request).await;
                        assert!(status == 201, "{status}: {}", String::from_utf8_lossy(body));
                        let body: Value = serde_json::from_slice(body).unwrap();
                        ids.push(body["id"].as_str().unwrap().to_owned());
                    }
                })
            })
            .collect();
        let mut made = Vec::new();
        for caller in callers {
            made.extend(caller.await.unwrap());
        }
        made
    }));
    server.ids.extend(made);
    server.people = people;
}
