#!/bin/sh
# build.sh OUT: jars, modules and classes of one Elasticsearch node into OUT. Needs mvn, javac, unzip.
# Maven Central has the server and its HTTP transport as jars; what else a node wants is made here.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1" && cd "$1"
v=$(sed -n 's,.*<v>\(.*\)</v>.*,\1,p' "$here/pom.xml")
"$here/../jars.sh" "$here/pom.xml" "$PWD/lib"
m=home/modules
mkdir -p home/config $m/netty $m/peer main plug/META-INF/services
javac --release 17 -cp 'lib/*' -d main "$here/ElasticsearchPeer.java"
javac --release 17 -cp 'lib/*' -d plug "$here/PeerPlugin.java"
mv lib/transport-netty4-*.jar lib/netty-*.jar $m/netty/
# The server runs from the class path here, so the module must not ask for it by module name.
unzip -p $m/netty/transport-netty4-*.jar META-INF/es-plugins/transport-netty4/plugin-descriptor.properties |
    grep -v '^modulename' > $m/netty/plugin-descriptor.properties
echo 'PeerPlugin$Features' > plug/META-INF/services/org.elasticsearch.features.FeatureSpecification
(cd plug && jar cf ../$m/peer/peer.jar .)
printf '%s\n' description=peer name=peer version="$v" elasticsearch.version="$v" java.version=17 classname=PeerPlugin \
    > $m/peer/plugin-descriptor.properties
