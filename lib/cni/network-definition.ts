/** NetworkAttachmentDefinitions (k8s.cni.cncf.io/v1; De-facto Standard 1.3, section 3): the configuration of one plugin, ours. */
import { absent, entries, type Found, fields, list, refuse, root, text } from "#lib/parse.ts";

export interface Definition {
  readonly namespace: string;
  readonly name: string;
  /** `spec.config` as it stands there, to be read when a pod asks for it: those of other plugins are none of our business. */
  readonly config: unknown;
  /** Of kubelet's: a pod on the network asks for it, and the device that it is given is its interface. */
  readonly resource?: string;
}

/** As Multus and the SR-IOV network device plugin have it; the standard knows nothing of resources. */
const RESOURCE_ANNOTATION = "k8s.v1.cni.cncf.io/resourceName";

/** @throws SelvedgeError config-invalid: it has no name */
export function readDefinition(object: Found): Definition {
  const at = fields(object);
  const metadata = fields(at("metadata"));
  const [, resource] = entries(metadata("annotations")).find(([key]) => key === RESOURCE_ANNOTATION) ?? [];
  return {
    namespace: text(metadata("namespace"), { or: "default" }),
    name: text(metadata("name")),
    config: fields(at("spec"))("config").value,
    ...(resource === undefined ? {} : { resource: text(resource) }),
  };
}

export const definitionName = ({ namespace, name }: Pick<Definition, "namespace" | "name">): string =>
  `${namespace}/${name}`;

/** Keys that are the daemon's to give, or nobody's in a definition. */
const NOT_OF_A_DEFINITION: readonly string[] = ["prevresult", "runtimeconfig", "cniversion", "plugins"];

/** One network configuration for our plugin, as a runtime would send it. */
export interface PluginConfiguration {
  /** Of the network. Absent: the definition does not say, so that it is its own. */
  readonly name?: string;
  readonly keys: Readonly<Record<string, unknown>>;
}

/**
 * The configuration of the one plugin. Without a configuration the definition means the network of its name in the
 * daemon's configuration (section 3.2.4).
 * @throws SelvedgeError config-invalid naming the place in `spec.config`; another plugin's type, or several plugins
 */
export function pluginOf({ name, config }: Definition): PluginConfiguration {
  const whole = root(config, "spec.config");
  if (absent(whole) || config === "") return { keys: { network: name } };
  const found = root(decoded(whole), whole.path);
  const at = fields(found);
  const plugin = absent(at("plugins")) ? found : onlyOne(at("plugins"));
  const type = fields(plugin)("type");
  if (type.value !== "selvedge") refuse(type, rightFor(type.value));
  const given = text(at("name"), { or: "" });
  return {
    ...(given === "" ? {} : { name: given }),
    keys: Object.fromEntries(
      entries(plugin)
        .filter(([key]) => !NOT_OF_A_DEFINITION.includes(key.toLowerCase()))
        .map(([key, { value }]) => [key, value]),
    ),
  };
}

function decoded(found: Found): unknown {
  try {
    return JSON.parse(text(found));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return refuse(found, "JSON of a network configuration, or of a list with one plugin");
  }
}

function onlyOne(found: Found): Found {
  const plugins = list(found);
  const [plugin] = plugins;
  if (plugin !== undefined && plugins.length === 1) return plugin;
  const types = plugins.map((each) => fields(each)("type").value);
  return refuse({ ...found, value: types }, 'a list of one plugin, "selvedge", which does alone what chains are for');
}

/** Types of the reference plugins that are attachment types of ours under the same name. */
const SAME: readonly unknown[] = ["bridge", "macvlan", "ipvlan", "vlan", "ptp", "host-device", "sriov", "tap"];

const rightFor = (type: unknown): string =>
  SAME.includes(type) ? `"selvedge": write "type": "selvedge", "attachment": "${type}"` : '"selvedge"';
