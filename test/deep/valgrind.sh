#!/usr/bin/env bash
#
# test/deep/valgrind.sh
#	After a run of check-valgrind: fails for each report of Valgrind's that has our
#	library in its stack.

set -euo pipefail

found=$(awk -v RS='\n==[0-9]+== \n' '/mogocred\.so|\/src\/[a-z_]+\.c/ && /mogocred/' /tmp/mogocred-valgrind/*.log)
if [ -z "$found" ]; then
	echo "ok no report with mogocred in it"
else
	echo "FAILED a report with mogocred in it"
	head -n 60 <<<"$found"
fi
echo end
