<?php
// The client's side of a conversation with judge.py (see ../README.md): one line for each call
// on standard input, one line for its answer on standard output.

// Answers until the input ends. traps gives a map of what and whether it is there; sqlstate
// maps an exception to its SQLSTATE.
function converse(string $version, $db, callable $sqlstate, callable $traps): void
{
    echo "# $version\n";
    while (($line = fgets(STDIN)) !== false) {
        $args = explode("\t", rtrim($line, "\n"));
        try {
            $answer = answer($db, array_shift($args), $args, $traps);
        } catch (Throwable $error) {
            $answer = ['error', $sqlstate($error), $error->getMessage()];
        }
        echo str_replace("\n", ' ', implode("\t", $answer)), "\n";
    }
}

function answer($db, string $call, array $args, callable $traps): array
{
    switch ($call) {
        case 'authenticate':
            $row = authenticate($db, ...$args);
            return $row === null ? ['none'] : ['row', $row['client_name'], implode(',', $row['scopes'])];
        case 'add':
            $row = add($db, $args[0], explode(',', $args[1]));
            return ['added', $row['client_id'], $row['client_secret'], $row['secret_id']];
        case 'revoke':
            revoke($db, ...$args);
            return ['done'];
        case 'traps':
            foreach ($traps(...$args) as $what => $there) {
                echo "trap\t", $there ? 'yes' : 'no', "\t$what\n";
            }
            return ['end'];
    }
}
