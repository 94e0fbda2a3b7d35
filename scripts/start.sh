#!/bin/sh
# What `npm start` runs: install what is missing, build, start the server in the foreground.
# Further arguments go to the server: `npm start -- -c conf/full.conf`.
set -eu
cd "$(dirname "$0")/.."
sh scripts/install.sh
sh scripts/build.sh
if [ "$#" -eq 0 ]; then set -- -c conf/weir.conf; fi
exec bin/weir "$@"
