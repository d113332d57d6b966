/* Settings bypass: the rules of requests that pass without a session, from JSON and back.
 *
 * A rule that asks for nothing would let everybody pass and is refused; so are a header without a
 * secret and bits of a network behind its prefix, which say that somebody meant something else.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings_rules.h"
#include "waitingroom/memory.h"

static const char *const methods[] = {BYPASS_METHODS};
#define METHOD_COUNT (sizeof(methods) / sizeof(methods[0]))

/* ---- single members; each returns what is wrong, "must …", or NULL ---- */

static const char *read_path_prefix(struct bypass_rule *rule, const char *text)
{
	size_t len = strlen(text);
	if (text[0] != '/' || len > BYPASS_TEXT_BYTES)
		return "must begin with / and be at most 256 bytes";
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~' || strchr("?#\\%;*", text[i]))
			return "must be a plain path: printable ASCII without space ? # % ; * and backslash";
	if (strstr(text, "//") || strstr(text, "/./") || strstr(text, "/../"))
		return "must not have empty parts, . or ..";
	memcpy(rule->path_prefix, text, len + 1);
	return NULL;
}

static const char *read_extension(struct bypass_rule *rule, const char *text)
{
	size_t len = strlen(text);
	for (size_t i = 0; i < len && i < BYPASS_EXTENSION_CHARS; i++) {
		bool upper = text[i] >= 'A' && text[i] <= 'Z';
		rule->extension[i] = (char)(upper ? text[i] + ('a' - 'A') : text[i]);
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789", rule->extension[i]))
			len = 0;
	}
	return len >= 1 && len <= BYPASS_EXTENSION_CHARS
			   ? NULL
			   : "must be 1..16 letters and digits without the dot, for example css";
}

static const char *read_user_agent(struct bypass_rule *rule, const char *text)
{
	size_t len = strlen(text);
	size_t stars = strspn(text, "*");
	if (len == stars || len > BYPASS_TEXT_BYTES)
		return "must be a pattern of at most 256 bytes, for example *Googlebot/*; a pattern of "
			   "nothing but * fits everybody";
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return "must be printable ASCII";
	memcpy(rule->user_agent, text, len + 1);
	return NULL;
}

static const char *read_header(struct bypass_rule *rule, const char *text)
{
	size_t len = strlen(text);
	for (size_t i = 0; i < len && i < BYPASS_HEADER_CHARS; i++) {
		bool upper = text[i] >= 'A' && text[i] <= 'Z';
		rule->header[i] = (char)(upper ? text[i] + ('a' - 'A') : text[i]);
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", rule->header[i]))
			len = 0;
	}
	return len >= 1 && len <= BYPASS_HEADER_CHARS
			   ? NULL
			   : "must be the name of a header: 1..64 letters, digits and -";
}

static const char *read_secret(struct bypass_rule *rule, const char *text)
{
	static const char wrong[] = "must be the SHA-256 of the header's value in hex, 64 digits; "
								"printf %s \"$secret\" | sha256sum";
	if (strlen(text) != 2 * sizeof(rule->secret_sha256) ||
		strspn(text, "0123456789abcdefABCDEF") != strlen(text))
		return wrong;
	for (size_t i = 0; i < sizeof(rule->secret_sha256); i++) {
		char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
		rule->secret_sha256[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return NULL;
}

static const char *read_network(struct bypass_rule *rule, const char *text)
{
	static const char wrong[] = "must be an address or a network, for example 192.0.2.0/24 or "
								"2001:db8::/32, with no bits behind the prefix";
	char address[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "/");
	uint64_t bits;
	if (len >= sizeof(address))
		return wrong;
	memcpy(address, text, len);
	address[len] = '\0';
	bool is_v4 = strchr(address, ':') == NULL;
	uint8_t *bytes = rule->network + (is_v4 ? 12 : 0);
	if (is_v4)
		memcpy(rule->network, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
	if (inet_pton(is_v4 ? AF_INET : AF_INET6, address, bytes) != 1)
		return wrong;
	bits = is_v4 ? 32 : 128;
	if (text[len] == '/' && !text_to_u64(text + len + 1, strlen(text + len + 1), bits, &bits))
		return wrong;
	bits += is_v4 ? 96 : 0;
	for (size_t bit = bits; bit < 128; bit++)
		if (rule->network[bit / 8] >> (7 - bit % 8) & 1)
			return wrong;
	rule->network_bits = (uint8_t)bits;
	rule->has_network = true;
	return NULL;
}

static const char *read_methods(struct bypass_rule *rule, const struct json_value *value)
{
	static const char wrong[] = "must be an array of methods, for example [\"GET\",\"HEAD\"]";
	if (!json_is_array(value) || json_count(value) == 0)
		return wrong;
	for (size_t i = 0; i < json_count(value); i++) {
		const char *text = "";
		size_t method = 0;
		json_string(json_at(value, i), &text);
		while (method < METHOD_COUNT && strcmp(text, methods[method]) != 0)
			method++;
		if (method == METHOD_COUNT)
			return wrong;
		rule->methods |= (uint16_t)(1u << method);
	}
	return NULL;
}

/* ---- rules ---- */

static const struct {
	const char *name;
	const char *(*read)(struct bypass_rule *rule, const char *text);
} readers[] = {
	{"path_prefix", read_path_prefix}, {"extension", read_extension},
	{"network", read_network},		   {"user_agent", read_user_agent},
	{"header", read_header},		   {"secret_sha256", read_secret},
};
#define READER_COUNT (sizeof(readers) / sizeof(readers[0]))

static enum wr_err read_member(struct bypass_rule *rule, const struct json_value *member,
							   unsigned number, struct err_detail *ret_detail)
{
	const char *name = json_key(member), *text = NULL, *wrong = NULL;
	size_t at = 0;
	while (at < READER_COUNT && strcmp(name, readers[at].name) != 0)
		at++;
	bool is_methods = strcmp(name, "methods") == 0;
	if (at == READER_COUNT && !is_methods)
		return err_say(ret_detail, WR_INVALID,
					   "bypass[%u]: must have no members but path_prefix, extension, network, "
					   "user_agent, header, secret_sha256 and methods",
					   number);
	if (is_methods)
		wrong = read_methods(rule, member);
	else
		wrong = json_string(member, &text) ? readers[at].read(rule, text) : "must be a string";
	if (wrong)
		return err_say(ret_detail, WR_INVALID, "bypass[%u].%s: %s", number,
					   is_methods ? "methods" : readers[at].name, wrong);
	return WR_OK;
}

static enum wr_err read_rule(struct bypass_rule *rule, const struct json_value *value,
							 unsigned number, struct err_detail *ret_detail)
{
	if (!json_is_object(value))
		return err_say(ret_detail, WR_INVALID, "bypass[%u]: must be an object", number);
	for (size_t i = 0; i < json_count(value); i++) {
		enum wr_err err = read_member(rule, json_at(value, i), number, ret_detail);
		if (err != WR_OK)
			return err;
	}
	bool has_header = json_member(value, "header") != NULL;
	if (has_header != (json_member(value, "secret_sha256") != NULL))
		return err_say(ret_detail, WR_INVALID,
					   "bypass[%u].%s: must be given: header and secret_sha256 go together", number,
					   has_header ? "secret_sha256" : "header");
	if (!rule->path_prefix[0] && !rule->extension[0] && !rule->user_agent[0] && !rule->header[0] &&
		!rule->has_network && !rule->methods)
		return err_say(ret_detail, WR_INVALID,
					   "bypass[%u]: must ask for something; state passthrough lets all pass",
					   number);
	return WR_OK;
}

enum wr_err settings_read_bypass(struct queue_settings *settings, const struct json_value *value,
								 struct err_detail *ret_detail)
{
	size_t count = json_count(value);
	if (!json_is_array(value) || count > QUEUE_BYPASS_MAX)
		return err_say(ret_detail, WR_INVALID, "bypass: must be an array of at most %d rules",
					   QUEUE_BYPASS_MAX);
	WR_AUTO(mem_free_at)
	struct bypass_rule *rules = count > 0 ? mem_alloc_zero(count, sizeof(*rules)) : NULL;
	for (unsigned i = 0; i < count; i++) {
		enum wr_err err = read_rule(&rules[i], json_at(value, i), i, ret_detail);
		if (err != WR_OK)
			return err;
	}
	settings_drop_bypass(settings);
	settings->bypass = WR_TAKE(rules);
	settings->bypass_count = (uint32_t)count;
	return WR_OK;
}

void settings_drop_bypass(struct queue_settings *settings)
{
	free(settings->bypass);
	settings->bypass = NULL;
	settings->bypass_count = 0;
}

/* ---- writing ---- */

static void write_network(const struct bypass_rule *rule, struct json_out *out)
{
	bool is_v4 =
		memcmp(rule->network, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0 && rule->network_bits >= 96;
	char address[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 8];
	inet_ntop(is_v4 ? AF_INET : AF_INET6, rule->network + (is_v4 ? 12 : 0), address,
			  sizeof(address));
	snprintf(text, sizeof(text), "%s/%d", address, rule->network_bits - (is_v4 ? 96 : 0));
	json_out_string(out, "network", text);
}

static void write_rule(const struct bypass_rule *rule, struct json_out *out)
{
	char hex[2 * sizeof(rule->secret_sha256) + 1];
	json_out_object(out, NULL);
	if (rule->path_prefix[0])
		json_out_string(out, "path_prefix", rule->path_prefix);
	if (rule->extension[0])
		json_out_string(out, "extension", rule->extension);
	if (rule->has_network)
		write_network(rule, out);
	if (rule->user_agent[0])
		json_out_string(out, "user_agent", rule->user_agent);
	if (rule->header[0]) {
		for (size_t i = 0; i < sizeof(rule->secret_sha256); i++)
			sprintf(hex + 2 * i, "%02x", rule->secret_sha256[i]);
		json_out_string(out, "header", rule->header);
		json_out_string(out, "secret_sha256", hex);
	}
	if (rule->methods) {
		json_out_array(out, "methods");
		for (size_t i = 0; i < METHOD_COUNT; i++)
			if (rule->methods >> i & 1)
				json_out_string(out, NULL, methods[i]);
		json_out_array_end(out);
	}
	json_out_object_end(out);
}

void settings_write_bypass(const struct queue_settings *settings, struct json_out *out,
						   const char *key, bool secrets)
{
	(void)secrets; /* of a secret only the hash is known */
	json_out_array(out, key);
	for (unsigned i = 0; i < settings->bypass_count; i++)
		write_rule(&settings->bypass[i], out);
	json_out_array_end(out);
}
