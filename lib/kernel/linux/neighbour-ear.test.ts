import { expect, test } from "@jest/globals";
import { type Address, address, mac } from "#lib/address.ts";
import type { Message } from "../netlink/message.ts";
import { neighbourMessage, RTM_NEIGH } from "../netlink/neighbour.ts";
import { addNeighbour } from "../rtnl/neighbour.ts";
import { neighbourEar } from "./neighbour-ear.ts";

/** linux/neighbour.h */
const STALE = 4;
const FAILED = 32;
const LINK = 7;
const message = (type: number, body: Uint8Array): Message => ({ type, flags: 0, sequence: 0, port: 0, body });
const lasting = (to: Address, index = LINK) =>
  message(
    RTM_NEIGH.NEW,
    addNeighbour({ type: "neighbour", at: "host", link: "svx4", address: to, mac: mac("02:00:00:00:00:01") }, index)
      .body,
  );
const told = (type: number, to: Address, state: number) =>
  message(type, neighbourMessage.body({ family: to.includes(":") ? 10 : 2, index: LINK, state }, { to }));
const pod = address("10.66.0.2");
const learned = address("fe80::1");

test("what the kernel learns and forgets by itself is not lost", () => {
  const ear = neighbourEar();
  ear.heard(lasting(pod));
  expect([
    ear.heard(told(RTM_NEIGH.NEW, learned, STALE)),
    ear.heard(told(RTM_NEIGH.NEW, learned, FAILED)),
    ear.heard(told(RTM_NEIGH.DEL, learned, FAILED)),
  ]).toEqual([undefined, undefined, undefined]);
});

test("one that is taken away is lost once, though it is told of twice", () => {
  const ear = neighbourEar();
  ear.heard(lasting(pod));
  expect([ear.heard(told(RTM_NEIGH.NEW, pod, FAILED)), ear.heard(told(RTM_NEIGH.DEL, pod, FAILED))]).toEqual([
    LINK,
    undefined,
  ]);
});

test("one that is replaced by one that does not last is lost", () => {
  const ear = neighbourEar();
  ear.heard(lasting(pod));
  expect(ear.heard(told(RTM_NEIGH.NEW, pod, STALE))).toBe(LINK);
});

test("the number of a link that is gone may be another's", () => {
  const ear = neighbourEar();
  ear.heard(lasting(pod));
  ear.forget(LINK);
  expect(ear.heard(told(RTM_NEIGH.DEL, pod, STALE))).toBeUndefined();
});
