/* What may be told of keys: pods that have different ones refuse each other's tokens, and nobody
 * sees why, so every pod tells a fingerprint of its own. The secrets have 256 bits and more: their
 * hash gives nothing away.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "key_table.h"
#include "waitingroom/token.h"

#define HEX_ROOM (2 * KEY_SECRET_MAX_BYTES + 1)

static void print_hex(const uint8_t *bytes, size_t len, char ret_hex[HEX_ROOM])
{
	for (size_t i = 0; i < len; i++)
		sprintf(ret_hex + 2 * i, "%02x", bytes[i]);
	ret_hex[2 * len] = '\0';
}

void keys_summarize(const struct keys *keys, struct keys_summary *ret_summary)
{
	char all[65] = "", line[sizeof(all) + KID_MAX_CHARS + HEX_ROOM + 4], hex[HEX_ROOM];
	*ret_summary = (struct keys_summary){.position = 0};
	for (size_t i = 0; i < keys->count; i++) {
		const struct key_row *row = &keys->rows[i];
		ret_summary->position += row->use == KEY_POSITION;
		ret_summary->session += row->use == KEY_SESSION;
		if (row->pair != NULL)
			print_hex(row->x, P256_BYTES, hex);
		else
			print_hex(row->secret, row->secret_len, hex);
		int len = snprintf(line, sizeof(line), "%s %s %s", all, row->kid, hex);
		sha256_hex(line, (size_t)len, all);
	}
	OPENSSL_cleanse(line, sizeof(line));
	OPENSSL_cleanse(hex, sizeof(hex));
	memcpy(ret_summary->fingerprint, all, KEYS_FINGERPRINT_CHARS);
}
