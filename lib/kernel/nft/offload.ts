/** Links of our flowtable: those by which packets of offloaded connections may come. */
import { OFFLOADED, type OffloadFact } from "#lib/state/fact.ts";
import type { NetlinkSocket } from "../netlink/socket.ts";
import type { Generations } from "./generation.ts";
import { flowtable, messageType, NFPROTO, NFT_MSG } from "./wire.ts";

export interface Offload {
  /** All links of the flowtable; none where there is no flowtable. @throws SelvedgeError kernel */
  owned(): OffloadFact[];
  /** Those to be removed may be gone, links and all. @throws SelvedgeError kernel */
  change(add: readonly OffloadFact[], remove: readonly OffloadFact[]): void;
}

const TABLE = "selvedge";

/** `runNft` applies a text as one transaction. */
export function offloadOf(socket: NetlinkSocket, rules: Generations, runNft: (text: string) => void): Offload {
  const owned = (): OffloadFact[] => {
    const messages = socket.dump({
      what: "list flowtables",
      type: messageType(NFT_MSG.GETFLOWTABLE),
      flags: 0,
      body: flowtable.body({ family: NFPROTO.inet }, { table: TABLE }),
    });
    return messages.flatMap(({ body }) => {
      const { table, name, hook } = flowtable.read(body).attrs;
      if (table !== TABLE || name !== OFFLOADED) return [];
      return (hook?.devices ?? []).map((link): OffloadFact => ({ type: "offload", at: "host", link }));
    });
  };

  return {
    owned,
    change(add, remove) {
      const there = remove.length === 0 ? [] : owned();
      const gone = remove.filter(({ link }) => there.some((each) => each.link === link));
      const text = [...lines("delete", gone), ...lines("add", add)].join("");
      if (text !== "") rules.during(() => runNft(text));
    },
  };
}

function lines(verb: "add" | "delete", facts: readonly OffloadFact[]): string[] {
  if (facts.length === 0) return [];
  const links = facts.map(({ link }) => `"${link}"`).join(", ");
  return [`${verb} flowtable inet ${TABLE} ${OFFLOADED} { hook ingress priority 0; devices = { ${links} }; }\n`];
}
