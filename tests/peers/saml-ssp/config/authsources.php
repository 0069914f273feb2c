<?php

$config = ['people' => ['JitPeople']];
