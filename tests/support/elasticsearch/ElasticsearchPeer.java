import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginBundle;
import org.elasticsearch.plugins.PluginsLoader;

/** One Elasticsearch node: HOME PORT [setting=value ...]; port 0 takes a free one. HOME/modules comes from build.sh. */
public final class ElasticsearchPeer {
  public static void main(String[] a) throws Exception {
    LogConfigurator.configureESLogging();
    LogConfigurator.configureWithoutConfig(Settings.builder().put("logger.level", "WARN").build());
    Settings.Builder s = Settings.builder().put("path.home", a[0]).put("http.port", a[1]).put("transport.port", "0")
      .put("network.host", "127.0.0.1").put("discovery.type", "single-node")
      .put("cluster.routing.allocation.disk.threshold_enabled", false);
    for (int i = 2; i < a.length; i++) s.put(a[i].split("=", 2)[0], a[i].split("=", 2)[1]);
    Environment env = InternalSettingsPreparer.prepareEnvironment(
      s.build(), Map.of(), Path.of(a[0], "config").toAbsolutePath(), () -> "n1");
    Node node = new Node(env, PluginsLoader.createPluginsLoader(modules(env.modulesDir()), Set.of(), Map.of(), false));
    Runtime.getRuntime().addShutdownHook(new Thread(() -> { try { node.close(); } catch (Exception e) { } }));
    node.start();
    Thread.currentThread().join(); // the node's own threads are daemons
  }

  /** loadModulesBundles(Path) in 8.19 to 9.2, (Path, boolean) in 9.5: one class file for all. */
  @SuppressWarnings("unchecked")
  private static Set<PluginBundle> modules(Path dir) throws Exception {
    for (Method m : PluginsLoader.class.getMethods())
      if (m.getName().equals("loadModulesBundles"))
        return (Set<PluginBundle>) (m.getParameterCount() == 1 ? m.invoke(null, dir) : m.invoke(null, dir, false));
    throw new NoSuchMethodException("loadModulesBundles");
  }
}
