"""Validates SAML documents with the schemas that pysaml2 brings along. Answers `valid`, or what is wrong, in one line."""

import base64
import importlib.resources
import sys

import xmlschema
import xmlschema.exceptions

import saml2.data.schemas

SCHEMAS = importlib.resources.files(saml2.data.schemas)
SAML = "urn:oasis:names:tc:SAML:"
LOCATIONS = {
    "http://www.w3.org/XML/1998/namespace": "xml.xsd",
    "http://www.w3.org/2000/09/xmldsig#": "xmldsig-core-schema.xsd",
    "http://www.w3.org/2001/04/xmlenc#": "xenc-schema.xsd",
    f"{SAML}2.0:assertion": "saml-schema-assertion-2.0.xsd",
    f"{SAML}2.0:protocol": "saml-schema-protocol-2.0.xsd",
    f"{SAML}2.0:metadata": "saml-schema-metadata-2.0.xsd",
    f"{SAML}metadata:ui": "sstc-saml-metadata-ui-v1.0.xsd",
    f"{SAML}metadata:attribute": "sstc-metadata-attr.xsd",
    f"{SAML}metadata:algsupport": "sstc-saml-metadata-algsupport-v1.0.xsd",
}


def path(name):
    return str(SCHEMAS.joinpath(name))


def schema(root):
    """The schema with everything that may stand in its wildcards."""
    locations = {namespace: path(name) for namespace, name in LOCATIONS.items()}
    whole = xmlschema.XMLSchema(path(root), locations=locations, base_url=path(root), allow="sandbox", build=False)
    for namespace, name in LOCATIONS.items():
        if name != root:
            whole.import_schema(namespace, path(name))
    whole.build()
    return whole


def main():
    metadata, protocol = schema("saml-schema-metadata-2.0.xsd"), schema("saml-schema-protocol-2.0.xsd")
    for line in sys.stdin:
        document = base64.b64decode(line).decode()
        validator = metadata if document.startswith("<md:") else protocol
        try:
            validator.validate(document)
            print("valid", flush=True)
        except xmlschema.exceptions.XMLSchemaException as error:
            print(" ".join(str(error).split()), flush=True)


main()
