//! A browser that keeps cookies, follows redirects inside one provider, and stops where it would leave it.

use std::collections::BTreeMap;

use bytes::Bytes;
use jit_oidc::{GuardedHttp, Http as _};
use url::{Url, form_urlencoded};

const MAX_STEPS: usize = 10;

pub(crate) struct Browser {
    origin: String,
    http: GuardedHttp,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn new(origin: &str) -> Self {
        Self { origin: origin.to_owned(), http: crate::http(), cookies: BTreeMap::new() }
    }

    /// Follows an address and returns the parameters with which the provider sends the browser back.
    pub(crate) async fn follow(mut self, address: &str) -> String {
        let mut address = Url::parse(address).unwrap();
        for _ in 0..MAX_STEPS {
            let answer = self.get(&address).await;
            let Some(location) = answer.headers().get("location") else {
                return posted(std::str::from_utf8(answer.body()).unwrap());
            };
            address = address.join(location.to_str().unwrap()).unwrap();
            if address.origin().ascii_serialization() != self.origin {
                return address.query().unwrap_or_default().to_owned();
            }
        }
        panic!("too many redirects");
    }

    async fn get(&mut self, address: &Url) -> http::Response<Bytes> {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = http::Request::get(address.as_str()).header("cookie", cookies.join("; "));
        let answer = self.http.send(request.body(Bytes::new()).unwrap(), 1 << 20).await.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}

/// Reads the form that a page would post by itself.
fn posted(page: &str) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for input in page.split("<input").skip(1) {
        let attribute = |name: &str| {
            let text = input.split_once(&format!("{name}=\""))?.1;
            text.split('"').next().map(|text| text.replace("&amp;", "&"))
        };
        if let (Some(name), Some(value)) = (attribute("name"), attribute("value")) {
            form.append_pair(&name, &value);
        }
    }
    form.finish()
}
