/** What VyOS's value validators let pass (vyos-1x src/validators, vyos-utils), as far as what Selvedge sets needs them. */
import { type Address, address, bitsOf, family, networkOf, type Prefix, prefix } from "#lib/address.ts";

export interface Check {
  readonly re?: string;
  readonly js?: string;
  readonly v?: string;
  readonly a?: string;
}

type Validator = (value: string, argument: string) => boolean;

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
const anAddress = (value: string): Address | undefined => readable(() => address(value));
const aPrefix = (value: string): Prefix | undefined => readable(() => prefix(value));

const isAddress =
  (of?: 4 | 6): Validator =>
  (value) => {
    const found = anAddress(value);
    return found !== undefined && (of === undefined || family(found) === of);
  };
/** Without host bits. */
const isPrefix =
  (of?: 4 | 6): Validator =>
  (value) => {
    const found = aPrefix(value);
    return found !== undefined && (of === undefined || family(found) === of) && networkOf(found) === found;
  };
/** With host bits: an address of an interface. */
const isHost =
  (of?: 4 | 6): Validator =>
  (value) => {
    const found = aPrefix(value);
    if (found === undefined || (of !== undefined && family(found) !== of)) return false;
    const length = Number(value.split("/")[1]);
    return networkOf(found) !== found || length === bitsOf(family(found));
  };
const isRange =
  (of: 4 | 6): Validator =>
  (value) => {
    const [first = "", last = "", more] = value.split("-");
    const [a, b] = [anAddress(first), anAddress(last)];
    return more === undefined && a !== undefined && b !== undefined && family(a) === of && family(b) === of;
  };
const except =
  (validator: Validator): Validator =>
  (value, argument) =>
    value.startsWith("!") && validator(value.slice(1), argument);

const isNumeric: Validator = (value, argument) => {
  const words = argument.split(/\s+/);
  const ranges = words.flatMap((word, i) => (word === "--range" ? (words[i + 1] ?? "") : []));
  const pattern = words.includes("--float") ? /^-?\d+(\.\d+)?$/ : /^\d+$/;
  if (!pattern.test(value)) return false;
  const n = Number(value);
  if (words.includes("--positive") && n <= 0) return false;
  return (
    ranges.length === 0 ||
    ranges.some((range) => {
      const [least, most] = range.split("-").map(Number);
      return n >= (least ?? 0) && n <= (most ?? 0);
    })
  );
};
const isPort: Validator = (value) => /^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535;
const isPortRange: Validator = (value) => {
  const [first = "", last = "", more] = value.split("-");
  return more === undefined && isPort(first, "") && isPort(last, "") && Number(first) < Number(last);
};
const isFqdn: Validator = (value) =>
  /^([A-Za-z0-9_]([A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9_]([A-Za-z0-9-]*[A-Za-z0-9])?\.?$/.test(value);
const LINK_NAMES = /^((bond|br|dum|en|eth|gnv|lan|lo|peth|tun|veth|vti|vtun|vxlan|wg|wlan|wwan)\d*|default)$/;

export const VALIDATORS: Readonly<Record<string, Validator>> = {
  numeric: isNumeric,
  "numeric-exclude": except(isNumeric),
  "ipv4-address": isAddress(4),
  "ipv4-prefix": isPrefix(4),
  "ipv4-host": isHost(4),
  "ipv4-range": isRange(4),
  "ipv4-address-exclude": except(isAddress(4)),
  "ipv4-prefix-exclude": except(isPrefix(4)),
  "ipv4-range-exclude": except(isRange(4)),
  "ipv6-address": isAddress(6),
  "ipv6-prefix": isPrefix(6),
  "ipv6-host": isHost(6),
  "ipv6-range": isRange(6),
  "ipv6-exclude": except((value, argument) => isAddress(6)(value, argument) || isPrefix(6)(value, argument)),
  "ipv6-range-exclude": except(isRange(6)),
  ipv6: (value, argument) => isAddress(6)(value, argument) || isPrefix(6)(value, argument),
  ipv4: (value, argument) => isAddress(4)(value, argument) || isPrefix(4)(value, argument),
  "ipv6-link-local": (value) => anAddress(value)?.startsWith("fe80:") ?? false,
  "ip-address": isAddress(),
  "ip-prefix": isPrefix(),
  "ip-host": isHost(),
  "interface-address": isHost(),
  "ip-cidr": (value) => aPrefix(value) !== undefined,
  fqdn: isFqdn,
  "vrf-name": (value) => /^[a-zA-Z][a-zA-Z0-9_-]{0,14}$/.test(value) && !LINK_NAMES.test(value),
  "port-multi": (value) => value.split(",").every((one) => isPort(one.replace(/^!/, ""), "") || isPortRange(one, "")),
  "port-range": (value, argument) => isPort(value, argument) || isPortRange(value, argument),
  "ip-protocol": (value) => /^(tcp|udp|tcp_udp|icmp|ipv6-icmp|esp|gre|all|\d+)$/.test(value),
  "bgp-regular-community": (value) =>
    /^\d{1,5}:\d{1,5}$/.test(value) && value.split(":").every((n) => Number(n) <= 65_535),
  "bgp-large-community": (value) => /^\d+:\d+:\d+$/.test(value),
  "bgp-rd-rt": (value) => /^[\d.]+:\d+$/.test(value),
  base64: (value) => value.length % 4 === 0 && /^[A-Za-z0-9+/]+=*$/.test(value),
  "mac-address": (value) => /^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(value),
  url: (value) => URL.canParse(value),
  // Interfaces and scripts of a running router: what the grammar's regular expressions have not let pass.
  "file-path": () => false,
  script: () => false,
};
