#!/usr/bin/env bash
# Lock every dependency with its hashes, and without any address: run by `make lock`.
set -euo pipefail
cd "$(dirname "$0")/.."
uv="${UV:-.venv/bin/uv}"
lock() {  # lock NAME [--extra X ...]
  local name="$1"; shift
  "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-annotate \
    --custom-compile-command "make lock" --override requirements/overrides.txt \
    "$@" pyproject.toml --output-file "requirements/$name.txt"
}
lock dev --extra demo --extra dev
lock demo --extra demo --constraint requirements/dev.txt
lock base --constraint requirements/dev.txt
