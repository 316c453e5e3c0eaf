# The front door. `make help` lists what it opens.
SHELL := /bin/bash
.DEFAULT_GOAL := help
JOBS ?= 2
DATA ?= ./pinpipe-data
PORTS ?= project
BIN := build/release/src/app/pinpipe

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build the pinpipe program (build/release), and ./pinpipe that leads to it
	@tools/setup build
	@cmake --preset release >/dev/null
	@ninja -C build/release -j$(JOBS) pinpipe
	@ln -sfn $(BIN) pinpipe

demo: build ## run the whole pipeline on generated posts and print the eight answers
	@./pinpipe demo --data $(DATA) --ports $(PORTS)

demo-clean: ## remove what the demo left: the data directory, once no server uses it
	@tools/remove_data $(DATA)

up: build ## start everything and keep it running (Ctrl-C ends it)
	@./pinpipe up --data $(DATA) --ports $(PORTS)

test: ## install what the tests need, build them and run them all
	@tools/setup test
	@cmake --preset release >/dev/null
	@ninja -C build/release -j$(JOBS)
	@ctest --test-dir build/release --output-on-failure -j$(JOBS)

asan: ## the tests under the address and undefined-behaviour sanitizers
	@tools/setup test
	@cmake --preset asan >/dev/null
	@ninja -C build/asan -j$(JOBS)
	@ctest --test-dir build/asan --output-on-failure -j$(JOBS)

TSAN_ROOMS := base io state log broker objects
tsan: ## the tests of the rooms with threads, under the thread sanitizer
	@tools/setup test
	@cmake --preset tsan >/dev/null
	@ninja -C build/tsan -j$(JOBS) $(addprefix test_,$(TSAN_ROOMS))
	@TSAN_OPTIONS="suppressions=$(CURDIR)/tools/tsan.supp halt_on_error=1" \
	  ctest --test-dir build/tsan --output-on-failure -R "^($(subst $(eval ) ,|,$(TSAN_ROOMS)))$$"

FUZZ_SECONDS ?= 10
fuzz: ## every fuzz target for FUZZ_SECONDS (10)
	@tools/setup test
	@cmake --preset asan >/dev/null
	@ninja -C build/asan -j$(JOBS) fuzzers
	@JOBS=$(JOBS) tools/run_fuzzers build/asan/fuzz $(FUZZ_SECONDS)

bench: ## the benchmarks; ratios against peers of the same run
	@tools/setup test
	@cmake --preset release >/dev/null
	@ninja -C build/release -j$(JOBS) benches
	@tools/run_benches build/release/bench

ROUNDS ?= 1000
SOAK ?=
soak: ## every script of tests/soak for ROUNDS (1000), or those named by SOAK="…" (hours)
	@tools/setup test
	@cmake --preset release >/dev/null
	@ninja -C build/release -j$(JOBS)
	@tools/soak $(ROUNDS) $(SOAK)

interop: build ## real peers, all groups; make interop-kafka runs one (downloads them; not in CI)
	@tools/setup interop
	@tools/interop

interop-%: build
	@tools/setup interop
	@tools/interop $*

web: interop-console ## the console, in headless Chromium

package: build ## a .tar.gz and a .deb of the program, in build/package
	@tools/package $(BIN)

fmt: ## format the C++ files
	@tools/setup lint
	@git ls-files '*.h' '*.cc' | xargs clang-format-19 -i

lint: ## formatting, headers that stand alone
	@tools/setup lint
	@tools/lint

clang-tidy: ## the chosen clang-tidy checks over all sources (slow)
	@tools/setup lint
	@cmake --preset release >/dev/null
	@git ls-files 'src/*.cc' | grep -v '_test\.cc$$' | \
	  xargs -P $(JOBS) -n 4 clang-tidy-19 -p build/release --quiet

check: ## exactly what decides whether a change lands
	@.ci/run

.PHONY: web package soak interop clang-tidy help build demo demo-clean up test asan tsan fuzz bench fmt lint check
