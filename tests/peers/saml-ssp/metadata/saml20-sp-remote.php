<?php

foreach (glob(folder('providers/*.json')) as $file) {
    $metadata = array_merge($metadata ?? [], remembered('providers/' . basename($file)));
}
