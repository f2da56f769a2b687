# mogocred: build, install and test with PGXS. `make help` lists the targets.

# Where this Makefile is: the source tree, also in a VPATH build.
SRC := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))

# The version stands in the control file; test/t/build_version.pl sees that the others
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

# Whoever calls make may name a server; else the scripts look for Debian's newest one.
CALLERS_PG_CONFIG := $(PG_CONFIG)
PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

.PHONY: help
all: ## Builds the library for the server that PG_CONFIG names
install: ## Installs it there
installcheck: ## Runs the suite against that server, which has to be running
help: ## Lists the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' "$(SRC)/Makefile" | awk -F '\t' '{printf "%-20s%s\n", $$1, $$2}'

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
.PHONY: unsupported
$(OBJS) $(OBJS:.o=.bc): unsupported
unsupported:
	@echo "mogocred: this version supports PostgreSQL $(firstword $(PG_MAJORS)) to $(lastword $(PG_MAJORS)), and $(PG_CONFIG) is of $(MAJORVERSION) (to try it all the same: make PG_MAJORS=$(MAJORVERSION))" >&2; exit 1
endif

$(OBJS) $(OBJS:.o=.bc): $(wildcard $(SRC)/src/*.h)

# A VPATH build compiles into a folder that only the source tree has.
ifneq ($(CURDIR),$(SRC))
$(shell mkdir -p src)
endif
endif

# Each folder's run.sh, with the PG_CONFIG that the caller named.
RUN = @PG_CONFIG="$(CALLERS_PG_CONFIG)" "$(SRC)/

.PHONY: bench-http test test-monitoring test-drivers test-servers test-examples test-debian test-package test-image test-majors bench dist image
.PHONY: demo demo-stop demo-console demo-token-service
.PHONY: check-cost check-deep check-lint format check-fuzz check-sanitize check-valgrind check-coverage check-timing

test: ## Runs the whole suite on private servers; TESTS="name name" runs some of it
	$(RUN)test/run.sh"
test-drivers: ## Runs the blocks of doc/languages.md through published drivers and ORMs
	$(RUN)test/drivers/run.sh"
test-servers: ## Runs the configurations of doc/servers.md (nginx, Apache, Dovecot, PAM and others)
	$(RUN)test/servers/run.sh"
test-examples: ## Tries the examples in a browser, with published OAuth clients and Adminer
	$(RUN)test/examples/run.sh"
test-demo: ## Plays the demo with its console and token service, also interrupted and repeated
	$(RUN)test/demo/run.sh"
test-debian: ## Runs the suite inside a fresh Debian, RELEASE=trixie (as root, with debootstrap)
	@"$(SRC)/test/debian/run.sh" test "$(RELEASE)"
test-monitoring: ## Tries doc/monitoring.md with Debian's exporter, promtool and pg_cron
	$(RUN)test/monitoring/run.sh"
test-package: ## Builds and tries the Debian package, RELEASE=bookworm (the same)
	@"$(SRC)/test/debian/run.sh" package "$(RELEASE)"
test-majors: ## Runs the suite on each PostgreSQL in PGS=FOLDER, or built from a clone, PGSRC=
	@"$(SRC)/test/majors/run.sh" "$(PGS)" "$(PGSRC)"
test-image: ## Tries the image that `make image` made, on a server with nothing else of ours
	$(RUN)packaging/image/run.sh" test "$(PG)"

demo: ## Shows the product's page on a throw-away server
	$(RUN)demo/run.sh" $@
demo-console: ## Shows the same page in a browser, on the demo's server
	$(RUN)demo/run.sh" $@
demo-token-service: ## Runs an OAuth 2.0 token endpoint on the demo's server
	$(RUN)demo/run.sh" $@
demo-stop: ## Stops the demo and deletes all that it made
	$(RUN)demo/run.sh" $@

bench: ## Measures every row of the figures, side by side; QUICK=1 for a first look, ROWS= for some
	$(RUN)bench/run.sh"
check-cost: ## Counts what preloading costs sessions that never call us, with callgrind
	$(RUN)bench/cost/run.sh"

bench-http: ## Measures tokens a second of an OpenID provider with mogocred and otherwise
	$(RUN)bench/http/run.sh"

check-deep: ## Runs the slow checks, from here to check-coverage; this takes an hour
	$(RUN)test/deep/run.sh" $@
check-lint: ## Looks for faults in source, scripts and text without running them
	$(RUN)test/deep/run.sh" $@
format: ## Lays out C by PostgreSQL's pgindent (PGSRC= or Debian's source) and Perl by perltidy
	$(RUN)test/deep/lint.sh" format
check-fuzz: ## Feeds each parser with random input for FUZZ_SECONDS (600)
	$(RUN)test/deep/run.sh" $@
check-sanitize: ## Runs the suite with AddressSanitizer and UndefinedBehaviorSanitizer
	$(RUN)test/deep/run.sh" $@
check-valgrind: ## Runs the SQL tests under Valgrind
	$(RUN)test/deep/run.sh" $@
check-coverage: ## Runs the suite and fails for a line that no test reaches
	$(RUN)test/deep/run.sh" $@
check-timing: ## Prints how long right and wrong secrets take; the verdict is the reader's
	$(RUN)test/deep/run.sh" $@

image: ## Makes an OCI image of the extension for CloudNativePG and others, PG=18
	$(RUN)packaging/image/run.sh" build "$(PG)"

# What PGXN and others get: the tree as it was committed.
dist: ## Makes the release's archives from the last commit
	@mkdir -p dist
	git archive --format=zip --prefix=mogocred-$(EXTVERSION).0/ -o dist/mogocred-$(EXTVERSION).0.zip HEAD
	git archive --format=tar.gz --prefix=mogocred-$(EXTVERSION).0/ -o dist/mogocred-$(EXTVERSION).0.tar.gz HEAD
