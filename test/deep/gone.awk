# test/deep/gone.awk: for coverage.sh and lint.sh. Prints the lines of test/unreached that do
# not stand in the sources any more. src is the sources' folder.

/^#/ || /^$/ { next }

{
	before = text = ""
	while ((getline line < (src $1)) > 0) {
		gsub(/^[ \t]+|[ \t]+$/, "", line)
		if (before " " line == $2)
			text = line
		if (line != "")
			before = line
	}
	close(src $1)
	if (text == "")
		print
}
