# mogocred: build, install and test with PGXS.
#
#   make && make install        against the server that PG_CONFIG names
#   make installcheck           the suite against an installed and running server
#   make test                   everything, on private servers (see test/run.sh)
#   make demo, make demo-stop   the product's page in one minute
#   make bench                  the figures, side by side (see bench/run.sh)
#   make demo-console           the same page in a browser, make demo-token-service

# Where this Makefile is: the source tree, also in a VPATH build.
SRC := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))

# The version stands in the control file; test/t/047_version.pl sees that the others
# agree with it.
EXTENSION = mogocred
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" "$(SRC)/mogocred.control")

MODULE_big = mogocred
OBJS = $(patsubst $(SRC)/%.c,%.o,$(sort $(wildcard $(SRC)/src/*.c)))
DATA = $(patsubst $(SRC)/%,%,$(wildcard $(SRC)/sql/*--*.sql))

PG_CPPFLAGS = -I$(SRC)/src
PG_CFLAGS = -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers
ifdef WERROR
PG_CFLAGS += -Werror
endif

# Client ids come from libuuid. SHA-256 comes from libcrypto where the server
# itself uses it, else (or with CORE_HASH=1) from the server's own pg_cryptohash. (What
# asks whether OpenSSL is in FIPS mode, in bcrypt.c, needs the former all the same.)
SHLIB_LINK = -luuid $(if $(filter openssl,$(with_ssl)),-lcrypto)
ifdef CORE_HASH
PG_CPPFLAGS += -DMOGO_CORE_HASH
endif

REGRESS = $(patsubst $(SRC)/test/sql/%.sql,%,$(sort $(wildcard $(SRC)/test/sql/*.sql)))
ISOLATION = $(patsubst $(SRC)/test/specs/%.spec,%,$(sort $(wildcard $(SRC)/test/specs/*.spec)))
REGRESS_OPTS = --inputdir=$(SRC)/test --load-extension=pgcrypto --load-extension=$(EXTENSION)
ISOLATION_OPTS = $(REGRESS_OPTS)
TAP_TESTS = 1
PROVE_TESTS = test/t/*.pl

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifeq ($(PGXS),)
# Nothing is installed yet: only the targets that install it can be made.
.PHONY: all
all:
	@echo "mogocred: $(PG_CONFIG) was not found; install PostgreSQL's server headers (Debian: postgresql-server-dev-all) or set PG_CONFIG" >&2; exit 1
else
include $(PGXS)

# The majors that this version was tested with; debian/pgversions has the same list.
PG_MAJORS = 15 16 17 18 19 20
ifeq ($(filter $(MAJORVERSION),$(PG_MAJORS)),)
$(error mogocred $(EXTVERSION) supports PostgreSQL $(firstword $(PG_MAJORS)) to $(lastword $(PG_MAJORS)), and $(PG_CONFIG) is of $(MAJORVERSION) (to try it all the same: make PG_MAJORS=$(MAJORVERSION)))
endif

$(OBJS) $(OBJS:.o=.bc): $(wildcard $(SRC)/src/*.h)

# A VPATH build compiles into a folder that only the source tree has.
ifneq ($(CURDIR),$(SRC))
$(shell mkdir -p src)
endif
endif

# What test/run.sh does: it takes Debian's newest server where the caller names none.
CHECKS = check-deep check-lint check-fuzz check-sanitize check-valgrind check-coverage check-timing
.PHONY: test demo demo-stop $(CHECKS)
test demo demo-stop $(CHECKS):
	@PG_CONFIG="$(if $(filter file,$(origin PG_CONFIG)),,$(PG_CONFIG))" "$(CURDIR)/test/run.sh" $@

# Other people's drivers, servers and browsers with it.
.PHONY: test-drivers test-examples
test-drivers test-examples:
	@PG_CONFIG="$(if $(filter file,$(origin PG_CONFIG)),,$(PG_CONFIG))" "$(CURDIR)/test/$(@:test-%=%)/run.sh"

# With other releases of Debian, and as a Debian package: they need root and debootstrap
# (see test/debian.sh), so `make test` does not run them.
.PHONY: test-debian test-package
test-debian:
	@"$(CURDIR)/test/debian.sh" test "$(RELEASE)"
test-package:
	@"$(CURDIR)/test/debian.sh" package "$(RELEASE)"

# What PGXN and others get: the tree as it was committed.
.PHONY: dist
dist:
	@mkdir -p dist
	git archive --format=zip --prefix=mogocred-$(EXTVERSION).0/ -o dist/mogocred-$(EXTVERSION).0.zip HEAD
	git archive --format=tar.gz --prefix=mogocred-$(EXTVERSION).0/ -o dist/mogocred-$(EXTVERSION).0.tar.gz HEAD

# The figures, side by side (see bench/run.sh): QUICK=1 for a first look, ROWS= for some.
.PHONY: bench
bench:
	@PG_CONFIG="$(if $(filter file,$(origin PG_CONFIG)),,$(PG_CONFIG))" "$(CURDIR)/bench/run.sh"

# The examples on the running demo's server.
.PHONY: demo-console demo-token-service
demo-console demo-token-service:
	@"$(CURDIR)/test/demo-examples.sh" $@
