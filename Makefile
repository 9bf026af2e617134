# ship: make help lists the targets; V=1 shows the commands.

VERSION  := 0.1.0
PREFIX   ?= /usr/local
DESTDIR  ?=
CC       ?= cc
FLAVOUR  ?= release
BUILD    := build
OUT      := $(BUILD)/$(FLAVOUR)

PACKAGES := libcurl jansson libpcre2-8 yaml-0.1 libisal zlib libzstd sqlite3 libmicrohttpd

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
HARDEN   := -fstack-protector-strong -fstack-clash-protection -fPIE
CPPFLAGS += -I. -D_POSIX_C_SOURCE=200809L -D_FILE_OFFSET_BITS=64 -DSHIP_VERSION='"$(VERSION)"'
BASE     := -std=c17 -g $(WARNINGS) -Werror $(HARDEN) -pthread -MMD -MP

# Flavours: the same sources, built into folders of their own.
FLAGS.release := -O2 -D_FORTIFY_SOURCE=2
FLAGS.clang   := $(FLAGS.release)
FLAGS.asan    := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -DSHIP_CHECKS_LEAKS
FLAGS.tsan    := -O1 -fno-omit-frame-pointer -fsanitize=thread
FLAGS.fuzz    := $(FLAGS.asan) -fsanitize=fuzzer-no-link
LINK.asan     := -fsanitize=address,undefined
LINK.tsan     := -fsanitize=thread
LINK.fuzz     := -fsanitize=fuzzer,address,undefined

CFLAGS_ALL = $(BASE) $(FLAGS.$(FLAVOUR)) $(CFLAGS)
LIBS       = $(shell pkg-config --libs $(PACKAGES)) -lev -lm
LINK       = -pie -Wl,-z,relro,-z,now,-z,noexecstack -pthread $(LINK.$(FLAVOUR)) $(LDFLAGS)

SOURCES := $(sort $(shell find shipper parsers outputs config -name '*.c'))
OBJECTS := $(SOURCES:%.c=$(OUT)/%.o)
LIBRARY := $(OUT)/libship.a
UNIT    := $(sort $(shell find tests/unit tests/sim -name '*.c' 2>/dev/null) $(wildcard tests/support/*.c tests/fuzz/fuzz_*.c))
# Criterion maps memory where ThreadSanitizer allows none; a stand-in of ours runs the same tests there.
ifeq ($(FLAVOUR),tsan)
CPPFLAGS  += -isystem tests/support/criterion
UNIT      += tests/support/criterion/main.c
CRITERION :=
else
CRITERION := -lcriterion
endif
UNITOBJ := $(UNIT:%.c=$(OUT)/%.o)
BENCH   := $(sort $(wildcard tests/bench/*.c))
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,$(OUT)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
HEADERS := $(sort $(shell find shipper parsers outputs config -name '*.h'))

.DEFAULT_GOAL := all
include packaging/targets.mk

$(OUT)/%.o: %.c | $(BUILD)/.deps-build
	@mkdir -p $(@D)
	@$(if $(V),,echo '  $(FLAVOUR)  $<')
	$(if $(V),,@)$(CC) $(CPPFLAGS) $(CFLAGS_ALL) -c $< -o $@

# Everything but main, so that a test binary takes what it names.
$(LIBRARY): $(filter-out $(OUT)/shipper/main.o,$(OBJECTS))
	@rm -f $@
	$(if $(V),,@)$(AR) rcs $@ $^

$(OUT)/ship: $(OUT)/shipper/main.o $(LIBRARY)
	$(if $(V),,@)$(CC) $(LINK) $^ $(LIBS) -o $@

# Tests may let memory run out (tests/support/failing_malloc.h), and plant bugs (tests/sim/sim_plant.h).
WRAPPED := malloc calloc realloc tracker_read es_item_verdict retry_delay_ms engine_tick file_row_fits \
	source_file_lacks_mark source_file_expect checkpoints_put es_reply_is_whole letter_files_append budget_try budget_add \
	engine_on_reply
WRAP    := $(WRAPPED:%=-Wl,--wrap=%)
$(OUT)/unit: $(UNITOBJ) $(LIBRARY)
	$(if $(V),,@)$(CC) $(LINK) $(WRAP) $^ $(LIBS) $(CRITERION) -o $@

# To be preloaded under ship by integration tests; the release flavour's only, since ASan wants to be first.
$(OUT)/failing_calls.so: tests/faults/failing_calls.c
	@mkdir -p $(@D)
	$(if $(V),,@)$(CC) -std=c17 -g -O2 $(WARNINGS) -Werror -fPIC -shared $< -o $@

# The bench's own tools; what they do not use of the library is not linked.
$(OUT)/bench/bulk_sink: $(OUT)/tests/bench/bulk_body.o
$(OUT)/bench/stages: $(OUT)/tests/bench/rig.o
.SECONDARY: $(BENCH:%.c=$(OUT)/%.o)
$(OUT)/bench/%: $(OUT)/tests/bench/%.o $(LIBRARY)
	@mkdir -p $(@D)
	$(if $(V),,@)$(CC) $(LINK) $(filter %.o,$^) $(LIBRARY) $(LIBS) -o $@

# libFuzzer's binaries, for the flavour fuzz; the targets themselves are in the unit tests too.
$(OUT)/fuzz/%: tests/fuzz/entry.c $(OUT)/tests/fuzz/fuzz_%.o $(OUT)/tests/support/document_rig.o $(OUT)/tests/support/document_check.o $(LIBRARY)
	@mkdir -p $(@D)
	$(if $(V),,@)$(CC) $(CPPFLAGS) $(CFLAGS_ALL) -DFUZZ_TARGET=fuzz_$* $(LINK) $^ $(LIBS) -o $@

-include $(OBJECTS:.o=.d) $(UNITOBJ:.o=.d) $(BENCH:%.c=$(OUT)/%.d)
