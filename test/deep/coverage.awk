# test/deep/coverage.awk: for coverage.sh. Reads test/unreached and one source
# file's output of gcov, of one build or of two whose #ifs differ; prints the file's
# summary, and to the file found the lines that nothing reached and no reason is given
# for. name is the source file's.

FNR == 1 { file++ }

# file, tab, the line before, space, the line
file == 1 {
	if (split($0, part, "\t") == 2 && part[1] == name)
		excused[part[2]] = 1
	next
}

# how often, line number, text; "-" is no code, "#####" is never
{
	count = $0
	sub(/:.*/, "", count)
	gsub(/[ *]/, "", count)
	rest = substr($0, index($0, ":") + 1)
	number = rest + 0
	text = substr(rest, index(rest, ":") + 1)
	gsub(/^[ \t]+|[ \t]+$/, "", text)
	if (number == 0)
		next
	if (text != "" && !(number in before)) {
		before[number] = last[file]
		line[number] = text
		if (number > highest)
			highest = number
	}
	if (text != "")
		last[file] = text
	if (count != "-") {
		code[number] = 1
		if (count !~ /^(#|=)/)
			reached[number] = 1
	}
}

END {
	for (i = 1; i <= highest; i++) {
		if (!(i in code))
			continue
		all++
		if (i in reached)
			good++
		else if ((before[i] " " line[i]) in excused)
			known++
		else
			print name ":" i ": " line[i] > found
	}
	if (!all)
		print name ": gcov says nothing of it" > found
	close(found)
	printf "%s: %.1f %% of %d lines, %d of test/unreached\n", name, all ? 100 * good / all : 0, all, known
}
