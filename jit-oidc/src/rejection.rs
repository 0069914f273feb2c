//! Every reason for which evidence is refused, each with a stable code.

jit_core::reasons! {
    /// Says why evidence was refused. Carries no part of the evidence.
    pub enum Rejection {
        // compact form, JSON and header
        TokenTooLarge = "oidc.token_too_large", "the token is longer than 16 KiB";
        #[doc = "RFC 7515 §7.1."]
        TokenMalformed = "oidc.token_malformed", "the token is not three base64url parts joined by dots";
        #[doc = "OpenID Connect Core §3.1.3.7 step 1."]
        TokenEncrypted = "oidc.token_encrypted", "the token is encrypted, which was not agreed on";
        Base64Invalid = "oidc.base64_invalid", "a part of the token is not canonical base64url without padding";
        Utf8Invalid = "oidc.utf8_invalid", "the JSON text is not valid UTF-8";
        JsonInvalid = "oidc.json_invalid", "the text is not one JSON value";
        #[doc = "RFC 7515 §4, RFC 7519 §4."]
        JsonDuplicateMember = "oidc.json_duplicate_member", "a JSON object holds the same member name twice";
        JsonTooDeep = "oidc.json_too_deep", "the JSON text is nested deeper than 32 levels";
        JsonTooLarge = "oidc.json_too_large", "the JSON text holds too many values";
        JsonNotAnObject = "oidc.json_not_an_object", "the JSON text is not an object";
        HeaderMalformed = "oidc.header_malformed", "a header parameter has the wrong JSON type or size";
        AlgorithmMissing = "oidc.algorithm_missing", "the header names no algorithm as a string";
        #[doc = "RFC 8725 §3.1."]
        AlgorithmNone = "oidc.algorithm_none", "the token is unsigned";
        #[doc = "OpenID Connect Core §3.1.3.7 step 7."]
        AlgorithmNotAllowed = "oidc.algorithm_not_allowed", "the algorithm is not on the allow list of the connection";
        #[doc = "RFC 7515 §4.1.11."]
        CriticalHeader = "oidc.critical_header", "the header demands extensions through `crit`";
        #[doc = "RFC 7797 §3."]
        UnencodedPayload = "oidc.unencoded_payload", "the header holds `b64`";
        CompressedPayload = "oidc.compressed_payload", "the header holds `zip`";
        #[doc = "RFC 7519 §5.2."]
        NestedToken = "oidc.nested_token", "the header holds `cty`, so the payload is another token";
        #[doc = "RFC 8725 §3.11."]
        TokenTypeMismatch = "oidc.token_type_mismatch", "the header says in `typ` that this is another kind of token";

        // key sets and keys
        KeySetTooLarge = "oidc.key_set_too_large", "the key set is longer than 256 KiB or holds more than 100 keys";
        #[doc = "RFC 7517 §5."]
        KeySetMalformed = "oidc.key_set_malformed", "the key set has no array of key objects";
        KeyTypeUnsupported = "oidc.key_type_unsupported", "the key is of a type or curve that is not supported";
        KeySymmetric = "oidc.key_symmetric", "the key is symmetric and never verifies a token";
        KeyPrivate = "oidc.key_private", "the published key holds its private part";
        KeyMalformed = "oidc.key_malformed", "a parameter of the key is missing, of the wrong type or not base64url";
        #[doc = "RFC 7517 §4.2 and §4.3."]
        KeyNotForSignatures = "oidc.key_not_for_signatures", "`use` or `key_ops` of the key exclude checking signatures";
        #[doc = "RFC 8725 §3.1."]
        KeyAlgorithmMismatch = "oidc.key_algorithm_mismatch", "the key is bound to another algorithm";
        #[doc = "RFC 7518 §3.3."]
        KeyRsaTooSmall = "oidc.key_rsa_too_small", "the RSA key is shorter than 2048 bits";
        KeyRsaTooLarge = "oidc.key_rsa_too_large", "the RSA key is longer than 8192 bits";
        KeyRsaExponent = "oidc.key_rsa_exponent", "the RSA exponent is even, below 65537 or above 33 bits";
        KeyRsaModulus = "oidc.key_rsa_modulus", "the RSA modulus is even";
        KeyInvalid = "oidc.key_invalid", "the signature engine refuses the key";
        KeyUnknown = "oidc.key_unknown", "the key set holds no key with the `kid` of the token";
        KeyMissing = "oidc.key_missing", "the token has no `kid` and no key fits its algorithm";
        KeyAmbiguous = "oidc.key_ambiguous", "the token has no `kid` and several keys fit its algorithm";
        KeyIssuerMismatch = "oidc.key_issuer_mismatch", "the key is published for another issuer";
        #[doc = "OpenID Connect Core §3.1.3.7 step 6."]
        SignatureInvalid = "oidc.signature_invalid", "the signature does not match";

        // claims of the ID token
        IssuerMissing = "oidc.issuer_missing", "`iss` is missing";
        IssuerMalformed = "oidc.issuer_malformed", "`iss` is not a string";
        #[doc = "OpenID Connect Core §3.1.3.7 step 2."]
        IssuerMismatch = "oidc.issuer_mismatch", "`iss` is not the issuer of the connection";
        TenantMissing = "oidc.tenant_missing", "`tid` is missing or not a tenant id";
        TenantNotAllowed = "oidc.tenant_not_allowed", "the tenant in `tid` is not on the allow list";
        SubjectMissing = "oidc.subject_missing", "`sub` is missing";
        #[doc = "OpenID Connect Core §2."]
        SubjectMalformed = "oidc.subject_malformed", "`sub` is not a string of 1 to 255 printable ASCII characters";
        AudienceMissing = "oidc.audience_missing", "`aud` is missing or empty";
        AudienceMalformed = "oidc.audience_malformed", "`aud` is neither a string nor an array of strings";
        #[doc = "OpenID Connect Core §3.1.3.7 step 3."]
        AudienceMismatch = "oidc.audience_mismatch", "`aud` does not name this client";
        AudienceUntrusted = "oidc.audience_untrusted", "`aud` names another audience that is not trusted";
        AuthorizedPartyMissing = "oidc.authorized_party_missing", "`aud` names several audiences and `azp` is missing";
        #[doc = "OpenID Connect Core §3.1.3.7 steps 4 and 5."]
        AuthorizedPartyMismatch = "oidc.authorized_party_mismatch", "`azp` is not this client";
        ExpiryMissing = "oidc.expiry_missing", "`exp` is missing";
        ExpiryMalformed = "oidc.expiry_malformed", "`exp` is not a time";
        #[doc = "OpenID Connect Core §3.1.3.7 step 9."]
        Expired = "oidc.expired", "the token has expired";
        IssuedAtMissing = "oidc.issued_at_missing", "`iat` is missing";
        IssuedAtMalformed = "oidc.issued_at_malformed", "`iat` is not a time";
        IssuedInFuture = "oidc.issued_in_future", "the token was issued in the future";
        #[doc = "OpenID Connect Core §3.1.3.7 step 10."]
        IssuedTooLongAgo = "oidc.issued_too_long_ago", "the token was issued too long ago";
        ExpiresBeforeIssued = "oidc.expires_before_issued", "the token ends before it begins";
        LifetimeTooLong = "oidc.lifetime_too_long", "the token lives longer than the connection allows";
        NotBeforeMalformed = "oidc.not_before_malformed", "`nbf` is not a time";
        NotYetValid = "oidc.not_yet_valid", "the token is not valid yet";
        NonceMissing = "oidc.nonce_missing", "`nonce` is missing";
        NonceMalformed = "oidc.nonce_malformed", "`nonce` is not a string";
        #[doc = "OpenID Connect Core §3.1.3.7 step 11."]
        NonceMismatch = "oidc.nonce_mismatch", "`nonce` is not the one of this sign-in";
        AcrMissing = "oidc.acr_missing", "`acr` is missing";
        AcrMalformed = "oidc.acr_malformed", "`acr` is not a string";
        #[doc = "OpenID Connect Core §3.1.3.7 step 12."]
        AcrNotAccepted = "oidc.acr_not_accepted", "`acr` is not one of the demanded ones";
        AuthTimeMissing = "oidc.auth_time_missing", "`auth_time` is missing although `max_age` was demanded";
        AuthTimeMalformed = "oidc.auth_time_malformed", "`auth_time` is not a time";
        AuthTimeInFuture = "oidc.auth_time_in_future", "`auth_time` lies in the future";
        #[doc = "OpenID Connect Core §3.1.3.7 step 13."]
        AuthenticationTooOld = "oidc.authentication_too_old", "the person authenticated longer ago than `max_age` allows";
        AmrMalformed = "oidc.amr_malformed", "`amr` is not an array of strings";
        AccessTokenHashMissing = "oidc.at_hash_missing", "`at_hash` is missing";
        #[doc = "OpenID Connect Core §3.1.3.8."]
        AccessTokenHashMismatch = "oidc.at_hash_mismatch", "`at_hash` does not belong to the access token";
        #[doc = "OpenID Connect Core §3.3.2.11."]
        CodeHashMismatch = "oidc.c_hash_mismatch", "`c_hash` does not belong to the authorization code";

        // discovery
        DiscoveryMalformed = "oidc.discovery_malformed", "the provider's metadata lacks a required member or has one of the wrong type";
        #[doc = "OpenID Connect Discovery §4.3."]
        DiscoveryIssuerMismatch = "oidc.discovery_issuer_mismatch", "the provider's metadata names another issuer";
        DiscoveryEndpointRefused = "oidc.discovery_endpoint_refused", "an endpoint in the provider's metadata is not an https address";
        DiscoveryAlgorithms = "oidc.discovery_algorithms", "the provider signs with no algorithm of the allow list";
        DiscoveryFlowUnsupported = "oidc.discovery_flow_unsupported", "the provider does not offer the authorization code flow with PKCE S256";

        // the answer of the provider to the authorization request
        CallbackTooLarge = "oidc.callback_too_large", "the callback is longer than 64 KiB or has more than 32 parameters";
        CallbackMalformed = "oidc.callback_malformed", "a parameter of the callback is not valid UTF-8";
        #[doc = "RFC 6749 §3.1."]
        CallbackDuplicateParameter = "oidc.callback_duplicate_parameter", "a parameter of the callback occurs twice";
        CallbackCodeMissing = "oidc.callback_code_missing", "the callback holds neither a code nor an error";
        CallbackTokenRefused = "oidc.callback_token_refused", "the callback holds a token, which was not asked for";
        #[doc = "RFC 9207 §2.4."]
        CallbackIssuerMissing = "oidc.callback_issuer_missing", "the callback lacks the `iss` that the provider promised";
        #[doc = "RFC 9207 §2.4."]
        CallbackIssuerMismatch = "oidc.callback_issuer_mismatch", "`iss` of the callback is not the issuer of the connection";
        StateMissing = "oidc.state_missing", "the callback has no `state`";
        StateUnknown = "oidc.state_unknown", "no sign-in with this `state` is pending";
        StateNotThisBrowser = "oidc.state_not_this_browser", "the sign-in was begun in another browser";
        StateExpired = "oidc.state_expired", "the sign-in took too long";
        StateMalformed = "oidc.state_malformed", "the stored sign-in cannot be read";
        StateOtherConnection = "oidc.state_other_connection", "the sign-in was begun at another connection";
        ProviderAccessDenied = "oidc.provider_access_denied", "the provider or the person refused the sign-in";
        ProviderInteractionRequired = "oidc.provider_interaction_required", "the provider must ask the person, which `prompt=none` forbids";
        ProviderUnavailable = "oidc.provider_unavailable", "the provider says that it cannot answer now";
        ProviderError = "oidc.provider_error", "the provider answered the authorization request with an error";

        // token and userinfo responses
        TokenResponseMalformed = "oidc.token_response_malformed", "the token response lacks a required member or has one of the wrong type";
        TokenTypeUnsupported = "oidc.token_type_unsupported", "the access token is of a type that is not supported";
        IdTokenMissing = "oidc.id_token_missing", "the token response holds no ID token";
        CodeRefused = "oidc.code_refused", "the provider refused the authorization code";
        ClientRefused = "oidc.client_refused", "the provider refused the client's authentication";
        TokenRequestRefused = "oidc.token_request_refused", "the provider refused the token request";
        UserInfoMalformed = "oidc.userinfo_malformed", "the userinfo response is not a JSON object with a `sub`";
        #[doc = "OpenID Connect Core §5.3.2."]
        UserInfoSubjectMismatch = "oidc.userinfo_subject_mismatch", "the userinfo response is about another subject";
        UserInfoRefused = "oidc.userinfo_refused", "the provider refused the userinfo request";
        #[doc = "OpenID Connect Core §5.3.2."]
        UserInfoIssuerMismatch = "oidc.userinfo_issuer_mismatch", "the signed userinfo response names another issuer";
        UserInfoAudienceMismatch = "oidc.userinfo_audience_mismatch", "the signed userinfo response names another audience";
        ContentType = "oidc.content_type", "the response is of another content type";
    }
}

impl Rejection {
    /// Tells whether another key set might change the answer, so that a refresh is worth its cost.
    #[must_use]
    pub const fn may_be_cured_by_new_keys(self) -> bool {
        matches!(self, Self::KeyUnknown | Self::KeyMissing | Self::KeyAmbiguous)
    }

    /// Tells whether the same sign-in may succeed when it is tried again later.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::ProviderUnavailable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_follow_the_house_rules() {
        for rejection in Rejection::ALL {
            let message = rejection.to_string();
            assert!(!message.ends_with('.'), "{message}");
            assert!(
                message.starts_with(|c: char| c.is_lowercase() || c == '`') || message.starts_with("RSA")
            );
        }
    }
}
