// Signs with xml-crypto, on the XML parser and the canonicalization of npm.
import { readFileSync } from 'node:fs'
import { SignedXml } from 'xml-crypto'
import * as saml from '../lib/saml.mjs'

function sign(xml, local, request) {
  if (request.c14n !== 'exclusive') throw new Error(`unsupported: ${request.c14n}`)
  const signer = new SignedXml({
    privateKey: readFileSync(request.key),
    publicCert: readFileSync(request.certificate),
    signatureAlgorithm: saml.supported(saml.SIGNATURES, request.signature),
    canonicalizationAlgorithm: saml.EXCLUSIVE,
    idAttribute: 'ID',
  })
  signer.addReference({
    xpath: `//*[local-name()='${local}']`,
    digestAlgorithm: saml.supported(saml.DIGESTS, request.digest),
    transforms: [saml.ENVELOPED, saml.EXCLUSIVE],
  })
  const place = `//*[local-name()='${local}']/*[local-name()='Issuer']`
  signer.computeSignature(xml, { prefix: 'ds', location: { reference: place, action: 'after' } })
  return signer.getSignedXml()
}

await saml.serve((request) => {
  if (request.encrypt !== null) throw new Error('unsupported: encryption')
  let response = saml.responseAround(saml.unsignedAssertion(request), request)
  if (request.sign !== 'response') response = sign(response, 'Assertion', request)
  if (request.sign !== 'assertion') response = sign(response, 'Response', request)
  return response
})
