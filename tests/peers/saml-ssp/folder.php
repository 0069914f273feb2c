<?php

// What this server remembers, as files in the folder that main.py made for it.

declare(strict_types=1);

function folder(string $name = ''): string
{
    return getenv('JIT_SSP_FOLDER') . '/' . $name;
}

function remembered(string $name): array
{
    $file = folder($name);
    return is_file($file) ? json_decode(file_get_contents($file), true, 512, JSON_THROW_ON_ERROR) : [];
}

function remember(string $name, array $value): void
{
    file_put_contents(folder($name), json_encode($value, JSON_THROW_ON_ERROR), LOCK_EX);
}
