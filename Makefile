# make run    builds Potluck and starts a node with a small demo library; LIBRARY=/path KIND=movies|shows|videos|comics|books|music uses yours
# make test   builds and tests everything
# make bench  measures, and prints each figure beside a reference from the same run
# All three install what they need on Debian 12 (as root or with sudo).
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: run test bench web node demo packages test-packages lint rust-test web-test interop-test browser-test generate help

export CARGO_TARGET_DIR ?= $(HOME)/.cache/potluck/target

DATA ?= $(HOME)/.local/share/potluck
LIBRARY ?=
KIND ?= movies
LISTEN ?= 0.0.0.0:8096
ADMIN ?= admin
SUBSONIC_PYTHON := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/potluck/subsonic-python
# Helia needs a later Node than Debian's: one of npm's.
NODE_22 := tests/interop/ipfs/node_modules/.bin/node
SUPYSONIC := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/potluck/supysonic

PACKAGES := build-essential pkg-config clang libclang-dev libavcodec-dev libavformat-dev libavfilter-dev libavutil-dev \
            libswscale-dev libswresample-dev libarchive-dev ffmpeg fonts-dejavu-core zip
TEST_PACKAGES := $(PACKAGES) chromium iproute2 nftables faketime libva-dev p7zip-full python3-feedparser python3-venv

help:
	@sed -n '1,4s/^# //p' Makefile

# --- run -------------------------------------------------------------------------------------------------------------

# The demo films, comics and music are made while the compiler works, so that some are there when the node is.
run: packages
	@if [ -z "$(LIBRARY)" ]; then (tests/fixtures/comic.sh "$(DATA)-demo-comics"; tests/fixtures/music.sh "$(DATA)-demo-music"; tests/fixtures/demo.sh "$(DATA)-demo") & fi; $(MAKE) --no-print-directory web node && wait
	@DATA="$(DATA)" LIBRARY="$(or $(LIBRARY),$(DATA)-demo)" KIND="$(KIND)" LISTEN="$(LISTEN)" ADMIN="$(ADMIN)" \
	  config/run.sh "$(CARGO_TARGET_DIR)/release/potluck"

packages:
	@.ci/packages $(PACKAGES)

node:
	cargo build --release --locked

# Built only when something of it changed: the node embeds what was built, and would be compiled again.
web: web/dist/index.html

web/dist/index.html: web/node_modules/.package-lock.json $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print)
	npm --prefix web run --silent build
	@touch $@

%/node_modules/.package-lock.json: %/package-lock.json
	npm --prefix $* ci --no-audit --no-fund --loglevel=error
	@touch $@

# --- test ------------------------------------------------------------------------------------------------------------

# The quickest to fail come first; the browsers, which need everything else, come last.
test: test-packages
	$(MAKE) --no-print-directory web
	$(MAKE) --no-print-directory lint
	$(MAKE) --no-print-directory web-test
	$(MAKE) --no-print-directory rust-test
	$(MAKE) --no-print-directory interop-test
	$(MAKE) --no-print-directory browser-test

test-packages:
	@.ci/packages $(TEST_PACKAGES)

lint: web/node_modules/.package-lock.json
	cargo fmt --all --check
	npm --prefix web run --silent lint
	npm --prefix web run --silent check
	cargo clippy --locked --all-targets -- -D warnings

web-test: web/node_modules/.package-lock.json
	npm --prefix web run --silent test

rust-test:
	cargo test --locked

# `cargo test --no-run` makes the binaries with the features that the tests have: one debug build serves all.
interop-test: $(patsubst %,tests/interop/%/node_modules/.package-lock.json,helia ipfs opds subsonic) $(SUBSONIC_PYTHON)/requirements.txt
	cargo test --locked --no-run
	node tests/interop/helia/run.mjs --potluck "$(CARGO_TARGET_DIR)/debug/potluck"
	POTLUCK="$(CARGO_TARGET_DIR)/debug/potluck" $(NODE_22) --test --test-concurrency=1 "tests/interop/ipfs/*.test.mjs"
	node tests/interop/opds/run.mjs --potluck "$(CARGO_TARGET_DIR)/debug/potluck"
	node tests/interop/subsonic/run.mjs --potluck "$(CARGO_TARGET_DIR)/debug/potluck" --python "$(SUBSONIC_PYTHON)/bin/python"

# Debian's own Python with the programs for Subsonic, and nothing of the system's.
$(SUBSONIC_PYTHON)/requirements.txt: tests/interop/subsonic/requirements.txt
	/usr/bin/python3 -m venv --clear $(@D)
	$(@D)/bin/pip install -qq --disable-pip-version-check -r $<
	@cp $< $@

browser-test: tests/browser/node_modules/.package-lock.json
	cargo test --locked --no-run
	POTLUCK="$(CARGO_TARGET_DIR)/debug/potluck" node --test --test-concurrency=1 tests/browser/

# --- measure ---------------------------------------------------------------------------------------------------------

# GROUPS="import catalog" runs only those.
bench: test-packages web $(patsubst %,tests/%/node_modules/.package-lock.json,browser interop/ipfs) $(SUPYSONIC)/supysonic.txt
	POTLUCK_BENCH_SUPYSONIC="$(SUPYSONIC)/bin" cargo bench --locked --bench bench -- $(GROUPS)

# Another server of Subsonic's protocol, which is measured beside the node.
$(SUPYSONIC)/supysonic.txt: tests/bench/supysonic.txt
	/usr/bin/python3 -m venv --clear $(@D)
	$(@D)/bin/pip install -qq --disable-pip-version-check -r $<
	@cp $< $@

# Writes web/src/api/openapi.json from the handlers, and the page's types from that.
generate: web/node_modules/.package-lock.json
	UPDATE_OPENAPI=1 cargo test --locked --test it openapi
	npm --prefix web run --silent generate
