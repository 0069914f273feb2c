"""What the SAML producers in Python share: their contract, the names of algorithms, and an unsigned response.

A producer reads one JSON object a line on standard input and answers each with one line: {"response": "<base64>"} or
{"error": "<what it cannot do>"}. tests/peers/README.md lists the members.
"""

import base64
import datetime
import json
import secrets
import sys

from lxml import etree

ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"
ENCRYPTION = "http://www.w3.org/2001/04/xmlenc#"
XS = "http://www.w3.org/2001/XMLSchema"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"

MORE = "http://www.w3.org/2001/04/xmldsig-more#"
SIGNATURES = {
    "rsa-sha1": SIGNATURE + "rsa-sha1",
    "rsa-sha256": MORE + "rsa-sha256",
    "rsa-sha384": MORE + "rsa-sha384",
    "rsa-sha512": MORE + "rsa-sha512",
    "ecdsa-sha256": MORE + "ecdsa-sha256",
    "ecdsa-sha384": MORE + "ecdsa-sha384",
    "ecdsa-sha512": MORE + "ecdsa-sha512",
}
DIGESTS = {
    "sha1": SIGNATURE + "sha1",
    "sha256": ENCRYPTION + "sha256",
    "sha384": MORE + "sha384",
    "sha512": ENCRYPTION + "sha512",
}
CANONICAL = {
    "exclusive": "http://www.w3.org/2001/10/xml-exc-c14n#",
    "inclusive": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
}
CONTENTS = {
    "aes128-cbc": ENCRYPTION + "aes128-cbc",
    "aes256-cbc": ENCRYPTION + "aes256-cbc",
    "tripledes-cbc": ENCRYPTION + "tripledes-cbc",
    "aes128-gcm": "http://www.w3.org/2009/xmlenc11#aes128-gcm",
    "aes192-gcm": "http://www.w3.org/2009/xmlenc11#aes192-gcm",
    "aes256-gcm": "http://www.w3.org/2009/xmlenc11#aes256-gcm",
}
OAEP_MGF1P = ENCRYPTION + "rsa-oaep-mgf1p"
OAEP = "http://www.w3.org/2009/xmlenc11#rsa-oaep"


class Unsupported(Exception):
    """Says what a producer cannot do."""


def serve(produce, knows_outer=False):
    """Answers each request with the bytes that `produce` makes of it."""
    for line in sys.stdin:
        try:
            request = json.loads(line)
            if request["outer"] is not None and not knows_outer:
                raise Unsupported("outer")
            answer = {"response": base64.b64encode(produce(request)).decode()}
        except Exception as problem:  # noqa: BLE001  the test shows whatever it is
            answer = {"error": f"{type(problem).__name__}: {problem}"}
        print(json.dumps(answer), flush=True)


def supported(table, name):
    if name not in table:
        raise Unsupported(name)
    return table[name]


def new_id():
    return "_" + secrets.token_hex(16)


def instant(seconds_from_now=0):
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds_from_now)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def unsigned_response(request):
    """Builds a response that nobody has signed yet.

    The assertion declares all its namespaces, so that it can be read alone after it was encrypted; or, where the request
    says `outer`, none of them.
    """
    outer = {"saml": ASSERTION, "xs": XS, "xsi": XSI} if request["outer"] is not None else {}
    response = etree.Element(
        f"{{{PROTOCOL}}}Response",
        {"ID": new_id(), "Version": "2.0", "IssueInstant": instant(), "Destination": request["acs"]},
        nsmap={"samlp": PROTOCOL} | outer,
    )
    if request["in_response_to"] is not None:
        response.set("InResponseTo", request["in_response_to"])
    etree.SubElement(response, f"{{{ASSERTION}}}Issuer", nsmap={"saml": ASSERTION}).text = request["idp"]
    status = etree.SubElement(response, f"{{{PROTOCOL}}}Status")
    etree.SubElement(status, f"{{{PROTOCOL}}}StatusCode", Value="urn:oasis:names:tc:SAML:2.0:status:Success")
    # What the response declares already, lxml leaves out.
    response.append(unsigned_assertion(request))
    return response


def prefixes(element, request):
    """Returns the prefixes that the signature of an element treats as inclusive canonicalization does."""
    outer = request["outer"] or {}
    return outer.get(etree.QName(element).localname.lower(), [])


def unsigned_assertion(request):
    assertion = etree.Element(
        f"{{{ASSERTION}}}Assertion",
        {"ID": new_id(), "Version": "2.0", "IssueInstant": instant()},
        nsmap={"saml": ASSERTION},
    )
    saml(assertion, "Issuer").text = request["idp"]
    add_subject(assertion, request)
    conditions = saml(assertion, "Conditions", NotBefore=instant(-5), NotOnOrAfter=instant(request["valid_seconds"]))
    saml(saml(conditions, "AudienceRestriction"), "Audience").text = request["sp"]
    statement = saml(assertion, "AuthnStatement", AuthnInstant=instant(), SessionIndex=request["session_index"])
    saml(saml(statement, "AuthnContext"), "AuthnContextClassRef").text = PASSWORD
    add_attributes(assertion, request)
    return assertion


def add_subject(assertion, request):
    subject = saml(assertion, "Subject")
    saml(subject, "NameID", Format=request["name_id_format"]).text = request["name_id"]
    confirmation = saml(subject, "SubjectConfirmation", Method="urn:oasis:names:tc:SAML:2.0:cm:bearer")
    data = saml(
        confirmation,
        "SubjectConfirmationData",
        NotOnOrAfter=instant(request["valid_seconds"]),
        Recipient=request["acs"],
    )
    if request["in_response_to"] is not None:
        data.set("InResponseTo", request["in_response_to"])


def add_attributes(assertion, request):
    statement = saml(assertion, "AttributeStatement")
    for name, values in request["attributes"]:
        attribute = saml(statement, "Attribute", Name=name)
        for value in values:
            element = etree.SubElement(attribute, f"{{{ASSERTION}}}AttributeValue", nsmap={"xs": XS, "xsi": XSI})
            element.set(f"{{{XSI}}}type", "xs:string")
            element.text = value


def saml(parent, local, **attributes):
    return etree.SubElement(parent, f"{{{ASSERTION}}}{local}", attributes)


def the(element, local):
    """Returns the only descendant-or-self of this name."""
    (found,) = element.iter(f"{{{ASSERTION}}}{local}", f"{{{PROTOCOL}}}{local}")
    return found


def wrap_encrypted(response):
    """Puts the EncryptedAssertion around what an assertion was encrypted to."""
    data = response.find(f"{{{ENCRYPTION}}}EncryptedData")
    wrapper = etree.Element(f"{{{ASSERTION}}}EncryptedAssertion", nsmap={"saml": ASSERTION})
    response.replace(data, wrapper)
    wrapper.append(data)


def octets(response):
    return etree.tostring(response, encoding="UTF-8", xml_declaration=False)
