/** Which of a pair a router is, by its own word: `show vrrp` (vyos-1x, python/vyos/ifconfig/vrrp.py). */

/** `SELVEDGE-gate-eth1-4  eth1  10  MASTER  200  1h2m3s` */
const GROUP = /^(\S+)\s+\S+\s+\d+\s+([A-Z]+)\b/;

/** `master`, `backup`, `fault`, …; where groups differ all of them, such as `master/fault`; "" where it tells of none. */
export function roleOf(answer: string, groups: readonly string[]): string {
  const states = answer.split("\n").flatMap((line) => {
    const [, name = "", state = ""] = GROUP.exec(line.trim()) ?? [];
    return groups.includes(name) ? [state.toLowerCase()] : [];
  });
  return [...new Set(states)].join("/");
}
