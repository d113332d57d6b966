/* From the room to the site: pass, session, and what a session is bound to.
 *
 *     claim ─► session, bound to network and browser ─► pass ─► URL ─► gateway check ─► session
 *
 * A URL is seen by more eyes than a cookie: logs, histories, referrers, chat. So what travels in it
 * is not the session but a pass, which is good for two minutes and, by the store's word, once. It
 * carries all that the session needs, so that the check makes the session from it without asking.
 *
 * The binding is a MAC, not a hash: the networks of the world are few enough to try them all.
 */
#include <string.h>

#include "signer.h"
#include "waitingroom/token.h"

#define BINDING_BYTES 8

_Static_assert(BASE64URL_LEN(BINDING_BYTES) == BINDING_CHARS, "");
_Static_assert(PASS_ID_CHARS == POSITION_ID_CHARS, "made by the same generator");

void pass_for_session(const struct session_claims *session, struct wall_time now,
					  struct pass_claims *ret_pass)
{
	*ret_pass = (struct pass_claims){.queue = session->queue,
									 .ticket = session->ticket,
									 .renewal = session->renewal,
									 .session_expires_s = session->expires_s,
									 .issued_s = now.ms / 1000,
									 .expires_s = now.ms / 1000 + PASS_LIFE_S};
	memcpy(ret_pass->position_id, session->position_id, sizeof(ret_pass->position_id));
	memcpy(ret_pass->epoch, session->epoch, sizeof(ret_pass->epoch));
	memcpy(ret_pass->lane, session->lane, sizeof(ret_pass->lane));
	memcpy(ret_pass->binding, session->binding, sizeof(ret_pass->binding));
	position_id_random(ret_pass->pass_id);
}

void session_from_pass(const struct pass_claims *pass, struct wall_time now,
					   struct session_claims *ret_session)
{
	*ret_session = (struct session_claims){.queue = pass->queue,
										   .ticket = pass->ticket,
										   .renewal = pass->renewal,
										   .issued_s = now.ms / 1000,
										   .expires_s = pass->session_expires_s};
	memcpy(ret_session->position_id, pass->position_id, sizeof(ret_session->position_id));
	memcpy(ret_session->epoch, pass->epoch, sizeof(ret_session->epoch));
	memcpy(ret_session->lane, pass->lane, sizeof(ret_session->lane));
	memcpy(ret_session->binding, pass->binding, sizeof(ret_session->binding));
}

/* First, so that it is the one that the check finds, whatever the target brought along. */
void target_add_pass(const char *target, const char *pass, char *ret_url)
{
	size_t path_len = strcspn(target, "?#");
	const char *rest = target + path_len;
	memcpy(ret_url, target, path_len);
	char *end = stpcpy(stpcpy(ret_url + path_len, "?wr_pass="), pass);
	if (*rest == '?') {
		*end++ = '&';
		rest++;
	}
	strcpy(end, rest);
}

/* Names of queues hold no newline, nor do networks and families. */
void binding_make(struct signer *signer, const struct queue_name *queue, const char *network,
				  const char *family, char ret_binding[BINDING_CHARS + 1])
{
	char name[QUEUE_NAME_TEXT_BYTES];
	struct signed_part parts[] = {
		{.bytes = "binding", .len = sizeof("binding")}, /* with its NUL, as link_mac has purposes */
		{.bytes = name, .len = queue_name_print(queue, name)},
		{.bytes = "\n", .len = 1},
		{.bytes = network, .len = strlen(network)},
		{.bytes = "\n", .len = 1},
		{.bytes = family, .len = strlen(family)},
	};
	uint8_t mac[HS256_BYTES];
	signer_hs256(signer, signer_keys(signer)->first[KEY_IDENTITY], parts,
				 sizeof(parts) / sizeof(parts[0]), mac);
	ret_binding[base64url_encode(mac, BINDING_BYTES, ret_binding)] = '\0';
}
