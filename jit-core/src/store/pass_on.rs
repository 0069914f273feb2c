//! Backends that stand before another one.

/// Lets a type pass whole ports on to a field: for backends that stand before another one and change some of what is asked
/// of it. The ports that it changes it implements itself.
///
/// ```
/// use jit_core::{AuditEvent, AuditLog, AuditQuery, BackendError, MemoryStore, Page};
///
/// /// Keeps everything, and shows nobody the trail.
/// struct Discreet {
///     inner: MemoryStore,
/// }
///
/// jit_core::pass_on!(UserStore, DocumentStore, TaskQueue, OneTime for Discreet => inner);
///
/// #[async_trait::async_trait]
/// impl AuditLog for Discreet {
///     async fn events(&self, _: &AuditQuery) -> Result<Page<AuditEvent>, BackendError> {
///         Ok(Page { items: Vec::new(), next: None })
///     }
/// }
/// ```
#[macro_export]
macro_rules! pass_on {
    ($($port:ident),+ for $type:ty => $field:ident) => {
        $( $crate::__jit_pass_on! { $port $type, $field } )+
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __jit_pass_on {
    (UserStore $type:ty, $field:ident) => {
        #[$crate::__jit::async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl $crate::UserStore for $type {
            async fn find(
                &self,
                key: &$crate::ExternalKey,
            ) -> ::core::result::Result<::core::option::Option<$crate::Account>, $crate::BackendError> {
                self.$field.find(key).await
            }
            async fn get(
                &self,
                tenant: &$crate::TenantId,
                id: $crate::AccountId,
            ) -> ::core::result::Result<::core::option::Option<$crate::Account>, $crate::BackendError> {
                self.$field.get(tenant, id).await
            }
            async fn matching(
                &self,
                tenant: &$crate::TenantId,
                key: &$crate::LookupKey,
            ) -> ::core::result::Result<$crate::Matches, $crate::BackendError> {
                self.$field.matching(tenant, key).await
            }
            async fn named(
                &self,
                tenant: &$crate::TenantId,
                key: &str,
            ) -> ::core::result::Result<::core::option::Option<$crate::Account>, $crate::BackendError> {
                self.$field.named(tenant, key).await
            }
            async fn list(
                &self,
                query: &$crate::Query,
            ) -> ::core::result::Result<$crate::Page<$crate::Account>, $crate::BackendError> {
                self.$field.list(query).await
            }
            async fn bearers(
                &self,
                tenant: &$crate::TenantId,
                key: &$crate::LookupKey,
                after: ::core::option::Option<$crate::Cursor>,
                limit: ::core::num::NonZeroUsize,
            ) -> ::core::result::Result<$crate::Page<$crate::AccountId>, $crate::BackendError> {
                self.$field.bearers(tenant, key, after, limit).await
            }
            async fn long_over(
                &self,
                tenant: &$crate::TenantId,
                until: $crate::__jit::chrono::DateTime<$crate::__jit::chrono::Utc>,
                after: ::core::option::Option<$crate::Over>,
                limit: ::core::num::NonZeroUsize,
            ) -> ::core::result::Result<::std::vec::Vec<$crate::Over>, $crate::BackendError> {
                self.$field.long_over(tenant, until, after, limit).await
            }
            async fn commit(
                &self,
                commit: &$crate::Commit,
            ) -> ::core::result::Result<(), $crate::BackendError> {
                self.$field.commit(commit).await
            }
            async fn touch(&self, seen: &[$crate::Seen]) -> ::core::result::Result<(), $crate::BackendError> {
                self.$field.touch(seen).await
            }
        }
    };
    (DocumentStore $type:ty, $field:ident) => {
        #[$crate::__jit::async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl $crate::DocumentStore for $type {
            async fn document(
                &self,
                key: &$crate::DocumentKey,
            ) -> ::core::result::Result<::core::option::Option<$crate::Document>, $crate::BackendError> {
                self.$field.document(key).await
            }
            async fn document_text(
                &self,
                of: &$crate::Collection,
                id: $crate::DocumentId,
            ) -> ::core::result::Result<::core::option::Option<$crate::DocumentText>, $crate::BackendError>
            {
                self.$field.document_text(of, id).await
            }
            async fn documents_named(
                &self,
                of: &$crate::Collection,
                index: &$crate::IndexName,
                value: &str,
            ) -> ::core::result::Result<::std::vec::Vec<$crate::DocumentText>, $crate::BackendError> {
                self.$field.documents_named(of, index, value).await
            }
            async fn documents(
                &self,
                query: &$crate::DocumentQuery,
            ) -> ::core::result::Result<$crate::Page<$crate::DocumentText>, $crate::BackendError> {
                self.$field.documents(query).await
            }
            async fn count_documents(
                &self,
                of: &$crate::Collection,
            ) -> ::core::result::Result<u64, $crate::BackendError> {
                self.$field.count_documents(of).await
            }
            async fn members(
                &self,
                group: &$crate::DocumentKey,
                after: ::core::option::Option<$crate::DocumentId>,
                limit: ::core::num::NonZeroUsize,
            ) -> ::core::result::Result<$crate::Page<$crate::Member>, $crate::BackendError> {
                self.$field.members(group, after, limit).await
            }
            async fn member(
                &self,
                group: &$crate::DocumentKey,
                id: $crate::DocumentId,
            ) -> ::core::result::Result<::core::option::Option<$crate::Member>, $crate::BackendError> {
                self.$field.member(group, id).await
            }
            async fn memberships(
                &self,
                member: &$crate::DocumentKey,
            ) -> ::core::result::Result<::std::vec::Vec<$crate::DocumentKey>, $crate::BackendError> {
                self.$field.memberships(member).await
            }
        }
    };
    (TaskQueue $type:ty, $field:ident) => {
        #[$crate::__jit::async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl $crate::TaskQueue for $type {
            async fn claim(
                &self,
                worker: &$crate::WorkerId,
                lane: &$crate::Lane,
                now: $crate::__jit::chrono::DateTime<$crate::__jit::chrono::Utc>,
                hold: $crate::__jit::chrono::TimeDelta,
                limit: ::core::num::NonZeroUsize,
            ) -> ::core::result::Result<::std::vec::Vec<$crate::Claimed>, $crate::BackendError> {
                self.$field.claim(worker, lane, now, hold, limit).await
            }
            async fn settle(
                &self,
                claimed: &$crate::Claimed,
                outcome: $crate::Settlement,
            ) -> ::core::result::Result<(), $crate::BackendError> {
                self.$field.settle(claimed, outcome).await
            }
            async fn next_due(
                &self,
                lane: &$crate::Lane,
            ) -> ::core::result::Result<
                ::core::option::Option<$crate::__jit::chrono::DateTime<$crate::__jit::chrono::Utc>>,
                $crate::BackendError,
            > {
                self.$field.next_due(lane).await
            }
            async fn next_lane(
                &self,
                after: ::core::option::Option<$crate::Lane>,
            ) -> ::core::result::Result<::core::option::Option<$crate::Lane>, $crate::BackendError> {
                self.$field.next_lane(after).await
            }
        }
    };
    (OneTime $type:ty, $field:ident) => {
        #[$crate::__jit::async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl $crate::OneTime for $type {
            async fn put(
                &self,
                key: &$crate::OneTimeKey,
                value: &[u8],
                until: $crate::__jit::chrono::DateTime<$crate::__jit::chrono::Utc>,
                now: $crate::__jit::chrono::DateTime<$crate::__jit::chrono::Utc>,
            ) -> ::core::result::Result<(), $crate::BackendError> {
                self.$field.put(key, value, until, now).await
            }
            async fn take(
                &self,
                key: &$crate::OneTimeKey,
                now: $crate::__jit::chrono::DateTime<$crate::__jit::chrono::Utc>,
            ) -> ::core::result::Result<::core::option::Option<::std::vec::Vec<u8>>, $crate::BackendError>
            {
                self.$field.take(key, now).await
            }
            async fn purge(
                &self,
                now: $crate::__jit::chrono::DateTime<$crate::__jit::chrono::Utc>,
                limit: ::core::num::NonZeroUsize,
            ) -> ::core::result::Result<usize, $crate::BackendError> {
                self.$field.purge(now, limit).await
            }
        }
    };
    (AuditLog $type:ty, $field:ident) => {
        #[$crate::__jit::async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl $crate::AuditLog for $type {
            async fn events(
                &self,
                query: &$crate::AuditQuery,
            ) -> ::core::result::Result<$crate::Page<$crate::AuditEvent>, $crate::BackendError> {
                self.$field.events(query).await
            }
        }
    };
}
