#!/bin/sh
# Installs the npm packages when node_modules is missing or older than the lock file. Safe to run every time.
set -eu
cd "$(dirname "$0")/.."
if [ ! -x node_modules/.bin/tsc ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo 'weir: installing npm packages (npm ci)' >&2
  npm ci --loglevel=error
fi
# The npm package `node` brings Node 24 with it; say so at once when its install step did not run.
if [ ! -x node_modules/.bin/node ]; then
  echo 'weir: node_modules/.bin/node is missing: the install step of the npm package "node" did not run.' >&2
  echo 'weir: run `npm rebuild node`, or allow install scripts for it (package.json, allowScripts).' >&2
  exit 1
fi
