/* Access log: which requests are written, and their lines.
 *
 * The server asks access_log_passes() after each answer, inline: a countdown for those that went
 * well. Whoever is written pays for looking the route up again; so nobody else carries it along.
 * What the request guard refuses has no route.
 */
#include "chain.h"
#include "internal.h"

#include "waitingroom/access_log.h"
#include "waitingroom/log.h"
#include "waitingroom/memory.h"

#include <stdlib.h>
#include <string.h>

#define NO_ROUTE "other"

bool access_log_mode_parse(const char *word, enum access_log_mode *ret_mode)
{
#define ACCESS_LOG_WORD(id, word_) [id] = (word_),
	static const char *const words[] = {ACCESS_LOG_TABLE(ACCESS_LOG_WORD)};
#undef ACCESS_LOG_WORD
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(word, words[i])) {
			*ret_mode = (enum access_log_mode)i;
			return true;
		}
	}
	return false;
}

/* How many that went well are passed over before one is looked at. */
static uint32_t stretch(const struct access_log_options *options)
{
	if (options->mode == ACCESS_LOG_ALL || options->never_sampled)
		return 1;
	return options->mode == ACCESS_LOG_SAMPLED ? options->one_in : UINT32_MAX;
}

struct access_log *access_log_new(const struct access_log_options *options)
{
	if (options->mode == ACCESS_LOG_OFF)
		return NULL;
	struct access_log *log = mem_alloc_zero(1, sizeof(*log));
	log->options = *options;
	log->left = stretch(options);
	log->sample_left = options->one_in;
	return log;
}

void access_log_free(struct access_log *log)
{
	free(log);
}

static bool is_always_written(const struct access_log *log, const char *route)
{
	const char *prefix = log->options.never_sampled;
	return log->options.mode == ACCESS_LOG_ALL ||
		   (prefix && !strncmp(route, prefix, strlen(prefix)));
}

/* On a server some of whose routes are always written, the others are sampled among themselves. */
static bool is_sampled(struct access_log *log)
{
	if (!log->options.never_sampled)
		return true; /* it was its turn */
	if (log->options.mode != ACCESS_LOG_SAMPLED || --log->sample_left > 0)
		return false;
	log->sample_left = log->options.one_in;
	return true;
}

static void write_line(const struct access_log *log, const struct http_request *request,
					   const char *route, enum log_level level, int64_t duration_ns,
					   uint32_t stands_for)
{
	char network[NETWORK_TEXT_BYTES];
	struct client_ip client = http_request_client(request, log->options.proxies);
	client_ip_network(&client, network);
	char trace_id[TRACE_ID_CHARS + 1] = "";
	if (request->trace_is_known)
		trace_hex_print(request->trace.context.trace_id, TRACE_ID_BYTES, trace_id);
	bool has_method = request->phase != REQUEST_REFUSED;
	struct log_field fields[] = {
		LOG_TEXT("method", has_method ? http_method_word(request->method) : "OTHER"),
		LOG_TEXT("route", route),
		LOG_NUMBER("status", request->status),
		LOG_NUMBER("duration_ns", duration_ns),
		LOG_TEXT("request_id", request->id),
		LOG_TEXT("client", network),
		LOG_NUMBER("stands_for", stands_for),
		LOG_TEXT("trace_id", trace_id),
	};
	int count = (int)(sizeof(fields) / sizeof(fields[0])) - !request->trace_is_known;
	log_event_unlimited(level, "request", fields, count);
}

static const char *route_of(const struct access_log *log, const struct http_request *request)
{
	const char *route =
		request->phase == REQUEST_REFUSED ? NULL : chain_route_of(log->options.chain, request);
	return route ? route : NO_ROUTE;
}

static void look_at_refused(const struct access_log *log, const struct http_request *request,
							int64_t duration_ns)
{
	enum log_level level = request->status < 500 ? LOG_LEVEL_INFO : LOG_LEVEL_WARN;
	if (log_would_say(level) &&
		(log->options.mode == ACCESS_LOG_ALL || log_may_repeat(level, "request")))
		write_line(log, request, route_of(log, request), level, duration_ns, 1);
}

void access_log_look(struct access_log *log, const struct http_request *request,
					 int64_t duration_ns)
{
	if (request->status >= 400) {
		look_at_refused(log, request, duration_ns);
		return;
	}
	log->left = stretch(&log->options);
	if (!log_would_say(LOG_LEVEL_INFO))
		return;
	const char *route = route_of(log, request);
	if (is_always_written(log, route))
		write_line(log, request, route, LOG_LEVEL_INFO, duration_ns, 1);
	else if (log->options.mode == ACCESS_LOG_SAMPLED && is_sampled(log))
		write_line(log, request, route, LOG_LEVEL_INFO, duration_ns, log->options.one_in);
}
