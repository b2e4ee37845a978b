/** Planes that a pod's annotation `k8s.v1.cni.cncf.io/networks` asks for, by definitions of networks in Kubernetes. */
import type { Address } from "#lib/address.ts";
import { parseNetConf } from "#lib/cni/netconf.ts";
import { type Definition, definitionName, pluginOf } from "#lib/cni/network-definition.ts";
import { NETWORKS_ANNOTATION, parseSelections, type Selection } from "#lib/cni/network-selection.ts";
import type { NetConf, Request } from "#lib/cni/types.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { absent, entries, fields, root } from "#lib/parse.ts";
import type { AttachmentKey } from "#lib/store/store.ts";
import { refuseUninvited } from "../asked-planes.ts";
import type { Core } from "../core.ts";
import { type Settings, settingsOf } from "../settings.ts";
import { keyOf } from "../table.ts";
import { assignedDevices } from "./assigned.ts";
import { naming } from "./naming.ts";

export interface SelectedPlane {
  readonly ifname: string;
  readonly conf: NetConf;
  readonly settings: Settings;
  /** `namespace/name` */
  readonly definition: string;
  /** The pod's default route leads there, by these gateways; of none, by the network's own. Absent: it does not. */
  readonly defaultRoute?: readonly Address[];
  /** Where it was asked for, for errors. */
  readonly path: string;
}

type Here = Pick<Core, "config" | "table" | "kubernetes">;

/** One that is asked for, with all that had to be waited for. */
export interface Asked {
  readonly selection: Selection;
  readonly definition: Definition;
  /** That kubelet gave the pod for the definition's resource. */
  readonly deviceId: string | undefined;
}

/**
 * For a container's first attachment only: runtimes repeat annotations for each.
 * @throws SelvedgeError config-invalid: the annotation, a definition that is not there; not-ready
 */
export async function askedDefinitions(
  core: Here,
  request: AttachmentKey & Pick<Request, "args">,
  conf: NetConf,
): Promise<Asked[]> {
  const annotation = conf.wishes.podAnnotations[NETWORKS_ANNOTATION] ?? "";
  if (core.kubernetes === undefined || !core.config.attachmentDefinitions || annotation.trim() === "") return [];
  if (core.table.ofContainer(request.containerId).some((record) => keyOf(record) !== keyOf(request))) return [];
  const [namespace = ""] = (conf.pod ?? "default").split("/");
  const asked: Asked[] = [];
  const devices = assignedDevices(core.config.sriov, conf.pod);
  for (const selection of parseSelections(annotation, namespace)) {
    const definition = await core.kubernetes.definition(selection);
    if (definition === undefined) throw missing(selection);
    try {
      asked.push({ selection, definition, deviceId: await devices.next(definition.resource) });
    } catch (error) {
      throw naming(definitionName(definition), error);
    }
  }
  return asked;
}

/**
 * As the daemon's configuration has their networks now.
 * @throws SelvedgeError config-invalid, unsupported-field: a definition that is not for us, or not for the pod
 */
export function selectedPlanes(core: Pick<Core, "config">, conf: NetConf, asked: readonly Asked[]): SelectedPlane[] {
  return asked.map((each) => {
    try {
      return planeOf(core, conf, each);
    } catch (error) {
      throw naming(definitionName(each.definition), error);
    }
  });
}

const missing = (selection: Selection): SelvedgeError =>
  new SelvedgeError(
    { kind: "config-invalid", field: selection.path },
    `${selection.path}: there is no NetworkAttachmentDefinition ${definitionName(selection)}`,
    {
      hint: `\`kubectl get network-attachment-definitions --namespace ${selection.namespace}\` shows which there are.`,
    },
  );

function planeOf(core: Pick<Core, "config">, conf: NetConf, { selection, definition, deviceId }: Asked): SelectedPlane {
  const parsed = confOf(definition, selection, conf);
  const own = deviceId === undefined ? parsed : { ...parsed, wishes: { ...parsed.wishes, deviceId } };
  if (own.network !== undefined) refuseUninvited(core.config, conf, { network: own.network, path: selection.path });
  const settings = settingsOf(core.config, own);
  const named = own.network === undefined ? undefined : core.config.networks.get(own.network);
  return {
    ifname: selection.interface,
    conf: own,
    settings: { ...settings, ipMasq: own.ipMasq ?? named?.ipMasqAsPlane ?? false },
    definition: definitionName(definition),
    ...(selection.defaultRoute === undefined ? {} : { defaultRoute: selection.defaultRoute }),
    path: selection.path,
  };
}

/** As if a runtime had asked for it with the definition's configuration. What came with the request is its first interface's. */
function confOf(definition: Definition, selection: Selection, conf: NetConf): NetConf {
  const { name, keys } = pluginOf(definition);
  const { podAnnotations, podLabels, aliases, reservation } = conf.wishes;
  const given = entries(fields(fields(root(keys))("args"))("cni")).map(([key, { value }]) => [key, value]);
  const config = {
    ...keys,
    name: name ?? definition.name,
    cniVersion: conf.cniVersion,
    args: { cni: { ...Object.fromEntries(given), ...selection.args } },
    runtimeConfig: { "io.kubernetes.cri.pod-annotations": podAnnotations },
  };
  const own = parseNetConf("ADD", Buffer.from(JSON.stringify(config)), "", selection.interface);
  refuseUnsupported(own);
  const { planes: _, ...wishes } = own.wishes;
  const { podQos: __, ...plugin } = own;
  return {
    ...plugin,
    // Without a name of its own it is nobody else's network, though another namespace has a definition of the name.
    ...(name === undefined ? { name: definitionName(definition) } : {}),
    ...(conf.pod === undefined ? {} : { pod: conf.pod }),
    further: true,
    wishes: {
      ...(reservation === undefined ? {} : { reservation }),
      ...wishes,
      ...(selection.ips.length === 0 ? {} : { ips: selection.ips }),
      ...(selection.mac === undefined ? {} : { mac: selection.mac }),
      ...(selection.bandwidth === undefined ? {} : { bandwidth: selection.bandwidth }),
      portMappings: selection.portMappings,
      podLabels,
      aliases,
    },
  };
}

/** What only a pod's own network can have. */
function refuseUnsupported({ planes, ipamType, raw }: NetConf): void {
  const refuse = (field: string, value: unknown, hint: string) => {
    throw new SelvedgeError(
      { kind: "unsupported-field", field },
      `${field}: ${JSON.stringify(value)} is not supported for a further network of a pod`,
      { hint },
    );
  };
  if (planes !== undefined)
    refuse(
      "planes",
      planes.map(({ network }) => network),
      "Ask for each in the annotation.",
    );
  const podQos = fields(raw)("podQos");
  if (!absent(podQos)) refuse("podQos", podQos.value, "It is of all interfaces: the annotation selvedge.dev/pod-qos.");
  if (ipamType !== undefined && ipamType !== "selvedge")
    refuse("ipam.type", ipamType, 'Addresses come from Selvedge: {"type": "selvedge"} with a pool or ranges.');
}
