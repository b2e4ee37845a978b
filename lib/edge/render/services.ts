/** What the router serves for the cluster: HAProxy (VyOS: load-balancing) and zones that it forwards (service dns forwarding). */
import type { Dialect } from "../dialect.ts";
import { pathFrom } from "../path.ts";
import type { Piece } from "../piece.ts";
import type { LoadBalancerSpec, RouterSpec } from "../router.ts";

export const loadBalancers = ({ loadBalancers: all }: RouterSpec, { loadBalancing }: Dialect): Piece[] =>
  all.flatMap((each) => loadBalancer(each, loadBalancing));

function loadBalancer({ name, address, port, servers }: LoadBalancerSpec, top: readonly string[]): Piece[] {
  const own = `selvedge-${name}`;
  const service = pathFrom(...top, "service", own);
  const backend = pathFrom(...top, "backend", own);
  return [
    {
      at: backend,
      within: top,
      paths: [
        pathFrom(...backend, "mode", "tcp"),
        pathFrom(...backend, "balance", "least-connection"),
        ...servers.flatMap((server, i) => {
          const at = [...backend, "server", `server-${i + 1}`];
          return [
            pathFrom(...at, "address", server.address),
            pathFrom(...at, "port", server.port),
            pathFrom(...at, "check"),
          ];
        }),
      ],
    },
    {
      at: service,
      within: top,
      needs: backend,
      paths: [
        pathFrom(...service, "mode", "tcp"),
        pathFrom(...service, "port", port),
        ...(address === undefined ? [] : [pathFrom(...service, "listen-address", address)]),
        pathFrom(...service, "backend", own),
      ],
    },
  ];
}

/** The operator's own `service dns forwarding` has the addresses that it listens on and whom it serves. */
export const forwarding = ({ forwarding: spec }: RouterSpec): Piece[] =>
  (spec?.zones ?? []).map(({ domain, servers }) => {
    const at = pathFrom("service", "dns", "forwarding", "domain", domain);
    return { at, paths: servers.map((server) => pathFrom(...at, "name-server", server)) };
  });
