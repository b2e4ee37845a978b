import { expect, test } from "@jest/globals";
import { egressLink } from "../egress/names.ts";
import { greLink, isWayLink, NODE_LINK, vxlanLink, WIREGUARD_LINK } from "./names.ts";

test.each([NODE_LINK, WIREGUARD_LINK, vxlanLink(4), vxlanLink(6), greLink("beta", 4), egressLink("billing", 6)])(
  "%s is of the ways",
  (name) => {
    expect(isWayLink(name)).toBe(true);
    expect(new TextEncoder().encode(name).length).toBeLessThanOrEqual(15);
  },
);

test.each(["selvedge0", "sv1", "svx5", "sgx", "eth0"])("%s is not", (name) => expect(isWayLink(name)).toBe(false));
