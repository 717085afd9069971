# SPDX-License-Identifier: GPL-3.0-or-later
# Fuzz targets: tests/fuzz/NAME/fuzz.c, with inputs in tests/fuzz/NAME/corpus/.
# `make check` replays the corpora through a main of our own (any compiler);
# `make fuzz TARGET=NAME SECONDS=N` looks for new inputs (clang, libFuzzer): new
# ones go to build-fuzz/corpus/NAME, what fails to build-fuzz/artifacts/NAME-*.
FUZZ := $(patsubst tests/fuzz/%/fuzz.c,%,$(sort $(wildcard tests/fuzz/*/fuzz.c)))
REPLAY := $(FUZZ:%=$(B)/tests/replay_%)

$(B)/tests/replay_%: $(B)/tests/fuzz/%/fuzz.o $(B)/tests/fuzz/replay.o $(STATIC)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(B)/fuzz/%: $(B)/tests/fuzz/%/fuzz.o $(STATIC)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS)

FB := build-fuzz
SECONDS ?= 60
FUZZ_FLAGS ?= -max_len=20000 -timeout=20 -rss_limit_mb=2048

fuzz:
	@test -n '$(TARGET)' || { echo 'TARGET= one of: $(FUZZ)'; exit 2; }
	$(MAKE) B=$(FB) CC=clang SANITIZE=1 CPPFLAGS= \
		CFLAGS='-O1 -g -fsanitize=fuzzer-no-link' $(FB)/fuzz/$(TARGET)
	@mkdir -p $(FB)/corpus/$(TARGET) $(FB)/artifacts
	$(FB)/fuzz/$(TARGET) $(FUZZ_FLAGS) -max_total_time=$(SECONDS) \
		-artifact_prefix=$(FB)/artifacts/$(TARGET)- \
		$(FB)/corpus/$(TARGET) tests/fuzz/$(TARGET)/corpus

# Keeps in the tree's corpus what new inputs reach and it does not.
fuzz-merge: fuzz
	$(FB)/fuzz/$(TARGET) $(FUZZ_FLAGS) -merge=1 \
		tests/fuzz/$(TARGET)/corpus $(FB)/corpus/$(TARGET)

.PHONY: fuzz fuzz-merge
-include $(wildcard $(B)/tests/fuzz/*.d $(B)/tests/fuzz/*/*.d)
