//! Backends and targets that stand before another one.

/// Lets a type pass whole ports on to a field: for backends and targets that stand before another one and change some of
/// what is asked of it. The ports that it changes it implements itself.
///
/// ```
/// use std::num::NonZeroUsize;
///
/// use jit_core::{About, AuditEvent, AuditLog, AuditQuery, BackendError, Cursor, MemoryStore, Page, TenantId};
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
///
///     async fn about(
///         &self,
///         _: &TenantId,
///         _: Option<Cursor>,
///         _: NonZeroUsize,
///     ) -> Result<Page<About>, BackendError> {
///         Ok(Page { items: Vec::new(), next: None })
///     }
/// }
/// ```
///
/// Of a port that it changes in part, it names the methods that it passes on, and writes the others behind them:
///
/// ```
/// use jit_core::{BackendError, Desired, DesiredState, Effect, ErrorKind, MemoryTarget, TargetFault};
///
/// /// Gives nobody anything, and takes everything.
/// struct Closed {
///     inner: MemoryTarget,
/// }
///
/// jit_core::pass_on! { Target(capabilities, home, observe, holdings, show, differs, list) for Closed => inner;
///     async fn ensure(&self, desired: &Desired) -> Result<Effect, BackendError> {
///         match &desired.state {
///             DesiredState::Absent { .. } | DesiredState::Disabled => self.inner.ensure(desired).await,
///             _ => Err(BackendError::new(ErrorKind::Target(TargetFault::Forbidden), "closed.ensure")),
///         }
///     }
/// }
/// ```
#[macro_export]
macro_rules! pass_on {
    ($($port:ident),+ for $type:ty => $field:ident) => {
        $( $crate::__jit_pass_on! { $port [$type] [$field] } )+
    };
    ($port:ident($($method:ident),+) for $type:ty => $field:ident; $($own:tt)+) => {
        $crate::__jit_pass_on! { $port { [$type] [$field] $($own)+ } $($method)+ }
    };
}

/// Passes the methods of a port on, one by one: each is put behind those that are written already.
#[doc(hidden)]
#[macro_export]
macro_rules! __jit_pass_on {
    (UserStore [$type:ty] [$field:ident]) => {
        $crate::__jit_pass_on! {
            UserStore { [$type] [$field] }
            find get matching named list bearers long_over commit touch
        }
    };
    (DocumentStore [$type:ty] [$field:ident]) => {
        $crate::__jit_pass_on! {
            DocumentStore { [$type] [$field] }
            document document_text documents_named documents count_documents members member memberships
        }
    };
    (TaskQueue [$type:ty] [$field:ident]) => {
        $crate::__jit_pass_on! { TaskQueue { [$type] [$field] } claim settle next_due next_lane }
    };
    (OneTime [$type:ty] [$field:ident]) => {
        $crate::__jit_pass_on! { OneTime { [$type] [$field] } put take purge }
    };
    (AuditLog [$type:ty] [$field:ident]) => {
        $crate::__jit_pass_on! { AuditLog { [$type] [$field] } events about }
    };
    (Target [$type:ty] [$field:ident]) => {
        $crate::__jit_pass_on! {
            Target { [$type] [$field] }
            capabilities home ensure observe holdings show differs list
        }
    };
    (UserStore $done:tt find $($more:ident)*) => {
        $crate::__jit_pass_one! { UserStore $done $($more)*;
            find(key: &$crate::ExternalKey) -> ::core::option::Option<$crate::Account>
        }
    };
    (UserStore $done:tt get $($more:ident)*) => {
        $crate::__jit_pass_one! { UserStore $done $($more)*;
            get(tenant: &$crate::TenantId, id: $crate::AccountId) -> ::core::option::Option<$crate::Account>
        }
    };
    (UserStore $done:tt matching $($more:ident)*) => {
        $crate::__jit_pass_one! { UserStore $done $($more)*;
            matching(tenant: &$crate::TenantId, key: &$crate::LookupKey) -> $crate::Matches
        }
    };
    (UserStore $done:tt named $($more:ident)*) => {
        $crate::__jit_pass_one! { UserStore $done $($more)*;
            named(tenant: &$crate::TenantId, key: &str) -> ::core::option::Option<$crate::Account>
        }
    };
    (UserStore $done:tt list $($more:ident)*) => {
        $crate::__jit_pass_one! { UserStore $done $($more)*;
            list(query: &$crate::Query) -> $crate::Page<$crate::Account>
        }
    };
    (UserStore $done:tt bearers $($more:ident)*) => {
        $crate::__jit_pass_one! { UserStore $done $($more)*;
            bearers(
                tenant: &$crate::TenantId,
                key: &$crate::LookupKey,
                after: ::core::option::Option<$crate::Cursor>,
                limit: $crate::__jit::Limit,
            ) -> $crate::Page<$crate::AccountId>
        }
    };
    (UserStore $done:tt long_over $($more:ident)*) => {
        $crate::__jit_pass_one! { UserStore $done $($more)*;
            long_over(
                tenant: &$crate::TenantId,
                until: $crate::__jit::Instant,
                after: ::core::option::Option<$crate::Over>,
                limit: $crate::__jit::Limit,
            ) -> ::std::vec::Vec<$crate::Over>
        }
    };
    (UserStore $done:tt commit $($more:ident)*) => {
        $crate::__jit_pass_one! { UserStore $done $($more)*; commit(commit: &$crate::Commit) -> () }
    };
    (UserStore $done:tt touch $($more:ident)*) => {
        $crate::__jit_pass_one! { UserStore $done $($more)*; touch(seen: &[$crate::Seen]) -> () }
    };
    (DocumentStore $done:tt document $($more:ident)*) => {
        $crate::__jit_pass_one! { DocumentStore $done $($more)*;
            document(key: &$crate::DocumentKey) -> ::core::option::Option<$crate::Document>
        }
    };
    (DocumentStore $done:tt document_text $($more:ident)*) => {
        $crate::__jit_pass_one! { DocumentStore $done $($more)*;
            document_text(
                of: &$crate::Collection,
                id: $crate::DocumentId,
            ) -> ::core::option::Option<$crate::DocumentText>
        }
    };
    (DocumentStore $done:tt documents_named $($more:ident)*) => {
        $crate::__jit_pass_one! { DocumentStore $done $($more)*;
            documents_named(
                of: &$crate::Collection,
                index: &$crate::IndexName,
                value: &str,
            ) -> ::std::vec::Vec<$crate::DocumentText>
        }
    };
    (DocumentStore $done:tt documents $($more:ident)*) => {
        $crate::__jit_pass_one! { DocumentStore $done $($more)*;
            documents(query: &$crate::DocumentQuery) -> $crate::Page<$crate::DocumentText>
        }
    };
    (DocumentStore $done:tt count_documents $($more:ident)*) => {
        $crate::__jit_pass_one! { DocumentStore $done $($more)*;
            count_documents(of: &$crate::Collection) -> u64
        }
    };
    (DocumentStore $done:tt members $($more:ident)*) => {
        $crate::__jit_pass_one! { DocumentStore $done $($more)*;
            members(
                group: &$crate::DocumentKey,
                after: ::core::option::Option<$crate::DocumentId>,
                limit: $crate::__jit::Limit,
            ) -> $crate::Page<$crate::Member>
        }
    };
    (DocumentStore $done:tt member $($more:ident)*) => {
        $crate::__jit_pass_one! { DocumentStore $done $($more)*;
            member(
                group: &$crate::DocumentKey,
                id: $crate::DocumentId,
            ) -> ::core::option::Option<$crate::Member>
        }
    };
    (DocumentStore $done:tt memberships $($more:ident)*) => {
        $crate::__jit_pass_one! { DocumentStore $done $($more)*;
            memberships(member: &$crate::DocumentKey) -> $crate::Memberships
        }
    };
    (TaskQueue $done:tt claim $($more:ident)*) => {
        $crate::__jit_pass_one! { TaskQueue $done $($more)*;
            claim(
                worker: &$crate::WorkerId,
                lane: &$crate::Lane,
                tenants: &$crate::Tenants,
                now: $crate::__jit::Instant,
                hold: $crate::__jit::TimeDelta,
                limit: $crate::__jit::Limit,
            ) -> ::std::vec::Vec<$crate::Claimed>
        }
    };
    (TaskQueue $done:tt settle $($more:ident)*) => {
        $crate::__jit_pass_one! { TaskQueue $done $($more)*;
            settle(claimed: &$crate::Claimed, outcome: $crate::Settlement) -> ()
        }
    };
    (TaskQueue $done:tt next_due $($more:ident)*) => {
        $crate::__jit_pass_one! { TaskQueue $done $($more)*;
            next_due(lane: &$crate::Lane) -> ::core::option::Option<$crate::__jit::Instant>
        }
    };
    (TaskQueue $done:tt next_lane $($more:ident)*) => {
        $crate::__jit_pass_one! { TaskQueue $done $($more)*;
            next_lane(after: ::core::option::Option<$crate::Lane>) -> ::core::option::Option<$crate::Lane>
        }
    };
    (OneTime $done:tt put $($more:ident)*) => {
        $crate::__jit_pass_one! { OneTime $done $($more)*;
            put(
                key: &$crate::OneTimeKey,
                value: &[u8],
                until: $crate::__jit::Instant,
                now: $crate::__jit::Instant,
            ) -> ()
        }
    };
    (OneTime $done:tt take $($more:ident)*) => {
        $crate::__jit_pass_one! { OneTime $done $($more)*;
            take(
                key: &$crate::OneTimeKey,
                now: $crate::__jit::Instant,
            ) -> ::core::option::Option<::std::vec::Vec<u8>>
        }
    };
    (OneTime $done:tt purge $($more:ident)*) => {
        $crate::__jit_pass_one! { OneTime $done $($more)*;
            purge(now: $crate::__jit::Instant, limit: $crate::__jit::Limit) -> usize
        }
    };
    (AuditLog $done:tt events $($more:ident)*) => {
        $crate::__jit_pass_one! { AuditLog $done $($more)*;
            events(query: &$crate::AuditQuery) -> $crate::Page<$crate::AuditEvent>
        }
    };
    (AuditLog $done:tt about $($more:ident)*) => {
        $crate::__jit_pass_one! { AuditLog $done $($more)*;
            about(
                tenant: &$crate::TenantId,
                after: ::core::option::Option<$crate::Cursor>,
                limit: $crate::__jit::Limit,
            ) -> $crate::Page<$crate::About>
        }
    };
    (Target { [$type:ty] [$field:ident] $($done:tt)* } capabilities $($more:ident)*) => {
        $crate::__jit_pass_on! { Target { [$type] [$field] $($done)*
            fn capabilities(&self) -> $crate::Capabilities {
                self.$field.capabilities()
            }
        } $($more)* }
    };
    (Target $done:tt home $($more:ident)*) => {
        $crate::__jit_pass_one! { Target $done $($more)*;
            home(remote: &$crate::RemoteRef) -> ::core::option::Option<::std::string::String>
        }
    };
    (Target $done:tt ensure $($more:ident)*) => {
        $crate::__jit_pass_one! { Target $done $($more)*;
            ensure(desired: &$crate::Desired) -> $crate::Effect
        }
    };
    (Target $done:tt observe $($more:ident)*) => {
        $crate::__jit_pass_one! { Target $done $($more)*;
            observe(remote: &$crate::RemoteRef) -> $crate::Observed
        }
    };
    (Target $done:tt holdings $($more:ident)*) => {
        $crate::__jit_pass_one! { Target $done $($more)*;
            holdings(remote: &$crate::RemoteRef, asked: &$crate::__jit::Asked) -> $crate::Holdings
        }
    };
    (Target $done:tt show $($more:ident)*) => {
        $crate::__jit_pass_one! { Target $done $($more)*;
            show(remote: &$crate::RemoteRef) -> ::core::option::Option<$crate::Listed>
        }
    };
    (Target $done:tt differs $($more:ident)*) => {
        $crate::__jit_pass_one! { Target $done $($more)*;
            differs(remote: &$crate::RemoteRef, wanted: &$crate::Mirrored) -> $crate::Drift
        }
    };
    (Target $done:tt list $($more:ident)*) => {
        $crate::__jit_pass_one! { Target $done $($more)*;
            list(cursor: ::core::option::Option<$crate::ListCursor>) -> $crate::Listing
        }
    };
    ($port:ident { [$type:ty] [$field:ident] $($done:tt)* }) => {
        #[$crate::__jit::async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl $crate::$port for $type {
            $($done)*
        }
    };
}

/// Passes one method on, and goes on with the others.
#[doc(hidden)]
#[macro_export]
macro_rules! __jit_pass_one {
    (
        $port:ident { [$type:ty] [$field:ident] $($done:tt)* } $($more:ident)*;
        $method:ident($($name:ident: $of:ty),+ $(,)?) -> $answer:ty
    ) => {
        $crate::__jit_pass_on! { $port { [$type] [$field] $($done)*
            async fn $method(
                &self,
                $($name: $of),+
            ) -> ::core::result::Result<$answer, $crate::BackendError> {
                self.$field.$method($($name),+).await
            }
        } $($more)* }
    };
}
