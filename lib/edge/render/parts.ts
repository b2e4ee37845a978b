/** VRFs (VyOS: vrf) and shares of an interface by code point (VyOS: qos). */
import { pathFrom } from "../path.ts";
import type { Piece } from "../piece.ts";
import type { RouterSpec } from "../router.ts";

/** VyOS takes no VRF without a table, nor another table for one. */
export const vrfs = ({ vrfs: all }: RouterSpec): Piece[] =>
  all.flatMap(({ name, table }) => {
    if (table === undefined) return [];
    const vrf = pathFrom("vrf", "name", name);
    return [{ at: [...vrf, "table"], paths: [pathFrom(...vrf, "table", table)], within: vrf }];
  });

/** Classes are numbered from here on; the first is VyOS's own. */
const FIRST_CLASS = 10;

export const shapers = ({ shapers: all }: RouterSpec): Piece[] =>
  all.flatMap(({ interface: link, rate, classes }) => {
    const name = `SELVEDGE-${link.replace(".", "-")}`;
    const policy = pathFrom("qos", "policy", "shaper", name);
    const rest = 100 - classes.reduce((sum, { percent }) => sum + percent, 0);
    const below = (...words: (string | number)[]) => pathFrom(...policy, ...words);
    return [
      {
        at: policy,
        paths: [
          below("bandwidth", `${rate}bit`),
          below("default", "bandwidth", `${rest}%`),
          below("default", "ceiling", "100%"),
          ...classes.flatMap(({ dscp, percent, priority }, i) => {
            const own = ["class", FIRST_CLASS + i];
            return [
              below(...own, "bandwidth", `${percent}%`),
              below(...own, "ceiling", "100%"),
              below(...own, "match", `dscp-${dscp}`, "ip", "dscp", dscp),
              // VyOS takes no match of both families.
              below(...own, "match", `dscp-${dscp}-6`, "ipv6", "dscp", dscp),
              ...(priority === undefined ? [] : [below(...own, "priority", priority)]),
            ];
          }),
        ],
      },
      {
        at: pathFrom("qos", "interface", link, "egress"),
        paths: [pathFrom("qos", "interface", link, "egress", name)],
        within: pathFrom("qos", "interface", link),
        needs: [policy],
      },
    ];
  });
