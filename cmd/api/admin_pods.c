/* Admin pods: GET /admin/v1/pods, the rows of all processes as they last reported. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_health.h"
#include "waitingroom/memory.h"

static int by_kind_and_name(const void *a, const void *b)
{
	const struct pod_row *left = a, *right = b;
	int order = strcmp(right->kind, left->kind); /* pods before admitters */
	return order != 0 ? order : strcmp(left->instance, right->instance);
}

struct pod_row *admin_pod_rows(const struct pod_text *texts, size_t count, size_t *ret_count)
{
	struct pod_row *rows = mem_alloc_zero(count + 1, sizeof(*rows));
	size_t good = 0;
	for (size_t i = 0; i < count && good < POD_MAX; i++)
		good += pod_row_parse(texts[i].json, texts[i].len, &rows[good]);
	qsort(rows, good, sizeof(*rows), by_kind_and_name);
	*ret_count = good;
	return rows;
}

static void on_pods(void *ctx, enum wr_err err, int64_t now_ms, const struct pod_text *texts,
					size_t count)
{
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	size_t good = 0;
	if (err != WR_OK) {
		admin_problem(notes->internal, request, err, NULL);
		return;
	}
	WR_AUTO(mem_free_at) struct pod_row *rows = admin_pod_rows(texts, count, &good);
	size_t room = 256 + (POD_ROW_BYTES + 128) * good;
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, room);
	struct json_out out;
	json_out_init(&out, text, room);
	json_out_object(&out, NULL);
	json_out_int(&out, "as_of_ms", now_ms);
	json_out_array(&out, "pods");
	for (size_t i = 0; i < good; i++) {
		json_out_object(&out, NULL);
		json_out_string(&out, "state", pod_state_word(pod_row_state(&rows[i], now_ms)));
		json_out_int(&out, "age_ms", now_ms - rows[i].seen_ms);
		char store_ms[32];
		int len = snprintf(store_ms, sizeof(store_ms), "%.1f", (double)rows[i].store_us / 1e3);
		json_out_raw(&out, "store_ms", store_ms, (size_t)len);
		pod_row_write(&rows[i], &out);
		json_out_object_end(&out);
	}
	json_out_array_end(&out);
	json_out_object_end(&out);
	admin_reply_json(request, 200, &out);
}

void admin_pods_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct internal *internal = ctx;
	(void)match;
	store_pods(internal->store, POD_KEEP_REPORTS * internal->app->config.report_interval_ms,
			   on_pods, request);
}
