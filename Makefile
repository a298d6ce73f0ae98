# Everything runs from here; `make help` lists it. Thin on purpose: the work is in sandbox/ and bench/.
.POSIX:
.SUFFIXES:

# A Python of any age starts the bootstrap; it finds one that fits (PYTHON=… names it).
BOOTSTRAP = "$$(command -v python3 || command -v python || echo python3)" sandbox/bootstrap.py
RUN = .venv/bin/python -m

help:
	@echo "make demo          everything from nothing: publisher, jobs, results; stays up until make down"
	@echo "make demo-oulad    the export on real Open University data: make demo-oulad DIR=…"
	@echo "make up | down     the runtime alone; down removes its data"
	@echo "make test          lint, types, import contracts, SQL lint and every test"
	@echo "make lint          the same without the tests"
	@echo "make proof         full scale, and what needs system programs; writes docs/proof.md"
	@echo "make bench         measurements"
	@echo "make lock          resolve requirements*.in anew"
	@echo "make clean         down, and remove the environments"

bootstrap:
	@$(BOOTSTRAP)

up: bootstrap
	@$(RUN) sandbox.runtime up

# Needs the environment only when something may run.
down:
	@if [ -d var/run ] || [ -d var/postgres ]; then $(BOOTSTRAP) && $(RUN) sandbox.runtime down; fi

demo: bootstrap
	@$(RUN) sandbox.demo

demo-oulad: bootstrap
	@$(RUN) sandbox.demo_oulad "$(DIR)"

test: bootstrap
	@$(RUN) sandbox.checks test

lint: bootstrap
	@$(RUN) sandbox.checks lint

proof: bootstrap
	@$(RUN) bench.proof

bench: bootstrap
	@$(RUN) bench.measure
	@$(RUN) bench.console
	@$(RUN) bench.overhead

lock: bootstrap
	@$(RUN) sandbox.lock

clean: down
	rm -rf var .venv .venv-tools .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

.PHONY: help bootstrap up down demo demo-oulad test lint proof bench lock clean
