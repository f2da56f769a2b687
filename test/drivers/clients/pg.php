<?php
require __DIR__ . '/conversation.php';
require __DIR__ . '/snippet.php';

$db = pg_connect(''); // as PG* says
$sqlstate = fn ($e) => substr($e->getMessage(), 0, 5);
converse('PHP ' . PHP_VERSION, $db, $sqlstate, function (string $id, string $secret) use ($db) {
    $answer = pg_fetch_result(query($db, 'SELECT mogo.mogo_verify($1, $2)', [$id, 'wrong']), 0, 0);
    return [
        'a wrong secret is "f"' => $answer === 'f',
        'and "f" is true' => (bool) $answer,
        'a text ends at a zero byte' => authenticate($db, $id, "$secret\0x") !== null,
        'pg_query_params: false for an error' => @pg_query_params($db, 'SELECT mogo.mogo_revoke_secret($1)', ['x']) === false,
    ];
});
