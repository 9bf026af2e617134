#!/bin/sh
# jars.sh POM OUT: the POM's runtime dependencies as jars into OUT; from Maven's own cache if they are all there.
set -eu
copy() {
    mvn -q -B "$@" dependency:copy-dependencies -DincludeScope=runtime
}
copy -o -f "$1" -DoutputDirectory="$2" >/dev/null 2>&1 && exit 0
rm -rf "$2"
# Twice: a mirror that hiccups once is no reason to fail a test run.
copy -f "$1" -DoutputDirectory="$2" && exit 0
rm -rf "$2"
sleep 3
copy -f "$1" -DoutputDirectory="$2"
