# What people type. The rules that compile are in the Makefile.

# All processors. A make below this one shares its jobs.
MAKEFLAGS += --no-print-directory
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif

# Whoever builds for a test run holds this lock, so that two `make test` at once build once.
LOCKED    = mkdir -p $(BUILD) && flock $(BUILD)/.lock $(MAKE)
TEXTS    := $(SOURCES) $(HEADERS) $(UNIT) $(BENCH) $(wildcard tests/faults/*.c) $(shell find tests -name '*.h')
STRICT    = $(CPPFLAGS) -std=c17 $(WARNINGS) -Werror

.PHONY: all demo test check soak sim bench fuzz golden install uninstall clean help
.PHONY: unit fuzzers flavour bench-tools bench-stages strict headers format tidy both-compilers

all: $(OUT)/ship ## build build/ship
	@ln -sfn $(FLAVOUR)/ship $(BUILD)/ship

demo: ## one failing request of a small shop, followed through its logs
	@packaging/install-deps demo
	+@$(LOCKED) all
	@packaging/demo/run

test: ## all tests; ends with "N passed, N failed"
	@packaging/install-deps test
	+@$(LOCKED) all unit
	@FLAVOUR=$(FLAVOUR) tests/run

check: ## the tests under ASan, UBSan and TSan; both compilers, clang-tidy, clang-format
	@packaging/install-deps check
	+@failed=0; \
	{ $(LOCKED) -k strict; } || failed=1; \
	{ $(LOCKED) FLAVOUR=asan flavour && FLAVOUR=asan tests/run; } || failed=1; \
	{ $(LOCKED) FLAVOUR=tsan flavour && FLAVOUR=tsan tests/run --mark threads; } || failed=1; \
	exit $$failed

soak: ## for SECONDS (600): files, sink and ship that fail; every line once; SHIP_SEED=N chooses the first life
	@packaging/install-deps test
	+@$(LOCKED) all
	@SHIP_SEED=$${SHIP_SEED:-$$(date +%s)} SHIP_SOAK_SECONDS=$(or $(SECONDS),600) SHIP_SOAK_KILL_SECONDS=60 \
		SHIP_TEST_RUN_S=$$(($(or $(SECONDS),600) * 4 + 900)) tests/run --integration -k "test_conservation or test_metrics or test_memory"

sim: ## SEEDS (10000) simulated lives from seed FIRST (1) on; SEED=N: that one, with its story
	@packaging/install-deps test
	+@$(LOCKED) unit
	@FLAVOUR=$(FLAVOUR) tests/sim/run $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),10000) --first $(or $(FIRST),1))

bench: ## speed and memory beside rsyslog's; writes build/bench.json
	@packaging/install-deps bench
	+@$(LOCKED) all bench-tools
	@tests/bench/run

fuzz: ## each fuzz target for SECONDS (60), under ASan and UBSan; what it finds stays in build/fuzz
	@packaging/install-deps check
	+@$(LOCKED) FLAVOUR=fuzz CC=clang fuzzers
	@tests/fuzz/run $(or $(SECONDS),60)

golden: ## rewrite tests/golden/ from what ship says now; review the diff
	@packaging/install-deps test
	+@$(LOCKED) all unit
	@GOLDEN_UPDATE=1 FLAVOUR=$(FLAVOUR) tests/run --golden

install: all ## into $(DESTDIR)$(PREFIX), by default /usr/local
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' packaging/install-files install $(OUT)/ship

uninstall: ## removes what install put there
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' packaging/install-files uninstall

clean: ## remove build/
	@rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' packaging/targets.mk | expand -t 12

$(BUILD)/.deps-build: packaging/install-deps
	@mkdir -p $(BUILD)
	@packaging/install-deps build
	@touch $@

# ---- the parts of test and check ----

unit: $(OUT)/unit $(OUT)/failing_calls.so

fuzzers: $(FUZZERS)

bench-tools: $(addprefix $(OUT)/bench/,bulk_sink corpus measure stages)

# Where the hot path's time goes, stage by stage.
bench-stages: bench-tools
	@tests/bench/stages.sh $(OUT)/bench

flavour: $(OUT)/ship $(OUT)/unit

strict: both-compilers headers format tidy

# gcc is the release flavour, clang one of its own; -Werror makes a warning an error in both.
both-compilers: all unit bench-tools
	+@$(MAKE) FLAVOUR=clang CC=clang flavour bench-tools

headers: $(HEADERS:%.h=$(BUILD)/headers/%.ok)

# A header that includes what it uses compiles as the only text of a file.
$(BUILD)/headers/%.ok: %.h $(HEADERS)
	@mkdir -p $(@D)
	@printf '#include "%s"\nstruct any;\n' $< | $(CC) $(STRICT) -fsyntax-only -x c -
	@touch $@

format:
	@clang-format --dry-run -Werror $(TEXTS)

tidy: $(SOURCES:%.c=$(BUILD)/tidy/%.ok)

$(BUILD)/tidy/%.ok: %.c $(HEADERS) .clang-tidy
	@mkdir -p $(@D)
	@clang-tidy --quiet --warnings-as-errors='*' $< -- $(STRICT) 2>$@.err || { cat $@.err; exit 1; }
	@rm -f $@.err
	@touch $@
