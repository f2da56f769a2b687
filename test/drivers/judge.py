"""The judge: talks with each client (see README.md), and looks with a session of its own
whether what the client says is so. Usage: judge.py FILE, where each line of the file is a
client's name and its command. Prints "ok" or "FAILED" for each thing, and a table."""

import selectors
import shlex
import subprocess
import sys
import time

import psycopg

SECONDS = 60  # for an answer
THINGS = ("add", "taken", "right", "wrong", "revoke", "elsewhere", "unknown", "traps")
NOBODY = "00000000-0000-4000-8000-000000000000"


class Client:
    """A program that answers lines."""

    def __init__(self, command):
        self.process = subprocess.Popen(shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)
        self.rest = b""

    def read(self):
        """Returns the next line. Raises EOFError at the end, TimeoutError if none comes."""
        until = time.monotonic() + SECONDS
        while b"\n" not in self.rest:
            if not self.selector.select(max(0, until - time.monotonic())):
                raise TimeoutError(f"no answer within {SECONDS} seconds")
            more = self.process.stdout.read(65536)
            if not more:
                raise EOFError("the program ended")
            self.rest += more
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()

    def ask(self, *words):
        self.process.stdin.write("\t".join(words).encode() + b"\n")
        return self.read().split("\t")

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()


def examine(name, client, db):
    """Yields (thing, ok, what was seen) for one client."""
    client_name = f"client {name}"

    def status(secret_id):
        return db.execute("SELECT status FROM mogo.mogo_secrets WHERE secret_id::text = %s", (secret_id,)).fetchone()

    answer = client.ask("add", client_name, "read,write")
    _, client_id, secret, secret_id = answer if len(answer) == 4 and answer[0] == "added" else [""] * 4
    seen = db.execute("SELECT client_name, scopes FROM mogo.mogo_authenticate(%s::text, %s)", (client_id, secret))
    yield "add", seen.fetchone() == (client_name, ["read", "write"]) and status(secret_id) == ("active",), answer

    answer = client.ask("add", client_name, "read")
    yield "taken", answer[:2] == ["error", "23505"], answer

    row = ["row", client_name, "read,write"]
    answer = client.ask("authenticate", client_id, secret)
    yield "right", answer == row, answer

    answers = [client.ask("authenticate", *pair) for pair in (
        (client_id, secret[:-1] + ("0" if secret[-1] != "0" else "1")), (NOBODY, secret), (client_id, ""),
        ("", ""), ("no uuid", secret), (client_id, "' OR true --"), ("' OR true --", "x"), (client_id, "ü\\'"))]
    yield "wrong", all(answer == ["none"] for answer in answers), answers

    # Two more secrets: the client revokes the first one, somebody else the other.
    more = [db.execute("SELECT client_secret, secret_id::text FROM mogo.mogo_add_secret(%s)", (client_id,)).fetchone()
            for _ in range(2)]
    before = [client.ask("authenticate", client_id, one) for one, _ in more]
    answer = client.ask("revoke", more[0][1])
    yield "revoke", before == [row] * 2 and answer == ["done"] and status(more[0][1]) == ("revoked",) and \
        client.ask("authenticate", client_id, more[0][0]) == ["none"], answer

    db.execute("SELECT mogo.mogo_revoke_secret(%s)", (more[1][1],))
    answer = client.ask("authenticate", client_id, more[1][0])
    yield "elsewhere", answer == ["none"] and client.ask("authenticate", client_id, secret) == row, answer

    answer = client.ask("revoke", NOBODY)
    yield "unknown", answer[:2] == ["error", "42704"], answer

    line, traps = client.ask("traps", client_id, secret, secret_id), []
    while line[0] == "trap":
        traps.append(line)
        line = client.read().split("\t")
    yield "traps", line == ["end"] and all(trap[1] == "yes" for trap in traps), \
        [trap for trap in traps if trap[1] != "yes"] or len(traps)


def main():
    # A change that a client did not commit holds its lock.
    db = psycopg.connect(autocommit=True, options="-c lock_timeout=5s")
    table = []
    for line in open(sys.argv[1], encoding="utf-8"):
        name, command = line.rstrip("\n").split("\t")
        cells, client = {}, Client(command)
        try:
            cells["version"] = client.read().removeprefix("# ")
            for thing, ok, seen in examine(name, client, db):
                cells[thing] = "ok" if ok else "FAILED"
                if thing == "traps" and ok:
                    cells[thing] = seen
                if not ok:
                    print(f"    | {name}, {thing}: {seen}")
        except (EOFError, TimeoutError, BrokenPipeError, psycopg.Error) as error:
            print(f"    | {name}: {error}")
        client.end()
        for thing in THINGS:
            print("ok" if cells.get(thing, "FAILED") != "FAILED" else "FAILED", f"{name}: {thing}")
        table.append([name, cells.get("version", "?"), *(str(cells.get(thing, "FAILED")) for thing in THINGS)])
    table.insert(0, ["", "version", *THINGS])
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    for row in table:
        print("# " + " ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


main()
