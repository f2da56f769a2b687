<?php
require '/usr/share/php/Doctrine/DBAL/autoload.php';
require __DIR__ . '/conversation.php';
require __DIR__ . '/snippet.php';

use Doctrine\DBAL\Connections\PrimaryReadReplicaConnection;
use Doctrine\DBAL\DriverManager;

$server = ['host' => getenv('PGHOST'), 'port' => getenv('PGPORT'), 'dbname' => getenv('PGDATABASE'),
    'user' => getenv('PGUSER'), 'password' => getenv('PGPASSWORD')];
$db = DriverManager::getConnection(['driver' => 'pdo_pgsql'] + $server);
$sqlstate = fn ($e) => $e->getPrevious()?->getSQLState();
// Debian's package has no other word of its version.
$version = trim(shell_exec("dpkg-query -Wf '\${Version}' php-doctrine-dbal"));
converse($version, $db, $sqlstate, function (string $id, string $secret, string $secretId) use ($server) {
    $split = DriverManager::getConnection(['driver' => 'pdo_pgsql', 'wrapperClass' => PrimaryReadReplicaConnection::class,
        'primary' => $server, 'replica' => [$server]]);
    $split->fetchAssociative('SELECT 1');
    $traps['fetchAssociative goes to a replica'] = !$split->isConnectedToPrimary();
    $split->executeStatement('SELECT mogo.mogo_revoke_secret(?)', [$secretId]);
    $traps['executeStatement to the primary'] = $split->isConnectedToPrimary();
    return $traps;
});
