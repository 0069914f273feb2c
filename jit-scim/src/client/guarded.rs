//! The default transport.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::TimeDelta;
use http::{Request, Response};
use jit_http::{GuardedHttp, GuardedHttpBuilder, HttpFailure, HttpFailureKind};

use super::reason::{TargetReason, TransportError};
use super::transport::Transport;

/// What applications take for a change, with room above.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(20);

/// Begins the default transport: a [`GuardedHttp`] that waits 20 seconds for an answer unless said otherwise.
#[must_use]
pub fn guarded_transport() -> GuardedHttpBuilder {
    GuardedHttp::builder().total_timeout(TOTAL_TIMEOUT)
}

#[async_trait]
impl Transport for GuardedHttp {
    async fn send(
        &self,
        request: Request<Bytes>,
        max_body: usize,
    ) -> Result<Response<Bytes>, TransportError> {
        self.exchange(request, max_body).await.map_err(TransportError::from)
    }

    async fn wait(&self, span: TimeDelta) {
        // a span that is over already is nothing to wait for
        tokio::time::sleep(span.to_std().unwrap_or_default()).await;
    }
}

impl From<HttpFailure> for TransportError {
    fn from(failure: HttpFailure) -> Self {
        Self::new(reason(failure.kind())).caused_by(failure)
    }
}

const fn reason(kind: HttpFailureKind) -> TargetReason {
    match kind {
        HttpFailureKind::SchemeRefused => TargetReason::SchemeRefused,
        HttpFailureKind::AddressRefused => TargetReason::AddressRefused,
        HttpFailureKind::TooLarge => TargetReason::AnswerTooLarge,
        HttpFailureKind::Timeout => TargetReason::Timeout,
        HttpFailureKind::Unreachable => TargetReason::Unreachable,
        _ => TargetReason::RequestInvalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_keeps_its_name() {
        for kind in HttpFailureKind::ALL {
            assert_eq!(reason(*kind).code(), format!("scim.{}", kind.code().replace('.', "_")));
        }
    }
}
