"""Signs and encrypts with libxmlsec1 of a newer line than the system's, through python-xmlsec."""

import saml
import xmlsec

SESSION_KEYS = {
    "aes128-cbc": (xmlsec.constants.KeyDataAes, 128),
    "aes256-cbc": (xmlsec.constants.KeyDataAes, 256),
    "aes128-gcm": (xmlsec.constants.KeyDataAes, 128),
    "aes192-gcm": (xmlsec.constants.KeyDataAes, 192),
    "aes256-gcm": (xmlsec.constants.KeyDataAes, 256),
    "tripledes-cbc": (xmlsec.constants.KeyDataDes, 192),
}


def transform(table, name):
    href = saml.supported(table, name)
    for candidate in vars(xmlsec.constants).values():
        if getattr(candidate, "href", None) == href:
            return candidate
    raise saml.Unsupported(name)


def sign(element, request):
    signature = xmlsec.template.create(
        element, transform(saml.CANONICAL, request["c14n"]), transform(saml.SIGNATURES, request["signature"]), ns="ds"
    )
    element.find(f"{{{saml.ASSERTION}}}Issuer").addnext(signature)
    reference = xmlsec.template.add_reference(
        signature, transform(saml.DIGESTS, request["digest"]), uri="#" + element.get("ID")
    )
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformEnveloped)
    exclusive = xmlsec.template.add_transform(reference, transform(saml.CANONICAL, request["c14n"]))
    if saml.prefixes(element, request):
        xmlsec.template.transform_add_c14n_inclusive_namespaces(exclusive, saml.prefixes(element, request))
    xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_file(request["key"], xmlsec.constants.KeyDataFormatPem)
    context.key.load_cert_from_file(request["certificate"], xmlsec.constants.KeyDataFormatPem)
    xmlsec.tree.add_ids(element, ["ID"])
    context.sign(signature)


def encrypt(response, order):
    data = xmlsec.template.encrypted_data_create(
        response,
        transform(saml.CONTENTS, order["content"]),
        type=xmlsec.constants.TypeEncElement,
        ns="xenc",
    )
    xmlsec.template.encrypted_data_ensure_cipher_value(data)
    key_info = xmlsec.template.encrypted_data_ensure_key_info(data, ns="ds")
    key = xmlsec.template.add_encrypted_key(key_info, transform({"rsa-oaep-mgf1p": saml.OAEP_MGF1P}, order["key"]))
    xmlsec.template.encrypted_data_ensure_cipher_value(key)
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_file(order["certificate"], xmlsec.constants.KeyDataFormatCertPem))
    context = xmlsec.EncryptionContext(manager)
    kind, bits = SESSION_KEYS[order["content"]]
    context.key = xmlsec.Key.generate(kind, bits, xmlsec.constants.KeyDataTypeSession)
    context.encrypt_xml(data, saml.the(response, "Assertion"))
    saml.wrap_encrypted(response)


def produce(request):
    response = saml.unsigned_response(request)
    if request["sign"] in ("assertion", "both"):
        sign(saml.the(response, "Assertion"), request)
    if request["encrypt"] is not None:
        encrypt(response, request["encrypt"])
    if request["sign"] in ("response", "both"):
        sign(response, request)
    return saml.octets(response)


saml.serve(produce, knows_outer=True)
