//! `checkout` with a real application that speaks SCIM: what people hold here, they hold there.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use jit_scim::client::{Transport as _, guarded_transport};
use serde_json::Value;

use crate::peer::{folder, wait};

struct House {
    folder: PathBuf,
    said: Value,
    lifeline: Child,
}

impl House {
    /// `profile` and `mirror`: what the settings say besides.
    fn new(name: &str, profile: &str, mirror: &str) -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers/scim2-server/start");
        let mut lifeline = Command::new(program)
            .arg("--stdin-lifeline")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(lifeline.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let house = Self { folder: folder(name), said, lifeline };
        house.secret("token", house.text("token"));
        house.secret("key", "mirrors 0123456789abcdef0123456789abcdef");
        let url = house.text("base");
        let configuration = format!(
            r#"
[checkout]
store = "sqlite:accounts.db"
tenant = "acme"

[deployment]
name = "mirrors"
marker_key = "key"

[[target]]
id = "chat"

[target.scim]
url = "{url}"
token_file = "token"
dangerously_on_loopback = true
profile = {{ groups = "made"{profile} }}

[target.mirror]
holders = ["role:member"]
entitlements = {{ "role:editor" = "Editors" }}
{mirror}
"#
        );
        fs::write(house.folder.join("checkout.toml"), configuration).unwrap();
        house
    }

    fn text(&self, name: &str) -> &str {
        self.said[name].as_str().unwrap()
    }

    /// Changes what the settings say of the mirror.
    fn set(&self, more: &str) {
        let path = self.folder.join("checkout.toml");
        let settings = fs::read_to_string(&path).unwrap();
        fs::write(path, format!("{settings}{more}\n")).unwrap();
    }

    fn secret(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        fs::write(&path, format!("{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn run(&self, line: &str) -> Vec<Value> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_checkout"));
        command.current_dir(&self.folder).args(["--config", "checkout.toml", "--json"]);
        let output = command.args(line.split_whitespace()).output().unwrap();
        let (out, err) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(output.status.success(), "{line}: {out} {err}");
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn there(&self, path: &str) -> Vec<Value> {
        let list: Value = serde_json::from_slice(&self.ask(http::Method::GET, path)).unwrap();
        list["Resources"].as_array().cloned().unwrap_or_default()
    }

    /// Asks the application as its administrator would.
    fn ask(&self, method: http::Method, path: &str) -> Bytes {
        self.say(method, path, Bytes::new())
    }

    fn say(&self, method: http::Method, path: &str, body: Bytes) -> Bytes {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.text("base")))
            .header("Authorization", format!("Bearer {}", self.text("token")))
            .header("Content-Type", "application/scim+json")
            .body(body)
            .unwrap();
        let transport = guarded_transport().dangerous().allow_loopback_http().build().unwrap();
        let answer = wait(transport.send(request, 1 << 20)).unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        answer.into_body()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        drop(self.lifeline.stdin.take());
        let _ = self.lifeline.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn whoever_comes_changes_and_ends_here_does_so_there() {
    let house = House::new("mirrors", "", "");
    house.run("person add ada");
    house.run("sweep");
    assert_eq!(house.there("/Users").len(), 0, "nobody said that she is one of them");

    house.run("person add ada --role role:member --role role:editor");
    house.run("sweep");
    let (people, groups) = (house.there("/Users"), house.there("/Groups"));
    assert_eq!(people.len(), 1);
    assert_eq!((people[0]["userName"].as_str(), people[0]["active"].as_bool()), (Some("ada"), Some(true)));
    assert!(people[0]["externalId"].as_str().unwrap().starts_with("jit1:mirrors:acme:"));
    assert_eq!(people[0]["password"], Value::Null);
    assert_eq!((groups.len(), groups[0]["displayName"].as_str()), (1, Some("Editors")));
    assert_eq!(groups[0]["members"][0]["value"], people[0]["id"]);

    house.run("person end ada");
    house.run("sweep");
    let (people, groups) = (house.there("/Users"), house.there("/Groups"));
    assert_eq!((people.len(), people[0]["active"].as_bool()), (1, Some(false)));
    assert!(groups[0]["members"].as_array().is_none_or(Vec::is_empty));

    let swept = house.run("sweep");
    assert!(swept.iter().all(|line| line["done"] == 0), "nothing is left to do: {swept:?}");
}

#[test]
fn what_an_administrator_of_the_application_changed_is_found_and_brought_again() {
    let house = House::new("mirrors-drift", "", "");
    house.run("person add ada --role role:member");
    house.run("person add ben --role role:member");
    house.run("mirror anew --target chat");
    house.run("sweep");
    house.run("person end ben");
    house.run("sweep");
    let is_active = |name: &str| {
        let all = house.there("/Users");
        all.iter().find(|one| one["userName"] == name).map(|one| one["active"].as_bool().unwrap())
    };
    let id = |name: &str| {
        let all = house.there("/Users");
        all.iter().find(|one| one["userName"] == name).unwrap()["id"].as_str().unwrap().to_owned()
    };
    assert_eq!((is_active("ada"), is_active("ben")), (Some(true), Some(false)));
    let open = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations":[{"op":"replace","path":"active","value":true}]}"#;
    house.say(http::Method::PATCH, &format!("/Users/{}", id("ben")), open.into());
    house.ask(http::Method::DELETE, &format!("/Users/{}", id("ada")));
    for _ in 0..3 {
        house.run("sweep");
    }
    assert_eq!((is_active("ada"), is_active("ben")), (None, Some(true)), "nobody looks unless that is said");
    house.set("look_for_drift_every = \"1h\"\non_drift = { overwrite = { at_most = 5 } }");
    assert_eq!(house.run("mirror drift").len(), 0, "nobody looked yet");
    for _ in 0..3 {
        house.run("sweep");
    }
    assert_eq!((is_active("ada"), is_active("ben")), (Some(true), Some(false)));
    let rounds = house.run("mirror drift --target chat");
    let last = rounds.iter().find(|line| line["round"] == "last").unwrap();
    assert_eq!((&last["differing"], &last["overwritten"]), (&2.into(), &2.into()), "{last}");
    assert!(last["ended"].is_string() && last["next"].is_string(), "{last}");
}

#[test]
fn what_waits_for_a_person_is_shown_and_let_go() {
    let stops = r#"stops = { at_most = 1, within = "1d" }"#;
    let house = House::new("mirrors-waiting", ", when_lost = \"hold\"", stops);
    house.run("person add ada --role role:member");
    house.run("mirror anew --target chat");
    house.run("sweep");
    let there = house.there("/Users");
    let id = there[0]["id"].as_str().unwrap();
    house.ask(http::Method::DELETE, &format!("/Users/{id}"));
    house.run("mirror anew --target chat");
    house.run("sweep");
    assert_eq!(house.there("/Users").len(), 0, "it is not made anew before somebody has looked");
    let waiting = house.run("mirror parked");
    assert_eq!((waiting.len(), waiting[0]["reason"].as_str()), (1, Some("scim.account_lost")));
    house.run("mirror let-go --target chat --for ada");
    house.run("sweep");
    assert_eq!(house.there("/Users").len(), 1);
    assert_eq!(house.run("mirror parked").len(), 0);

    house.run("person end ada");
    house.run("sweep");
    assert_eq!(house.there("/Users")[0]["active"].as_bool(), Some(true), "nobody may be stopped unasked");
    let waiting = house.run("mirror parked");
    assert_eq!((waiting.len(), waiting[0]["state"].as_str()), (1, Some("to be stopped")));
    house.run("mirror allow --target chat --count 1");
    house.run("mirror anew --target chat");
    house.run("sweep");
    assert_eq!(house.there("/Users")[0]["active"].as_bool(), Some(false));
}
