// The identity provider of samlify.
import { readFileSync } from 'node:fs'
import * as samlify from 'samlify'
import * as saml from '../lib/saml.mjs'

const { Constants, IdentityProvider, SamlLib, ServiceProvider } = samlify.default ?? samlify
const POST = Constants.namespace.binding.post

function identityProvider(request) {
  return IdentityProvider({
    entityID: request.idp,
    signingCert: readFileSync(request.certificate),
    privateKey: readFileSync(request.key),
    requestSignatureAlgorithm: saml.supported(saml.SIGNATURES, request.signature),
    nameIDFormat: [request.name_id_format],
    singleSignOnService: [{ Binding: POST, Location: `${request.idp}/sso` }],
    singleLogoutService: [{ Binding: POST, Location: `${request.idp}/slo` }],
    isAssertionEncrypted: request.encrypt !== null,
    dataEncryptionAlgorithm: saml.supported(saml.CONTENTS, request.encrypt?.content ?? 'aes256-gcm'),
    keyEncryptionAlgorithm: saml.supported(saml.TRANSPORTS, request.encrypt?.key ?? 'rsa-oaep-mgf1p'),
    loginResponseTemplate: { context: SamlLib.defaultLoginResponseTemplate.context, attributes: [] },
  })
}

function serviceProvider(request) {
  return ServiceProvider({
    entityID: request.sp,
    assertionConsumerService: [{ Binding: POST, Location: request.acs }],
    wantAssertionsSigned: request.sign !== 'response',
    wantMessageSigned: request.sign !== 'assertion',
    encryptCert: request.encrypt === null ? undefined : readFileSync(request.encrypt.certificate),
  })
}

// The template is the library's; its places for a session and for attributes are filled as its manual says.
function fill(template, request) {
  const start = saml.instant(-5)
  const end = saml.instant(request.valid_seconds)
  const tags = {
    ID: saml.newId(), AssertionID: saml.newId(), Destination: request.acs, Issuer: request.idp,
    IssueInstant: saml.instant(), StatusCode: 'urn:oasis:names:tc:SAML:2.0:status:Success',
    NameIDFormat: request.name_id_format, NameID: request.name_id, InResponseTo: request.in_response_to,
    SubjectConfirmationDataNotOnOrAfter: end, SubjectRecipient: request.acs,
    ConditionsNotBefore: start, ConditionsNotOnOrAfter: end, Audience: request.sp,
  }
  const statements = `<saml:AuthnStatement AuthnInstant="${start}" SessionIndex="${request.session_index}">` +
    `<saml:AuthnContext><saml:AuthnContextClassRef>${saml.PASSWORD}</saml:AuthnContextClassRef></saml:AuthnContext>` +
    `</saml:AuthnStatement>${saml.attributeStatement(request)}`
  const text = SamlLib.replaceTagsByValue(template, tags)
  return { id: tags.ID, context: text.replace('{AuthnStatement}', statements).replace('{AttributeStatement}', '') }
}

await saml.serve(async (request) => {
  if (request.c14n !== 'exclusive') throw new Error(`unsupported: ${request.c14n}`)
  if (request.digest !== request.signature.replace('rsa-', '')) throw new Error('unsupported: another digest')
  const { context } = await identityProvider(request).createLoginResponse(
    serviceProvider(request),
    { extract: { request: { id: request.in_response_to } } },
    'post',
    {},
    (template) => fill(template, request),
    request.encrypt !== null,
  )
  return Buffer.from(context, 'base64')
})
