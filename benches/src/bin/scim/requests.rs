//! What is asked: the same of every server.

use std::io::Write as _;

use crate::load::Requests;
use crate::server::Server;

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Get,
    Filter,
    List,
    Rename,
    Switch,
    Post,
}

pub(crate) const ALL: [Operation; 6] = [
    Operation::Get,
    Operation::Filter,
    Operation::List,
    Operation::Rename,
    Operation::Switch,
    Operation::Post,
];

impl Operation {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Get => "GET by id",
            Self::Filter => "filter userName eq",
            Self::List => "list of 100",
            Self::Rename => "PATCH displayName",
            Self::Switch => "PATCH active",
            Self::Post => "POST",
        }
    }
}

/// One request.
pub(crate) struct Said {
    pub(crate) method: &'static str,
    /// With the query, below the address of the service.
    pub(crate) path: String,
    pub(crate) body: String,
}

/// Says the request of this number, about the person with this id or about one of so many.
pub(crate) fn say(operation: Operation, number: u64, id: &str, people: u64, is_active: bool) -> Said {
    let said = |method, path, body| Said { method, path, body };
    let change = |path: &str, value: &str| {
        let body = format!(
            "{{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\
             \"Operations\":[{{\"op\":\"replace\",\"path\":\"{path}\",\"value\":{value}}}]}}"
        );
        said("PATCH", format!("/Users/{id}"), body)
    };
    match operation {
        Operation::Get => said("GET", format!("/Users/{id}"), String::new()),
        Operation::Filter => {
            let person = number.wrapping_mul(7_919) % people;
            let path = format!("/Users?filter=userName%20eq%20%22person-{person}%40example.com%22");
            said("GET", path, String::new())
        }
        Operation::List => said("GET", "/Users?startIndex=1&count=100".to_owned(), String::new()),
        Operation::Rename => change("displayName", &format!("\"Person, time {number}\"")),
        Operation::Switch => change("active", if is_active { "true" } else { "false" }),
        Operation::Post => said("POST", "/Users".to_owned(), person(number)),
    }
}

/// Requests of one operation to one server.
pub(crate) struct Asked {
    operation: Operation,
    base: String,
    /// Everything of the head that stays.
    head: String,
    ids: Vec<String>,
    people: u64,
}

impl Asked {
    pub(crate) fn new(operation: Operation, server: &Server) -> Self {
        let head = format!(
            " HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\naccept: application/scim+json\r\n",
            server.address, server.token
        );
        Self { operation, base: server.base.clone(), head, ids: server.ids.clone(), people: server.people }
    }

    /// Goes through all people in no order, each as often as the others.
    fn id(&self, number: u64) -> &str {
        let count = self.ids.len() as u64;
        &self.ids[usize::try_from(number.wrapping_mul(7_919) % count).unwrap()]
    }
}

impl Requests for Asked {
    fn write(&self, number: u64, into: &mut Vec<u8>) {
        // A round through all people switches them off, the next one on.
        let is_active = number / (self.ids.len() as u64).max(1) % 2 == 1;
        let id = if self.operation == Operation::Post { "" } else { self.id(number) };
        let Said { method, path, body } = say(self.operation, number, id, self.people, is_active);
        let (base, head) = (&self.base, &self.head);
        write!(into, "{method} {base}{path}{head}content-length: {}\r\n", body.len()).unwrap();
        if !body.is_empty() {
            into.extend_from_slice(b"content-type: application/scim+json\r\n");
        }
        write!(into, "\r\n{body}").unwrap();
    }

    fn takes(&self, status: u16) -> bool {
        match self.operation {
            Operation::Post => status == 201,
            // Some do not answer a change with what came of it (RFC 7644 §3.5.2).
            Operation::Rename | Operation::Switch => [200, 204].contains(&status),
            Operation::Get | Operation::Filter | Operation::List => status == 200,
        }
    }
}

/// What a server answers of a person: as much as ours does, so that as many bytes are written and sent.
pub(crate) fn shown(number: u64) -> String {
    let (id, at) = (format!("01980000-0000-7000-8000-{number:012}"), "2026-01-01T00:00:00.000Z");
    let said = person(number);
    format!(
        "{},\"id\":\"{id}\",\"meta\":{{\"resourceType\":\"User\",\"created\":\"{at}\",\"lastModified\":\"{at}\",\
         \"version\":\"W/\\\"1\\\"\",\"location\":\"http://127.0.0.1:40000/scim/v2/Users/{id}\"}}}}",
        said.strip_suffix('}').unwrap()
    )
}

/// The body of a person, as the other servers make theirs.
pub(crate) fn person(number: u64) -> String {
    format!(
        "{{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":\"person-{number}@example.com\",\
         \"externalId\":\"external-{number}\",\"name\":{{\"givenName\":\"Person\",\"familyName\":\"Number {number}\"}},\
         \"displayName\":\"Person {number}\",\"emails\":[{{\"value\":\"person-{number}@example.com\",\"type\":\"work\",\
         \"primary\":true}}],\"active\":true}}"
    )
}
