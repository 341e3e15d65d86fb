# The front door. `make help` lists what is behind it; CMakePresets.json names the builds.
JOBS    ?= $(shell nproc)
PREFIX  ?= /usr/local
PYTHON  ?= /usr/bin/python3
PYTEST   = $(PYTHON) -m pytest -q -rf
BUILD    = cmake --build build/$(1) -j $(JOBS)
CONFIGURE = @test -f build/$(1)/build.ninja || cmake --preset $(1) >build/$(1).log 2>&1 || \
            { cat build/$(1).log; echo "cannot configure: run dev/setup.sh build"; exit 1; }

.DEFAULT_GOAL := all
.PHONY: all help run test check quick unit conformance differential e2e crash ensemble faults sim sim-many capi input commands \
        fuzz bench format lint install uninstall deb clean debug asan setup setup-test

all: build ## the release program, build/paddock
	$(call CONFIGURE,release)
	@$(call BUILD,release) --target paddock

build:
	@mkdir -p build

run: setup ## install what is missing, build, start a standalone server on port 2181
	@$(MAKE) --no-print-directory all
	@dev/run.sh

test: setup-test ## install what is missing, build, run every test
	@$(PYTHON) dev/tally.py test

check: ## everything CI checks
	@dev/setup.sh check
	@$(PYTHON) dev/tally.py check

quick: build ## unit, property and fuzz-corpus tests, under a minute
	$(call CONFIGURE,debug)
	@$(call BUILD,debug) --target tests fuzzers
	@ctest --test-dir build/debug -L 'unit|property|fuzz|golden' --output-on-failure -j $(JOBS)

debug asan: build
	$(call CONFIGURE,$@)
	@$(call BUILD,$@)

conformance: all ## protocol statements against Paddock (TARGET=java: against the real server)
	$(PYTEST) test/conformance --target $(or $(TARGET),paddock)

differential: all ## random operations to both servers (SEED=n replays)
	$(PYTEST) test/differential

e2e: all ## real clients, unmodified
	$(PYTEST) test/e2e

crash: all ## SIGKILL under load
	$(PYTEST) test/crash

ensemble: all ## several servers at once, ours and Java's
	$(PYTEST) test/ensemble

faults: all ## random faults on real servers, checked (SECONDS=1800 SEED=n)
	$(PYTHON) test/ensemble/faults.py --seconds $(or $(SECONDS),1800) $(if $(SEED),--seed $(SEED))

sim: build ## one simulated run of an ensemble with its trace (SEED=n SETTINGS="name=value" SHRINK=1)
	$(call CONFIGURE,release)
	@$(call BUILD,release) --target simulate
	@build/release/simulate $(if $(SHRINK),--shrink) $(or $(SEED),1) $(SETTINGS)

sim-many: build ## simulated runs of fresh seeds (COUNT=2000 SECONDS=300 FIRST=n)
	$(call CONFIGURE,release)
	@$(call BUILD,release) --target simulate
	@build/release/simulate $(or $(COUNT),2000) $(or $(FIRST),0) $(or $(SECONDS),300) $(JOBS)

commands: all ## zkServer.sh, zkCli.sh, the offline tools; installing
	$(PYTEST) test/tools test/scripts test/shell test/install

capi: all ## the C client libraries, with programs that were built for Debian's
	@$(call BUILD,release) --target client_libraries
	$(PYTEST) test/capi

input: all ## bad input, configuration, four-letter words, load generator
	$(PYTEST) $(wildcard test/input test/config test/fourletter test/storage test/bench)

fuzz: build ## every fuzz target for FUZZ_SECONDS (60)
	$(call CONFIGURE,fuzz)
	@$(call BUILD,fuzz) --target fuzzers
	@dev/fuzz.sh $(or $(FUZZ_SECONDS),60) $(FUZZ_TARGETS)

bench: all ## the table of speed and size against the Java server (BENCH="--quick")
	@$(call BUILD,release) --target bench_nullserver client_libraries
	$(PYTHON) bench/compare.py $(BENCH)

format: ## rewrite every C file as .clang-format says
	@git ls-files '*.c' '*.h' ':!test/golden' | xargs clang-format -i

lint: build ## format, clang-tidy, who includes whom, circles, citations, what the pure rooms call
	$(call CONFIGURE,clang)
	$(call CONFIGURE,debug)
	@$(call BUILD,debug) --target paddock sim
	@dev/lint.sh

install: all ## program, scripts, libraries, systemd unit (PREFIX=/usr/local DESTDIR=)
	@$(call BUILD,release) --target client_libraries
	@DESTDIR="$(DESTDIR)" cmake --install build/release --strip --prefix "$(abspath $(PREFIX))"

uninstall: ## what the last make install has put there (with the same DESTDIR)
	@dev/uninstall.sh build/release/install_manifest.txt "$(DESTDIR)"

deb: build ## Debian packages in build/deb, from what make builds
	@dev/setup.sh deb
	@$(MAKE) --no-print-directory all
	@$(call BUILD,release) --target client_libraries
	@rm -rf build/deb && mkdir build/deb && cp -r packaging/debian build/deb/debian
	@cd build/deb && debian/rules binary >build.log 2>&1 || { tail -n 30 build.log; exit 1; }
	@ls build/deb/*.deb

setup:
	@dev/setup.sh build

setup-test:
	@dev/setup.sh test

clean:
	rm -rf build

help:
	@sed -n 's/^\([a-z][a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | \
	    awk -F'\t' '{ printf "  make %-13s %s\n", $$1, $$2 }'
