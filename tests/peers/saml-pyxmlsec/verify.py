"""Verifies enveloped signatures with libxmlsec1, for comparison.

Reads {"document": "<base64>", "certificate": path, "element": "Response"} a line, and answers "valid" when the signature
among the children of the only element of this name is valid and covers that element, "unreadable" when libxml2 does
not read the document, and "invalid" otherwise.
"""

import base64
import functools
import json
import sys

import xmlsec
from lxml import etree

SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}"
PARSER = etree.XMLParser(resolve_entities=False, no_network=True)


@functools.cache
def key(certificate):
    return xmlsec.Key.from_file(certificate, xmlsec.constants.KeyDataFormatCertPem)


def verify(request):
    document = etree.fromstring(base64.b64decode(request["document"]), PARSER)
    (element,) = (it for it in document.iter("*") if etree.QName(it).localname == request["element"])
    (signature,) = element.findall(f"{SIGNATURE}Signature")
    (reference,) = signature.findall(f"{SIGNATURE}SignedInfo/{SIGNATURE}Reference")
    if reference.get("URI") != "#" + element.get("ID"):
        raise ValueError("covers something else")
    context = xmlsec.SignatureContext()
    context.key = key(request["certificate"])
    context.register_id(element, "ID")
    context.verify(signature)


for line in sys.stdin:
    try:
        verify(json.loads(line))
        print("valid", flush=True)
    except etree.XMLSyntaxError:
        print("unreadable", flush=True)
    except Exception:  # noqa: BLE001  whatever it is, it is no valid signature
        print("invalid", flush=True)
