#!/bin/sh
# Compiles src/ to dist/ when a source is newer than the last build. Safe to run every time.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/node_modules/.bin:$PATH"
stamp=dist/.built
if [ ! -f "$stamp" ] || [ -n "$(find src tsconfig.json package.json -newer "$stamp" -print -quit)" ]; then
  # A file that left src/ must not live on in dist/.
  rm -rf dist
  tsc -p tsconfig.json
  touch "$stamp"
fi
