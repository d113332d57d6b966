# shellcheck shell=bash
# A whole stack with a crowd, watched by real Prometheus and Alertmanager with the files of deploy/:
# for scripts that look at it. To be sourced, in the project's directory.
#
#     . tests/support/observed.sh
#     observed_tools || exit 77
#     observed_start 150            # visitors
#
# Gives work (a directory), stack (stack.json), base (the first port), and in the environment API,
# ADMITTER, STORE, NATS_HOST, NATS_PORT, PROMETHEUS, ALERTMANAGER. Intervals are a second. Everything
# listens on 127.0.0.1 on ports that are free now and ends with the script; when it fails, what
# was written is kept and its place is told.

PATH=$PATH:/usr/sbin:/sbin
bin=${WR_TEST_BIN_DIR:-${BUILD:-build}/bin}
pids=() stopped=() keep=

observed_tools() { # says which is missing
	local tool
	for tool in prometheus prometheus-alertmanager promtool amtool prometheus-redis-exporter redis-server \
		nats-server nginx jq; do
		command -v "$tool" >/dev/null || { echo "not checked: $tool is not here"; return 1; }
	done
}

work=$(mktemp -d "${TMPDIR:-/tmp}/wr-observed.XXXXXX")
# shellcheck disable=SC2317 # called by the trap
observed_stop() {
	trap - EXIT INT TERM
	[ "${#stopped[@]}" -eq 0 ] || kill -CONT "${stopped[@]}" 2>/dev/null || true
	local i
	for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
		kill -TERM "${pids[i]}" 2>/dev/null || true
		wait "${pids[i]}" 2>/dev/null || true
	done
	[ -n "$keep" ] || rm -rf "$work"
}
trap observed_stop EXIT
trap 'exit 130' INT TERM

fail() {
	echo "observability: $*"
	tail -n 5 "$work"/*.log
	[ ! -d "$work/run/log" ] || tail -n 3 "$work"/run/log/*.log
	keep=1
	echo "kept: $work"
	exit 1
}
# However slow this machine is at the moment, what is waited for has a minute or more.
until_true() { # <seconds> <what> <command>...
	local end=$((SECONDS + $1 * ${WR_TEST_SLOWNESS:-1})) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || fail "not after all: $what"
		sleep 0.2
	done
}
is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
choose_ports() {
	local offset
	for _ in $(seq 50); do
		base=$((20000 + RANDOM % 9000))
		for offset in 0 1 2 5 101 102 103 104 105 106 110 111 112 113; do
			is_free $((base + offset)) || continue 2
		done
		return
	done
}
in_background() { # <log> <command>...
	local log=$work/$1.log
	shift
	setsid "$@" >"$log" 2>&1 </dev/null &
	pids+=($!)
}

# ---- the stack, and what looks at it ----
start_stack() { # <visitors>
	choose_ports
	BUILD=$(dirname "$bin") PORT_BASE=$base RUN_DIR=$work/run CROWD=$1 in_background run scripts/run
	stack=$work/run/stack.json
	until_true 60 "the stack runs" test -s "$stack"
	API=$(jq -r '.internal[0]' "$stack") STORE=$(jq -r .store "$stack")
	NATS_PORT=$(jq -r '.nats | sub(".*:"; "")' "$stack") NATS_HOST=127.0.0.1
	ADMITTER=$(jq -r '.admitters[0]' "$stack")
	PROMETHEUS=http://127.0.0.1:$((base + 110)) ALERTMANAGER=http://127.0.0.1:$((base + 111))
	export API ADMITTER STORE NATS_PORT NATS_HOST PROMETHEUS ALERTMANAGER
	REDIS_ADDR=$STORE in_background exporter prometheus-redis-exporter \
		-web.listen-address "127.0.0.1:$((base + 112))"
}
targets() { printf '[{"targets": [%s]}]\n' "$2" >"$work/prometheus/targets/$1.json"; }
write_configuration() {
	mkdir "$work/prometheus"
	cp -r deploy/prometheus/. "$work/prometheus/"
	sed -i -E 's/_interval: 15s/_interval: 1s/; s/scrape_timeout: 5s/scrape_timeout: 1s/' "$work/prometheus/prometheus.yml"
	sed -i -E 's/^( *for:) .*/\1 2s/; /admitter_steps/ s/\[1m\]/[8s]/; s/(outbox_oldest_seconds\)) > 60/\1 > 4/' \
		"$work/prometheus/alerts.yml"
	targets waitingroom-api "$(jq -r '[.internal[] | sub("http://"; "") | "\"" + . + "\""] | join(",")' "$stack")"
	targets waitingroom-admitter "$(jq -r '[.admitters[] | sub("http://"; "") | "\"" + . + "\""] | join(",")' "$stack")"
	targets store "\"127.0.0.1:$((base + 112))\""
	targets broker ''
	targets alertmanager "\"${ALERTMANAGER#http://}\""
	sed -E "s/127\.0\.0\.1:9099/127.0.0.1:$((base + 113))/; s/group_wait: .*/group_wait: 0s/" \
		deploy/alertmanager/alertmanager.yml >"$work/alertmanager.yml"
}
observed_start() { # <visitors>
	start_stack "$1"
	write_configuration
	in_background alertmanager prometheus-alertmanager --config.file="$work/alertmanager.yml" \
		--storage.path="$work/am" --cluster.listen-address= --web.listen-address="${ALERTMANAGER#http://}"
	in_background prometheus prometheus --config.file="$work/prometheus/prometheus.yml" \
		--storage.tsdb.path="$work/tsdb" --enable-feature=exemplar-storage \
		--web.listen-address="${PROMETHEUS#http://}"
	until_true 60 "Prometheus answers" curl -fsS "$PROMETHEUS/-/ready"
	until_true 60 "Alertmanager answers" curl -fsS "$ALERTMANAGER/-/ready"
}

# ---- questions ----
series() { # <query>: how many
	curl -sS --data-urlencode "query=$1" "$PROMETHEUS/api/v1/query" | jq -e '.data.result | length'
}
has_data() { [ "$(series "$1")" -gt 0 ]; }
firing() {
	curl -sS "$PROMETHEUS/api/v1/alerts" |
		jq -r '.data.alerts[] | select(.state == "firing") | .labels.alertname' | sort -u
}
fires() { firing | grep -qx "$1"; }
paged() { amtool --alertmanager.url="$ALERTMANAGER" alert query --receiver=pager "alertname=$1" | grep -q "$1"; }
