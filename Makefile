# unik: container image layers as deterministic filesystem images.
# No configure step.  `make help` lists the targets.

VERSION := 0.1.0
SOVERSION := 0

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
DESTDIR ?=
B ?= build
CC ?= cc
AR ?= ar
LD ?= ld
OBJCOPY ?= objcopy
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g
WERROR ?=
SANITIZE ?=

PACKAGES := libcrypto zlib libzstd liblzma jansson
# gzip through ISA-L where it is installed; ISAL=0 leaves it out.
ISAL ?= $(shell $(PKG_CONFIG) --exists libisal && echo 1 || echo 0)
ifeq ($(ISAL),1)
PACKAGES += libisal
ISAL_FLAGS := -DUNIK_ISAL
endif

WARN := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes \
	-Wvla -Wcast-qual -Wwrite-strings -Wpointer-arith -Wundef
ifneq ($(WERROR),)
WARN += -Werror
endif
ifneq ($(SANITIZE),)
SAN := -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
endif

PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES))
PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES)) -lbz2
override ALL_CFLAGS := -std=c11 -D_FILE_OFFSET_BITS=64 -fvisibility=hidden \
	-fPIC -pthread $(WARN) $(SAN) -DUNIK_VERSION='"$(VERSION)"' \
	$(ISAL_FLAGS) $(PKG_CFLAGS) $(CPPFLAGS) $(CFLAGS)
override ALL_LDFLAGS := -pthread $(SAN) $(LDFLAGS)

LIB_SRC := $(sort $(wildcard lib/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o)
TOOLS := $(patsubst cmd/%.c,%,$(sort $(wildcard cmd/unik-*.c)))
CMD_OBJ := $(patsubst %.c,$(B)/%.o,$(filter-out cmd/unik-%.c,$(sort $(wildcard cmd/*.c))))
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT := $(UNIT_SRC:tests/unit/%.c=$(B)/tests/%)
HELPERS := $(patsubst tests/tools/%.c,$(B)/tests/%,$(sort $(wildcard tests/tools/*.c)))
STATIC := $(B)/internal/libunik.a
PUBLIC := $(B)/libunik.a
SHARED := $(B)/libunik.so.$(SOVERSION)

all: tools $(SHARED) $(PUBLIC) $(B)/libunik.pc
tools: $(TOOLS:%=$(B)/%)

# A changed flag rebuilds everything.
FLAGS := $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(PKG_LIBS)
$(B)/flags: FORCE
	@mkdir -p $(B)
	@echo '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || \
		echo '$(subst ','\'',$(FLAGS))' > $@

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -iquote lib -MMD -MP -c $< -o $@

# Sanitized, the loops of sha256 take as long as all the rest twenty times over:
# lib/lanes.c has ASan look at what they are given instead.
$(B)/lib/lanes_%.o: lib/lanes_%.c $(B)/flags
	@mkdir -p $(@D)
	$(CC) $(filter-out $(SAN),$(ALL_CFLAGS)) -iquote lib -MMD -MP -c $< -o $@

# For the tools and the tests: every symbol is at hand.
$(STATIC): $(LIB_OBJ)
	@mkdir -p $(@D)
	rm -f $@
	$(AR) rcs $@ $^

# For others: one object in which only what unik.h declares is global.
$(PUBLIC): $(LIB_OBJ)
	$(LD) -r -o $(B)/unik.o $^
	$(OBJCOPY) --localize-hidden $(B)/unik.o
	rm -f $@
	$(AR) rcs $@ $(B)/unik.o

$(SHARED): $(LIB_OBJ)
	$(CC) $(ALL_LDFLAGS) -shared -Wl,-soname,libunik.so.$(SOVERSION) \
		-Wl,--no-undefined -o $@ $^ $(PKG_LIBS)

$(B)/unik-%: $(B)/cmd/unik-%.o $(CMD_OBJ) $(STATIC)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

# Made anew each time: PREFIX may be another one for `make install`.
$(B)/libunik.pc: FORCE
	@mkdir -p $(B)
	@printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(LIBDIR)' \
		'includedir=$(INCDIR)' '' 'Name: libunik' \
		'Description: container image layers as filesystem images' \
		'Version: $(VERSION)' 'Requires.private: $(PACKAGES)' \
		'Libs: -L$${libdir} -lunik' 'Libs.private: -lbz2 -pthread' \
		'Cflags: -I$${includedir}' > $@

$(B)/tests/%: $(B)/tests/unit/%.o $(STATIC)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(B)/tests/%: $(B)/tests/tools/%.o $(STATIC)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

include tests/fuzz/fuzz.mk
include tests/unit/faults.mk

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig \
		$(DESTDIR)$(INCDIR) $(DESTDIR)$(MANDIR)/man1 \
		$(DESTDIR)$(MANDIR)/man5
	install -m 755 $(TOOLS:%=$(B)/%) $(DESTDIR)$(BINDIR)
	install -m 644 $(PUBLIC) $(DESTDIR)$(LIBDIR)
	install -m 755 $(SHARED) $(DESTDIR)$(LIBDIR)
	ln -sf libunik.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libunik.so
	install -m 644 $(B)/libunik.pc $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 644 lib/unik.h $(DESTDIR)$(INCDIR)
	install -m 644 man/*.1 $(DESTDIR)$(MANDIR)/man1
	install -m 644 man/*.5 $(DESTDIR)$(MANDIR)/man5

uninstall:
	rm -f $(TOOLS:%=$(DESTDIR)$(BINDIR)/%) \
		$(DESTDIR)$(LIBDIR)/libunik.a \
		$(DESTDIR)$(LIBDIR)/libunik.so \
		$(DESTDIR)$(LIBDIR)/libunik.so.$(SOVERSION) \
		$(DESTDIR)$(LIBDIR)/pkgconfig/libunik.pc \
		$(DESTDIR)$(INCDIR)/unik.h \
		$(patsubst man/%,$(DESTDIR)$(MANDIR)/man1/%,$(wildcard man/*.1)) \
		$(patsubst man/%,$(DESTDIR)$(MANDIR)/man5/%,$(wildcard man/*.5))

# The whole suite; the last line is `N passed, N failed[, N skipped]`.
check: all $(UNIT) $(HELPERS) $(REPLAY)
	B='$(B)' CC='$(CC)' SANITIZE='$(SANITIZE)' tests/run

# Only the unit tests.
check-unit: $(UNIT)
	B='$(B)' tests/run $(UNIT)

# The unit tests and those of the tools, our programs under valgrind.
check-valgrind: all $(UNIT) $(HELPERS)
	B='$(B)' tests/valgrind

# Only the tests that boot a guest.
check-boot: all $(HELPERS)
	B='$(B)' tests/run tests/boot/*.sh

# unik and its peers side by side; tests/bench/run --help says what BENCH,
# RUNS and README do.
bench: all $(HELPERS)
	@B='$(B)' BENCH='$(BENCH)' RUNS='$(RUNS)' README='$(README)' \
		tests/bench/run

# Where a conversion's time goes: CORPUS, FORMAT, FROM, TOOL, TOP.
profile: all
	@B='$(B)' CORPUS='$(CORPUS)' FORMAT='$(FORMAT)' FROM='$(FROM)' \
		TOOL='$(TOOL)' TOP='$(TOP)' tests/bench/profile

lint:
	scripts/lint

help:
	@echo 'make            tools, static and shared library in $(B)/'
	@echo 'make check      the whole test suite (SANITIZE=1: ASan and UBSan)'
	@echo 'make check-unit only the unit tests'
	@echo 'make check-valgrind  the tests of units and tools under valgrind'
	@echo 'make fuzz TARGET=x SECONDS=n   look for inputs that break a promise'
	@echo 'make check-boot only the tests that boot QEMU'
	@echo 'make bench      speed, beside other tools (BENCH=bars: quickly; RUNS=n)'
	@echo 'make profile    where the time goes (CORPUS=x FORMAT=x FROM=gz)'
	@echo 'make lint       warnings as errors, layers, sizes, manuals'
	@echo 'make install    to $$DESTDIR$$PREFIX ($(PREFIX)); uninstall undoes it'
	@echo 'make clean      removes $(B)/'

clean:
	rm -rf $(B)

FORCE:
.PHONY: all tools install uninstall check check-unit check-valgrind check-boot \
	bench profile lint help clean FORCE
.SECONDARY:
-include $(wildcard $(B)/lib/*.d $(B)/cmd/*.d $(B)/tests/*/*.d)
