//! The demo: identity providers of its own on loopback, and the connections to them.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use jit_core::Clock;
use tokio::net::TcpListener;

use super::assemble::{AssembleError, assemble};
use super::house::House;
use super::settings::Settings;
use crate::demo_idp::{ACME, Client, DemoProvider, FOUNDRY, GUILD, Realm, StartError};
use crate::demo_saml_idp::{DemoSamlProvider, Identity, ServiceProvider};
use crate::web::{RandomError, random_token};

/// The connections, and documentation at the same time.
pub(super) const CONNECTIONS: &str = include_str!("demo.toml");

const ANY_PORT: &str = "127.0.0.1:0";

/// Says why the demo could not start.
#[derive(Debug, thiserror::Error)]
pub(super) enum DemoError {
    #[error("`{0}` cannot be listened on")]
    Listen(SocketAddr, #[source] io::Error),
    #[error("`{0}` cannot be used")]
    Folder(PathBuf, #[source] io::Error),
    #[error(
        "the demo provider of `{0}` cannot listen where it did before: does another demo use the folder?"
    )]
    Taken(PathBuf, #[source] io::Error),
    #[error("the demo provider cannot start")]
    Provider(#[from] StartError),
    #[error("the demo cannot draw a secret")]
    Random(#[from] RandomError),
    #[error(transparent)]
    Assemble(#[from] AssembleError),
}

/// Holds a demo that is ready to be served.
pub(super) struct Demo {
    pub(super) house: House,
    pub(super) listener: TcpListener,
    pub(super) base_url: String,
    pub(super) providers: Vec<(TcpListener, Router)>,
}

/// Prepares the demo in a folder; its accounts stay there for the next time.
pub(super) async fn prepare(
    address: SocketAddr,
    folder: &Path,
    clock: Arc<dyn Clock>,
) -> Result<Demo, DemoError> {
    make_private(folder).map_err(|error| DemoError::Folder(folder.to_owned(), error))?;
    let listener = TcpListener::bind(address).await.map_err(|error| DemoError::Listen(address, error))?;
    let listen = listener.local_addr().map_err(|error| DemoError::Listen(address, error))?;
    let base_url = format!("http://{listen}");
    let secret = random_token()?;
    let mut text = CONNECTIONS
        .replace("{LISTEN}", &listen.to_string())
        .replace("{PORTAL}", &base_url)
        .replace("{SECRET}", &secret);
    let mut providers = Vec::new();
    for (id, realm) in [("acme", &ACME), ("guild", &GUILD)] {
        let listener = same_address(&folder.join(format!("{id}.address"))).await?;
        let at = listener.local_addr().map_err(|error| DemoError::Listen(address, error))?;
        let issuer = format!("http://{at}");
        text = text.replace(&format!("{{{}}}", id.to_uppercase()), &issuer);
        let client = Client::new("portal", &secret, vec![format!("{base_url}/callback/{id}")]);
        let provider = provider(&issuer, realm, client, &clock)?;
        providers.push((listener, provider.router()));
    }
    let (text, foundry) = add_foundry(text, &base_url, folder, &clock).await?;
    providers.push(foundry);
    keep_marker_key(&folder.join("marker.key"))?;
    let (settings, beside) =
        Settings::load_with_files(&text, "demo.toml", folder).map_err(AssembleError::from)?;
    let house = assemble(settings, beside, folder, clock, true).await?;
    Ok(Demo { house, listener, base_url, providers })
}

fn provider(
    issuer: &str,
    realm: &'static Realm,
    client: Client,
    clock: &Arc<dyn Clock>,
) -> Result<DemoProvider, StartError> {
    DemoProvider::new(issuer, realm, vec![client], Arc::clone(clock))
}

/// Starts the provider that speaks SAML, and fills in what the configuration says of it and of the portal's own key.
async fn add_foundry(
    text: String,
    base_url: &str,
    folder: &Path,
    clock: &Arc<dyn Clock>,
) -> Result<(String, (TcpListener, Router)), DemoError> {
    let file = folder.join("foundry.address");
    let listener = same_address(&file).await?;
    let at = listener.local_addr().map_err(|error| DemoError::Folder(file, error))?;
    let provider = format!("http://{at}");
    let own = Identity::generate("portal", clock.now()).map_err(|_| StartError::Keys)?;
    let text = text
        .replace("{FOUNDRY}", &provider)
        .replace("{KEY}", &own.key)
        .replace("{CERTIFICATE}", &own.certificate_pem());
    let service = ServiceProvider {
        entity_id: format!("{base_url}/saml/foundry/metadata"),
        acs_url: format!("{base_url}/saml/foundry/acs"),
        logout_url: format!("{base_url}/saml/foundry/logout"),
        certificate: own.certificate,
    };
    let provider = DemoSamlProvider::new(&provider, &FOUNDRY, service, Arc::clone(clock))?;
    Ok((text, (listener, provider.router())))
}

/// Listens where it did the last time: the address is the issuer, and another issuer would be somebody else.
async fn same_address(file: &Path) -> Result<TcpListener, DemoError> {
    let failed = |error| DemoError::Folder(file.to_owned(), error);
    let earlier = match std::fs::read_to_string(file) {
        Ok(text) => text.trim().parse::<SocketAddr>().ok().filter(|address| address.ip().is_loopback()),
        Err(_) => None,
    };
    if let Some(address) = earlier {
        return TcpListener::bind(address).await.map_err(|error| DemoError::Taken(file.to_owned(), error));
    }
    let listener = TcpListener::bind(ANY_PORT).await.map_err(failed)?;
    std::fs::write(file, listener.local_addr().map_err(failed)?.to_string()).map_err(failed)?;
    Ok(listener)
}

/// Makes the key that marks what the demo lends; the one of the last time stays.
fn keep_marker_key(file: &Path) -> Result<(), DemoError> {
    let failed = |error| DemoError::Folder(file.to_owned(), error);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Ok(mut file) => io::Write::write_all(&mut file, random_token()?.as_bytes()).map_err(failed),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
