#!/bin/sh
# Makes sure that the system packages the tests drive are here: installs them with apt as root, else says what to install.
set -eu
# command:package pairs; what has a slash in it is a file
wanted='ffmpeg:ffmpeg ffprobe:ffmpeg rtmpdump:rtmpdump chromium:chromium nginx:nginx redis-server:redis-server'
wanted="$wanted /usr/lib/nginx/modules/ngx_rtmp_module.so:libnginx-mod-rtmp"
missing=''
for pair in $wanted; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || [ -f "${pair%%:*}" ] || missing="$missing ${pair#*:}"
done
missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ')
[ -n "${missing% }" ] || exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
  echo "weir: installing system packages for the tests: $missing" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086 # a list of packages
  apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
  echo "weir: the tests need system packages that are not here: $missing" >&2
  echo "weir: on Debian or Ubuntu: sudo apt-get install $missing" >&2
  echo "weir: on macOS: brew install $missing" >&2
  exit 1
fi
