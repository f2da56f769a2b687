/*-------------------------------------------------------------------------
 *
 * parse.c
 *	  Reads text that comes from outside: ids, hashes of other systems, network
 *	  addresses and HTTP Basic headers.
 *
 * Nothing here calls the backend: no memory is allocated, no error is raised,
 * so that the network's input can only ever give "no", and so that the fuzzers
 * under test/fuzz can link this file alone. No function keeps what it read.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include <arpa/inet.h>

/*
 * Returns the value of a hexadecimal digit, or -1. A table, because half of the
 * branches that tell digits from letters are guessed wrong, which shows in a check's
 * cost.
 */
static inline int
hex_value(unsigned char c)
{
	static const uint8 value_plus_1[256] = {
		['0'] = 1,['1'] = 2,['2'] = 3,['3'] = 4,['4'] = 5,
		['5'] = 6,['6'] = 7,['7'] = 8,['8'] = 9,['9'] = 10,
		['a'] = 11,['b'] = 12,['c'] = 13,['d'] = 14,['e'] = 15,['f'] = 16,
		['A'] = 11,['B'] = 12,['C'] = 13,['D'] = 14,['E'] = 15,['F'] = 16
	};

	return value_plus_1[c] - 1;
}

/* Returns two hexadecimal digits as a byte, or -1. */
static inline int
hex_byte(const char *str)
{
	int			high = hex_value((unsigned char) str[0]);
	int			low = hex_value((unsigned char) str[1]);

	return (high < 0 || low < 0) ? -1 : (high << 4 | low);
}

/*
 * Reads a UUID as PostgreSQL's uuid type does: 32 hexadecimal digits in either case, an
 * optional hyphen after each group of four, optional braces around. Returns false for
 * anything else; uuid_in would raise an error.
 */
bool
mogo_parse_uuid(const char *str, size_t len, pg_uuid_t *uuid)
{
	const char *end = str + len;
	bool		braces = len > 0 && *str == '{';

	if (braces)
		str++;

	for (int i = 0; i < UUID_LEN; i++)
	{
		int			byte;

		if (end - str < 2 || (byte = hex_byte(str)) < 0)
			return false;
		uuid->data[i] = (unsigned char) byte;
		str += 2;

		if (i % 2 == 1 && i < UUID_LEN - 1 && str < end && *str == '-')
			str++;
	}
	if (braces)
	{
		if (str == end || *str != '}')
			return false;
		str++;
	}
	return str == end;
}

/*
 * Returns whether this can be an external id: 1 to 255 of the characters that RFC 6749
 * (appendix A.1) allows in a client id. The caller has found out that it is not a UUID.
 */
bool
mogo_parse_external_id(const char *str, size_t len)
{
	if (len < 1 || len > MOGO_MAX_EXTERNAL_ID)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (str[i] < 0x20 || str[i] > 0x7E)
			return false;
	}
	return true;
}

/* The alphabets of base64, which differ in the last two digits. */
typedef enum Base64
{
	BASE64,						/* RFC 4648 section 4 */
	BASE64_URL,					/* RFC 4648 section 5 */
	BASE64_PASSLIB				/* as the first, with '.' in place of '+' */
} Base64;

/* Returns the value of a base64 digit, or -1. */
static inline int
base64_value(unsigned char c, Base64 alphabet)
{
	static const unsigned char digit_62[] = {'+', '-', '.'};
	static const unsigned char digit_63[] = {'/', '_', '/'};

	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == digit_62[alphabet])
		return 62;
	if (c == digit_63[alphabet])
		return 63;
	return -1;
}

/*
 * Reads strict base64 (RFC 4648): no white space, no stray padding, unused bits zero.
 * Padding may be absent unless need_padding is set. Writes at most 3 bytes for each 4
 * digits. Returns the number of bytes, or -1.
 */
static int
parse_base64(const char *str, size_t len, Base64 alphabet, bool need_padding, uint8 *out)
{
	uint32		bits = 0;
	int			nbits = 0;
	int			n = 0;
	size_t		digits = len;

	while (digits > 0 && len - digits < 2 && str[digits - 1] == '=')
		digits--;
	if (digits % 4 == 1)
		return -1;
	if (digits == len ? (need_padding && len % 4 != 0) : len % 4 != 0)
		return -1;

	for (size_t i = 0; i < digits; i++)
	{
		int			value = base64_value((unsigned char) str[i], alphabet);

		if (value < 0)
			return -1;
		bits = bits << 6 | (uint32) value;
		nbits += 6;
		if (nbits >= 8)
		{
			nbits -= 8;
			out[n++] = (uint8) (bits >> nbits);
			bits &= (1U << nbits) - 1;
		}
	}
	return bits == 0 ? n : -1;
}

/*
 * Reads a digest of digest_len bytes (SHA-256's 32 or SHA-512's 64) as other systems keep
 * it: two hexadecimal digits a byte, or base64 or base64url with or without padding.
 */
bool
mogo_parse_digest(const char *str, size_t len, uint8 *digest, size_t digest_len)
{
	size_t		digits = (digest_len * 4 + 2) / 3;

	if (len == 2 * digest_len)
	{
		for (int i = 0; i < digest_len; i++)
		{
			int			byte = hex_byte(str + 2 * i);

			if (byte < 0)
				return false;
			digest[i] = (uint8) byte;
		}
		return true;
	}

	/* padding makes the length a multiple of 4 */
	if (len != digits && !(len == (digits + 3) / 4 * 4 && str[digits] == '='))
		return false;
	return parse_base64(str, len, BASE64, false, digest) == digest_len ||
		parse_base64(str, len, BASE64_URL, false, digest) == digest_len;
}

/* Steps over a prefix if it stands here. */
static bool
take_prefix(const char **str, const char *end, const char *prefix)
{
	size_t		len = strlen(prefix);

	if (end - *str < len || memcmp(*str, prefix, len) != 0)
		return false;
	*str += len;
	return true;
}

/* Steps over a number from 1 to 9,999,999 in its shortest form. */
static bool
take_number(const char **str, const char *end, uint32 *number)
{
	const char *start = *str;

	*number = 0;
	for (; *str < end && *str - start < 7 && **str >= '0' && **str <= '9'; (*str)++)
		*number = *number * 10 + (**str - '0');
	return *str > start && *start != '0';
}

/*
 * Reads a hash made by PBKDF2 with HMAC-SHA-256 or HMAC-SHA-512, in one of four spellings:
 *
 *		$pbkdf2-sha256$i=25000,l=32$salt$hash	PHC (l may be absent), base64
 *		$pbkdf2-sha512$i=25000,l=64$salt$hash	the same
 *		$pbkdf2-sha256$29000$salt$hash			passlib, base64 of its own
 *		pbkdf2_sha256$870000$salt$hash			Django, with the salt as it is
 *
 * At most MOGO_PBKDF2_ITERATIONS iterations, because anybody who knows a client's id can
 * have us compute them; 16 to 64 bytes of hash.
 */
bool
mogo_parse_pbkdf2(const char *str, size_t len, MogoPbkdf2 *pbkdf2)
{
	const char *end = str + len;
	bool		django = len > 0 && *str == 'p';
	Base64		alphabet = BASE64;
	uint32		hash_len = 0;
	const char *salt_end;
	int			n;

	if (!take_prefix(&str, end, django ? "pbkdf2_sha" : "$pbkdf2-sha"))
		return false;
	pbkdf2->sha512 = take_prefix(&str, end, "512$");
	if (!pbkdf2->sha512 && !take_prefix(&str, end, "256$"))
		return false;
	if (!django && !take_prefix(&str, end, "i="))
		alphabet = BASE64_PASSLIB;
	if (!take_number(&str, end, &pbkdf2->iterations) || pbkdf2->iterations > MOGO_PBKDF2_ITERATIONS)
		return false;
	if (!django && alphabet == BASE64 && take_prefix(&str, end, ",l=") &&
		!take_number(&str, end, &hash_len))
		return false;
	if (!take_prefix(&str, end, "$"))
		return false;

	salt_end = memchr(str, '$', end - str);
	if (salt_end == NULL || salt_end == str ||
		salt_end - str > (django ? MOGO_PBKDF2_BYTES : (MOGO_PBKDF2_BYTES + 2) / 3 * 4))
		return false;
	if (django)
		memcpy(pbkdf2->salt, str, n = salt_end - str);
	else
		n = parse_base64(str, salt_end - str, alphabet, false, pbkdf2->salt);
	if (n < 1 || n > MOGO_PBKDF2_BYTES)
		return false;
	pbkdf2->salt_len = n;

	str = salt_end + 1;
	if (end - str > (MOGO_PBKDF2_BYTES + 2) / 3 * 4)
		return false;
	n = parse_base64(str, end - str, alphabet, false, pbkdf2->hash);
	if (n < 16 || n > MOGO_PBKDF2_BYTES || (hash_len != 0 && hash_len != n))
		return false;
	pbkdf2->hash_len = n;
	return true;
}

/* Steps over what Spring ({bcrypt}) and Django (bcrypt$) put before a bcrypt hash. */
void
mogo_strip_bcrypt(const char **str, size_t *len)
{
	const char *end = *str + *len;

	if (!take_prefix(str, end, "{bcrypt}"))
		(void) take_prefix(str, end, "bcrypt$");
	*len = end - *str;
}

/* Returns whether this character can be part of a hash scheme's name. */
static bool
in_scheme(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '-' || c == '_' || c == '@' || c == '.';
}

/* Returns whether str, of len characters, begins with a word in any case. */
static bool
begins_with(const char *str, size_t len, const char *word)
{
	size_t		n = strlen(word);

	for (size_t i = 0; i < n; i++)
	{
		if (i >= len || (str[i] >= 'A' && str[i] <= 'Z' ? str[i] + 32 : str[i]) != word[i])
			return false;
	}
	return true;
}

/*
 * Returns whether this is the stored form of a secret in some system: $scheme$… (crypt,
 * PHC), {scheme}… (LDAP, Spring), or a known algorithm's name with $ or : behind it
 * (Django, Werkzeug, ourselves). We go by its beginning alone.
 */
bool
mogo_parse_stored_form(const char *str, size_t len)
{
	static const char *const names[] = {
		"pbkdf2", "bcrypt", "argon2", "scrypt", "sha1", "sha224", "sha256", "sha384",
		"sha512", "md5", "unsalted_", "crypt"
	};
	bool		known = false;
	size_t		i = 0;

	if (len > 0 && (str[0] == '$' || str[0] == '{'))
		i = 1;
	for (int j = 0; !known && i == 0 && j < lengthof(names); j++)
		known = begins_with(str, len, names[j]);
	if (i == 0 && !known)
		return false;

	/*
	 * some have parameters in the scheme's place: $md5,rounds=…,
	 * pbkdf2:sha256:…
	 */
	while (i < len && i < 32 && in_scheme(str[i]))
		i++;
	if (i == len || i < 2)
		return false;
	if (str[0] == '{')
		return str[i] == '}';
	return str[i] == '$' || (str[0] == '$' ? str[i] == ',' : str[i] == ':');
}

/*
 * Returns what is wrong with a text, of len UTF-8 bytes, as a client's secret: it stands
 * for something that no client presents. NULL: nothing.
 */
const char *
mogo_parse_presentable(const char *str, size_t len)
{
	/* Unicode's White_Space of more than one byte */
	static const char *const spaces[] = {
		"\xC2\xA0", "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82",
		"\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87",
		"\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8", "\xE2\x80\xA9",
		"\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"
	};
	const char *end = str + len;

	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) str[i];
		unsigned char next = i + 1 < len ? (unsigned char) str[i + 1] : 0;

		if (c < 0x20 || c == 0x7F || (c == 0xC2 && next >= 0x80 && next <= 0x9F))
			return "a control character";
		if (c == 0xEF && len - i >= 3 && memcmp(str + i, "\xEF\xBB\xBF", 3) == 0)
			return "a byte order mark";
	}
	if (len > 0 && (str[0] == ' ' || end[-1] == ' '))
		return "white space at an end";
	for (int i = 0; i < lengthof(spaces); i++)
	{
		size_t		n = strlen(spaces[i]);

		if (len >= n && (memcmp(str, spaces[i], n) == 0 || memcmp(end - n, spaces[i], n) == 0))
			return "white space at an end";
	}
	return NULL;
}

/*
 * Returns whether this is a bcrypt hash that we can check: $2a$, $2b$ or $2y$, cost 4
 * to 12, 22 characters of salt, 31 of hash. With a higher cost, anybody who knows a
 * client's id could keep a processor busy.
 */
bool
mogo_parse_bcrypt(const char *str, size_t len)
{
	int			cost;

	if (len != MOGO_BCRYPT_LEN || str[0] != '$' || str[1] != '2' ||
		(str[2] != 'a' && str[2] != 'b' && str[2] != 'y') ||
		str[3] != '$' || str[6] != '$')
		return false;
	if (str[4] < '0' || str[4] > '9' || str[5] < '0' || str[5] > '9')
		return false;
	cost = (str[4] - '0') * 10 + (str[5] - '0');
	if (cost < 4 || cost > 12)
		return false;
	for (size_t i = 7; i < len; i++)
	{
		/* bcrypt's own alphabet has these characters in another order */
		if (base64_value((unsigned char) str[i], BASE64_PASSLIB) < 0)
			return false;
	}
	return true;
}

/* Returns whether this is a port, as digits. Its value does not matter. */
static bool
is_port(const char *str, size_t len)
{
	if (len < 1 || len > 5)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (str[i] < '0' || str[i] > '9')
			return false;
	}
	return true;
}

/*
 * Reads a network address as a server or a proxy reports it: IPv4, IPv4 with a port,
 * IPv6, IPv6 in brackets, and that with a port; a zone (RFC 4007, section 11) is dropped.
 * Writes the 4 or 16 bytes of the address and their number. Returns false for anything
 * else: a name, a list, a network.
 */
bool
mogo_parse_address(const char *str, size_t len, uint8 *bytes, int *nbytes)
{
	char		host[INET6_ADDRSTRLEN];
	const char *colon = memchr(str, ':', len);
	const char *end = str + len;
	const char *zone;

	if (len > 0 && *str == '[')
	{
		const char *bracket = memchr(str, ']', len);

		if (bracket == NULL ||
			(bracket + 1 != end && (bracket[1] != ':' || !is_port(bracket + 2, end - bracket - 2))))
			return false;
		str++;
		end = bracket;
		*nbytes = 16;
	}
	else if (colon != NULL && memchr(colon + 1, ':', end - colon - 1) != NULL)
		*nbytes = 16;
	else
	{
		if (colon != NULL && !is_port(colon + 1, end - colon - 1))
			return false;
		if (colon != NULL)
			end = colon;
		*nbytes = 4;
	}
	zone = *nbytes == 16 ? memchr(str, '%', end - str) : NULL;
	if (zone != NULL)
	{
		if (zone + 1 == end)
			return false;
		end = zone;
	}
	if (end - str >= sizeof(host) || memchr(str, '\0', end - str) != NULL)
		return false;
	memcpy(host, str, end - str);
	host[end - str] = '\0';
	return inet_pton(*nbytes == 16 ? AF_INET6 : AF_INET, host, bytes) == 1;
}

/*
 * Undoes application/x-www-form-urlencoded (RFC 6749 section 2.3.1 and appendix B) in
 * place: '+' is a space, %XX a byte. Returns the new length, or -1 if an escape is
 * broken or stands for NUL, which PostgreSQL's text cannot hold.
 */
static int
parse_urlencoded(char *str, size_t len)
{
	size_t		n = 0;

	for (size_t i = 0; i < len; i++)
	{
		int			c = (unsigned char) str[i];

		if (c == '+')
			c = ' ';
		else if (c == '%')
		{
			if (len - i < 3 || (c = hex_byte(str + i + 1)) < 0)
				return -1;
			i += 2;
		}
		if (c == 0)
			return -1;
		str[n++] = (char) c;
	}
	return (int) n;
}

/*
 * Reads the value of an HTTP Authorization header: the scheme "Basic" in any case, one
 * or more spaces, base64 (RFC 7617) of the form-urlencoded client id, a colon, and the
 * form-urlencoded secret. The id is written to out, the secret right behind it. Returns
 * false for anything else, and if outsize is too small; it has to be 3/4 of the
 * header's length at least. The caller wipes out in either case.
 */
bool
mogo_parse_basic(const char *header, size_t len, char *out, size_t outsize,
				 size_t *idlen, size_t *secretlen)
{
	static const char scheme[] = "basic ";
	char	   *colon;
	int			n;
	int			m;

	if (!begins_with(header, len, scheme))
		return false;
	header += strlen(scheme);
	len -= strlen(scheme);
	while (len > 0 && *header == ' ')
	{
		header++;
		len--;
	}

	if (len / 4 * 3 + 3 > outsize)
		return false;
	n = parse_base64(header, len, BASE64, true, (uint8 *) out);
	if (n < 0)
		return false;
	colon = memchr(out, ':', n);
	if (colon == NULL)
		return false;

	m = parse_urlencoded(colon + 1, n - (colon + 1 - out));
	n = parse_urlencoded(out, colon - out);
	if (n < 0 || m < 0)
		return false;
	memmove(out + n, colon + 1, m);
	*idlen = n;
	*secretlen = m;
	return true;
}
