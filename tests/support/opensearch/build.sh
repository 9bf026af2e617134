#!/bin/sh
# build.sh OUT: jars and classes of one OpenSearch node into OUT. Needs mvn, javac.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/main" && cd "$1"
"$here/../jars.sh" "$here/pom.xml" "$PWD/lib"
javac --release 17 -cp 'lib/*' -d main "$here/OpenSearchPeer.java"
