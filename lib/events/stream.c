/* Streams: created when missing, compared when there, never deleted.
 *
 * The settings in our configuration are the truth: a stream that differs is updated, starting from
 * what it is, so that everything this program has no opinion on (placement, description, mirrors)
 * stays. Storage and retention cannot be changed by an update; a stream that differs there still
 * takes events, so it is used as it is, and the difference is logged each time it is seen.
 *
 * A missing stream on a server that has just started usually is one that has not been recovered
 * yet. Creating it then fails or finds it, and the caller tries again.
 */
#include "stream.h"

#include "reason.h"
#include "waitingroom/log.h"

#include <stdio.h>
#include <string.h>

#define REQUEST_MS 2000
#define NS_PER_S INT64_C(1000000000)
#define DLQ_SHARE 16 /* of the bytes of the main stream */
#define DLQ_BYTES_MIN (INT64_C(1) << 20)

struct wanted {
	const char *name;
	const char **subjects;
	int subject_count;
	int64_t max_bytes;
	const struct stream_settings *settings;
};

static void fill_config(jsStreamConfig *config, const struct wanted *wanted)
{
	jsStreamConfig_Init(config);
	config->Name = wanted->name;
	config->Subjects = wanted->subjects;
	config->SubjectsLen = wanted->subject_count;
	config->Retention = js_LimitsPolicy;
	config->Storage = js_FileStorage;
	config->Discard = js_DiscardOld;
	config->MaxConsumers = -1;
	config->MaxMsgs = -1;
	config->MaxMsgsPerSubject = -1;
	config->MaxMsgSize = -1;
	config->MaxBytes = wanted->max_bytes;
	config->MaxAge = wanted->settings->max_age_s * NS_PER_S;
	config->Duplicates = wanted->settings->duplicate_window_s * NS_PER_S;
	config->Replicas = wanted->settings->replicas;
	config->AllowDirect = true;
}

static bool has_subject(const jsStreamConfig *config, const char *subject)
{
	for (int i = 0; i < config->SubjectsLen; i++) {
		if (strcmp(config->Subjects[i], subject) == 0)
			return true;
	}
	return false;
}

/* More subjects than ours are somebody else's business. */
static bool has_subjects(const jsStreamConfig *config, const struct wanted *wanted)
{
	for (int i = 0; i < wanted->subject_count; i++) {
		if (!has_subject(config, wanted->subjects[i]))
			return false;
	}
	return true;
}

static void log_difference(const char *stream, const char *setting, int64_t is, int64_t should,
						   bool will_change)
{
	char is_text[24], should_text[24]; /* subjects are said as texts: one field has one type */
	snprintf(is_text, sizeof(is_text), "%lld", (long long)is);
	snprintf(should_text, sizeof(should_text), "%lld", (long long)should);
	log_event(will_change ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
			  will_change ? "stream_setting_changes" : "stream_setting_differs",
			  LOG_TEXT("stream", stream), LOG_TEXT("setting", setting), LOG_TEXT("is", is_text),
			  LOG_TEXT("should_be", should_text));
}

/* One row per setting: how it is found in both configurations and what may be done about it. The
 * numbers of storage, retention and discard are those of nats.h. */
#define STREAM_SETTING_TABLE(X)                                                                    \
	X("storage", Storage, false)                                                                   \
	X("retention", Retention, false)                                                               \
	X("discard", Discard, true)                                                                    \
	X("max_msgs", MaxMsgs, true)                                                                   \
	X("max_msgs_per_subject", MaxMsgsPerSubject, true)                                             \
	X("max_msg_size", MaxMsgSize, true)                                                            \
	X("max_bytes", MaxBytes, true)                                                                 \
	X("max_age_ns", MaxAge, true)                                                                  \
	X("duplicate_window_ns", Duplicates, true)                                                     \
	X("replicas", Replicas, true)                                                                  \
	X("allow_direct", AllowDirect, true)

/* Takes over into 'is' what may be changed. True: there is something to change. */
static bool take_over(jsStreamConfig *is, const jsStreamConfig *should)
{
	bool changes = false;
#define STREAM_SETTING(label, member, may_change)                                                  \
	if (is->member != should->member) {                                                            \
		log_difference(should->Name, label, (int64_t)is->member, (int64_t)should->member,          \
					   may_change);                                                                \
		if (may_change) {                                                                          \
			is->member = should->member;                                                           \
			changes = true;                                                                        \
		}                                                                                          \
	}
	STREAM_SETTING_TABLE(STREAM_SETTING)
#undef STREAM_SETTING
	return changes;
}

static void log_refusal(const char *stream, natsStatus status)
{
	log_event(LOG_LEVEL_WARN, "stream_not_as_wanted", LOG_TEXT("stream", stream),
			  LOG_TEXT("reason", reason_of(status)));
}

static void update(jsCtx *js, const struct wanted *wanted, jsOptions *options, jsStreamConfig *is)
{
	jsStreamConfig should;
	fill_config(&should, wanted);
	jsStreamConfig changed = *is; /* a copy: what belongs to the library must stay in 'is' */
	bool changes = take_over(&changed, &should);
	if (!has_subjects(is, wanted)) {
		log_event(LOG_LEVEL_INFO, "stream_setting_changes", LOG_TEXT("stream", wanted->name),
				  LOG_TEXT("setting", "subjects"),
				  LOG_TEXT("is", is->SubjectsLen ? is->Subjects[0] : ""),
				  LOG_TEXT("should_be", wanted->subjects[0]));
		changed.Subjects = wanted->subjects;
		changed.SubjectsLen = wanted->subject_count;
		changes = true;
	}
	if (!changes)
		return;
	natsStatus status = js_UpdateStream(NULL, js, &changed, options, NULL);
	if (status != NATS_OK)
		log_refusal(wanted->name, status);
}

static natsStatus assert_one(jsCtx *js, const struct wanted *wanted)
{
	jsOptions options;
	jsOptions_Init(&options);
	options.Wait = REQUEST_MS;
	jsStreamInfo *info = NULL;
	natsStatus status = js_GetStreamInfo(&info, js, wanted->name, &options, NULL);
	if (status == NATS_OK) {
		update(js, wanted, &options, info->Config);
		jsStreamInfo_Destroy(info);
		return NATS_OK;
	}
	if (status != NATS_NOT_FOUND)
		return status;
	jsStreamConfig config;
	fill_config(&config, wanted);
	status = js_AddStream(NULL, js, &config, &options, NULL);
	if (status == NATS_OK)
		log_event(LOG_LEVEL_INFO, "stream_created", LOG_TEXT("stream", wanted->name));
	return status;
}

static int64_t dlq_bytes(int64_t max_bytes)
{
	if (max_bytes < 0)
		return max_bytes;
	return max_bytes / DLQ_SHARE > DLQ_BYTES_MIN ? max_bytes / DLQ_SHARE : DLQ_BYTES_MIN;
}

enum wr_err streams_assert(jsCtx *js, const struct stream_settings *settings,
						   struct err_detail *ret_detail)
{
	const char *subjects[] = {STREAM_SUBJECTS};
	const struct wanted events = {STREAM_NAME, subjects, 1, settings->max_bytes, settings};
	natsStatus status = assert_one(js, &events);
	if (status != NATS_OK)
		return err_say(ret_detail, WR_BROKER_AWAY, "stream %s: %s", STREAM_NAME, reason_of(status));
	const char *dlq_subjects[] = {STREAM_DLQ_MAX_DELIVERIES, STREAM_DLQ_TERMINATED};
	const struct wanted dlq = {STREAM_DLQ_NAME, dlq_subjects, 2, dlq_bytes(settings->max_bytes),
							   settings};
	status = assert_one(js, &dlq);
	if (status != NATS_OK) /* events can be told without it */
		log_refusal(STREAM_DLQ_NAME, status);
	return WR_OK;
}

static int64_t replicas_up_to_date(const jsClusterInfo *cluster)
{
	int64_t current = 1; /* the one that answers; without a cluster the only one */
	for (int i = 0; cluster && i < cluster->ReplicasLen; i++)
		current += cluster->Replicas[i]->Current && !cluster->Replicas[i]->Offline;
	return current;
}

void stream_look(jsCtx *js, int64_t wait_ms, struct stream_look *ret_look)
{
	jsOptions options;
	jsStreamInfo *info = NULL;
	jsOptions_Init(&options);
	options.Wait = wait_ms;
	natsStatus status = js_GetStreamInfo(&info, js, STREAM_NAME, &options, NULL);
	*ret_look = (struct stream_look){.answered = status == NATS_OK || status == NATS_NOT_FOUND,
									 .there = status == NATS_OK};
	if (status == NATS_OK) {
		ret_look->replicas = info->Config->Replicas;
		ret_look->replicas_current = replicas_up_to_date(info->Cluster);
	}
	jsStreamInfo_Destroy(info);
}
