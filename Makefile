# Every command there is. `make` alone prints them.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help
help:  ## print these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements-dev.lock requirements-bootstrap.lock scripts/environment.py
	@$(PYTHON) scripts/environment.py $(VENV)
	@touch $@

.PHONY: setup
setup: $(READY)  ## build the environment (the others do it by themselves)

.PHONY: run
run: $(READY)  ## start everything; the first start plays ninety days of a simulated retailer
	@OMS_OFFER_ADMIN_KEY=$${OMS_OFFER_ADMIN_KEY:-true} $(BIN)/oms up

.PHONY: test
test: $(READY)  ## run every test; a table at the end says how long each tier took
	@$(BIN)/python scripts/browser.py
	@$(BIN)/python scripts/tiers.py

.PHONY: journeys
journeys: $(READY)  ## play every journey over HTTP, and print the matrix with the result
	@$(BIN)/python -m pytest -q tests/journeys/test_matrix.py; code=$$?; \
		$(BIN)/oms docs journeys; exit $$code

.PHONY: soak
soak: $(READY)  ## pay thousands of refunds back while everything is killed (OMS_TEST_EFFORT=100)
	@OMS_TEST_EFFORT=$${OMS_TEST_EFFORT:-100} $(BIN)/python -m pytest -q -s \
		tests/ledger/test_payments_killed.py tests/api/test_refunds_killed.py

.PHONY: documents
documents: $(READY)  ## hold every invoice and credit note of what runs to EN 16931's own rules
	@$(BIN)/python scripts/valid_documents.py

.PHONY: fast
fast: $(READY)  ## run the fast tiers only
	@$(BIN)/python scripts/tiers.py tidy unit ledger channels api

.PHONY: check
check: $(READY)  ## format, lint, types, import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/docs.py --check

.PHONY: docs
docs: $(READY)  ## write the documents that are made of code
	@$(BIN)/python scripts/docs.py

.PHONY: ci
ci: check test  ## what must hold before anything lands

.PHONY: bench
bench: $(READY)  ## measure every path beside its floor
	@$(BIN)/python -m benchmarks

.PHONY: lock
lock: $(READY)  ## write the lock files anew from pyproject.toml
	@$(BIN)/python scripts/lock.py

.PHONY: clean
clean:  ## remove the environment; data stays
	@rm -rf $(VENV)
