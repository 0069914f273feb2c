// What the SAML producers in JavaScript share: their contract (tests/peers/README.md) and the names of algorithms.
import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'

export const ASSERTION = 'urn:oasis:names:tc:SAML:2.0:assertion'
export const PROTOCOL = 'urn:oasis:names:tc:SAML:2.0:protocol'
export const PASSWORD = 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport'
export const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'
export const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#'

const MORE = 'http://www.w3.org/2001/04/xmldsig-more#'
const ENCRYPTION = 'http://www.w3.org/2001/04/xmlenc#'
const ENCRYPTION_11 = 'http://www.w3.org/2009/xmlenc11#'
export const SIGNATURES = {
  'rsa-sha1': 'http://www.w3.org/2000/09/xmldsig#rsa-sha1',
  'rsa-sha256': `${MORE}rsa-sha256`,
  'rsa-sha512': `${MORE}rsa-sha512`,
}
export const DIGESTS = {
  sha1: 'http://www.w3.org/2000/09/xmldsig#sha1',
  sha256: `${ENCRYPTION}sha256`,
  sha512: `${ENCRYPTION}sha512`,
}
export const CONTENTS = {
  'aes128-cbc': `${ENCRYPTION}aes128-cbc`,
  'aes256-cbc': `${ENCRYPTION}aes256-cbc`,
  'tripledes-cbc': `${ENCRYPTION}tripledes-cbc`,
  'aes128-gcm': `${ENCRYPTION_11}aes128-gcm`,
  'aes256-gcm': `${ENCRYPTION_11}aes256-gcm`,
}
export const TRANSPORTS = { 'rsa-oaep-mgf1p': `${ENCRYPTION}rsa-oaep-mgf1p` }

// Answers each request with the text that `produce` makes of it.
export async function serve(produce) {
  for await (const line of createInterface(process.stdin)) console.log(JSON.stringify(await answer(produce, line)))
}

async function answer(produce, line) {
  try {
    const request = JSON.parse(line)
    if (request.outer !== null) throw new Error('unsupported: outer')
    return { response: Buffer.from(await produce(request)).toString('base64') }
  } catch (problem) {
    return { error: String(problem) }
  }
}

export function supported(table, name) {
  if (!Object.hasOwn(table, name)) throw new Error(`unsupported: ${name}`)
  return table[name]
}

export const newId = () => `_${randomBytes(16).toString('hex')}`

export const instant = (secondsFromNow = 0) => new Date(Date.now() + secondsFromNow * 1000).toISOString()

export function escape(text) {
  return text.replace(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`)
}

// A response around an assertion that is there already; unsigned, or signed later.
export function responseAround(assertion, request) {
  return `<samlp:Response xmlns:samlp="${PROTOCOL}" xmlns:saml="${ASSERTION}" ID="${newId()}" Version="2.0" ` +
    `IssueInstant="${instant()}" Destination="${escape(request.acs)}"${inResponseTo(request)}>` +
    `<saml:Issuer>${escape(request.idp)}</saml:Issuer><samlp:Status>` +
    '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>' +
    `${assertion}</samlp:Response>`
}

export function unsignedAssertion(request) {
  const end = instant(request.valid_seconds)
  return `<saml:Assertion xmlns:saml="${ASSERTION}" ID="${newId()}" Version="2.0" IssueInstant="${instant()}">` +
    `<saml:Issuer>${escape(request.idp)}</saml:Issuer><saml:Subject>` +
    `<saml:NameID Format="${request.name_id_format}">${escape(request.name_id)}</saml:NameID>` +
    '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData ' +
    `NotOnOrAfter="${end}" Recipient="${escape(request.acs)}"${inResponseTo(request)}/>` +
    `</saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="${instant(-5)}" NotOnOrAfter="${end}">` +
    `<saml:AudienceRestriction><saml:Audience>${escape(request.sp)}</saml:Audience></saml:AudienceRestriction>` +
    `</saml:Conditions><saml:AuthnStatement AuthnInstant="${instant()}" SessionIndex="${request.session_index}">` +
    `<saml:AuthnContext><saml:AuthnContextClassRef>${PASSWORD}</saml:AuthnContextClassRef></saml:AuthnContext>` +
    `</saml:AuthnStatement>${attributeStatement(request)}</saml:Assertion>`
}

export function attributeStatement(request) {
  const values = (list) => list.map((value) => `<saml:AttributeValue>${escape(value)}</saml:AttributeValue>`)
  const attributes = request.attributes.map(([name, list]) =>
    `<saml:Attribute Name="${escape(name)}">${values(list).join('')}</saml:Attribute>`)
  return `<saml:AttributeStatement>${attributes.join('')}</saml:AttributeStatement>`
}

export function certificateBody(pem) {
  return pem.toString().replace(/-----[A-Z ]+-----|\s/g, '')
}

function inResponseTo(request) {
  return request.in_response_to === null ? '' : ` InResponseTo="${request.in_response_to}"`
}
