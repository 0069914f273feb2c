//! Why a text is not read, each with a stable code.

jit_core::reasons! {
    /// Says why a text is not read. Carries no part of the text.
    pub enum XmlError {
        // octets and characters
        TooLarge = "saml.xml_too_large", "the document is longer than the limit";
        Utf8Invalid = "saml.xml_utf8_invalid", "the document is not valid UTF-8";
        #[doc = "XML 1.0 §2.2."]
        ForbiddenCharacter = "saml.xml_forbidden_character", "the document holds a character that XML does not allow";

        // the document as a whole
        #[doc = "XML 1.0 §2.8."]
        VersionUnsupported = "saml.xml_version_unsupported", "the document is not XML 1.0";
        #[doc = "XML 1.0 §4.3.3."]
        EncodingUnsupported = "saml.xml_encoding_unsupported", "the declaration names another encoding than UTF-8";
        DeclarationMalformed = "saml.xml_declaration_malformed", "the XML declaration is malformed";
        DeclarationMisplaced = "saml.xml_declaration_misplaced", "an XML declaration stands elsewhere than at the start";
        #[doc = "OASIS SAML 2.0 does not need a DTD, and each attack with entities does."]
        Doctype = "saml.xml_doctype", "the document has a document type declaration";
        RootMissing = "saml.xml_root_missing", "the document has no element";
        SecondRoot = "saml.xml_second_root", "the document has a second root element";
        TextOutsideRoot = "saml.xml_text_outside_root", "text stands before or after the root element";
        Unclosed = "saml.xml_unclosed", "the document ends inside an element";

        // markup
        MarkupMalformed = "saml.xml_markup_malformed", "a tag, comment, section or instruction is malformed";
        EndTagMismatch = "saml.xml_end_tag_mismatch", "an end tag does not match its start tag";
        #[doc = "XML 1.0 §2.4."]
        SectionEndInText = "saml.xml_section_end_in_text", "text holds the end mark of a CDATA section";
        CommentMalformed = "saml.xml_comment_malformed", "a comment holds two hyphens in a row";
        InstructionMalformed = "saml.xml_instruction_malformed", "a processing instruction is malformed";
        #[doc = "XML 1.0 §4.1."]
        ReferenceInvalid = "saml.xml_reference_invalid", "a reference names no character";

        // names and attributes
        #[doc = "XML 1.0 §2.3."]
        NameInvalid = "saml.xml_name_invalid", "a name is not a name";
        #[doc = "Namespaces in XML 1.0 §4."]
        QualifiedNameInvalid = "saml.xml_qualified_name_invalid", "a name has more than one colon, or an empty part";
        AttributeMalformed = "saml.xml_attribute_malformed", "an attribute is malformed";
        #[doc = "XML 1.0 §3.1."]
        LessThanInAttribute = "saml.xml_less_than_in_attribute", "an attribute value holds a raw less-than sign";
        #[doc = "Namespaces in XML 1.0 §6.3."]
        DuplicateAttribute = "saml.xml_duplicate_attribute", "an element has the same attribute twice";

        // namespaces
        PrefixUnbound = "saml.xml_prefix_unbound", "a prefix is not declared";
        #[doc = "Namespaces in XML 1.0 §2.2."]
        PrefixEmptied = "saml.xml_prefix_emptied", "a prefix is declared with an empty namespace name";
        #[doc = "Namespaces in XML 1.0 §3."]
        PrefixReserved = "saml.xml_prefix_reserved", "a declaration misuses the prefixes `xml` or `xmlns`, or their names";
        #[doc = "Canonical XML 1.0 §1.3."]
        NamespaceRelative = "saml.xml_namespace_relative", "a namespace name is relative";

        // counts
        TooDeep = "saml.xml_too_deep", "elements are nested deeper than the limit";
        TooManyAttributes = "saml.xml_too_many_attributes", "an element has more attributes than the limit";
        TooManyNamespaces = "saml.xml_too_many_namespaces", "the document has more namespaces than the limit";
        TooManyElements = "saml.xml_too_many_elements", "the document has more elements than the limit";
        TooManyNodes = "saml.xml_too_many_nodes", "the document has more nodes than the limit";
        TooManySignatures = "saml.xml_too_many_signatures", "the document has more signatures than the limit";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_distinct() {
        let codes: BTreeSet<_> = XmlError::ALL.iter().map(|error| error.code()).collect();
        assert_eq!(codes.len(), XmlError::ALL.len());
        assert!(codes.iter().all(|code| code.starts_with("saml.xml_")));
    }
}
