/** The largest packet of every way, by a table: it gets from pod to pod in both directions, and one byte more does not. */
import { describe, expect, type test as jestTest } from "@jest/globals";
import type { Family } from "#lib/address.ts";
import { ensure, type Name, passes, type Setting, withNodes } from "./rig.ts";

export interface Row {
  readonly way: Setting["way"];
  readonly encrypt?: boolean;
  readonly underlay: Family;
  readonly pods: Family;
  /** Bytes, between n1 and n2, which share a segment, and between n1 and n3, which do not; absent: there is no way. */
  readonly near?: number;
  readonly far?: number;
}

const titleOf = ({ way, encrypt = false, underlay }: Omit<Row, "pods">): string =>
  `${way}${encrypt ? ", encrypted," : ""} over IPv${underlay}`;

export function largestPackets(
  test: typeof jestTest | typeof jestTest.skip,
  table: readonly Row[],
  options: Parameters<typeof withNodes>[2] = {},
): void {
  describe.each([...new Set(table.map(titleOf))])("%s", (title) => {
    const rows = table.filter((row) => titleOf(row) === title);
    for (const { way, underlay, encrypt = false } of rows.slice(0, 1))
      test(
        "the largest packet passes, one byte more does not, and a second look finds nothing to do",
        () =>
          withNodes(
            { way, underlay, encrypt },
            async (nodes) => {
              for (const node of nodes) expect({ [node.name]: await ensure(node) }).toEqual({ [node.name]: [] });
              const largest = (to: Name, pods: Family) => nodes[0]?.ways.get(to)?.[pods]?.mtuBytes;
              for (const { pods, near, far } of rows) {
                expect({ pods, near: largest("n2", pods), far: largest("n3", pods) }).toEqual({ pods, near, far });
                for (const [to, mtu] of [["n2", near] as const, ["n3", far] as const]) {
                  if (mtu === undefined) continue;
                  for (const [a, b] of [["n1", to] as const, [to, "n1"] as const])
                    expect({ a, b, pods, mtu: passes(a, b, pods, mtu), more: passes(a, b, pods, mtu + 1) }).toEqual({
                      a,
                      b,
                      pods,
                      mtu: true,
                      more: false,
                    });
                }
              }
            },
            options,
          ),
        300_000,
      );
  });
  test("the table has rows", () => expect(table.length).toBeGreaterThan(0));
}
