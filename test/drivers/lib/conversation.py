"""The client's side of a conversation with judge.py (see ../README.md): one line for each
call on standard input, one line for its answer on standard output."""

import json
import sys


def converse(version, authenticate, add, revoke, sqlstate, traps=None):
    """Answers until the input ends. The calls are the snippet's own, with what it takes to
    give all of them strings: a row as a mapping, scopes as a list or as JSON. sqlstate
    maps an exception to its SQLSTATE; traps yields (is it there, what)."""
    print(f"# {version}", flush=True)
    for line in sys.stdin:
        call, *args = line.rstrip("\n").split("\t")
        try:
            answer = answer_to(call, args, authenticate, add, revoke, traps)
        except Exception as error:  # whatever it is, the judge hears of it
            answer = ["error", str(sqlstate(error)), repr(error)]
        print("\t".join(answer).replace("\n", " "), flush=True)


def answer_to(call, args, authenticate, add, revoke, traps):
    if call == "authenticate":
        row = authenticate(*args)
        if row is None:
            return ["none"]
        scopes = row["scopes"]
        return ["row", row["client_name"], ",".join(json.loads(scopes) if isinstance(scopes, str) else scopes)]
    if call == "add":
        row = add(args[0], args[1].split(","))
        return ["added", *(str(row[name]) for name in ("client_id", "client_secret", "secret_id"))]
    if call == "revoke":
        revoke(*args)
        return ["done"]
    for there, what in (traps(*args) if traps else ()):
        print(f"trap\t{'yes' if there else 'no'}\t{what}", flush=True)
    return ["end"]
