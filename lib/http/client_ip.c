/* Client address: who is asking, when proxies stand in front.
 *
 * Each proxy appends the address that it saw to X-Forwarded-For, so only the right end of that list
 * can be trusted, and only as far as the proxies are ours: the walk goes from right to left and
 * stops at the first address that is not one of them. What stands further left was written by
 * strangers. Text that is no address ends the walk too, and then the peer is all that is known.
 *
 * Addresses are kept as IPv6, IPv4 in its mapped form, so that one comparison serves both.
 */
#include "waitingroom/client_ip.h"

#include "waitingroom/memory.h"
#include "waitingroom/text.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define HOPS_MAX 16
#define ENTRY_MAX_CHARS 55 /* "[v6]:port" */

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct network {
	struct client_ip base;
	int bits; /* of 128 */
};

struct trusted_proxies {
	size_t count;
	struct network networks[];
};

/* ---- addresses ---- */

bool client_ip_parse(const char *text, struct client_ip *ret_ip)
{
	struct client_ip ip = {0};
	if (inet_pton(AF_INET, text, ip.bytes + sizeof(mapped_prefix)) == 1)
		memcpy(ip.bytes, mapped_prefix, sizeof(mapped_prefix));
	else if (inet_pton(AF_INET6, text, ip.bytes) != 1)
		return false;
	ip.is_v4 = !memcmp(ip.bytes, mapped_prefix, sizeof(mapped_prefix));
	*ret_ip = ip;
	return true;
}

/* Keeps the first bits, of 128. */
static void mask(struct client_ip *ip, int bits)
{
	for (int i = 0; i < 16; i++) {
		int kept = bits - 8 * i;
		if (kept < 8)
			ip->bytes[i] &= (uint8_t)(kept <= 0 ? 0 : 0xff << (8 - kept));
	}
}

static struct client_ip prefix_of(const struct client_ip *ip, int v4_bits, int v6_bits)
{
	struct client_ip prefix = *ip;
	mask(&prefix, ip->is_v4 ? 96 + v4_bits : v6_bits);
	return prefix;
}

void client_ip_network(const struct client_ip *ip, char ret_text[NETWORK_TEXT_BYTES])
{
	struct client_ip network = prefix_of(ip, 24, 48);
	if (ip->is_v4)
		inet_ntop(AF_INET, network.bytes + sizeof(mapped_prefix), ret_text, NETWORK_TEXT_BYTES);
	else
		inet_ntop(AF_INET6, network.bytes, ret_text, NETWORK_TEXT_BYTES);
}

static uint64_t mix(uint64_t x) /* the finalizer of splitmix64 */
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

uint64_t client_ip_hash(const struct client_ip *ip, int v4_bits, int v6_bits)
{
	struct client_ip prefix = prefix_of(ip, v4_bits, v6_bits);
	uint64_t high, low;
	memcpy(&high, prefix.bytes, sizeof(high));
	memcpy(&low, prefix.bytes + sizeof(high), sizeof(low));
	return mix(mix(high + 0x9e3779b97f4a7c15u) + low);
}

/* ---- trusted proxies ---- */

static bool parse_network(const char *text, size_t len, struct network *ret_network)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = memchr(text, '/', len);
	size_t address_len = slash ? (size_t)(slash - text) : len;
	if (address_len >= sizeof(address))
		return false;
	memcpy(address, text, address_len);
	address[address_len] = '\0';
	if (!client_ip_parse(address, &ret_network->base))
		return false;
	bool is_v4 = ret_network->base.is_v4 && !memchr(address, ':', address_len);
	uint64_t bits = is_v4 ? 32 : 128;
	if (slash && !text_to_u64(slash + 1, len - address_len - 1, bits, &bits))
		return false;
	ret_network->bits = (int)bits + (is_v4 ? 96 : 0);
	mask(&ret_network->base, ret_network->bits);
	return true;
}

enum wr_err trusted_proxies_parse(const char *text, struct trusted_proxies **ret_list,
								  struct err_detail *ret_detail)
{
	size_t room = 1;
	for (const char *at = text; *at; at++)
		room += *at == ',';
	struct trusted_proxies *list =
		mem_alloc_zero(1, sizeof(*list) + room * sizeof(list->networks[0]));
	for (const char *at = text;;) {
		at += strspn(at, " \t");
		size_t len = strcspn(at, ","), used = len;
		while (used && (at[used - 1] == ' ' || at[used - 1] == '\t'))
			used--;
		if (used && !parse_network(at, used, &list->networks[list->count++])) {
			free(list);
			return err_say(ret_detail, WR_BAD_CONFIG,
						   "trusted proxies: %.*s is neither an address nor a network",
						   (int)(used < 64 ? used : 64), at);
		}
		if (!at[len])
			break;
		at += len + 1;
	}
	*ret_list = list;
	return WR_OK;
}

void trusted_proxies_free(struct trusted_proxies *list)
{
	free(list);
}

static bool is_trusted(const struct trusted_proxies *proxies, const struct client_ip *ip)
{
	for (size_t i = 0; proxies && i < proxies->count; i++) {
		struct client_ip prefix = *ip;
		mask(&prefix, proxies->networks[i].bits);
		if (!memcmp(prefix.bytes, proxies->networks[i].base.bytes, sizeof(prefix.bytes)))
			return true;
	}
	return false;
}

bool trusted_proxies_have_peer(const struct trusted_proxies *proxies, const char *peer)
{
	struct client_ip ip;
	return !client_ip_parse(peer, &ip) || is_trusted(proxies, &ip);
}

/* ---- the walk ---- */

/* An entry of the list: an address, or, from some proxies, one with a port. */
static bool parse_entry(const char *text, size_t len, struct client_ip *ret_ip)
{
	char entry[ENTRY_MAX_CHARS + 1];
	while (len && (*text == ' ' || *text == '\t'))
		text++, len--;
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	if (!len || len > ENTRY_MAX_CHARS)
		return false;
	memcpy(entry, text, len);
	entry[len] = '\0';
	if (entry[0] == '[') {
		char *bracket = strchr(entry, ']');
		if (!bracket || (bracket[1] && bracket[1] != ':'))
			return false;
		*bracket = '\0';
		return client_ip_parse(entry + 1, ret_ip);
	}
	char *colon = strchr(entry, ':');
	if (colon && strchr(entry, '.') && !strchr(colon + 1, ':'))
		*colon = '\0';
	return client_ip_parse(entry, ret_ip);
}

struct client_ip client_ip_find(const char *peer, const char *forwarded_for,
								const struct trusted_proxies *proxies)
{
	struct client_ip unknown = {.is_v4 = true}, from_peer, ip;
	memcpy(unknown.bytes, mapped_prefix, sizeof(mapped_prefix));
	bool peer_is_known = client_ip_parse(peer, &from_peer);
	if (!peer_is_known)
		from_peer = unknown;
	else if (!is_trusted(proxies, &from_peer))
		return from_peer;
	ip = from_peer;
	size_t end = forwarded_for ? strlen(forwarded_for) : 0;
	for (int hops = 0; end && hops < HOPS_MAX; hops++) {
		size_t start = end;
		while (start && forwarded_for[start - 1] != ',')
			start--;
		if (!parse_entry(forwarded_for + start, end - start, &ip))
			return from_peer;
		if (!is_trusted(proxies, &ip))
			return ip;
		end = start ? start - 1 : 0;
	}
	return ip;
}
