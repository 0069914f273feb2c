// Builds the oidc-provider object: strict defaults, every signature algorithm we verify, claims of all presets.
import Provider from 'oidc-provider'
import { ALGORITHMS } from './keys.mjs'
import { CLIENTS } from './clients.mjs'
import { MemoryAdapter } from './storage.mjs'

const HOUR = 3600

export async function storeClients() {
  for (const client of CLIENTS) await storeClient(client)
}

// All clients live in the adapter, none in the configuration, so that a test may redefine any of them.
export async function storeClient(metadata) {
  await new MemoryAdapter('Client').upsert(metadata.client_id, metadata)
}

export function buildProvider({ issuer, keys, people, debug }) {
  const provider = new Provider(issuer, {
    adapter: MemoryAdapter,
    jwks: keys.jwks,
    findAccount: (_context, subject) => people.find(subject),
    cookies: { keys: ['tests-only'], short: { signed: true, path: '/' }, long: { signed: true } },
    claims: CLAIMS,
    scopes: ['openid', 'offline_access', 'profile', 'email', 'groups'],
    acrValues: ['urn:jit:pwd', 'urn:jit:mfa', 'phr', 'phrh'],
    // Some providers put every claim into the ID token; so does this one, userinfo answers as well.
    conformIdTokenClaims: false,
    enabledJWA: {
      idTokenSigningAlgValues: [...ALGORITHMS, 'HS256'],
      userinfoSigningAlgValues: ['RS256', 'ES256'],
    },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    // oidc-provider refuses outgoing requests to loopback, where all tests live.
    fetch: (url, { dispatcher: _, ...options }) => globalThis.fetch(url, options),
    pkce: { required: () => true },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    issueRefreshToken: async (_context, client, code) =>
      client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
    rotateRefreshToken: true,
    features: FEATURES,
    ttl: {
      AccessToken: HOUR, AuthorizationCode: 60, IdToken: HOUR, RefreshToken: 24 * HOUR,
      Interaction: 600, Session: 24 * HOUR, Grant: 24 * HOUR,
    },
  })
  if (debug) provider.on('server_error', (_context, error) => console.error(error))
  return provider
}

const CLAIMS = {
  openid: ['sub', 'acr', 'amr', 'auth_time', 'sid', 'hd', 'oid', 'tid', '_claim_names', '_claim_sources'],
  email: ['email', 'email_verified'],
  profile: [
    'name', 'given_name', 'family_name', 'preferred_username', 'locale',
    'department', 'employee_number', 'contract_end',
  ],
  groups: ['groups', 'roles'],
}

const FEATURES = {
  devInteractions: { enabled: false },
  revocation: { enabled: true },
  introspection: { enabled: true },
  jwtUserinfo: { enabled: true },
  pushedAuthorizationRequests: { enabled: true },
  claimsParameter: { enabled: true },
  rpInitiatedLogout: { enabled: true },
}
