<?php

// The people of tests/peers/oidc-op/people.json as a source of authentication: with the page of SimpleSAMLphp for
// browsers, and without any page while a script has somebody signed in.

declare(strict_types=1);

use SAML2\Constants;
use SimpleSAML\Error\Error;
use SimpleSAML\Module\core\Auth\UserPassBase;
use SimpleSAML\Module\saml\Error as SamlError;

class JitPeople extends UserPassBase
{
    private const NAMES = [
        'email' => 'urn:oid:0.9.2342.19200300.100.1.3',
        'name' => 'urn:oid:2.16.840.1.113730.3.1.241',
        'given_name' => 'urn:oid:2.5.4.42',
        'family_name' => 'urn:oid:2.5.4.4',
        'department' => 'urn:oid:2.5.4.11',
        'employee_number' => 'urn:oid:2.16.840.1.113730.3.1.3',
        'groups' => 'urn:oid:1.3.6.1.4.1.5923.1.5.1.1',
        'roles' => 'urn:oid:1.3.6.1.4.1.5923.1.1.1.7',
    ];

    public function authenticate(&$state)
    {
        $scripted = remembered('login.json')['user'] ?? null;
        if ($scripted === null) {
            parent::authenticate($state);
            return;
        }
        if ($scripted === 'deny') {
            throw new SamlError(Constants::STATUS_RESPONDER, Constants::STATUS_AUTHN_FAILED, 'denied by the script');
        }
        $state['Attributes'] = self::attributes($scripted, remembered('people.json')[$scripted]);
    }

    protected function login($username, $password)
    {
        $people = remembered('people.json');
        $subject = explode('@', $username)[0];
        $person = $people[$subject] ?? null;
        if ($person === null || !hash_equals($person['password'] ?? "$subject-password", $password)) {
            throw new Error('WRONGUSERPASS');
        }
        return self::attributes($subject, $person);
    }

    private static function attributes(string $subject, array $person): array
    {
        $attributes = [
            'urn:oid:0.9.2342.19200300.100.1.1' => [$subject],
            'urn:oasis:names:tc:SAML:attribute:subject-id' => ["$subject@example.com"],
        ];
        foreach (self::NAMES as $claim => $name) {
            $values = self::values($person[$claim] ?? []);
            if ($values !== []) {
                $attributes[$name] = $values;
            }
        }
        return $attributes;
    }

    // "@200" stands for two hundred groups.
    private static function values(string|array $value): array
    {
        if (is_array($value)) {
            return $value;
        }
        if (preg_match('/^@(\d+)$/', $value, $match)) {
            return array_map(fn (int $number) => "group-$number", range(0, (int) $match[1] - 1));
        }
        return [$value];
    }
}
