"""The identity provider of pysaml2, which runs the command `xmlsec1` for every signature."""

import pathlib
import re
from xml.sax.saxutils import escape

import saml
from saml2 import BINDING_HTTP_POST
from saml2.config import IdPConfig
from saml2.saml import NameID
from saml2.server import Server

METADATA = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{sp}">
<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{key}
<md:AssertionConsumerService index="0" Binding="{post}" Location="{acs}"/></md:SPSSODescriptor></md:EntityDescriptor>"""
KEY = """<md:KeyDescriptor use="encryption"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>
<ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"""
BASIC = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
servers = {}


def server(request):
    encrypt = request["encrypt"]
    key = "" if encrypt is None else KEY.format(certificate_body(encrypt["certificate"]))
    metadata = METADATA.format(sp=escape(request["sp"]), acs=escape(request["acs"]), post=BINDING_HTTP_POST, key=key)
    known_by = (request["idp"], request["key"], metadata)
    if known_by not in servers:
        servers[known_by] = Server(config=IdPConfig().load(configuration(request, metadata)))
    return servers[known_by]


def configuration(request, metadata):
    minutes = request["valid_seconds"] // 60
    policy = {"default": {"lifetime": {"minutes": minutes}, "attribute_restrictions": None, "name_form": BASIC}}
    return {
        "entityid": request["idp"],
        "key_file": request["key"],
        "cert_file": request["certificate"],
        "xmlsec_binary": "/usr/bin/xmlsec1",
        "metadata": {"inline": [metadata]},
        "service": {
            "idp": {
                "endpoints": {"single_sign_on_service": [(request["idp"] + "/sso", BINDING_HTTP_POST)]},
                "policy": policy,
            }
        },
        "logging": {"version": 1, "handlers": {"none": {"class": "logging.NullHandler"}}, "root": {"handlers": ["none"]}},
    }


def certificate_body(path):
    return re.sub(r"-----[A-Z ]+-----|\s", "", pathlib.Path(path).read_text(encoding="ascii"))


def produce(request):
    encrypt = request["encrypt"]
    if encrypt is not None and encrypt != encrypt | {"content": "tripledes-cbc", "key": "rsa-oaep-mgf1p"}:
        raise saml.Unsupported(encrypt)
    if request["c14n"] != "exclusive":
        raise saml.Unsupported(request["c14n"])
    response = server(request).create_authn_response(
        dict(request["attributes"]),
        in_response_to=request["in_response_to"],
        destination=request["acs"],
        sp_entity_id=request["sp"],
        name_id=NameID(format=request["name_id_format"], text=request["name_id"]),
        authn={"class_ref": saml.PASSWORD, "authn_auth": request["idp"]},
        sign_assertion=request["sign"] in ("assertion", "both"),
        sign_response=request["sign"] in ("response", "both"),
        sign_alg=saml.supported(saml.SIGNATURES, request["signature"]),
        digest_alg=saml.supported(saml.DIGESTS, request["digest"]),
        encrypt_assertion=encrypt is not None,
    )
    return str(response).encode()


saml.serve(produce)
