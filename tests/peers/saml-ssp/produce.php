<?php

// Responses by the SAML library of SimpleSAMLphp, without its server.

declare(strict_types=1);

require getenv('SIMPLESAMLPHP') . '/vendor/autoload.php';

use RobRichards\XMLSecLibs\XMLSecurityKey;
use SAML2\Assertion;
use SAML2\Compat\ContainerSingleton;
use SAML2\Compat\MockContainer;
use SAML2\Constants;
use SAML2\EncryptedAssertion;
use SAML2\Response;
use SAML2\XML\saml\Issuer;
use SAML2\XML\saml\NameID;
use SAML2\XML\saml\SubjectConfirmation;
use SAML2\XML\saml\SubjectConfirmationData;

const SIGNATURES = [
    'rsa-sha1' => XMLSecurityKey::RSA_SHA1,
    'rsa-sha256' => XMLSecurityKey::RSA_SHA256,
    'rsa-sha384' => XMLSecurityKey::RSA_SHA384,
    'rsa-sha512' => XMLSecurityKey::RSA_SHA512,
];

function new_id(): string
{
    return '_' . bin2hex(random_bytes(16));
}

function signing_key(array $request): XMLSecurityKey
{
    $type = SIGNATURES[$request['signature']] ?? throw new Exception('unsupported: ' . $request['signature']);
    if ($request['digest'] !== str_replace('rsa-', '', $request['signature'])) {
        throw new Exception('unsupported: another digest');
    }
    $key = new XMLSecurityKey($type, ['type' => 'private']);
    $key->loadKey($request['key'], true);
    return $key;
}

function issuer(array $request): Issuer
{
    $issuer = new Issuer();
    $issuer->setValue($request['idp']);
    return $issuer;
}

function confirmation(array $request): SubjectConfirmation
{
    $data = new SubjectConfirmationData();
    $data->setNotOnOrAfter(time() + $request['valid_seconds']);
    $data->setRecipient($request['acs']);
    $data->setInResponseTo($request['in_response_to']);
    $confirmation = new SubjectConfirmation();
    $confirmation->setMethod(Constants::CM_BEARER);
    $confirmation->setSubjectConfirmationData($data);
    return $confirmation;
}

function assertion(array $request): Assertion
{
    $name_id = new NameID();
    $name_id->setValue($request['name_id']);
    $name_id->setFormat($request['name_id_format']);
    $assertion = new Assertion();
    $assertion->setId(new_id());
    $assertion->setIssuer(issuer($request));
    $assertion->setNameId($name_id);
    $assertion->setNotBefore(time() - 5);
    $assertion->setNotOnOrAfter(time() + $request['valid_seconds']);
    $assertion->setValidAudiences([$request['sp']]);
    $assertion->setAuthnInstant(time());
    $assertion->setSessionIndex($request['session_index']);
    $assertion->setAuthnContextClassRef(Constants::AC_PASSWORD_PROTECTED_TRANSPORT);
    $assertion->setAttributeNameFormat(Constants::NAMEFORMAT_URI);
    $assertion->setAttributes(array_column($request['attributes'], 1, 0));
    $assertion->setSubjectConfirmation([confirmation($request)]);
    if ($request['sign'] !== 'response') {
        $assertion->setSignatureKey(signing_key($request));
        $assertion->setCertificates([file_get_contents($request['certificate'])]);
    }
    return $assertion;
}

function encrypted(Assertion $assertion, array $order): EncryptedAssertion
{
    if ($order['key'] !== 'rsa-oaep-mgf1p' || $order['content'] !== 'aes128-cbc') {
        throw new Exception('unsupported: ' . $order['content']);
    }
    $key = new XMLSecurityKey(XMLSecurityKey::RSA_OAEP_MGF1P, ['type' => 'public']);
    $key->loadKey($order['certificate'], true, true);
    $encrypted = new EncryptedAssertion();
    $encrypted->setAssertion($assertion, $key);
    return $encrypted;
}

function produce(array $request): string
{
    if ($request['c14n'] !== 'exclusive') {
        throw new Exception('unsupported: ' . $request['c14n']);
    }
    if ($request['outer'] !== null) {
        throw new Exception('unsupported: outer');
    }
    $assertion = assertion($request);
    $response = new Response();
    $response->setId(new_id());
    $response->setIssuer(issuer($request));
    $response->setDestination($request['acs']);
    $response->setInResponseTo($request['in_response_to']);
    $encrypt = $request['encrypt'];
    $response->setAssertions([$encrypt === null ? $assertion : encrypted($assertion, $encrypt)]);
    if ($request['sign'] !== 'assertion') {
        $response->setSignatureKey(signing_key($request));
        $response->setCertificates([file_get_contents($request['certificate'])]);
    }
    $element = $request['sign'] === 'assertion' ? $response->toUnsignedXML() : $response->toSignedXML();
    return $element->ownerDocument->saveXML($element);
}

ContainerSingleton::setContainer(new MockContainer());
while (($line = fgets(STDIN)) !== false) {
    try {
        $answer = ['response' => base64_encode(produce(json_decode($line, true)))];
    } catch (Throwable $problem) {
        $answer = ['error' => get_class($problem) . ': ' . $problem->getMessage()];
    }
    echo json_encode($answer), "\n";
}
