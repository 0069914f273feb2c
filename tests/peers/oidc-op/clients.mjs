// The clients that are known from the start; tests add their own through the control API.
const CALLBACK = 'http://127.0.0.1:9/cb'

const secretFor = (id) => `${id}-secret-for-tests-only-0123456789`

function confidential(id, metadata = {}) {
  return {
    client_id: id,
    client_secret: secretFor(id),
    redirect_uris: [CALLBACK],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    require_auth_time: true,
    ...metadata,
  }
}

export const CLIENTS = [
  confidential('jit-rp', { client_secret: 'jit-rp-secret-jit-rp-secret-jit-rp' }),
  confidential('jit-post', {
    client_secret: 'jit-post-secret-jit-post-secret-xx',
    token_endpoint_auth_method: 'client_secret_post',
  }),
  confidential('jit-signed-userinfo', { userinfo_signed_response_alg: 'RS256' }),
  ...['ES256', 'PS256', 'Ed25519', 'EdDSA', 'HS256'].map((alg) =>
    confidential(`jit-${alg.toLowerCase()}`, { id_token_signed_response_alg: alg }),
  ),
  // A native client: RFC 8252 lets its loopback redirect use any port.
  {
    client_id: 'jit-public',
    application_type: 'native',
    redirect_uris: ['http://127.0.0.1/cb'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    require_auth_time: true,
  },
]
