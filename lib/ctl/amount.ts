/** Numbers as an operator reads them. */

/** `0 ms`, `850 ms`, `41 s`, `3 min 5 s`, `2 h 3 min`, `4 d 2 h`: at most two units, rounded down. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.floor(ms)} ms`;
  const seconds = Math.floor(ms / 1_000);
  const [large, small] =
    seconds < 60
      ? [`${seconds} s`, ""]
      : seconds < 3_600
        ? pair(seconds, 60, "min", 1, "s")
        : seconds < 86_400
          ? pair(seconds, 3_600, "h", 60, "min")
          : pair(seconds, 86_400, "d", 3_600, "h");
  return [large, small].filter((part) => part !== "").join(" ");
}

function pair(seconds: number, large: number, largeName: string, small: number, smallName: string): [string, string] {
  const rest = Math.floor((seconds % large) / small);
  return [`${Math.floor(seconds / large)} ${largeName}`, rest === 0 ? "" : `${rest} ${smallName}`];
}

/** `1.25 ms`, from microseconds. */
export const milliseconds = (us: number): string => `${(us / 1_000).toFixed(2)} ms`;

/** `0 %`, `1.7 %`, `100 %` */
export const percent = (part: number, whole: number): string => `${Number(((100 * part) / whole).toFixed(1))} %`;

/** `950 bit/s`, `10 Mbit/s`, `1.25 Gbit/s`: three digits that matter. */
export function bitRate(bits: number): string {
  const units = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"];
  const step = bits < 1 ? 0 : Math.min(Math.floor(Math.log10(bits) / 3), units.length - 1);
  return `${Number((bits / 1_000 ** step).toPrecision(3))} ${units[step]}`;
}

/** `62.1 MiB` */
export const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`;

/** `65534`, or `> 2^53` where the count of proto/selvedge.proto saturates. */
export const count = (n: number): string => (n >= Number.MAX_SAFE_INTEGER ? "> 2^53" : String(n));

/** `1 address`, `3 addresses` */
export const counted = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
