#!/bin/sh
# Bundles src/ into dist/ (rolldown.config.mjs) and the pages of web/ into dist/web/ (web/vite.config.ts) when a source
# is newer than the last build. Safe to run every time.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/node_modules/.bin:$PATH"
stamp=dist/.built
if [ ! -f "$stamp" ] || [ -n "$(find src web rolldown.config.mjs package-lock.json -newer "$stamp" -print -quit)" ]; then
  # A file that left src/ must not live on in dist/.
  rm -rf dist
  rolldown -c rolldown.config.mjs >/dev/null
  vite build -c web/vite.config.ts >/dev/null
  touch "$stamp"
fi
