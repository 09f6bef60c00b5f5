# Every target is one line in `make help`. The work is in scripts/, so that each can be run and read on its own.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# Package.swift turns warnings into errors when it sees this.
export PARLEY_STRICT := 1

SWIFT_FILES = git ls-files -z --cached --others --exclude-standard -- '*.swift' | xargs -0 -r ls -d 2>/dev/null

.PHONY: help setup run build test bench engine-bench conformance fuzz soak backpressure docs format lint

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what the targets and the voice engine need, build (debug), and let the engine hear itself
	scripts/setup.sh build engine test bench
	scripts/python.sh
	swift build --product parley
	scripts/engine-parts.sh --self-test

run: ## Build (debug) and serve on :8787 with the voice engine on this machine; needs no key; Ctrl-C stops it
	scripts/run.sh

build: ## Build the executable for use: .build-release/release/parley (several minutes the first time)
	scripts/setup.sh build
	scripts/release.sh

test: ## Run every fast test, the official Python clients included, and print a tally
	scripts/test.sh

bench: ## Measure what audio costs beside nginx, HAProxy and LiteLLM; writes docs/performance.md
	scripts/setup.sh build bench
	scripts/bench.sh

engine-bench: ## Measure what the voice engine understands, how soon it answers and what it takes; writes docs/local-engine.md
	scripts/setup.sh build engine test
	scripts/engine-quality.sh

conformance: ## Run the Autobahn WebSocket cases against both halves of the WebSocket layer
	scripts/conformance.sh

fuzz: ## Run each fuzz target for FUZZ_SECONDS (600), FUZZ_JOBS (2) at a time; writes docs/fuzzing.md
	scripts/fuzz.sh

soak: ## Run SOAK_SESSIONS (2000) calls over faulty links, compare both ends' ledgers; writes docs/soak.md
	scripts/setup.sh build
	scripts/soak.sh

backpressure: ## Measure what slow clients cost, and the calls beside them (nine minutes); writes docs/backpressure.md
	scripts/setup.sh build
	scripts/backpressure.sh

docs: ## Write the tables of the documents from what the program knows: keys, limits, settings, metrics, variables
	swift build --product parley
	scripts/docs.py

format: ## Format all Swift files in place
	@$(SWIFT_FILES) | xargs -r swift format --in-place --parallel

lint: ## Check the Swift files' format and the scripts' syntax, changing nothing
	scripts/lint.sh
