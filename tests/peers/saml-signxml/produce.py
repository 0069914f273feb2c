"""Signs responses with signxml, on cryptography and lxml."""

import encryption
import saml
from lxml import etree
from signxml import XMLSigner, methods
from signxml.algorithms import CanonicalizationMethod


class Sha1Signer(XMLSigner):
    """Does what the library refuses by default: what old identity providers still send."""

    def check_deprecated_methods(self):
        pass


def sign(element, request):
    issuer = element.find(f"{{{saml.ASSERTION}}}Issuer")
    issuer.addnext(etree.Element(f"{{{saml.SIGNATURE}}}Signature", Id="placeholder", nsmap={"ds": saml.SIGNATURE}))
    if request["c14n"] != "exclusive":
        raise saml.Unsupported(request["c14n"])
    signer = Sha1Signer(
        method=methods.enveloped,
        signature_algorithm=request["signature"],
        digest_algorithm=request["digest"],
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    with open(request["key"], "rb") as key, open(request["certificate"], "rb") as certificate:
        return signer.sign(
            element, key=key.read(), cert=certificate.read(), reference_uri=element.get("ID"), id_attribute="ID"
        )


def produce(request):
    response = saml.unsigned_response(request)
    if request["sign"] in ("assertion", "both"):
        assertion = saml.the(response, "Assertion")
        response.remove(assertion)
        response.append(sign(assertion, request))
    if request["encrypt"] is not None:
        encryption.encrypt(response, request["encrypt"])
    if request["sign"] in ("response", "both"):
        response = sign(response, request)
    return saml.octets(response)


saml.serve(produce)
