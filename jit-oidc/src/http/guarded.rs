//! The default client.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use jit_http::{GuardedHttp, HttpFailure, HttpFailureKind};

use super::{Http, HttpError, HttpErrorKind};

#[async_trait]
impl Http for GuardedHttp {
    async fn send(&self, request: Request<Bytes>, max_body: usize) -> Result<Response<Bytes>, HttpError> {
        self.exchange(request, max_body).await.map_err(HttpError::from)
    }
}

impl From<HttpFailure> for HttpError {
    fn from(failure: HttpFailure) -> Self {
        Self::new(kind(failure.kind())).caused_by(failure)
    }
}

const fn kind(kind: HttpFailureKind) -> HttpErrorKind {
    match kind {
        HttpFailureKind::SchemeRefused => HttpErrorKind::SchemeRefused,
        HttpFailureKind::AddressRefused => HttpErrorKind::AddressRefused,
        HttpFailureKind::TooLarge => HttpErrorKind::TooLarge,
        HttpFailureKind::Timeout => HttpErrorKind::Timeout,
        HttpFailureKind::Unreachable => HttpErrorKind::Unreachable,
        _ => HttpErrorKind::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_keeps_its_name() {
        for failure in HttpFailureKind::ALL {
            assert_eq!(kind(*failure).code(), format!("oidc.{}", failure.code().replace('.', "_")));
        }
    }
}
