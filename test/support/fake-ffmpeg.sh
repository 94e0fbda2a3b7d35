#!/bin/sh
# Stands for FFmpeg: takes any arguments, and does nothing until it is ended.
exec sleep 600
