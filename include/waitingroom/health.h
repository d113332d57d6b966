/* Health: from what a pod knows to sentences that say what is wrong and what to do.
 *
 * What     GET /admin/v1/health and `wrctl doctor`. Limits are those of deploy/prometheus/alerts.yml (a test
 *          holds them together), without their waiting times: a person who asks wants to know now. Each
 *          finding names the page of deploy/runbooks that goes on from there.
 * Used by  cmd/api (admin_health*.c), wrctl doctor.
 * Threads  any; pure.
 */
#ifndef WAITINGROOM_HEALTH_H
#define WAITINGROOM_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waitingroom/config.h"
#include "waitingroom/err.h"
#include "waitingroom/pods.h"
#include "waitingroom/settings.h"
#include "waitingroom/state.h"
#include "waitingroom/text.h"

/* name, number, alert whose expression has it, how it stands there */
#define HEALTH_LIMIT_TABLE(X)                                                                      \
	X(HEALTH_STORE_SLOW_MS, 100, "StoreSlow", "> 0.1")                                             \
	X(HEALTH_STORE_MEMORY_PERCENT, 80, "StoreMemoryHigh", "> 0.8")                                 \
	X(HEALTH_PICTURE_OLD_MS, 5000, "IndexBehind", "> 5")                                           \
	X(HEALTH_FROZEN_MS, 10000, "LineFrozen", "> 10")                                               \
	X(HEALTH_OUTBOX_PERCENT, 80, "OutboxNearlyFull", "0.8 *")                                      \
	X(HEALTH_EVENTS_LATE_MS, 60000, "EventsLate", "> 60")                                          \
	X(HEALTH_TURN_LONG_MS, 250, "WorkerBlocked", "> 0.25")                                         \
	X(HEALTH_CONNECTIONS_PERCENT, 80, "PodNearItsLimits", "> 0.8")                                 \
	X(HEALTH_CLOCK_MS, 5000, "ClockSkew", "> 5")                                                   \
	X(HEALTH_WAIT_LONG_MS, 14400000, "SomebodyWaitsLong", "> 14400")
#define HEALTH_LIMIT_ENUM(name, number, alert, text) name = number,
enum health_limit { HEALTH_LIMIT_TABLE(HEALTH_LIMIT_ENUM) };
#undef HEALTH_LIMIT_ENUM

/* What alerts wait for with counters, and a look at one moment must decide by a time. */
#define HEALTH_NO_TICK_MS 10000		 /* NoAdmitter: nobody has tried to let people in */
#define HEALTH_STALLED_WARN_MS 30000 /* AdmissionStalled: places free, and nobody went in */
#define HEALTH_STALLED_MS 180000
#define HEALTH_NO_FLUSH_MS 10000
#define HEALTH_ADMIN_KEY_DAYS 14

enum health_status { HEALTH_OK, HEALTH_WARN, HEALTH_FAIL };
const char *health_status_word(enum health_status status); /* "ok", "warn", "fail" */
bool health_status_parse(const char *word, enum health_status *ret_status);

struct health_store {
	bool reachable;	  /* answered just now */
	char trouble[96]; /* why not, if known */
	int64_t answer_us;
	char server[32], version[24], role[16], policy[32];
	int64_t used_bytes, max_bytes; /* max 0: no limit */
	bool is_dragonfly, refuses_tags, evicts;
	bool saving_failed, appending_failed, loading;
	int64_t replicas;
};

struct health_broker {
	bool here;		   /* this pod has a relay */
	bool connected;	   /* of this pod's relay */
	bool looked;	   /* the stream has been looked at */
	bool stream_there; /* as it was then */
	char trouble[96];  /* what the broker said */
	int64_t replicas, replicas_current, replicas_wanted;
	int64_t oldest_ms; /* of the events that this relay sees waiting */
	uint64_t malformed;
};

struct health_keys {
	size_t position, session, entered; /* keys by use; entered: of the admin API's store */
	size_t expiring, expired;
	char first_name[64]; /* of a key that runs out soon */
	int64_t first_days;
	bool file_key_used; /* to change something, in the last day */
};

struct health_queue {
	struct queue_name name;
	const struct queue_settings *settings; /* borrows */
	enum queue_state state;
	uint64_t waiting, active, absent, returned, outbox;
	int64_t age_ms;			   /* of this pod's picture */
	int64_t oldest_ms;		   /* the longest wait */
	int64_t stalled_ms;		   /* people wait, places are free, and for so long nobody went in */
	int64_t tick_ms, flush_ms; /* since somebody last did; -1: not known, or never */
	bool recovering;
	uint64_t violations[VIOLATION_COUNT];
};

struct health_facts {
	int64_t now_ms;				 /* the store's clock, or ours while the store is away */
	const char *instance;		 /* who says this */
	const struct config *config; /* borrows */
	struct health_store store;
	struct health_broker broker;
	struct health_keys keys;
	int64_t clock_offset_ms; /* the store's clock minus ours */
	const struct pod_row *pods;
	size_t pod_count;
	const struct health_queue *queues;
	size_t queue_count, queues_in_all; /* looked at, and all that there are */
};

#define HEALTH_TEXT_BYTES 320
struct health_check {
	char name[QUEUE_NAME_TEXT_BYTES + 8];
	enum health_status status;
	char said[HEALTH_TEXT_BYTES]; /* one sentence with numbers */
	char act[HEALTH_TEXT_BYTES];  /* "do": what to do; "" when all is well */
};
struct health_report {
	struct health_check *list;
	size_t count, room;
};

/* One check or more for each of store, broker, clock, settings, keys, admitter, outbox, invariants,
 * pods and each queue: every finding, and "ok" where there is none. fills; end it with
 * health_report_clear. */
void health_judge(const struct health_facts *facts, struct health_report *ret_report);
void health_report_clear(struct health_report *report);

/* Adds one; 'runbook' may be NULL. The texts are cut where they are too long. */
void health_add(struct health_report *report, const char *name, enum health_status status,
				const char *runbook, const char *act, const char *said, ...) WR_PRINTF(6, 7);
enum health_status health_worst(const struct health_report *report);
/* Adds {"checks":[…]} */
void health_report_write(const struct health_report *report, struct json_out *out);
#define HEALTH_CHECK_JSON_BYTES 2048 /* of one check, at most */

/* The parts of health_judge, a file each. */
void health_judge_queues(const struct health_facts *facts, struct health_report *report);
void health_judge_settings(const struct health_facts *facts, struct health_report *report);
void health_judge_pods(const struct health_facts *facts, struct health_report *report);

/* ---- what Redis and its like say about themselves ---- */
/* Takes what INFO says; fields that are not there stay. */
void health_read_info(struct health_store *store, const char *info);

#endif
