# wiregrade: `make` builds, `make grade` grades, `make test` tests. See README.md.

BUILD   ?= build
CC      ?= cc
PREFIX  ?= /usr/local
CFLAGS  ?= -O2 -g
WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wno-gnu-statement-expression -Wno-gnu-auto-type
PACKAGES = libseccomp libcap jansson libcyaml
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -I. $(WARNINGS) $(shell pkg-config --cflags $(PACKAGES)) $(CFLAGS) -MMD -MP
LIBRARIES  = $(shell pkg-config --libs $(PACKAGES))

# Everything in grader/ but tests and the two main programs is one library, which the suite links too.
GRADER_SOURCES := $(filter-out %_test.c grader/cli/main.c,$(wildcard grader/*/*.c))
GRADER_OBJECTS := $(GRADER_SOURCES:%.c=$(BUILD)/obj/%.o)
LABS           := $(notdir $(patsubst %/checks.c,%,$(wildcard suite/*/checks.c)))
UNIT_TESTS     := $(patsubst %.c,$(BUILD)/tests/%,$(notdir $(wildcard grader/*/*_test.c)))

all: $(BUILD)/wiregrade $(LABS:%=$(BUILD)/suite/%)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c $< -o $@

$(BUILD)/libgrader.a: $(GRADER_OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/wiregrade: $(BUILD)/obj/grader/cli/main.o $(BUILD)/libgrader.a
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ -o $@ $(LIBRARIES)

$(BUILD)/suite/%: $(BUILD)/obj/suite/%/checks.o $(BUILD)/libgrader.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ -o $@ $(LIBRARIES) -lcriterion

clean:
	rm -rf $(BUILD) reference/bin

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: all clean
.SECONDARY:
