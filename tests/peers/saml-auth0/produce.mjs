// Assertions by auth0's `saml`, which leaves the response around them to its caller.
import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { Saml20 } from 'saml'
import * as saml from '../lib/saml.mjs'

const create = promisify(Saml20.create)

function encryption(order) {
  if (order === null) return {}
  const certificate = readFileSync(order.certificate)
  return {
    encryptionCert: certificate,
    encryptionPublicKey: createPublicKey(certificate).export({ type: 'spki', format: 'pem' }),
    encryptionAlgorithm: saml.supported(saml.CONTENTS, order.content),
    keyEncryptionAlgorithm: saml.supported(saml.TRANSPORTS, order.key),
    // CBC is what the library calls insecure; old configurations still ask for it.
    disallowEncryptionWithInsecureAlgorithm: false,
    warnOnInsecureEncryptionAlgorithm: false,
  }
}

await saml.serve(async (request) => {
  if (request.sign !== 'assertion' || request.c14n !== 'exclusive') throw new Error('unsupported')
  const assertion = await create({
    issuer: request.idp,
    audiences: request.sp,
    recipient: request.acs,
    inResponseTo: request.in_response_to ?? undefined,
    lifetimeInSeconds: request.valid_seconds,
    nameIdentifier: request.name_id,
    nameIdentifierFormat: request.name_id_format,
    attributes: Object.fromEntries(request.attributes),
    sessionIndex: request.session_index,
    authnContextClassRef: saml.PASSWORD,
    key: readFileSync(request.key),
    cert: readFileSync(request.certificate),
    signatureAlgorithm: saml.supported({ 'rsa-sha256': 'rsa-sha256', 'rsa-sha1': 'rsa-sha1' }, request.signature),
    digestAlgorithm: saml.supported({ sha256: 'sha256', sha1: 'sha1' }, request.digest),
    ...encryption(request.encrypt),
  })
  return saml.responseAround(assertion, request)
})
