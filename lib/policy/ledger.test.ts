import { expect, test } from "@jest/globals";
import { address } from "#lib/address.ts";
import { type ElementFact, identity } from "#lib/state/fact.ts";
import { fc } from "../../test/support/property.ts";
import { confinedElement, pairElement, podElement } from "./elements.ts";
import { ledger } from "./ledger.ts";

const ADDRESSES = ["10.1.0.1", "10.1.0.2", "fd00::1"].map((each) => address(each));
const fact = fc
  .tuple(fc.constantFrom(...ADDRESSES), fc.constantFrom("0:1", "0:2"), fc.constantFrom("1:1", "1:2"), fc.nat(2))
  .map(([at, peers, row, kind]): ElementFact => {
    if (kind === 0) return confinedElement("ingress", at);
    return kind === 1 ? podElement(at, peers) : pairElement("egress", at, peers, row);
  });
const step = fc.oneof(
  fact.map((put) => ({ put })),
  fact.map((drop) => ({ drop })),
  fc.constant({ take: true as const }),
);

test("what stands is what was put last and not dropped; what is taken leads from what stood to what stands", () =>
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const kept = ledger();
      const model = new Map<string, ElementFact>();
      const told = new Map<string, ElementFact>();
      const take = (): void => {
        const { add, remove } = kept.take();
        for (const each of remove) expect(told.delete(identity(each))).toBe(true);
        for (const each of add) told.set(identity(each), each);
        expect(told).toEqual(model);
        expect(kept.take()).toEqual({ add: [], remove: [] });
      };
      for (const each of steps) {
        if ("put" in each) {
          kept.put(each.put);
          model.set(identity(each.put), each.put);
        } else if ("drop" in each) {
          kept.drop(each.drop);
          model.delete(identity(each.drop));
          expect(kept.at(each.drop)).toBeUndefined();
        } else take();
      }
      take();
      expect(new Map([...kept.all()].map((each) => [identity(each), each]))).toEqual(model);
      for (const each of model.values()) expect(kept.at(each)).toEqual(each);
    }),
  ));
