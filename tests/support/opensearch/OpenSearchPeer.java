import org.codelibs.opensearch.runner.OpenSearchRunner;

/** One OpenSearch node: DIR PORT [setting=value ...]; port 0 takes a free one. Exit 1 if it cannot start. */
public final class OpenSearchPeer {
  public static void main(String[] a) throws Exception {
    OpenSearchRunner node = new OpenSearchRunner();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> { try { node.close(); } catch (Exception e) { } }));
    node.setMaxHttpPort(-1); // the runner's own main stops at port 9299 and swallows every error
    node.onBuild((n, s) -> {
      s.put("network.host", "127.0.0.1").put("http.port", a[1]).put("transport.port", "0")
        .put("node.roles", "cluster_manager,data,ingest")
        .put("cluster.routing.allocation.disk.threshold_enabled", false);
      for (int i = 2; i < a.length; i++) s.put(a[i].split("=", 2)[0], a[i].split("=", 2)[1]);
    });
    node.build("-basePath", a[0], "-numOfNode", "1");
    Thread.currentThread().join(); // the node's own threads are daemons
  }
}
