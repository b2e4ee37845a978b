import { expect, test } from "@jest/globals";
import { partsOf, targetOf } from "./channel.ts";

const cases: [endpoint: string, target: string][] = [
  ["https://192.0.2.1:2379", "ipv4:192.0.2.1:2379"],
  ["https://[2001:db8::1]:2379", "ipv6:[2001:db8::1]:2379"],
  ["http://etcd-1.example:2379", "dns:etcd-1.example:2379"],
  ["https://etcd.example:443", "dns:etcd.example:443"],
  ["http://[::1]:80", "ipv6:[::1]:80"],
];
test.each(cases)("%s", (endpoint, target) => {
  const { host, name } = partsOf(endpoint);
  expect(targetOf(host, name)).toBe(target);
});
