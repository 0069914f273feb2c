<?php

// The tests' own settings, sent to /_ctl/idp, come last.
$uid = 'urn:oid:0.9.2342.19200300.100.1.1';
$mail = 'urn:oid:0.9.2342.19200300.100.1.3';
$persistent = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
$metadata['__DYNAMIC:1__'] = array_merge([
    'host' => '__DEFAULT__',
    'privatekey' => 'rsa.key.pem',
    'certificate' => 'rsa.crt.pem',
    'auth' => 'people',
    'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
    'NameIDFormat' => $persistent,
    'authproc' => [
        10 => ['class' => 'saml:AttributeNameID', 'attribute' => $uid, 'Format' => $persistent],
        11 => [
            'class' => 'saml:AttributeNameID',
            'attribute' => $mail,
            'Format' => 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
        ],
        12 => ['class' => 'saml:TransientNameID'],
    ],
], remembered('idp.json'));
