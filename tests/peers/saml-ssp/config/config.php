<?php

// SimpleSAMLphp for tests: everything it writes lies in the folder that main.py made.

$config = [
    'baseurlpath' => getenv('JIT_SSP_URL') . '/simplesaml/',
    'certdir' => folder('keys/'),
    'loggingdir' => folder('log/'),
    'datadir' => folder('data/'),
    'tempdir' => folder('temp'),
    'metadatadir' => __DIR__ . '/../metadata/',
    'metadata.sources' => [['type' => 'flatfile', 'directory' => __DIR__ . '/../metadata/']],
    'technicalcontact_name' => 'Administrator',
    'technicalcontact_email' => 'contact@example.com',
    'timezone' => 'UTC',
    // Nothing that outlives the test is protected by these two.
    'secretsalt' => sha1((string) getenv('JIT_SSP_FOLDER')),
    'auth.adminpassword' => bin2hex(random_bytes(16)),
    'showerrors' => true,
    'errorreporting' => false,
    'logging.level' => 5,
    'logging.handler' => 'file',
    'enable.saml20-idp' => true,
    'module.enable' => ['core' => true, 'saml' => true],
    'store.type' => 'phpsession',
    'session.cookie.secure' => false,
    'session.phpsession.savepath' => folder('sessions'),
    'session.phpsession.cookiename' => 'SimpleSAML',
    'session.phpsession.httponly' => true,
    'language.available' => ['en'],
    'language.default' => 'en',
    'theme.use' => 'default',
    'usenewui' => false,
];
