/** What `selvedgectl` shows of quality of service, and asks of mirrors. */
import type { AdminHandlers } from "#lib/api/server.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { oneOf } from "#lib/parse.ts";
import type { Mirror } from "#lib/state/mirror.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import type { Mirror as Shown } from "#proto/selvedge_pb.ts";
import type { Core } from "./core.ts";
import { measure } from "./measure.ts";
import { allMirrors, startMirror, stopMirror } from "./mirrors.ts";

type Handlers = Pick<AdminHandlers, "measureQos" | "startMirror" | "listMirrors" | "stopMirror">;

const DIRECTIONS = ["in", "out", "both"] as const;
const DEFAULT_SECONDS = 3_600;

export function adminTraffic(core: Core): Handlers {
  const shown = ({ record, mirror }: { record: AttachmentRecord; mirror: Mirror }): Shown => ({
    id: mirror.id,
    key: { containerId: record.containerId, ifname: mirror.ifname },
    pod: record.pod ?? "",
    to: mirror.to,
    direction: mirror.direction,
    filter: mirror.filter,
    started: iso(mirror.startedMs),
    until: iso(mirror.untilMs),
    leftMs: Math.max(0, mirror.untilMs - core.nowMs()),
  });

  return {
    measureQos: async (key) => {
      const records = [...core.table].filter(({ phase }) => phase === "ready");
      if (key.containerId === "") return measure(core, records);
      const record = core.table.ofInterface(key);
      if (record === undefined)
        throw new SelvedgeError(
          { kind: "config-invalid", field: "attachment" },
          `attachment: container ${key.containerId} has no interface ${key.ifname} here`,
        );
      return measure(core, [record]);
    },

    startMirror: async ({ key, to, direction, filter, seconds }) => {
      const wish = {
        key: key ?? { containerId: "", ifname: "" },
        to,
        direction: oneOf({ path: "direction", value: direction || undefined }, DIRECTIONS, { or: "both" }),
        filter,
        seconds: seconds || DEFAULT_SECONDS,
      };
      const started = await startMirror(core, wish);
      const { id, untilMs } = started.mirror;
      const { containerId: container, ifname } = wish.key;
      core.log({ event: "mirror-started", container, ifname, mirror: id, to, until: iso(untilMs) });
      return shown(started);
    },

    listMirrors: async () => ({ mirrors: allMirrors(core).map(shown) }),

    stopMirror: async ({ id }) => shown(await stopMirror(core, id)),
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();
