#!/bin/sh
# stages.sh BIN [LINES]: what each stage of the hot path costs, for each kind of corpus; what a second worker brings.
set -eu

bin=$1
lines=${2:-200000}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
pattern=$(cat "$(dirname "$0")/access.regex")

for kind in json lambda access; do
    "$bin/corpus" $kind "$lines" >"$dir/log"
    echo "--- $kind: $(wc -l <"$dir/log") lines, $(wc -c <"$dir/log") bytes"
    if [ $kind = access ]; then
        "$bin/stages" "$dir/log" 5 "$pattern"
    else
        "$bin/stages" "$dir/log" 5
        "$bin/stages" --workers "$dir/log" 5
    fi
done
