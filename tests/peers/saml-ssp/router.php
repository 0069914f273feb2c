<?php

// Sends each request to the page of SimpleSAMLphp that Apache would send it to, or to the control API.

declare(strict_types=1);

const TYPES = ['css' => 'text/css', 'js' => 'text/javascript', 'png' => 'image/png', 'svg' => 'image/svg+xml'];

error_reporting(E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING);
$home = getenv('SIMPLESAMLPHP');
require_once $home . '/lib/_autoload.php';
require_once __DIR__ . '/folder.php';
require_once __DIR__ . '/JitPeople.php';

$path = rawurldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) ?: '/');
if (str_starts_with($path, '/_ctl/')) {
    require __DIR__ . '/control.php';
    return;
}
$place = str_starts_with($path, '/simplesaml/') ? page($home . '/www/', substr($path, strlen('/simplesaml/'))) : null;
if ($place === null) {
    http_response_code(404);
    return;
}
[$file, $rest] = $place;
if (!str_ends_with($file, '.php')) {
    header('Content-Type: ' . (TYPES[pathinfo($file, PATHINFO_EXTENSION)] ?? 'application/octet-stream'));
    readfile($file);
    return;
}
$_SERVER['SCRIPT_FILENAME'] = $file;
$_SERVER['SCRIPT_NAME'] = substr($path, 0, strlen($path) - strlen($rest));
$_SERVER['PHP_SELF'] = $path;
unset($_SERVER['PATH_INFO']);
if ($rest !== '') {
    $_SERVER['PATH_INFO'] = $rest;
}
chdir(dirname($file));
require $file;

// The file that a path names, and what stands behind it: `module.php` and `/core/loginuserpass.php`.
function page(string $root, string $path): ?array
{
    if (str_contains($path, '..')) {
        return null;
    }
    $at = strpos($path, '.php/');
    [$file, $rest] = $at === false ? [$path, ''] : [substr($path, 0, $at + 4), substr($path, $at + 4)];
    return is_file($root . $file) ? [$root . $file, $rest] : null;
}
