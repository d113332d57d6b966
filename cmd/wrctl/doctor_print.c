/* What the doctor says, for people and as JSON.
 *
 *     ✘ admitter      No admitter is alive.
 *                     → Start waitingroom-admitter; nobody is let in without one. Runbook: NoAdmitter.
 */
#include <string.h>

#include "doctor.h"
#include "waitingroom/memory.h"

#define NAME_COLUMNS_MOST 26 /* a longer one has a line of its own */
#define WIDTH_LEAST 40

struct layout {
	const struct terminal *terminal;
	size_t name, indent; /* columns of the names; where texts begin */
};

static const char *mark(enum health_status status, bool unicode)
{
	static const char *const signs[] = {"\xe2\x9c\x94", "!", "\xe2\x9c\x98"};
	static const char *const plain[] = {"+", "!", "x"};
	return unicode ? signs[status] : plain[status];
}

static enum paint paint_of(enum health_status status)
{
	static const enum paint paints[] = {PAINT_GREEN, PAINT_YELLOW, PAINT_RED};
	return paints[status];
}

/* Bytes of the next line: up to the last space that fits, or the whole word. */
static size_t line_len(const char *text, size_t columns)
{
	size_t fit = text_fit(text, columns);
	if (text[fit] == '\0')
		return fit;
	size_t at = fit;
	while (at > 0 && text[at] != ' ')
		at--;
	return at > 0 ? at : fit;
}

/* Text from column 'indent' on; the first line stands there already. */
static void print_wrapped(FILE *out, const char *text, size_t indent, size_t width)
{
	size_t columns = width > indent + WIDTH_LEAST / 2 ? width - indent : WIDTH_LEAST / 2;
	for (bool first = true; *text != '\0'; first = false) {
		size_t len = width > 0 ? line_len(text, columns) : strlen(text);
		fprintf(out, "%*s%.*s\n", first ? 0 : (int)indent, "", (int)len, text);
		text += len;
		while (*text == ' ')
			text++;
	}
}

/* Not everybody says so: that is news by itself. */
static void print_dissent(const struct findings *findings, const struct finding *finding,
						  const struct layout *layout, FILE *out)
{
	bool colour = layout->terminal->colour;
	if (finding->says_count == 0 || finding->says_count >= findings->answered ||
		finding->check.status == HEALTH_OK)
		return;
	fprintf(out, "%*s%sOnly ", (int)layout->indent, "", paint(colour, PAINT_DIM));
	for (size_t i = 0; i < finding->says_count; i++)
		fprintf(out, "%s%s", i > 0 ? ", " : "", finding->says[i]);
	fprintf(out, " %s so (%zu of %zu pods).%s\n", finding->says_count == 1 ? "says" : "say",
			finding->says_count, findings->answered, paint(colour, PAINT_PLAIN));
}

static void print_finding(const struct findings *findings, const struct finding *finding,
						  const struct layout *layout, FILE *out)
{
	const struct terminal *terminal = layout->terminal;
	const struct health_check *check = &finding->check;
	const char *name = check->name, *arrow = terminal->unicode ? "\xe2\x86\x92 " : "-> ";
	size_t width = (size_t)terminal->width, name_columns = text_columns(name);
	bool is_long = name_columns > layout->name;
	fprintf(out, "%s%s%s %s%s%s", paint(terminal->colour, paint_of(check->status)),
			mark(check->status, terminal->unicode), paint(terminal->colour, PAINT_PLAIN),
			paint(terminal->colour, PAINT_BOLD), name, paint(terminal->colour, PAINT_PLAIN));
	if (is_long)
		fprintf(out, "\n%*s", (int)layout->indent, "");
	else
		fprintf(out, "%*s", (int)(layout->name + 1 - name_columns), "");
	print_wrapped(out, check->said, layout->indent, width);
	if (check->act[0] != '\0') {
		size_t indent = layout->indent + text_columns(arrow);
		fprintf(out, "%*s%s", (int)layout->indent, "", arrow);
		print_wrapped(out, check->act, indent, width);
	}
	print_dissent(findings, finding, layout, out);
}

void findings_print(const struct findings *findings, const struct terminal *terminal, FILE *out)
{
	size_t count[3] = {0};
	struct layout layout = {.terminal = terminal, .name = 8};
	for (size_t i = 0; i < findings->count; i++) {
		size_t columns = text_columns(findings->list[i].check.name);
		if (columns <= NAME_COLUMNS_MOST && columns > layout.name)
			layout.name = columns;
	}
	layout.indent = 2 + layout.name + 1;
	for (size_t i = 0; i < findings->count; i++) {
		print_finding(findings, &findings->list[i], &layout, out);
		count[findings->list[i].check.status]++;
	}
	fprintf(out, "\n%zu of %zu url%s answered with a report. ", findings->answered, findings->urls,
			findings->urls == 1 ? "" : "s");
	if (count[HEALTH_FAIL] + count[HEALTH_WARN] == 0)
		fprintf(out, "All is well.\n");
	else
		fprintf(out, "%zu must be mended, %zu should be looked at.\n", count[HEALTH_FAIL],
				count[HEALTH_WARN]);
}

void findings_print_json(const struct findings *findings, FILE *out)
{
	size_t room = 1024 + findings->count * (HEALTH_CHECK_JSON_BYTES + 64 * CONTEXT_URLS_MAX * 2);
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, room);
	struct json_out json;
	json_out_init(&json, text, room);
	json_out_object(&json, NULL);
	json_out_string(&json, "status", health_status_word(findings_worst(findings)));
	json_out_int(&json, "urls", (int64_t)findings->urls);
	json_out_int(&json, "answered", (int64_t)findings->answered);
	json_out_array(&json, "checks");
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->list[i];
		json_out_object(&json, NULL);
		json_out_string(&json, "name", finding->check.name);
		json_out_string(&json, "status", health_status_word(finding->check.status));
		json_out_string(&json, "said", finding->check.said);
		json_out_string(&json, "do", finding->check.act);
		json_out_array(&json, "says");
		for (size_t k = 0; k < finding->says_count; k++)
			json_out_string(&json, NULL, finding->says[k]);
		json_out_array_end(&json);
		json_out_object_end(&json);
	}
	json_out_array_end(&json);
	json_out_object_end(&json);
	fprintf(out, "%.*s\n", (int)json.len, text);
}
