/** What the status of a router's object says besides its conditions. */
import { isDeepStrictEqual } from "node:util";
import { absent, type Found, fields, integer, text } from "#lib/parse.ts";
import type { RouterState } from "../edge/router-status.ts";
import { timeText } from "./conditions.ts";

export interface RouterSaid {
  /** Of VyOS. */
  readonly version?: string;
  /** Node that writes to it. */
  readonly writer?: string;
  readonly lastPush?: {
    readonly revision: number;
    /** As meta/v1 Time has it. */
    readonly time: string;
    readonly result: string;
  };
}

/** Of `version` in the definition: a router says what it likes. */
const LONGEST_VERSION = 253;
/** What pods that come and go have pushed is said so often at most, and with whatever else is said. */
const PUSHES_MS = 60_000;

/** @param before what is not known now, such as the version of a router that does not answer, is what it was */
export function routerSaid({ version, writer, lastPush }: RouterState, before: RouterSaid = {}): RouterSaid {
  const known = {
    ...(version === "" ? {} : { version: version.slice(0, LONGEST_VERSION) }),
    ...(lastPush === undefined
      ? {}
      : { lastPush: { revision: lastPush.revision, time: timeText(lastPush.atMs), result: lastPush.result } }),
  };
  const { writer: _, ...others } = before;
  return { ...others, ...known, ...(writer === "" ? {} : { writer }) };
}

/** Whether it is to be said although no condition is another. */
export function isNews(before: RouterSaid = {}, now: RouterSaid = {}, nowMs: number): boolean {
  const { lastPush: pushed, ...others } = before;
  const { lastPush: pushes, ...rest } = now;
  if (!isDeepStrictEqual(others, rest)) return true;
  const isOld = pushed === undefined || nowMs - Date.parse(pushed.time) >= PUSHES_MS;
  return isOld && !isDeepStrictEqual(pushed, pushes);
}

/** @throws SelvedgeError config-invalid */
export function readRouterSaid(status: Found): RouterSaid {
  const at = fields(status);
  const pushed = fields(at("lastPush"));
  const textAt = (key: "version" | "writer") => (absent(at(key)) ? {} : { [key]: text(at(key)) });
  return {
    ...textAt("version"),
    ...textAt("writer"),
    ...(absent(at("lastPush"))
      ? {}
      : {
          lastPush: {
            revision: integer(pushed("revision"), { min: 0, max: Number.MAX_SAFE_INTEGER }),
            time: text(pushed("time")),
            result: text(pushed("result")),
          },
        }),
  };
}
