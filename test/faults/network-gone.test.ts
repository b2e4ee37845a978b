/** What an ADD counts on is there until the table knows of its attachment, which keeps it from then on. */
import { expect, test } from "@jest/globals";
import type { Definition } from "#lib/cni/network-definition.ts";
import { parseConfig } from "#lib/config/config.ts";
import { boot, patient, type Running, request, sound, world, wounds } from "./world.ts";

const CONFIG = parseConfig("{networks: [{name: std}, {name: media}], kubernetes: {}, attachmentDefinitions: true}");

/** As taking over what Kubernetes says does it, with nothing waiting in between. */
function take({ core }: Running, network: string): void {
  core.config = { ...core.config, networks: new Map([...core.config.networks].filter(([name]) => name !== network)) };
}

/** Definitions of networks by their names, and what happens while each is asked for. */
function telling(daemon: Running, during: Readonly<Record<string, () => void>>): void {
  const definition = async ({ namespace, name }: Pick<Definition, "namespace" | "name">) => {
    during[name]?.();
    return { namespace, name, config: JSON.stringify({ type: "selvedge", network: name }) };
  };
  const annotationsOf = async () => ({});
  daemon.core.kubernetes = { definition, annotationsOf } as unknown as NonNullable<typeof daemon.core.kubernetes>;
}

const onNetworks = (networks: string) =>
  request(
    "c1",
    {
      network: "std",
      runtimeConfig: { "io.kubernetes.cri.pod-annotations": { "k8s.v1.cni.cncf.io/networks": networks } },
    },
    { args: "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=p" },
  );

test("a network that goes while the pod's next one is asked for takes the pod no more", async () => {
  const there = world();
  there.kernel.addNamespace("/run/netns/c1");
  const daemon = await boot(there, sound(), CONFIG);
  telling(daemon, { std: () => take(daemon, "media") });
  const { error } = await daemon.verbs.add(onNetworks("media,std"), patient());
  expect(error).toMatchObject({
    code: 7,
    msg: expect.stringContaining('"media" is not a network of the daemon\'s configuration; known: std'),
  });
  expect(await wounds(there, daemon)).toEqual([]);
});

test("a network that goes while what is left of an earlier ADD is removed takes the pod no more", async () => {
  const there = world();
  for (const pod of ["c1", "c2"]) there.kernel.addNamespace(`/run/netns/${pod}`);
  const daemon = await boot(there, sound(), CONFIG);
  telling(daemon, {});
  expect((await daemon.verbs.add(onNetworks("media"), patient())).error).toBeUndefined();
  const { core } = daemon;
  const commit = core.store.commit.bind(core.store);
  core.store.commit = async (changes) => {
    take(daemon, "media");
    await commit(changes);
  };
  // The container is there again, in another namespace.
  const { error } = await daemon.verbs.add({ ...onNetworks("media"), netns: "/run/netns/c2" }, patient());
  expect(error?.msg).toContain('"media" is not a network of the daemon\'s configuration; known: std');
  expect(await wounds(there, daemon)).toEqual([]);
});

test("while nothing goes the pod is on all of them", async () => {
  const there = world();
  there.kernel.addNamespace("/run/netns/c1");
  const daemon = await boot(there, sound(), CONFIG);
  telling(daemon, {});
  expect((await daemon.verbs.add(onNetworks("media,std"), patient())).error).toBeUndefined();
  expect(daemon.core.table.get({ containerId: "c1", ifname: "eth0" })?.planes?.map(({ name }) => name)).toEqual([
    "std",
    "media",
    "std",
  ]);
});
