# Everything here needs python3 (3.11 or newer), make and the Python package index; nothing else.
#   make demo    the demo site at http://127.0.0.1:8000/        make test    the test suite
#   make help    all that this file can do

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
PY := $(VENV)/bin/python
HOST ?= 127.0.0.1
PORT ?= 8000
# The embedding site: another port and another name for this machine.
NEIGHBOR ?= http://$(if $(filter localhost,$(HOST)),127.0.0.1,localhost):$(shell expr $(PORT) + 1)
ARGS ?=
# Set in many containers. Without it every worker and every demo server compiles all modules and tests again.
unexport PYTHONDONTWRITEBYTECODE
PIP := $(PY) -m pip --disable-pip-version-check --quiet
IN_PROCESS := not (packaging or slow or journey or processes)
# Collecting all tests takes each worker 20 seconds: where ARGS name no path, each run reads its own folders only.
PATHS = $(filter tests% ./tests%,$(ARGS))
NO_BROWSER = $(if $(PATHS),,--ignore=tests/journeys --ignore=tests/processes)
JOURNEYS = $(if $(PATHS),,tests/journeys)
PROCESSES = $(if $(PATHS),,tests/processes)
# pytest ends with 5 when ARGS leave nothing to run in one of the groups.
OR_NONE := || [ $$? = 5 ]
IS_SUITABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

.PHONY: help demo quick test test-matrix test-webkit test-dates test-postgres test-slow journeys wheel-check docs lowest hosts bench lint format scripts messages screenshots clean

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

demo: $(VENV)/.demo ## serve the demo site on the embedded sandbox, and a site that embeds it; PORT=8123 picks the ports
	@$(PY) manage.py migrate --no-input --verbosity 0 || \
	  { echo "If an older version made the demo's database: run 'make clean', then 'make demo' again." >&2; exit 1; }
	@echo
	@echo "  The demo:            http://$(HOST):$(PORT)/"
	@echo "  The widget alone:    http://$(HOST):$(PORT)/book/"
	@echo "  Manage a booking:    http://$(HOST):$(PORT)/book/manage/"
	@echo "  Sandbox panel:       http://$(HOST):$(PORT)/sandbox/"
	@echo "  The admin:           http://$(HOST):$(PORT)/admin/ (salon, password salon)"
	@echo "  Mails to customers:  http://$(HOST):$(PORT)/mail/"
	@echo "  Ready-made themes:   http://$(HOST):$(PORT)/themes/"
	@echo "  The snippet builder: http://$(HOST):$(PORT)/snippet/"
	@echo "  An embedding site:   $(NEIGHBOR)/"
	@echo "  Ctrl-C ends it. Another port: make demo PORT=8123"
	@echo
	@exec env DJANGO_RUNSERVER_HIDE_WARNING=true KORDLESS_SANDBOX_WEBHOOK=http://$(HOST):$(PORT)/book/webhook/ SITE_URL=http://$(HOST):$(PORT) NEIGHBOR_ORIGIN=$(NEIGHBOR) $(PY) manage.py demo $(HOST):$(PORT)

quick: $(VENV)/.test ## run the tests of a contributor's loop: in one process, no browser; below 90 seconds on two cores
	@HYPOTHESIS_PROFILE=quick $(PY) -m pytest -m "$(IN_PROCESS) and not (matrix or long)" -n 2 --dist loadfile $(NO_BROWSER) $(ARGS) $(OR_NONE)

# Each promise once: one language, Chromium, the plain host. Nothing that failed is run again. Of files that ARGS name,
# the longer tests too.
test: $(VENV)/.test ## run the test suite; ARGS="-k slot" picks tests; browser journeys run where Chromium is
	@$(PY) -m pytest -m "$(IN_PROCESS) and not (matrix$(if $(PATHS),, or long))" -n 3 --dist loadfile $(NO_BROWSER) $(ARGS) $(OR_NONE)
	@$(PY) -m pytest -m "journey and not (slow or matrix)" -n 3 --dist loadfile $(JOURNEYS) $(ARGS) $(OR_NONE)
	@$(PY) -m pytest -m "processes and not (slow or matrix)" -n 2 $(PROCESSES) $(ARGS) $(OR_NONE)

test-matrix: $(VENV)/.test ## run the longer tests, and what make test tries one case of: languages, Firefox, host projects
	@$(PY) -m pytest -m "(matrix or long) and $(IN_PROCESS)" -n 3 --dist loadfile $(NO_BROWSER) $(ARGS) $(OR_NONE)
	@$(PY) -m pytest -m "matrix and journey and not (slow or webkit)" -n 3 --dist loadfile $(JOURNEYS) $(ARGS) $(OR_NONE)
	@$(PY) -m pytest -m "matrix and processes and not slow" $(PROCESSES) $(ARGS) $(OR_NONE)

test-webkit: $(VENV)/.test ## run the journeys in WebKitGTK, the engine of Safari (Debian: webkit2gtk-driver xvfb)
	@$(PY) -m pytest -m webkit $(JOURNEYS) $(ARGS)

# The clock-change days of Berlin and New York, month's and year's ends and beginnings; New York where no zone is given.
DATES := 2026-10-25T00:30+02:00 2026-11-01T00:30 2026-12-01T00:05 2026-12-28T10:00 2026-12-31T23:30 2027-01-31T23:55 \
  2027-01-31T23:55+00:00 2027-02-28T18:30 2027-03-14T00:30 2027-03-28T00:30+01:00 2028-02-29T23:55

# Two dates at a time, each in one process with one browser; xargs stops at the first that fails (255).
test-dates: $(VENV)/.test ## run what depends on dates at month's ends, on the leap day and on days of clock changes
	@printf '%s\n' $(DATES) | xargs -P 2 -I DATE sh -c ' \
	  found=$$(KORDLESS_TEST_NOW=DATE $(PY) -m pytest --quiet -m dates tests/dates tests/journeys $(ARGS) 2>&1) && ended=0 || ended=255; \
	  printf "%s\n%s\n" DATE "$$found"; \
	  exit $$ended'

# Without the rest of each matrix: its cases differ in languages, templates and input, and their queries are the same.
test-postgres: $(VENV)/.test ## run what touches the database on a temporary PostgreSQL server (Debian: postgresql)
	@$(PY) -m tests.support.postgres_server $(PY) -m pytest -m "django_db and not matrix" -n 2 --dist loadfile tests/views tests/booking tests/funnel tests/erasure tests/mail tests/staff tests/contrib/customers tests/test_models.py tests/test_query_plans.py tests/test_retention.py $(ARGS)

test-slow: $(VENV)/.test ## run what takes minutes, most of them waiting: bursts over the rate limit
	@$(PY) -m pytest -m slow -n 2 $(ARGS)

journeys: $(VENV)/.test ## run the browser journeys alone; fails where Chromium, Firefox or WebKitGTK is missing
	@KORDLESS_JOURNEYS=required $(PY) -m pytest -m journey $(JOURNEYS) $(ARGS)

wheel-check: $(VENV)/.test ## build the wheel, install it in a clean environment and book through it
	@$(PY) -m pytest -m packaging $(if $(PATHS),,tests/packaging) $(ARGS)

lowest: $(VENV)/.dev ## run a quick part of the suite on the lowest version of each dependency that pyproject.toml allows
	@$(VENV)/bin/nox --session lowest $(if $(ARGS),-- $(ARGS))

hosts: $(VENV)/.dev ## walk through the widget inside Wagtail, django CMS and a strict site with allauth
	@$(VENV)/bin/nox --session hosts $(if $(ARGS),-- $(ARGS))

lint: $(VENV)/.dev ## ruff, mypy, import-linter and djade
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports
	@find kordless_booking templates tests/projects -name '*.html' -exec $(VENV)/bin/djade --check --target-version 5.2 {} +

format: $(VENV)/.dev ## put code and templates into the house's shape
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .
	@find kordless_booking templates tests/projects -name '*.html' -exec $(VENV)/bin/djade --target-version 5.2 {} +

# Pages are Markdown in docs/; each warning is an error, and so is a link that leads nowhere. Nothing is fetched.
docs: $(VENV)/.dev ## build the documentation site into build/docs/
	@$(PY) -m sphinx -W --keep-going -n -q -b html -d build/docs-doctrees docs build/docs
	@echo "Open build/docs/index.html"

bench: $(PY) ## measure speed and what it asks of Kordless, and write docs/benchmarks.md (ARGS=--print prints it); needs wrk and redis-server
	@$(PY) -m benchmarks $(ARGS)

scripts: $(PY) ## build the served scripts from frontend/; needs npm. ARGS=--check compares with what is committed
	@$(PY) -m frontend $(ARGS)

messages: $(VENV)/.test ## bring the languages up to date with the code: add new texts, drop old ones, compile
	@$(PY) -m tests.messages

screenshots: $(VENV)/.test ## take every picture of the docs anew, with Chromium; a few minutes. ARGS="themes home" picks some
	@$(PY) -m screenshots $(ARGS)

clean: ## remove the environment, the demo's databases and everything built
	@rm -rf $(VENV) .venv-bench .nox build dist staticfiles .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis test-results .coverage
	@rm -rf demo.sqlite3* sandbox.sqlite3* sandbox-mail
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One environment; each stamp says which group of pyproject.toml is in it.
$(VENV)/.demo $(VENV)/.test $(VENV)/.dev: $(VENV)/.%: pyproject.toml | $(PY)
	@echo "Installing what 'make $(MAKECMDGOALS)' needs into $(VENV) (once; a minute or so)…"
	@$(PIP) install --upgrade "pip>=25.1"
	@$(PIP) install --editable . --group $*
	@touch $@

$(PY):
	@python="$(PYTHON)"; \
	if [ -z "$$python" ]; then \
	  for candidate in python3.13 python3.12 python3.11 python3; do \
	    if $$candidate -c '$(IS_SUITABLE)' >/dev/null 2>&1; then python=$$candidate; break; fi; \
	  done; \
	fi; \
	if [ -z "$$python" ] || ! $$python -c '$(IS_SUITABLE)' >/dev/null 2>&1; then \
	  echo "Python 3.11 or newer with its venv module is needed, and none was found." >&2; \
	  echo "On Debian and Ubuntu: apt-get install python3 python3-venv" >&2; \
	  echo "If it is elsewhere: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; \
	  exit 1; \
	fi; \
	$$python -m venv --clear $(VENV)
