<?php
require __DIR__ . '/conversation.php';
require __DIR__ . '/snippet.php';

$db = new PDO(sprintf('pgsql:host=%s;port=%s;dbname=%s', getenv('PGHOST'), getenv('PGPORT'), getenv('PGDATABASE')),
    getenv('PGUSER'), getenv('PGPASSWORD'));

// What mogo_verify is for a wrong secret.
function wrong(PDO $db, string $id)
{
    $check = $db->prepare('SELECT mogo.mogo_verify(?, ?)');
    $check->execute([$id, 'wrong']);
    return $check->fetchColumn();
}

converse('PHP ' . PHP_VERSION, $db, fn ($e) => $e->getCode(), function (string $id, string $secret) use ($db) {
    $traps['a text ends at a zero byte'] = authenticate($db, $id, "$secret\0x") !== null;
    $traps['a boolean is one'] = wrong($db, $id) === false;
    $db->setAttribute(PDO::ATTR_STRINGIFY_FETCHES, true);
    $traps['ATTR_STRINGIFY_FETCHES: text'] = is_string(wrong($db, $id));
    $db->setAttribute(PDO::ATTR_STRINGIFY_FETCHES, false);
    $text = "SELECT query LIKE '%' || ? || '%' FROM pg_stat_activity WHERE pid = pg_backend_pid()";
    $emulated = $db->prepare($text, [PDO::ATTR_EMULATE_PREPARES => true]);
    $emulated->execute(['x' . $id]);
    $traps['ATTR_EMULATE_PREPARES: in the text'] = $emulated->fetchColumn() === true;
    return $traps;
});
