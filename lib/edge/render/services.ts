/**
 * What the router serves for the cluster: HAProxy (VyOS: load-balancing), IPVS (high-availability virtual-server) and zones that
 * it forwards (service dns forwarding).
 */
import { type Address, family } from "#lib/address.ts";
import { chosenBy, tooMany } from "../chosen.ts";
import type { Dialect } from "../dialect.ts";
import { type Path, pathFrom } from "../path.ts";
import type { Piece } from "../piece.ts";
import type { AnsweringSpec, EdgeView, LoadBalancerSpec, RouterSpec, VirtualServerSpec } from "../router.ts";
import { HIGH_AVAILABILITY } from "./pairs.ts";

interface Server {
  /** Among those of one backend. */
  readonly name: string;
  readonly address: Address;
  readonly port: number;
}

/** Those that answer; of pods in a family where the asked address has one. */
function answering({ servers = [], pods }: AnsweringSpec, view: EdgeView, asked: Address | undefined): Server[] {
  if (pods === undefined) return servers.map((server, i) => ({ ...server, name: `server-${i + 1}` }));
  // By address, so that those that stay keep their names when others go.
  return chosenBy(pods, view, asked && family(asked)).map((address) => ({
    name: `pod-${address.replaceAll(/[.:]/g, "-")}`,
    address,
    port: pods.port,
  }));
}

/** VyOS takes nothing of this without a server: while there is none, it is not there. */
function served(
  place: Omit<Piece, "paths">,
  { pods }: AnsweringSpec,
  servers: readonly Server[],
  paths: () => Path[],
): Piece {
  if (pods === undefined) return { ...place, paths: paths() };
  if (servers.length > pods.most) return { ...place, paths: [], stays: tooMany(servers.length, pods) };
  return { ...place, paths: servers.length === 0 ? [] : paths(), followsPods: true };
}

export const loadBalancers = ({ loadBalancers: all }: RouterSpec, view: EdgeView, dialect: Dialect): Piece[] =>
  all.flatMap((each) => loadBalancer(each, view, dialect.loadBalancing));

function loadBalancer(spec: LoadBalancerSpec, view: EdgeView, top: Path): Piece[] {
  const { name, address, port } = spec;
  const servers = answering(spec, view, undefined);
  const follows = spec.pods === undefined ? {} : ({ followsPods: true } as const);
  const own = `selvedge-${name}`;
  const service = pathFrom(...top, "service", own);
  const backend = pathFrom(...top, "backend", own);
  const paths = () => [
    pathFrom(...backend, "mode", "tcp"),
    pathFrom(...backend, "balance", "least-connection"),
    ...servers.flatMap((server) => {
      const at = [...backend, "server", server.name];
      return [
        pathFrom(...at, "address", server.address),
        pathFrom(...at, "port", server.port),
        pathFrom(...at, "check"),
      ];
    }),
  ];
  const listening = [
    pathFrom(...service, "mode", "tcp"),
    pathFrom(...service, "port", port),
    ...(address === undefined ? [] : [pathFrom(...service, "listen-address", address)]),
    pathFrom(...service, "backend", own),
  ];
  return [
    served({ at: backend, within: top }, spec, servers, paths),
    servers.length === 0
      ? { at: service, within: top, paths: [], ...follows }
      : { at: service, within: top, needs: [backend], paths: listening, ...follows },
  ];
}

export const virtualServers = ({ virtualServers: all }: RouterSpec, view: EdgeView): Piece[] =>
  all.flatMap((each) => virtualServer(each, view));

function virtualServer(spec: VirtualServerSpec, view: EdgeView): Piece[] {
  const { name, address, port, protocol, algorithm, persistenceSeconds } = spec;
  const servers = answering(spec, view, address);
  const at = pathFrom(...HIGH_AVAILABILITY, "virtual-server", `selvedge-${name}`);
  const paths = () => [
    pathFrom(...at, "address", address),
    pathFrom(...at, "port", port),
    pathFrom(...at, "protocol", protocol),
    pathFrom(...at, "algorithm", algorithm),
    ...(persistenceSeconds === undefined ? [] : [pathFrom(...at, "persistence-timeout", persistenceSeconds)]),
    ...servers.map((server) => pathFrom(...at, "real-server", server.address, "port", server.port)),
  ];
  return [served({ at, within: HIGH_AVAILABILITY }, spec, servers, paths)];
}

/** The operator's own `service dns forwarding` has the addresses that it listens on and whom it serves. */
export const forwarding = ({ forwarding: spec }: RouterSpec): Piece[] =>
  (spec?.zones ?? []).map(({ domain, servers }) => {
    const at = pathFrom("service", "dns", "forwarding", "domain", domain);
    return { at, paths: servers.map((server) => pathFrom(...at, "name-server", server)) };
  });
