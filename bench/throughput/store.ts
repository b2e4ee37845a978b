/** One etcd for all worlds, which their nodes reach by links of their own and not by the wire that is measured. */
import { type Etcd, startEtcd } from "../scale/etcd.ts";
import { ip, type Node } from "./world.ts";

export interface Store extends Pick<Etcd, "endpoint">, AsyncDisposable {
  /** A link from a node to etcd, which goes with the node. @returns etcd's endpoint there */
  connect(node: Node): string;
}

export async function startStore(state: string): Promise<Store> {
  const etcd = await startEtcd(state, "0.0.0.0");
  let links = 0;
  return {
    ...etcd,
    connect({ namespace }) {
      const number = ++links;
      // RFC 5737, four addresses for each link.
      const [here, there] = [1, 2].map((end) => `198.51.100.${4 * number + end}`);
      ip(`link add store${number} type veth peer name store netns`, namespace);
      ip(`addr add ${here}/30 dev store${number}`);
      ip(`link set store${number} up`);
      ip("-n", namespace, `addr add ${there}/30 dev store`);
      ip("-n", namespace, "link set store up");
      return etcd.endpoint.replace("127.0.0.1", here ?? "");
    },
  };
}
