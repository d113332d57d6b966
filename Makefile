# Builds, runs and checks the waiting room. `make help` lists what there is.
#
# Files are found by wildcard: lib/<layer>/*.c make one library, cmd/<x>/*.c a program each,
# tests/<kind>/<name>.c a test binary each, tests/fuzz/ and tests/bench/ likewise. Adding a file
# needs no change here. Everything that is built lives under $(BUILD).
#
#   BUILD=dir                another build directory
#   CC=clang                 another compiler
#   SAN=address,undefined    sanitizers (also SAN=thread); give it a BUILD of its own
#   JOBS=4                   compilers at a time (as many as there are cores)
#   TEST_JOBS=6              test programs at a time (thrice as many: most of them wait for servers)
#   V=1                      show the commands

SAN ?=
BUILD ?= build$(if $(SAN),/$(if $(findstring thread,$(SAN)),tsan,asan))
V ?= 0
JOBS ?= $(shell nproc 2>/dev/null || echo 1)
TEST_JOBS ?= $(shell echo $$((3 * $(JOBS))))
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
PORT_BASE ?= 8080
RUN_DIR ?= .run
CROWD ?= 300
SOAK_MINUTES ?= 5
WERROR ?= $(if $(SAN),,-Werror)

ifeq ($(origin CC),default)
CC := gcc
endif
IS_CLANG := $(findstring clang,$(shell $(CC) --version 2>/dev/null))
IS_X86 := $(findstring x86_64,$(shell $(CC) -dumpmachine 2>/dev/null))

ifeq ($(MAKELEVEL),0)
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(JOBS)
endif
endif
MAKEFLAGS += --no-print-directory --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),@:,@printf '  %-7s %s\n')

# ---- flags ----

# TLS to the store (rediss://) takes hiredis 1.0 or newer, which comes with a library for it.
STORE_TLS := $(shell pkg-config --exists 'hiredis_ssl >= 1.0' 2>/dev/null && echo hiredis_ssl libssl)
PACKAGES := libmicrohttpd hiredis libnats libcjson libcurl libcrypto zlib libbrotlienc $(STORE_TLS)
PACKAGE_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PACKAGE_LIBS := $(or $(shell pkg-config --libs $(PACKAGES) 2>/dev/null),\
	-lmicrohttpd -lhiredis -lnats -lcjson -lcurl -lcrypto -lz -lbrotlienc)
CMOCKA_LIBS := $(or $(shell pkg-config --libs cmocka libbrotlidec 2>/dev/null),-lcmocka -lbrotlidec)

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Walloca -Wformat=2 -Wimplicit-fallthrough \
	-Werror=format-security -Werror=implicit -Werror=incompatible-pointer-types \
	-Werror=int-conversion $(WERROR)
HARDENING := -fstack-protector-strong -fno-delete-null-pointer-checks -fno-strict-overflow \
	-fno-strict-aliasing -fPIE
HARDENING_LINK := -pie -Wl,-z,nodlopen,-z,noexecstack,-z,relro,-z,now,-z,separate-code \
	-Wl,--as-needed,--no-copy-dt-needed-entries
ifneq ($(IS_X86),)
HARDENING += -fcf-protection=full -fstack-clash-protection
endif
ifeq ($(IS_CLANG),)
WARNINGS += -Wtrampolines -Wbidi-chars=any -Wlogical-op -Wduplicated-cond
HARDENING += -ftrivial-auto-var-init=zero
endif

# Sanitizers replace FORTIFY, whose checked variants hide calls from them. NDEBUG is never set:
# a broken assumption of ours ends the process in production too.
#
# Programs are optimised as a whole: a heartbeat passes some fifty small functions of ours, and
# seeing across files saves a tenth of it. Objects carry plain code as well, so that the many test
# binaries link in no time, and the tools for which nobody waits.
ifeq ($(SAN),)
OPTIMIZE := -O3 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
ifeq ($(IS_CLANG),)
OPTIMIZE += -flto=auto -ffat-lto-objects
LINK_PROGRAM := -O3 -flto=auto
LINK_OBJECTS := -fno-lto
AR := gcc-ar
endif
else
OPTIMIZE := -O1 -g -fno-omit-frame-pointer -fsanitize=$(SAN) \
	$(if $(findstring undefined,$(SAN)),-fno-sanitize-recover=all)
endif

# Nobody waits for what a test computes, but everybody for its compilation. Benchmarks are not tests.
TEST_OPTIMIZE := $(patsubst -O3,-O1,$(filter-out -flto% -ffat-lto-objects,$(OPTIMIZE)))

# What the user gives in CFLAGS and LDFLAGS comes last and wins.
cflags = -std=gnu17 -D_GNU_SOURCE $(1) $(WARNINGS) $(HARDENING) -pthread \
	-Iinclude -I. $(if $(STORE_TLS),-DWR_STORE_TLS) $(PACKAGE_CFLAGS) $(CFLAGS)
ALL_CFLAGS := $(call cflags,$(OPTIMIZE))
TEST_CFLAGS := $(call cflags,$(TEST_OPTIMIZE))
ALL_LDFLAGS := -pthread $(HARDENING_LINK) $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)

# ---- files ----

LIBRARY := $(BUILD)/lib/libwaitingroom.a
LUA_SCRIPTS := $(wildcard lib/store/scripts/*.lua)
GENERATED := $(if $(LUA_SCRIPTS),$(BUILD)/gen/store_scripts.c)
LIBRARY_OBJECTS := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard lib/*/*.c)) \
	$(patsubst $(BUILD)/gen/%.c,$(BUILD)/obj/gen/%.o,$(GENERATED))

# A directory becomes a program once it has a main.c. cmd/api becomes waitingroom-api; names that begin with "wr" stay as they are.
COMMANDS := $(sort $(patsubst cmd/%/,%,$(dir $(wildcard cmd/*/*.c))))
TOOLS := wrctl wrbackup
program_of = $(BUILD)/bin/$(if $(filter wr%,$(1)),$(1),waitingroom-$(1))
# What lies in its web/ is built into it, and its contract.
web_of = $(wildcard cmd/$(1)/web/*.* cmd/$(1)/web/*/*.* cmd/$(1)/openapi.yaml)
objects_of = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard cmd/$(1)/*.c)) \
	$(if $(call web_of,$(1)),$(BUILD)/obj/gen/$(1)_web.o)
PROGRAMS := $(foreach command,$(patsubst cmd/%/main.c,%,$(wildcard cmd/*/main.c)),$(call program_of,$(command)))
# What tests of a program link with: all of it but its main. A test called wrload_<x> gets wrload's.
command_archive = $(BUILD)/lib/libcmd-$(1).a
command_of_test = $(filter $(COMMANDS),$(firstword $(subst _, ,$(notdir $(1)))))
archive_of_test = $(addprefix $(BUILD)/lib/libcmd-,$(addsuffix .a,$(call command_of_test,$(1))))

SUPPORT := $(BUILD)/lib/libtestsupport.a
SUPPORT_OBJECTS := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/support/*.c))
tests_of = $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/$(1)/*.c))
UNIT := $(call tests_of,unit)
CONTRACT := $(call tests_of,contract)
INTEGRATION := $(call tests_of,integration)
SCENARIO := $(call tests_of,scenario)
TESTS := $(UNIT) $(CONTRACT) $(INTEGRATION) $(SCENARIO)
# What some tests put into programs before their libraries.
PRELOADS := $(patsubst tests/preload/%.c,$(BUILD)/tests/preload/%.so,$(wildcard tests/preload/*.c))
# For node. One of the contract's looks at what the others have asked of pods.
OPENAPI := $(wildcard tests/openapi/*.test.js)
RECORDED := tests/openapi/recorded.test.js
BROWSER := $(wildcard tests/browser/*.test.js)
RECORD := $(abspath $(BUILD))/record
BENCHMARKS := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
# The live test of alerts has deadlines of a minute, which a busy machine can miss: it has its own goal.
CHECKS := $(filter-out scripts/check-observability,$(sort $(wildcard scripts/check-*)))
# What takes more than ten seconds goes first, so that all cores have work until the end; what computes
# and what mostly waits beside each other.
SLOWEST := check-the-checks looks turns store_away hidden crowd answers journey outage check-alerts check-scripts \
	hostile gateway_haproxy gateway_caddy wrctl_doctor queues_apart admission_model relay_trouble api_traces \
	rolling_restart drained broker_killed backup_restored check-format admitter_killed api_admin_stats store_emptied \
	campus base_log wrctl_top gateway_nginx check-headers check-manifests check-languages check-shell relay \
	api_authz pod_killed pods_away noscript api_page_cache
slow = $(foreach name,$(SLOWEST),$(filter %/$(name) %/$(name).test.js,$(1)))
slowest_first = $(call slow,$(1)) $(filter-out $(call slow,$(1)),$(1))
ALL_OBJECTS := $(LIBRARY_OBJECTS) $(SUPPORT_OBJECTS) \
	$(foreach command,$(COMMANDS),$(call objects_of,$(command)))

# ---- building ----

.SECONDEXPANSION:
.PHONY: all run test check bench asan tsan soak fuzz format lint check-unit check-contract \
	check-integration check-scenario check-openapi check-browser check-observability panel-pictures show-rolling-restart image-test \
	check-newer-libraries sbom install uninstall clean help tests \
	programs fuzz-programs FORCE

all: $(LIBRARY) $(PROGRAMS) ## the library and the programs (the default)
tests: all $(TESTS) $(PRELOADS)

# The target by name: a compiler cache may write another path for it, which make does not know again.
DEPENDS = -MMD -MP -MT $@

# Rebuild when the flags change, not only when the files do.
$(BUILD)/flags: FORCE
	@mkdir -p $(BUILD)
	@printf '%s\n' '$(CC) $(ALL_CFLAGS) $(DEPENDS) $(ALL_LDFLAGS)' | cmp -s - $@ || \
		printf '%s\n' '$(CC) $(ALL_CFLAGS) $(DEPENDS) $(ALL_LDFLAGS)' >$@

$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c $(BUILD)/flags
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(DEPENDS) -c $< -o $@

$(BUILD)/obj/tests/bench/%.o: TEST_CFLAGS := $(ALL_CFLAGS)
$(BUILD)/obj/tests/%.o: tests/%.c $(BUILD)/flags
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CFLAGS) -Itests $(DEPENDS) -c $< -o $@

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(DEPENDS) -c $< -o $@

# The directory is a prerequisite too: it changes when a script is removed.
$(BUILD)/gen/store_scripts.c: $(LUA_SCRIPTS) lib/store/scripts scripts/embed
	$(say) EMBED $@
	@mkdir -p $(@D)
	$(Q)scripts/embed lib/store/script_texts.h store_script_text $(LUA_SCRIPTS) >$@

# Likewise: the directories tell of files that are gone.
$(BUILD)/gen/%_web.c: $$(call web_of,$$*) $$(wildcard cmd/$$*/web cmd/$$*/web/*/.) scripts/embed
	$(say) EMBED $@
	@mkdir -p $(@D)
	$(Q)scripts/embed --below cmd/$*/web cmd/$*/web_file.h web_file $(call web_of,$*) >$@

# From scratch each time, and again when the list of files changes: ar would keep the members of
# files that were removed.
$(BUILD)/files: FORCE
	@mkdir -p $(BUILD)
	@echo $(sort $(ALL_OBJECTS)) | cmp -s - $@ || echo $(sort $(ALL_OBJECTS)) >$@

$(LIBRARY): $(LIBRARY_OBJECTS)
$(SUPPORT): $(SUPPORT_OBJECTS)
$(foreach command,$(COMMANDS),\
	$(eval $(call command_archive,$(command)): $(filter-out %/main.o,$(call objects_of,$(command)))))
$(LIBRARY) $(SUPPORT) $(foreach command,$(COMMANDS),$(call command_archive,$(command))): $(BUILD)/files
	$(say) AR $@
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

define PROGRAM_RULE
$(call program_of,$(1)): $(call objects_of,$(1)) $(LIBRARY)
	$$(say) LINK $$@
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $(if $(filter $(1),$(TOOLS)),$$(LINK_OBJECTS),$$(LINK_PROGRAM)) $$(ALL_LDFLAGS) $$^ $$(PACKAGE_LIBS) -lm -o $$@
endef
$(foreach command,$(COMMANDS),$(eval $(call PROGRAM_RULE,$(command))))

$(BUILD)/tests/% $(BUILD)/bench/%: LINK_TEST = $(CC) $(LINK_OBJECTS) $(ALL_LDFLAGS) $(filter %.o %.a,$^) \
	$(CMOCKA_LIBS) $(PACKAGE_LIBS) -lm -o $@

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $$(call archive_of_test,$$*) $(SUPPORT) $(LIBRARY)
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(LINK_TEST)

# Without sanitizers: the program brings its own.
$(BUILD)/tests/preload/%.so: tests/preload/%.c $(BUILD)/flags
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -D_GNU_SOURCE -O1 $(WARNINGS) -shared -fPIC $< -o $@

$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $$(call archive_of_test,$$*) $(SUPPORT) $(LIBRARY)
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(LINK_TEST)

$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $$(call archive_of_test,$$*) $(LIBRARY)
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer $(filter %.o %.a,$^) $(PACKAGE_LIBS) -lm -o $@

# Nothing is thrown away as an intermediate file.
.SECONDARY:
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# ---- running and checking ----
# The goals that people type install what is missing first, in a make of their own: this one has
# already asked pkg-config for the flags.

RUN_TESTS = BUILD=$(BUILD) WR_TEST_BIN_DIR=$(abspath $(BUILD)/bin) JOBS=$(TEST_JOBS) tests/run

run: ## a whole waiting room on this machine (PORT_BASE, RUN_DIR, CROWD)
	$(Q)scripts/bootstrap run
	$(Q)$(MAKE) all
	$(Q)PORT_BASE=$(PORT_BASE) RUN_DIR=$(RUN_DIR) CROWD=$(CROWD) BUILD=$(BUILD) \
		exec setpriv --pdeathsig TERM scripts/run

test: ## everything that must hold, with a summary at the end
	$(Q)scripts/bootstrap test
	$(Q)scripts/node-packages
	$(Q)$(MAKE) check

check: tests ## the same without installing packages
	$(Q)rm -rf $(RECORD) && mkdir -p $(RECORD)
	$(Q)WR_TEST_RECORD=$(RECORD) $(RUN_TESTS) $(call slowest_first,$(BROWSER) $(CHECKS) $(TESTS) \
		$(filter-out $(RECORDED),$(OPENAPI))) -- $(RECORDED)

check-unit: $(UNIT) ## tests of the library, no servers
	$(Q)$(RUN_TESTS) $(UNIT)
check-contract: $(CONTRACT) ## the store's scripts against real servers
	$(Q)$(RUN_TESTS) $(CONTRACT)
check-integration: all $(INTEGRATION) ## our programs with real servers
	$(Q)$(RUN_TESTS) $(INTEGRATION)
check-scenario: all $(SCENARIO) ## visitors' and operators' stories
	$(Q)$(RUN_TESTS) $(SCENARIO)
show-rolling-restart: all $(BUILD)/tests/scenario/rolling_restart ## pods and admitters restarted under 5,000 visitors behind GATEWAY (nginx, haproxy, caddy; a minute)
	$(Q)WR_TEST_LONG=1 WR_TEST_GATEWAY=$(GATEWAY) WR_TEST_BIN_DIR=$(abspath $(BUILD)/bin) $(BUILD)/tests/scenario/rolling_restart
check-openapi: all ## the contract, and what `make check` has recorded
	$(Q)$(if $(wildcard $(RECORD)),WR_TEST_RECORD=$(RECORD)) $(RUN_TESTS) $(OPENAPI)
check-browser: all ## the waiting page in a real Chromium
	$(Q)$(RUN_TESTS) $(BROWSER)
check-observability: all ## dashboards, alerts and runbooks against a real Prometheus and a crowd
	$(Q)TEST_SECONDS=1200 $(RUN_TESTS) scripts/check-observability
panel-pictures: all ## draws every panel of the dashboards from a running stack (four minutes)
	$(Q)scripts/bootstrap test
	$(Q)scripts/node-packages
	$(Q)WR_TEST_BIN_DIR=$(abspath $(BUILD)/bin) scripts/panel-pictures

asan: ## the tests under AddressSanitizer and UndefinedBehaviorSanitizer
	$(Q)$(MAKE) SAN=address,undefined BUILD=$(BUILD)/asan check-sanitized
tsan: ## the tests that use threads under ThreadSanitizer
	$(Q)$(MAKE) SAN=thread BUILD=$(BUILD)/tsan check-threads

.PHONY: check-sanitized check-threads
check-sanitized: tests
	$(Q)WR_TEST_SLOWNESS=3 $(RUN_TESTS) $(TESTS)

THREADED := $(filter %quiescence %position_index %queue_table %base_loop %api_page_cache,$(UNIT)) $(INTEGRATION)
check-threads: all $(THREADED)
	$(Q)WR_TEST_SLOWNESS=5 $(RUN_TESTS) $(THREADED)

soak: ## churn for twice SOAK_MINUTES (5): nothing to report with sanitizers, no growth without
	$(Q)scripts/bootstrap run
	$(Q)$(MAKE) all
	$(Q)$(MAKE) SAN=address,undefined BUILD=$(BUILD)/asan all
	$(Q)BUILD=$(BUILD)/asan SOAK_GROWTH=25 SOAK_MINUTES=$(SOAK_MINUTES) scripts/soak
	$(Q)BUILD=$(BUILD) SOAK_MINUTES=$(SOAK_MINUTES) scripts/soak

fuzz: ## every fuzz target for FUZZ_SECONDS each (needs clang)
	$(Q)scripts/bootstrap all
	$(Q)$(MAKE) CC=clang SAN=fuzzer-no-link,address,undefined BUILD=$(BUILD)/fuzzing fuzz-programs
	$(Q)FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/fuzz $(BUILD)/fuzzing $(FUZZERS)
fuzz-programs: $(patsubst %,$(BUILD)/fuzz/%,$(FUZZERS))

bench: ## speeds and ratios, written to $(BUILD)/bench.json
	$(Q)scripts/bootstrap all
	$(Q)$(MAKE) all $(BENCHMARKS)
	$(Q)BUILD=$(BUILD) tests/bench/run

lint: all ## the project's own rules, layout and shell scripts
	$(Q)$(RUN_TESTS) $(CHECKS)

format: ## lays out all C files
	$(Q)clang-format -i $$(git ls-files '*.c' '*.h')

sbom: ## what the programs are made of and need here, to $(BUILD)/sbom.cdx.json; the image carries its own
	$(Q)mkdir -p $(BUILD) && scripts/sbom >$(BUILD)/sbom.cdx.json && echo "$(BUILD)/sbom.cdx.json"

image-test: ## builds deploy/Dockerfile twice and runs it (buildah, root, four minutes)
	$(Q)scripts/bootstrap all
	$(Q)tests/image/build_and_run

check-newer-libraries: ## builds with newer libmicrohttpd and hiredis (TLS to the store) and tests that (network)
	$(Q)scripts/bootstrap all
	$(Q)scripts/newer-libraries

install: all ## programs, man page, completions, units and examples, below $(DESTDIR)$(PREFIX)
	$(Q)scripts/install install $(BUILD) $(PREFIX) $(DESTDIR)

uninstall: ## takes away what install has put there
	$(Q)scripts/install uninstall $(BUILD) $(PREFIX) $(DESTDIR)

clean: ## removes $(BUILD)
	rm -rf $(BUILD)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-22s %s\n", $$1, $$2}' Makefile
