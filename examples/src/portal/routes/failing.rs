//! What went wrong, as a page of whoever asked.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Uri};
use axum::middleware::Next;
use axum::response::Response;
use maud::Markup;

use super::place::Place;
use crate::portal::failure::{Failure, NotDone};
use crate::portal::house::House;
use crate::portal::pages;
use crate::portal::view::{BackLink, Frame, NotDoneView, RefusalView};
use crate::web::{ParameterError, Parameters, html};

/// Begin anew where nothing better is known.
const ANEW: &str = "Begin the sign-in anew. If it happens again, show the code to an administrator.";

/// Makes a page of each failure. Whoever is signed in keeps their frame, so that nobody is taken for signed out.
pub(super) async fn show(State(house): State<Arc<House>>, request: Request, next: Next) -> Response {
    let (headers, uri) = (request.headers().clone(), request.uri().clone());
    let mut response = next.run(request).await;
    let Some(failure) = failure_of(&mut response) else { return response };
    let frame = frame(&house, &headers, &failure).await;
    let back = back(&uri, &failure, frame.visitor.is_some());
    let status = failure.status();
    let (head, body) = html(status, page(&frame, failure, back)).into_parts();
    *response.status_mut() = status;
    if let Some(kind) = head.headers.get(CONTENT_TYPE) {
        response.headers_mut().insert(CONTENT_TYPE, kind.clone());
    }
    *response.body_mut() = body;
    response
}

/// What went wrong, where something did. What is refused before any route sees it has a short text and no page.
fn failure_of(response: &mut Response) -> Option<Failure> {
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        return Some(failure);
    }
    if let Some(error) = response.extensions_mut().remove::<ParameterError>() {
        return Some(Failure::unread(error));
    }
    let kind = response.headers().get(CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
    let is_page = kind.starts_with(b"text/html");
    (response.status().is_client_error() && !is_page).then(|| Failure::refused_unread(response.status()))
}

/// The frame of whoever asks. A database that has just been found down is not asked again.
async fn frame(house: &House, headers: &HeaderMap, failure: &Failure) -> Frame {
    if *failure == Failure::DatabaseDown {
        house.frame_for(None, headers)
    } else {
        house.frame_of(headers).await
    }
}

fn page(frame: &Frame, failure: Failure, back: BackLink) -> Markup {
    let (title, text) = failure.words();
    match failure {
        Failure::Refused { code, reason, anew } => {
            let (code, advice) = (code.to_string(), ANEW.into());
            pages::refused(frame, &RefusalView { code, reason, advice, anew, decision: None })
        }
        Failure::NotDone(not_done) => pages::not_done(frame, &view(*not_done, back)),
        _ => pages::problem(frame, title, &text, &back),
    }
}

fn view(not_done: NotDone, back: BackLink) -> NotDoneView {
    let NotDone { status: _, title, asked, code, reason, advice, is_about_holdings } = not_done;
    NotDoneView {
        title: title.to_owned(),
        asked,
        code: code.to_string(),
        reason: reason.into_owned(),
        advice: advice.into_owned(),
        is_about_holdings,
        back,
    }
}

/// Where whoever asked goes on: on the page that the form, or the address, belongs to.
fn back(uri: &Uri, failure: &Failure, is_signed_in: bool) -> BackLink {
    let room = uri.path().split('/').nth(1).unwrap_or_default();
    let (address, label) = match room {
        _ if *failure == Failure::Forbidden => ("/me".to_owned(), "Back to your account"),
        "access" => ("/access".to_owned(), "Back to what is lent to you"),
        "leases" => ("/leases".to_owned(), "Back to the leases"),
        "admin" => (format!("/admin{}", place(uri)), "Back to the administration"),
        _ if is_signed_in => ("/me".to_owned(), "Back to your account"),
        _ => ("/".to_owned(), "Back to the start"),
    };
    BackLink { address, label: label.to_owned() }
}

/// The part of the administration that a form was on. An address that is no place of it leads to its beginning.
fn place(uri: &Uri) -> String {
    let shown =
        (uri.path() == "/admin/decide").then(|| Parameters::parse(uri.query().unwrap_or_default()).ok());
    shown.flatten().and_then(|shown| Place::read(&shown)).map(|place| place.query()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(uri: &'static str, failure: &Failure) -> String {
        back(&Uri::from_static(uri), failure, true).address
    }

    #[test]
    fn the_way_back_leads_to_the_page_that_was_left_and_never_to_the_failure_itself() {
        let lost = &Failure::NotFound;
        assert_eq!(address("/access/out", lost), "/access");
        assert_eq!(address("/leases/extend", lost), "/leases");
        assert_eq!(address("/admin/decide?name=bob%26&x=1", lost), "/admin?name=bob%26");
        assert_eq!(address("/admin/decide?after=7", lost), "/admin");
        assert_eq!(address("/admin?store=none", lost), "/admin", "it would fail again");
        assert_eq!(address("/leases", &Failure::Forbidden), "/me");
        assert_eq!(address("/accessible", lost), "/me");
        assert_eq!(back(&Uri::from_static("/none"), lost, false).address, "/");
    }
}
