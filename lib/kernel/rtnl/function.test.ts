import { expect, test } from "@jest/globals";
import { type Mac, macFromBytes } from "#lib/address.ts";
import type { VirtualFunctionSettings } from "#lib/state/device-fact.ts";
import { fc } from "../../../test/support/property.ts";
import { functionAnswer, functionRequest } from "../netlink/function.ts";
import { RTM_LINK } from "../netlink/link.ts";
import { readFunctions, setFunction } from "./function.ts";

const at = { link: "ens1", index: 7, vf: 3 };
const whats = (want: VirtualFunctionSettings, have: VirtualFunctionSettings) =>
  setFunction(at, want, have).map(({ what }) => what);

const PLAIN = {
  mac: "00:00:00:00:00:00" as Mac,
  vlan: 0,
  qos: 0,
  vlanProtocol: "802.1Q",
  spoofCheck: true,
  trust: false,
  minTxRate: 0,
  maxTxRate: 0,
  linkState: "auto",
} as const satisfies VirtualFunctionSettings;

const changes: [want: VirtualFunctionSettings, requests: string[]][] = [
  [{}, []],
  [PLAIN, []],
  [{ vlan: 7 }, ["link set ens1 vf 3 vlan 7 qos 0 proto 802.1Q"]],
  [{ vlan: 7, qos: 5, vlanProtocol: "802.1ad" }, ["link set ens1 vf 3 vlan 7 qos 5 proto 802.1ad"]],
  [{ maxTxRate: 200 }, ["link set ens1 vf 3 min_tx_rate 0 max_tx_rate 200"]],
  [{ spoofCheck: false, trust: true }, ["link set ens1 vf 3 spoofchk off", "link set ens1 vf 3 trust on"]],
  [{ linkState: "disable" }, ["link set ens1 vf 3 state disable"]],
  [{ mac: "02:00:00:00:00:01" as Mac }, ["link set ens1 vf 3 mac 02:00:00:00:00:01"]],
];
test.each(changes)("%j of what is plain", (want, requests) => expect(whats(want, PLAIN)).toEqual(requests));
test("the table has cases", () => expect(changes.length).toBeGreaterThan(7));

/** What the kernel would answer had it done what the requests say: the same attributes, one virtual function each. */
function answered(want: VirtualFunctionSettings): VirtualFunctionSettings {
  const nests = setFunction(at, want, {}).map(({ body }) => functionAnswer.read(body).attrs.functions?.[0] ?? {});
  const mac = { vf: at.vf, mac: new Uint8Array(6) };
  const one = Object.assign({ mac }, ...nests);
  const body = functionRequest.body({ index: at.index }, { functions: [one] });
  return readFunctions({ type: RTM_LINK.NEW, flags: 0, sequence: 0, port: 0, body }).get(at.vf) ?? {};
}

const settings: fc.Arbitrary<VirtualFunctionSettings> = fc.record(
  {
    mac: fc.uint8Array({ minLength: 6, maxLength: 6 }).map(macFromBytes),
    vlan: fc.nat(4_094),
    qos: fc.nat(7),
    vlanProtocol: fc.constantFrom("802.1Q", "802.1ad"),
    spoofCheck: fc.boolean(),
    trust: fc.boolean(),
    minTxRate: fc.nat(0xffffffff),
    maxTxRate: fc.nat(0xffffffff),
    linkState: fc.constantFrom("auto", "enable", "disable"),
  },
  { requiredKeys: [] },
);
test("what is set is what is read", () =>
  fc.assert(fc.property(settings, (want) => expect(answered(want)).toMatchObject(want))));
