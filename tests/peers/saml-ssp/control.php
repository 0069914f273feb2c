<?php

// The control API: JSON over HTTP under /_ctl/ on the server's own port.

declare(strict_types=1);

use SimpleSAML\Metadata\SAMLParser;

function command(string $name, array $body): array
{
    switch ($name) {
        case 'people':
            return array_keys(remembered('people.json'));
        case 'users':
            remember('people.json', array_merge(remembered('people.json'), $body));
            return [];
        case 'login':
            return sign_in($_GET['user'] ?? '');
        case 'logout':
            remember('login.json', []);
            return [];
        case 'sp':
            return add_service_provider($body);
        case 'idp':
            remember('idp.json', $body);
            return [];
        default:
            throw new OutOfBoundsException('unknown command');
    }
}

function sign_in(string $user): array
{
    if ($user !== 'deny' && !array_key_exists($user, remembered('people.json'))) {
        throw new OutOfBoundsException('unknown user');
    }
    remember('login.json', ['user' => $user]);
    return ['user' => $user];
}

// {"metadata": "<EntityDescriptor…>"} or {"entity_id": …, "acs": …}, and "options" as SimpleSAMLphp names them.
function add_service_provider(array $body): array
{
    if (isset($body['metadata'])) {
        $provider = SAMLParser::parseString($body['metadata'])->getMetadata20SP();
        if ($provider === null) {
            throw new InvalidArgumentException('not the metadata of a service provider');
        }
        unset($provider['entityDescriptor']);
        $id = $provider['entityid'];
    } else {
        $id = $body['entity_id'];
        $provider = ['entityid' => $id, 'AssertionConsumerService' => $body['acs']];
    }
    $options = $body['options'] ?? [];
    remember('providers/' . sha1($id) . '.json', [$id => array_merge($provider, $options)]);
    return ['entity_id' => $id];
}

header('Content-Type: application/json');
try {
    $text = $_SERVER['REQUEST_METHOD'] === 'POST' ? file_get_contents('php://input') : '{}';
    $body = json_decode($text, true, 512, JSON_THROW_ON_ERROR);
    $answer = command(substr($path, strlen('/_ctl/')), $body);
    echo json_encode($answer === [] ? new stdClass() : $answer);
} catch (OutOfBoundsException $problem) {
    http_response_code(404);
    echo json_encode(['error' => $problem->getMessage()]);
} catch (Throwable $problem) {
    http_response_code(400);
    echo json_encode(['error' => $problem->getMessage()]);
}
