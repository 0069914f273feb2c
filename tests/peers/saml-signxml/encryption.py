"""Encrypts an assertion with the plain functions of `cryptography`, for what libxmlsec1 1.2 cannot do."""

import base64
import os
import pathlib

import saml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

KEY_BYTES = {"aes128-gcm": 16, "aes192-gcm": 24, "aes256-gcm": 32}
# Name of a key transport → algorithm, digest, digest of the mask; None where the document leaves the default out.
TRANSPORTS = {
    "rsa-oaep-mgf1p": (saml.OAEP_MGF1P, None, None),
    "rsa-oaep-mgf1p-sha256": (saml.OAEP_MGF1P, "sha256", None),
    "rsa-oaep": (saml.OAEP, None, None),
    "rsa-oaep-sha256": (saml.OAEP, "sha256", "sha256"),
    "rsa-oaep-sha512": (saml.OAEP, "sha512", "sha512"),
}
HASHES = {None: hashes.SHA1, "sha256": hashes.SHA256, "sha512": hashes.SHA512}
XENC11 = "http://www.w3.org/2009/xmlenc11#"


def encrypt(response, order):
    assertion = saml.the(response, "Assertion")
    session_key = os.urandom(saml.supported(KEY_BYTES, order["content"]))
    nonce = os.urandom(12)
    sealed = nonce + AESGCM(session_key).encrypt(nonce, etree.tostring(assertion, encoding="UTF-8"), None)
    data = etree.Element(
        f"{{{saml.ENCRYPTION}}}EncryptedData",
        {"Type": saml.ENCRYPTION + "Element"},
        nsmap={"xenc": saml.ENCRYPTION},
    )
    xenc(data, "EncryptionMethod", Algorithm=saml.CONTENTS[order["content"]])
    info = etree.SubElement(data, f"{{{saml.SIGNATURE}}}KeyInfo", nsmap={"ds": saml.SIGNATURE})
    add_key(info, order, session_key)
    add_value(data, sealed)
    response.replace(assertion, data)
    saml.wrap_encrypted(response)


def add_key(info, order, session_key):
    algorithm, digest, mask = saml.supported(TRANSPORTS, order["key"])
    key = xenc(info, "EncryptedKey")
    method = xenc(key, "EncryptionMethod", Algorithm=algorithm)
    if digest is not None:
        etree.SubElement(method, f"{{{saml.SIGNATURE}}}DigestMethod", Algorithm=saml.DIGESTS[digest])
    if mask is not None:
        etree.SubElement(method, f"{{{XENC11}}}MGF", Algorithm=XENC11 + "mgf1" + mask)
    certificate = x509.load_pem_x509_certificate(pathlib.Path(order["certificate"]).read_bytes())
    oaep = padding.OAEP(mgf=padding.MGF1(HASHES[mask]()), algorithm=HASHES[digest](), label=None)
    add_value(key, certificate.public_key().encrypt(session_key, oaep))


def add_value(parent, octets):
    xenc(xenc(parent, "CipherData"), "CipherValue").text = base64.b64encode(octets).decode()


def xenc(parent, local, **attributes):
    return etree.SubElement(parent, f"{{{saml.ENCRYPTION}}}{local}", attributes)
