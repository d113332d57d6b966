/* Gate: the decisions of the gate check. See include/waitingroom/gate.h for the rules. */
#include "waitingroom/gate.h"

#include <string.h>
#include <strings.h>

#define GATE_WORD(name, word) [name] = (word),

const char *gate_decision_word(enum gate_decision decision)
{
	static const char *const words[] = {GATE_DECISION_TABLE(GATE_WORD)};
	return words[decision];
}

const char *gate_session_word(enum gate_session session)
{
	static const char *const words[] = {GATE_SESSION_TABLE(GATE_WORD)};
	return words[session];
}

bool gate_decision_passes(enum gate_decision decision)
{
	return decision == GATE_ADMITTED || decision == GATE_BYPASS || decision == GATE_OPEN ||
		   decision == GATE_PASSTHROUGH;
}

/* ---- sessions ---- */

enum gate_session gate_session_judge(const struct session_claims *claims,
									 const struct queue_snapshot *snapshot, struct wall_time now)
{
	if (now.ms >= (claims->expires_s + TOKEN_LEEWAY_S) * 1000)
		return GATE_SESSION_EXPIRED;
	if (!epoch_counts(claims->epoch, snapshot->epoch, snapshot->lost_epochs))
		return GATE_SESSION_OTHER_LIFE;
	return revocations_has_session(snapshot->revocations, claims->position_id)
			   ? GATE_SESSION_REVOKED
			   : GATE_SESSION_GOOD;
}

bool gate_session_is_due(const struct session_claims *claims, const struct queue_settings *settings,
						 struct wall_time now)
{
	return settings->session_renewal && claims->renewal &&
		   (claims->expires_s * 1000 - now.ms) * 4 < settings->session_ttl_ms * 3;
}

/* ---- who asks ---- */

enum gate_asker gate_asker_of(const char *method, const char *fetch_mode, const char *accept)
{
	bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
	if (fetch_mode != NULL) {
		if (strcmp(fetch_mode, "navigate") != 0)
			return GATE_SCRIPT;
		return reads ? GATE_PAGE : GATE_FORM;
	}
	return reads && accept != NULL && strcasestr(accept, "text/html") != NULL ? GATE_PAGE
																			  : GATE_SCRIPT;
}

/* ---- decisions ---- */

enum gate_decision gate_decide(const struct gate_facts *facts)
{
	if (facts->has_pass && facts->session_is_good && facts->can_strip)
		return GATE_STRIP;
	if (facts->has_pass && facts->pass_is_good && !facts->session_is_good)
		return GATE_REDEEM;
	if (facts->session_is_good)
		return GATE_ADMITTED;
	if (facts->bypass_rule >= 0)
		return GATE_BYPASS;
	if (facts->state == QUEUE_PASSTHROUGH)
		return GATE_PASSTHROUGH;
	return facts->may_open ? GATE_OPEN : GATE_ROOM;
}

bool gate_open_take(int64_t *taken_up_to_ns, const struct queue_settings *settings,
					struct mono_time now)
{
	if (settings->rate_per_minute <= 0)
		return false;
	int64_t each_ns = INT64_C(60000000000) / settings->rate_per_minute;
	int64_t from_ns = *taken_up_to_ns > now.ns ? *taken_up_to_ns : now.ns;
	if (from_ns - now.ns > each_ns * (settings->burst - 1))
		return false;
	*taken_up_to_ns = from_ns + each_ns;
	return true;
}
