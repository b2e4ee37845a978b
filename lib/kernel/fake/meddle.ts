/** Somebody else at work on the fake's networks and tables: no mark, no questions asked. */
import type { RouteFact } from "#lib/state/fact.ts";
import type { Meddling } from "../meddling.ts";
import { ensurePortVlan, forwardKey } from "./bridge.ts";
import { type Device, deleteDevice, deviceOf, type Network, newDevice, setMac, takeDown } from "./device.ts";
import { ensureAddress, ensureRoute, ensureSysctl, removeAddress } from "./internet.ts";
import { refusal } from "./refusal.ts";
import { deleteTable, ensureTable, findTable, type Ruleset, removeElement } from "./ruleset.ts";
import { deleteFilters } from "./traffic.ts";

/** @throws SelvedgeError kernel, when the thing that is to be changed is not there */
export function meddle(network: Network, ruleset: Ruleset, change: Meddling): void {
  const device = (link: string): Device => deviceOf(network, link, change.do);
  const gone = (was: boolean | undefined): void => {
    if (was !== true) throw refusal(change.do, "ENOENT");
  };
  const table = (f: "inet" | "bridge", name: string, text: string) =>
    ensureTable(ruleset, { type: "table", at: "host", family: f, name, text });
  switch (change.do) {
    case "set-link":
      setDevice(device(change.link), change);
      return;
    case "delete-link":
      deleteDevice(device(change.link));
      return;
    case "add-link":
      newDevice(network, change.link, "bridge").up = true;
      return;
    case "set-mode":
      device(change.link).nature = { ...device(change.link).nature, mode: change.mode };
      return;
    case "add-port-vlan":
      ensurePortVlan(network, {
        type: "port-vlan",
        at: "host",
        link: change.link,
        vid: change.vid,
        pvid: change.pvid,
        untagged: change.pvid,
      });
      return;
    case "delete-port-vlan":
      gone(device(change.link).vlans.delete(change.vid));
      return;
    case "delete-forward":
      gone(device(change.link).forwards.delete(forwardKey(change)));
      return;
    case "delete-port-mac":
      gone(device(change.link).behind.delete(change.mac));
      return;
    case "add-address":
      ensureAddress(network, { type: "address", at: "host", link: change.link, address: change.address });
      return;
    case "delete-address":
      gone(removeAddress(device(change.link), change.address));
      return;
    case "add-route":
      ensureRoute(network, { type: "route", at: "host", to: change.to, link: change.link }, false);
      return;
    case "delete-route":
      deleteRoute(network, change);
      return;
    case "delete-neighbour":
      gone(device(change.link).neighbours.delete(change.address));
      return;
    case "write-sysctl":
      ensureSysctl(network, { type: "sysctl", at: "host", key: change.key, value: change.value });
      return;
    case "delete-shaper":
      device(change.link).queue = undefined;
      return;
    case "delete-redirect":
      deleteFilters(device(change.link), "ingress");
      return;
    case "delete-element":
      gone(removeElement(ruleset, change.element));
      return;
    case "flush-chain":
      if (findTable(ruleset, change.family, change.table) === undefined) throw refusal(change.do, "ENOENT");
      table(change.family, change.table, `# somebody flushed ${change.chain}`);
      return;
    case "add-table":
      table(change.family, change.table, "");
      return;
    case "delete-table":
      gone(deleteTable(ruleset, change.family, change.table));
      return;
    case "flush-ruleset":
      ruleset.clear();
      return;
  }
}

function setDevice(device: Device, change: Extract<Meddling, { do: "set-link" }>): void {
  device.mtu = change.mtu ?? device.mtu;
  if (change.mac !== undefined) setMac(device, change.mac);
  if (change.up === true) device.up = true;
  if (change.up === false) takeDown(device);
}

/** As `ip route del TO dev LINK`: whatever its metric, in the main table. */
function deleteRoute(network: Network, fact: Pick<RouteFact, "to" | "link">): void {
  for (const [key, { fact: there, device }] of network.routes)
    if (there.to === fact.to && device.name === fact.link && (there.table ?? 254) === 254) {
      network.routes.delete(key);
      return;
    }
  throw refusal("delete-route", "ESRCH");
}
