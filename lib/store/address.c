/* Address: where the store is, from a URL, and what its name resolves to.
 *
 *     redis://[user[:password]@]host[:port][/db]     redis://:password@host
 *     rediss://… [?ca=/file][&cert=/file&key=/file]  with TLS (tls.c)
 *     unix:///path[?db=N]
 *
 * Parts of the URL may be percent-encoded (RFC 3986, 2.1). A name may have several addresses (IPv4
 * and IPv6, or several servers of which one is the primary): all are kept, and attempts go around.
 *
 * Who meets here: anybody may resolve, clients pick at each attempt to connect; both are rare, so a
 * mutex guards the list. Everything else is constant after parsing.
 */
#include "lib/store/client.h"
#include "tls.h"

#include "waitingroom/memory.h"

#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define ADDRESSES_MAX 8
#define PART_BYTES 256 /* of each part of the URL, decoded, with NUL */
#define DEFAULT_PORT 6379
#define DATABASE_MAX 65535

struct store_address {
	char host[PART_BYTES]; /* a name, a numeric address, or the path of a socket */
	char user[PART_BYTES], password[PART_BYTES];
	int port; /* 0: unix socket */
	int database;
	struct tls *tls; /* NULL: none */
	pthread_mutex_t lock;
	size_t count; /* guarded by 'lock', as is the list */
	char numeric[ADDRESSES_MAX][64];
};

static const char *const accepted_forms =
	"redis://[user[:password]@]host[:port][/db], rediss://… with TLS, or unix:///path[?db=N]";

/* ---- parsing ---- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

/* One part of the URL, percent-decoded. False: too long, a bad escape, or a NUL in it. */
static bool decode(const char *text, size_t len, char ret_part[PART_BYTES])
{
	size_t out = 0;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c == '%') {
			if (i + 2 >= len || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0)
				return false;
			c = (char)(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
			i += 2;
		}
		if (c == '\0' || out + 1 >= PART_BYTES)
			return false;
		ret_part[out++] = c;
	}
	ret_part[out] = '\0';
	return true;
}

static bool parse_number(const char *text, size_t len, uint64_t max, int *ret_number)
{
	uint64_t number;
	if (!text_to_u64(text, len, max, &number))
		return false;
	*ret_number = (int)number;
	return true;
}

/* "user:password", "user" or ":password". */
static bool parse_login(struct store_address *address, const char *text, size_t len)
{
	const char *colon = memchr(text, ':', len);
	size_t user_len = colon ? (size_t)(colon - text) : len;
	return decode(text, user_len, address->user) &&
		   (!colon || decode(colon + 1, len - user_len - 1, address->password));
}

/* "host", "host:port" or "[v6]:port". */
static bool parse_host(struct store_address *address, const char *text, size_t len)
{
	const char *end = text + len, *host_end, *port;
	if (len && text[0] == '[') {
		text++;
		host_end = memchr(text, ']', len - 1);
		if (!host_end)
			return false;
		port = host_end + 1;
	} else {
		host_end = memchr(text, ':', len);
		if (!host_end)
			host_end = end;
		port = host_end;
	}
	address->port = DEFAULT_PORT;
	if (port < end) {
		size_t digits = (size_t)(end - port) - 1;
		if (*port != ':' || !parse_number(port + 1, digits, 65535, &address->port) ||
			address->port == 0)
			return false;
	}
	return host_end > text && decode(text, (size_t)(host_end - text), address->host);
}

static enum wr_err parse_redis(struct store_address *address, const char *rest,
							   struct err_detail *ret_detail)
{
	const char *slash = strchr(rest, '/');
	size_t len = slash ? (size_t)(slash - rest) : strlen(rest);
	const char *at = memrchr(rest, '@', len);
	if (at && !parse_login(address, rest, (size_t)(at - rest)))
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "store URL: user or password is longer than %d bytes or has a bad %%-escape",
					   PART_BYTES - 1);
	const char *host = at ? at + 1 : rest;
	if (!parse_host(address, host, len - (size_t)(host - rest)))
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "store URL: no host, or a port that is not 1..65535");
	if (slash && slash[1] &&
		!parse_number(slash + 1, strlen(slash + 1), DATABASE_MAX, &address->database))
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "store URL: what follows the host must be the number of a database");
	return WR_OK;
}

/* "ca=/file&cert=/file&key=/file", any of them. */
static bool parse_files(const char *query, char ret_files[3][PART_BYTES])
{
	static const char *const names[3] = {"ca=", "cert=", "key="};
	for (size_t len; *query; query += len, query += *query == '&') {
		len = strcspn(query, "&");
		size_t i = 0;
		while (i < 3 && strncmp(query, names[i], strlen(names[i])) != 0)
			i++;
		if (i == 3 || ret_files[i][0])
			return false;
		size_t name_len = strlen(names[i]);
		if (!decode(query + name_len, len - name_len, ret_files[i]) || !ret_files[i][0])
			return false;
	}
	return true;
}

static enum wr_err parse_rediss(struct store_address *address, const char *rest,
								struct err_detail *ret_detail)
{
	size_t len = strcspn(rest, "?");
	char files[3][PART_BYTES] = {0};
	if (rest[len] && !parse_files(rest + len + 1, files))
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "store URL: behind '?' may stand ca=, cert= and key=, each with a file");
	WR_AUTO(mem_free_at) char *before = mem_copy(rest, len);
	enum wr_err err = parse_redis(address, before, ret_detail);
	explicit_bzero(before, len);
	if (err)
		return err;
	return tls_new(address->host, &(struct tls_files){files[0], files[1], files[2]}, &address->tls,
				   ret_detail);
}

static enum wr_err parse_unix(struct store_address *address, const char *path,
							  struct err_detail *ret_detail)
{
	const char *query = strchr(path, '?');
	size_t len = query ? (size_t)(query - path) : strlen(path);
	if (path[0] != '/' || !decode(path, len, address->host) ||
		strlen(address->host) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "store URL: the path of the socket must be absolute and at most 107 bytes");
	if (query && (strncmp(query, "?db=", 4) != 0 ||
				  !parse_number(query + 4, strlen(query + 4), DATABASE_MAX, &address->database)))
		return err_say(ret_detail, WR_BAD_CONFIG, "store URL: after the path only ?db=<number>");
	return WR_OK;
}

static enum wr_err parse_url(struct store_address *address, const char *url,
							 struct err_detail *ret_detail)
{
	if (strncmp(url, "redis://", 8) == 0)
		return parse_redis(address, url + 8, ret_detail);
	if (strncmp(url, "unix://", 7) == 0)
		return parse_unix(address, url + 7, ret_detail);
	if (strncmp(url, "rediss://", 9) == 0)
		return parse_rediss(address, url + 9, ret_detail);
	return err_say(ret_detail, WR_BAD_CONFIG, "store URL: must be %s", accepted_forms);
}

enum wr_err store_address_parse(const char *url, struct store_address **ret_address,
								struct err_detail *ret_detail)
{
	struct store_address *address = mem_alloc_zero(1, sizeof(*address));
	pthread_mutex_init(&address->lock, NULL);
	enum wr_err err = parse_url(address, url, ret_detail);
	if (err) {
		store_address_free(address);
		return err;
	}
	store_address_resolve(address);
	*ret_address = address;
	return WR_OK;
}

void store_address_free(struct store_address *address)
{
	if (!address)
		return;
	pthread_mutex_destroy(&address->lock);
	explicit_bzero(address->password, sizeof(address->password));
	tls_free(address->tls);
	free(address);
}

/* ---- resolving and picking ---- */

void store_address_resolve(struct store_address *address)
{
	if (address->port == 0)
		return;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	if (getaddrinfo(address->host, NULL, &hints, &found) != 0)
		return; /* what was known before is still the best guess */
	char numeric[ADDRESSES_MAX][sizeof(address->numeric[0])];
	size_t count = 0;
	for (const struct addrinfo *at = found; at && count < ADDRESSES_MAX; at = at->ai_next)
		if (getnameinfo(at->ai_addr, at->ai_addrlen, numeric[count], sizeof(numeric[0]), NULL, 0,
						NI_NUMERICHOST) == 0)
			count++;
	freeaddrinfo(found);
	if (count == 0)
		return;
	pthread_mutex_lock(&address->lock);
	memcpy(address->numeric, numeric, count * sizeof(numeric[0]));
	address->count = count;
	pthread_mutex_unlock(&address->lock);
}

bool store_address_pick(struct store_address *address, unsigned attempt,
						struct store_endpoint *ret_endpoint)
{
	ret_endpoint->port = address->port;
	if (address->port == 0) {
		strcpy(ret_endpoint->host, address->host);
		return true;
	}
	pthread_mutex_lock(&address->lock);
	bool known = address->count > 0;
	if (known)
		strcpy(ret_endpoint->host, address->numeric[attempt % address->count]);
	pthread_mutex_unlock(&address->lock);
	return known;
}

const char *store_address_user(const struct store_address *address)
{
	return address->user;
}

const char *store_address_password(const struct store_address *address)
{
	return address->password;
}

int store_address_database(const struct store_address *address)
{
	return address->database;
}

const struct tls *store_address_tls(const struct store_address *address)
{
	return address->tls;
}
