# wiregrade: `make` builds, `make grade [SUBMISSION=dir]` grades, `make test` tests. See README.md.

BUILD      ?= build
CC         ?= cc
PREFIX     ?= /usr/local
SUBMISSION ?= reference
CFLAGS     ?= -O2 -g
WARNINGS    = -Wall -Wextra -Wpedantic -Wshadow -Wno-missing-field-initializers
PACKAGES    = libseccomp libcap libarchive jansson libcyaml yaml-0.1 libnl-3.0 libnl-route-3.0 libcurl ldns openssl sqlite3 zlib
# Packages are asked for only when something is compiled: they may have to be installed first.
ALL_CFLAGS  = -std=gnu17 -D_GNU_SOURCE -I. $(WARNINGS) $(shell pkg-config --cflags $(PACKAGES)) $(CFLAGS) -MMD -MP
LIBRARIES   = -Wl,--as-needed $(shell pkg-config --libs $(PACKAGES)) -lm
# `make V=1` shows whole commands; `make -s` nothing.
Q           = $(if $(V),,@)
say         = $(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),true,printf '  %s %s\n' '$(1)' '$(2)')
LINK        = $(CC) $(CFLAGS) $(LDFLAGS)

# Everything in grader/ but tests and main programs is one library, which the suites link too.
GRADER_SOURCES := $(filter-out %_test.c %_bench.c grader/cli/% grader/fuzz/% grader/sdk/main.c grader/sdk/elsewhere.c %/test_main.c,$(wildcard grader/*/*.c))
GRADER_OBJECTS := $(GRADER_SOURCES:%.c=$(BUILD)/obj/%.o)
CLI_OBJECTS    := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard grader/cli/*.c))
# What a lab includes.
SDK_HEADERS    := $(addprefix grader/sdk/,wiregrade.h causes.h internet.h scene.h traffic.h)
LABS           := $(notdir $(patsubst %/checks.c,%,$(wildcard suite/*/checks.c)))
# Of each lab, what the grader runs, and what runs by itself (grader/sdk/alone.h).
SUITES         := $(LABS:%=$(BUILD)/suite/%)
SUITES_ALONE   := $(LABS:%=$(BUILD)/alone/%)
# Translations: of the grader, and of each lab that has one.
LANGUAGES      := $(patsubst grader/po/%.po,%,$(wildcard grader/po/*.po))
MESSAGES       := $(foreach language,$(LANGUAGES),$(BUILD)/locale/$(language)/LC_MESSAGES/wiregrade.mo \
  $(patsubst suite/%/$(language).po,$(BUILD)/locale/$(language)/LC_MESSAGES/wiregrade-%.mo,$(wildcard suite/*/$(language).po)))
UNIT_TESTS     := $(patsubst %.c,$(BUILD)/tests/%,$(notdir $(wildcard grader/*/*_test.c suite/*/*_test.c)))
WAITS          := $(BUILD)/tests/waits $(BUILD)/tests/waits-static
TAP_DRIVER      = $(firstword $(wildcard /usr/share/automake-*/tap-driver.sh))

all: programs

programs: $(BUILD)/wiregrade $(SUITES) $(SUITES_ALONE) $(MESSAGES) $(BUILD)/source-root
	@:

setup-build:
	@.ci/packages build

setup-test:
	@.ci/packages test

$(BUILD)/source-root: Makefile
	@mkdir -p $(@D)
	@echo '$(CURDIR)' > $@

# Of `programs` and `unit-tests` whoever asks for them knows that all is there that they need.
$(BUILD)/obj/%.o: %.c | $(if $(filter-out programs unit-tests,$(or $(MAKECMDGOALS),all)),setup-build)
	@mkdir -p $(@D)
	@$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -c $< -o $@

# The page's style and script are taken in by the assembler, of which the compiler tells nothing.
$(BUILD)/obj/grader/result/report_html_assets.o: $(wildcard grader/result/report_html.*s)
$(BUILD)/obj/grader/class/page_assets.o: $(wildcard grader/class/class.*s)
$(BUILD)/obj/grader/verify/report_page.o: grader/verify/verify.css

$(BUILD)/libgrader.a: $(GRADER_OBJECTS) Makefile
	@rm -f $@
	@$(call say,AR,$@)
	$(Q)ar rcs $@ $(GRADER_OBJECTS)

$(BUILD)/wiregrade: $(CLI_OBJECTS) $(BUILD)/libgrader.a
	@$(call say,LD,$@)
	$(Q)$(LINK) $^ -o $@ $(LIBRARIES)

# A suite is all of suite/LAB/*.c; its unit tests are linked with all of that but the checks. Its checks are forked from
# it: symbols that are bound before that are bound once, not in each of them anew (-z now).
define SUITE
SUITE_OBJECTS_$(1) := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out %_test.c,$(wildcard suite/$(1)/*.c)) grader/sdk/main.c)

$(BUILD)/suite/$(1): $$(SUITE_OBJECTS_$(1)) $(BUILD)/obj/grader/sdk/elsewhere.o $(BUILD)/libgrader.a
	@mkdir -p $$(@D)
	@$$(call say,LD,$$@)
	$$(Q)$$(LINK) -Wl,-z,now $$^ -o $$@ $$(LIBRARIES)

$(BUILD)/alone/$(1): $$(SUITE_OBJECTS_$(1)) $(BUILD)/libgrader.a
	@mkdir -p $$(@D)
	@$$(call say,LD,$$@)
	$$(Q)$$(LINK) $$^ -o $$@ $$(LIBRARIES) -lcriterion
endef
$(foreach lab,$(LABS),$(eval $(call SUITE,$(lab))))

define LANGUAGE
$(BUILD)/locale/$(1)/LC_MESSAGES/wiregrade.mo: grader/po/$(1).po
	@mkdir -p $$(@D)
	@$$(call say,MO,$$@)
	$$(Q)msgfmt -o $$@ $$<

$(BUILD)/locale/$(1)/LC_MESSAGES/wiregrade-%.mo: suite/%/$(1).po
	@mkdir -p $$(@D)
	@$$(call say,MO,$$@)
	$$(Q)msgfmt -o $$@ $$<
endef
$(foreach language,$(LANGUAGES),$(eval $(call LANGUAGE,$(language))))

define UNIT_TEST
$(BUILD)/tests/$(basename $(notdir $(1))): $(BUILD)/obj/$(1:.c=.o) $(BUILD)/obj/grader/sandbox/test_main.o $(2) $(BUILD)/libgrader.a
	@mkdir -p $$(@D)
	@$$(call say,LD,$$@)
	$$(Q)$$(LINK) $$^ -o $$@ $$(LIBRARIES) -lcriterion
endef
$(foreach test,$(wildcard grader/*/*_test.c),$(eval $(call UNIT_TEST,$(test),)))
$(foreach test,$(wildcard suite/*/*_test.c),$(eval $(call UNIT_TEST,$(test),$(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out %_test.c %/checks.c $(wildcard suite/*/checks_*.c),$(wildcard $(dir $(test))*.c))))))

$(BUILD)/tests/%_bench: $(BUILD)/obj/grader/world/%_bench.o $(BUILD)/libgrader.a
	@mkdir -p $(@D)
	@$(call say,LD,$@)
	$(Q)$(LINK) $^ -o $@ $(LIBRARIES)

# Programs that hand bytes to one parser each: libFuzzer is their main.
FUZZ_TARGETS := $(patsubst %_fuzz.c,%,$(notdir $(wildcard grader/fuzz/*_fuzz.c)))
FUZZ_SHARED  := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out %_fuzz.c,$(wildcard grader/fuzz/*.c)))
FUZZ_FLAGS    = -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined

$(BUILD)/libfuzz.a: $(FUZZ_SHARED)
	@rm -f $@
	@$(call say,AR,$@)
	$(Q)ar rcs $@ $^

$(BUILD)/fuzz/%: $(BUILD)/obj/grader/fuzz/%_fuzz.o $(BUILD)/libfuzz.a $(BUILD)/libgrader.a
	@mkdir -p $(@D)
	@$(call say,LD,$@)
	$(Q)$(LINK) -fsanitize=fuzzer $^ -o $@ $(LIBRARIES) -lcriterion

fuzz-programs: $(FUZZ_TARGETS:%=$(BUILD)/fuzz/%)

# Looks for bytes that break a parser: make fuzz SECONDS=60 [TARGET=dns], so long for each target.
fuzz: setup-test
	@$(MAKE) --no-print-directory -s BUILD=$(BUILD)/fuzz CC=clang CFLAGS='$(FUZZ_FLAGS)' fuzz-programs
	@.ci/fuzz $(BUILD)/fuzz/fuzz $(or $(SECONDS),10) $(or $(TARGET),$(FUZZ_TARGETS))

# A small program that waits in every way there is; the clock's tests run it.
WAITS_SOURCES := $(wildcard grader/world/waits/*.c)
$(WAITS): $(WAITS_SOURCES) grader/world/waits/waits.h
	@mkdir -p $(@D)
	@$(call say,LD,$@)
	$(Q)$(CC) -std=gnu17 -D_GNU_SOURCE $(WARNINGS) -O2 -pthread $(if $(filter %-static,$@),-static) $(WAITS_SOURCES) -o $@ -lrt

unit-tests: programs $(UNIT_TESTS) $(WAITS)

grade: all
	@$(BUILD)/wiregrade grade $(SUBMISSION)

# All tests, or those of one part: make test PART=unit (see .ci/test).
test: setup-test
	@.ci/test $(PART)

# Takes into the translations what the sources have by now, and says what is not translated: see CONTRIBUTING.md.
messages: programs
	@.ci/messages update

# Automake's way: each suite program by itself, under tap-driver.sh, on SUBMISSION. Leaves build/check/LAB.log and .trs.
# make check [LAB='udp tcp']
check: setup-test
	@$(MAKE) --no-print-directory programs
	@mkdir -p $(BUILD)/check
	@printf '%s\n' $(or $(LAB),$(LABS)) | xargs -P "$$(nproc)" -I LAB sh -c 'WIREGRADE_SUBMISSION="$$1" sh "$$2" --test-name LAB \
	  --log-file $(BUILD)/check/LAB.log --trs-file $(BUILD)/check/LAB.trs --color-tests no --enable-hard-errors yes \
	  --expect-failure no -- $(BUILD)/suite/LAB && grep -q "^:global-test-result: PASS" $(BUILD)/check/LAB.trs' \
	  - '$(SUBMISSION)' '$(TAP_DRIVER)'

# Every mutant, where the tests take one for each requirement.
verify: all
	@$(BUILD)/wiregrade verify

# Mutants by rule: make mutate [LAB='udp tcp'] [PART=1/4] [JOBS=4]; STYLES=1: right programs by rule. What was graded is not
# graded again (.ci/mutate --help).
mutate: setup-test
	@$(MAKE) --no-print-directory programs
	@.ci/mutate --part $(or $(PART),1/1) --jobs $(or $(JOBS),4) $(if $(STYLES),--styles) $(LAB)

# Both clocks must agree, for every mutant and style: hours. make verify-clocks [LAB=udp-retry] [RUNS=1]; results in
# build/verify-clocks.json and .html.
verify-clocks: all
	@$(BUILD)/wiregrade verify --clock both $(LAB:%=--lab %) --runs $(or $(RUNS),1) --json $(BUILD)/verify-clocks.json \
	  --html $(BUILD)/verify-clocks.html

# What takes hours: soak-checks, then soak-hostile. RUNS, LAB and CLOCK as there.
soak:
	@$(MAKE) --no-print-directory soak-checks
	@$(MAKE) --no-print-directory soak-hostile

# The reference judged many times beside busy processes: make soak-checks RUNS=1000 LAB=udp-retry.6 CLOCK=virtual; LAB
# may be a lab or a check.
soak-checks: all
	@.ci/soak $(or $(RUNS),500) $(or $(LAB),udp-retry) $(or $(CLOCK),virtual)

# The reference and every style, until so many checks have been run, half of them beside busy processes, half of them as
# an ordinary user: make soak-right CHECKS=10000 CLOCK=virtual
soak-right: all
	@CLOCK=$(CLOCK) .ci/soak_right $(or $(CHECKS),10000)

# The lab deadlock with as many bytes as in the notes, through the system's own buffers.
soak-deadlock: all
	@$(MAKE) --no-print-directory -s -C reference
	@.ci/bulk

# Every attack of fixtures/hostile, as root and as an ordinary user: make soak-hostile RUNS=100. Interrupted, it prints
# its table; the next one goes on from there, as long as nothing is built anew (rm -r build/soak begins anew).
soak-hostile: all
	@.ci/hostile --runs $(or $(RUNS),100) --state $(BUILD)/soak/hostile.jsonl
	@[ "$$(id -u)" -ne 0 ] || .ci/hostile --rootless --runs $(or $(RUNS),100) --state $(BUILD)/soak/hostile.jsonl

# A batch that is killed so many times at random moments: make soak-batch KILLS=20
soak-batch: all
	@.ci/batch --only killed --kills $(or $(KILLS),20) $(BUILD)/wiregrade

# What things cost, at the median of five runs.
bench: all $(BUILD)/tests/machine_bench $(BUILD)/tests/lan_bench $(BUILD)/tests/start_bench
	@.ci/bench

# What a made-up class costs, with one worker and with two: make bench-class SUBMISSIONS=300 LABS_OF_CLASS=all
bench-class: all $(BUILD)/tests/machine_bench
	@.ci/bench_class $(or $(SUBMISSIONS),300) $(LABS_OF_CLASS)

install: all
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/lib/wiregrade/suite' '$(DESTDIR)$(PREFIX)/lib/wiregrade/alone' \
	  '$(DESTDIR)$(PREFIX)/share/wiregrade/starter' '$(DESTDIR)$(PREFIX)/share/man/man1'
	install -m 755 $(BUILD)/wiregrade '$(DESTDIR)$(PREFIX)/bin/wiregrade'
	install -m 755 $(SUITES) '$(DESTDIR)$(PREFIX)/lib/wiregrade/suite'
	install -m 755 $(SUITES_ALONE) '$(DESTDIR)$(PREFIX)/lib/wiregrade/alone'
	set -e; for lab in $(LABS); do \
	  install -d '$(DESTDIR)$(PREFIX)/share/wiregrade/suite/'$$lab; \
	  install -m 644 suite/$$lab/lab.yaml suite/$$lab/README*.md '$(DESTDIR)$(PREFIX)/share/wiregrade/suite/'$$lab; \
	done
	set -e; for messages in $(MESSAGES:$(BUILD)/%=%); do \
	  install -D -m 644 $(BUILD)/$$messages '$(DESTDIR)$(PREFIX)/share/wiregrade/'$$messages; \
	done
	cd grader/starter/files && find . -type f -exec install -D -m 644 '{}' '$(DESTDIR)$(PREFIX)/share/wiregrade/starter/{}' ';'
	install -D -m 644 grader/cli/completion/wiregrade.bash '$(DESTDIR)$(PREFIX)/share/bash-completion/completions/wiregrade'
	install -D -m 644 grader/cli/completion/_wiregrade '$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_wiregrade'
	install -m 644 grader/cli/wiregrade.1 '$(DESTDIR)$(PREFIX)/share/man/man1/wiregrade.1'
	set -e; for language in $(LANGUAGES); do \
	  install -D -m 644 grader/po/wiregrade.$$language.1 '$(DESTDIR)$(PREFIX)/share/man/'$$language/man1/wiregrade.1; \
	done
# What a lab outside this repository is built with: see suite/GUIDE.md.
	install -d '$(DESTDIR)$(PREFIX)/include/wiregrade/grader/sdk' '$(DESTDIR)$(PREFIX)/lib/pkgconfig'
	install -m 644 $(SDK_HEADERS) '$(DESTDIR)$(PREFIX)/include/wiregrade/grader/sdk'
	install -m 644 $(BUILD)/libgrader.a '$(DESTDIR)$(PREFIX)/lib/wiregrade/libwiregrade.a'
	ar rs '$(DESTDIR)$(PREFIX)/lib/wiregrade/libwiregrade.a' $(BUILD)/obj/grader/sdk/main.o
	sed -e "s/@VERSION@/$$(sed -n 's/.*WIREGRADE_VERSION "\(.*\)".*/\1/p' grader/base/version.h)/" \
	  -e 's/@PACKAGES@/$(PACKAGES)/' grader/sdk/wiregrade.pc.in >'$(DESTDIR)$(PREFIX)/lib/pkgconfig/wiregrade.pc'

# The tree's files, as git has them.
dist:
	@mkdir -p $(BUILD)
	@version=$$(sed -n 's/.*WIREGRADE_VERSION "\(.*\)".*/\1/p' grader/base/version.h) && \
	git archive --format=tar.gz --prefix="wiregrade-$$version/" -o "$(BUILD)/wiregrade-$$version.tar.gz" HEAD && \
	echo "$(BUILD)/wiregrade-$$version.tar.gz"

deb: all
	@.ci/deb

clean:
	rm -rf $(BUILD) reference/bin

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: all programs setup-build setup-test unit-tests messages grade test check verify verify-clocks mutate soak soak-checks soak-right soak-deadlock soak-hostile soak-batch bench bench-class fuzz fuzz-programs install dist deb clean
.SECONDARY:
.DELETE_ON_ERROR:
