"""Signs and encrypts with the command `xmlsec1`, from templates as its users write them."""

import pathlib
import subprocess
import tempfile

import saml
from lxml import etree

SESSION_KEYS = {
    "aes128-cbc": "aes-128",
    "aes256-cbc": "aes-256",
    "aes128-gcm": "aes-128",
    "aes192-gcm": "aes-192",
    "aes256-gcm": "aes-256",
    "tripledes-cbc": "des-192",
}
IDS = ["--id-attr:ID", f"{saml.ASSERTION}:Assertion", "--id-attr:ID", f"{saml.PROTOCOL}:Response"]


def xmlsec1(arguments, document):
    with tempfile.TemporaryDirectory(prefix="jit-xmlsec-") as folder:
        source, target = pathlib.Path(folder, "in.xml"), pathlib.Path(folder, "out.xml")
        source.write_bytes(saml.octets(document))
        done = subprocess.run(["xmlsec1", *arguments, "--output", target, source], capture_output=True, check=False)
        if done.returncode != 0:
            raise saml.Unsupported(done.stderr.decode(errors="replace")[-300:])
        return etree.fromstring(target.read_bytes())


def sign(response, local, request):
    element = saml.the(response, local)
    element.find(f"{{{saml.ASSERTION}}}Issuer").addnext(template(element, request))
    keys = f"{request['key']},{request['certificate']}"
    place = f"//*[local-name()='{local}']/*[local-name()='Signature']"
    return xmlsec1(["--sign", *IDS, "--privkey-pem", keys, "--node-xpath", place], response)


def template(element, request):
    canonical = saml.supported(saml.CANONICAL, request["c14n"])
    signature = ds(None, "Signature")
    info = ds(signature, "SignedInfo")
    ds(info, "CanonicalizationMethod", canonical)
    ds(info, "SignatureMethod", saml.supported(saml.SIGNATURES, request["signature"]))
    reference = ds(info, "Reference")
    reference.set("URI", "#" + element.get("ID"))
    transforms = ds(reference, "Transforms")
    ds(transforms, "Transform", saml.SIGNATURE + "enveloped-signature")
    exclusive = ds(transforms, "Transform", canonical)
    if saml.prefixes(element, request):
        list_prefixes(exclusive, saml.prefixes(element, request))
    ds(reference, "DigestMethod", saml.supported(saml.DIGESTS, request["digest"]))
    ds(reference, "DigestValue")
    ds(signature, "SignatureValue")
    ds(ds(signature, "KeyInfo"), "X509Data")
    return signature


def list_prefixes(transform, prefixes):
    namespace = saml.CANONICAL["exclusive"]
    name = f"{{{namespace}}}InclusiveNamespaces"
    etree.SubElement(transform, name, PrefixList=" ".join(prefixes), nsmap={"ec": namespace})


def ds(parent, local, algorithm=None):
    name = f"{{{saml.SIGNATURE}}}{local}"
    if parent is None:
        return etree.Element(name, nsmap={"ds": saml.SIGNATURE})
    return etree.SubElement(parent, name, {} if algorithm is None else {"Algorithm": algorithm})


def encrypt(response, order):
    identifier = saml.the(response, "Assertion").get("ID")
    data = etree.Element(
        f"{{{saml.ENCRYPTION}}}EncryptedData",
        {"Type": saml.ENCRYPTION + "Element"},
        nsmap={"xenc": saml.ENCRYPTION, "ds": saml.SIGNATURE},
    )
    xenc(data, "EncryptionMethod", saml.supported(saml.CONTENTS, order["content"]))
    key = xenc(etree.SubElement(data, f"{{{saml.SIGNATURE}}}KeyInfo"), "EncryptedKey")
    xenc(key, "EncryptionMethod", saml.supported({"rsa-oaep-mgf1p": saml.OAEP_MGF1P}, order["key"]))
    for place in (key, data):
        xenc(xenc(place, "CipherData"), "CipherValue")
    with tempfile.NamedTemporaryFile(prefix="jit-xmlsec-", suffix=".xml") as plain:
        plain.write(saml.octets(response))
        plain.flush()
        encrypted = xmlsec1(
            [
                "--encrypt", "--pubkey-cert-pem", order["certificate"],
                "--session-key", SESSION_KEYS[order["content"]],
                "--xml-data", plain.name, "--node-xpath", f"//*[@ID='{identifier}']",
            ],
            data,
        )
    saml.wrap_encrypted(encrypted)
    return encrypted


def xenc(parent, local, algorithm=None):
    return etree.SubElement(
        parent, f"{{{saml.ENCRYPTION}}}{local}", {} if algorithm is None else {"Algorithm": algorithm}
    )


def produce(request):
    response = saml.unsigned_response(request)
    if request["sign"] in ("assertion", "both"):
        response = sign(response, "Assertion", request)
    if request["encrypt"] is not None:
        response = encrypt(response, request["encrypt"])
    if request["sign"] in ("response", "both"):
        response = sign(response, "Response", request)
    return saml.octets(response)


saml.serve(produce, knows_outer=True)
