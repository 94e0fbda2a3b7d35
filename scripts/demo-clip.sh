#!/bin/sh
# Makes demo/weir.flv, the clip that `weir demo` shows: FFmpeg's test picture with its moving parts and counters, a tone, and
# a text if FFmpeg can draw one. 20 s of H.264 and AAC below 1 MB, a key frame each 2 s.
set -eu
cd "$(dirname "$0")/.."
out=demo/weir.flv
picture="testsrc2=size=640x360:rate=25:duration=20"
text="drawtext=text='Weir  %{pts\\:hms}':fontsize=34:fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=12:x=(w-tw)/2:y=h-th-28"
if ! ffmpeg -v quiet -f lavfi -i "$picture,$text" -frames:v 1 -f null -; then
  text=null
fi
ffmpeg -v error -y \
  -f lavfi -i "$picture,$text" \
  -f lavfi -i 'sine=frequency=220:beep_factor=4:sample_rate=44100:duration=19.95' \
  -map 0:v -map 1:a -c:v libx264 -preset veryslow -profile:v main -pix_fmt yuv420p -b:v 290k -maxrate 330k -bufsize 660k \
  -g 50 -keyint_min 50 -sc_threshold 0 -bf 0 -c:a aac -b:a 48k -ac 1 \
  -fflags +bitexact -flags:v +bitexact -flags:a +bitexact -f flv "$out"
size=$(wc -c <"$out")
echo "$out: $size bytes"
[ "$size" -le 1048576 ]
