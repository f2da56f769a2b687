# test/drivers/lib/snippets.awk
#	Cuts the blocks out of a page of doc/: what stands between the fences after the line
#	"<!-- snippet NAME -->" becomes the file NAME/snippet.EXTENSION below the directory
#	that the variable "to" names. Prints each NAME.

/^<!-- snippet .* -->$/ {
	name = $3
	extension = name
	sub(/.*\./, "", extension)
	next
}
/^```/ && file != "" {
	close(file)
	file = name = ""
	next
}
/^```/ && name != "" {
	system("mkdir -p '" to "/" name "'")
	file = to "/" name "/snippet." extension
	printf "" >file
	print name
	next
}
file != "" { print >file }
