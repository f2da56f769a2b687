/*-------------------------------------------------------------------------
 *
 * network.c
 *	  Whether an address is inside a client's networks.
 *
 * Nothing here raises an error for an address, and none of it keeps state.
 *
 *-------------------------------------------------------------------------
 */
#include "mogocred.h"

#include "utils/fmgrprotos.h"

/*
 * Returns an IPv4 address mapped into IPv6 (RFC 4291 section 2.5.5.2) as the IPv4 address
 * it is, any other as it came.
 */
static inet *
unmap_ipv4(const inet *addr)
{
	static const unsigned char prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
	inet	   *result;

	if (ip_family(addr) != PGSQL_AF_INET6 || ip_bits(addr) < 96 ||
		memcmp(ip_addr(addr), prefix, sizeof(prefix)) != 0)
		return unconstify(inet *, addr);
	result = palloc0(sizeof(inet));
	ip_family(result) = PGSQL_AF_INET;
	ip_bits(result) = ip_bits(addr) - 96;
	memcpy(ip_addr(result), ip_addr(addr) + sizeof(prefix), 4);
	SET_INET_VARSIZE(result);
	return result;
}

/* Returns whether the address is inside one of a client's networks, as <<= has it. */
bool
mogo_address_allowed(ArrayType *cidrs, const inet *addr)
{
	ArrayIterator iterator = array_create_iterator(cidrs, 0, NULL);
	Datum		element;
	bool		isnull;
	inet	   *host = unmap_ipv4(addr);
	bool		allowed = false;

	while (!allowed && array_iterate(iterator, &element, &isnull))
		allowed = !isnull &&
			DatumGetBool(DirectFunctionCall2(network_subeq, InetPGetDatum(host),
											 InetPGetDatum(unmap_ipv4(DatumGetInetPP(element)))));
	array_free_iterator(iterator);
	return allowed;
}
