import { expect, test } from "@jest/globals";
import { Address6 } from "ip-address";
import {
  address,
  contains,
  fromBytes,
  fromNumber,
  isUniqueLocal,
  mac,
  networkOf,
  prefix,
  rangeOf,
  toBytes,
  toNumber,
} from "#lib/address.ts";
import { isFailure } from "#lib/errors.ts";
import { fc } from "../test/support/property.ts";

test.each([
  ["10.1.0.5", "10.1.0.5"],
  ["FD00:0::5", "fd00::5"],
  ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["::", "::"],
])("%s is %s", (given, canonical) => expect(address(given)).toBe(canonical));

test.each(["", "1.2.3", "1.2.3.", "01.2.3.4", "1.2.3.256", "1.2.3.4/8", "fe80::1%eth0", "::1::", " ::1", null, 7, {}])(
  "%j is no address",
  (given) => {
    let thrown: unknown;
    try {
      address(given, "ips[0]");
    } catch (error) {
      thrown = error;
    }
    expect(isFailure(thrown, "config-invalid")).toBe(true);
    expect(String(thrown)).toContain("ips[0]");
  },
);

test.each(["10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "fd00::/129", "/8", "10.0.0.0/"])(
  "%s is no prefix",
  (given) => expect(() => prefix(given)).toThrow("is not"),
);

test("MAC addresses are unicast and canonical", () => {
  expect(mac("02-AB-00-00-00-01")).toBe("02:ab:00:00:00:01");
  for (const given of ["03:00:00:00:00:01", "00:00:00:00:00:00", "02:00:00:00:00", "x"])
    expect(() => mac(given)).toThrow();
});

test("networks and ranges", () => {
  expect(networkOf(prefix("10.1.2.3/16"))).toBe("10.1.0.0/16");
  expect(networkOf(prefix("fd00::ffff/64"))).toBe("fd00::/64");
  expect(contains(prefix("10.1.0.0/16"), address("10.1.255.255"))).toBe(true);
  expect(contains(prefix("10.1.0.0/16"), address("fd00::1"))).toBe(false);
  expect(rangeOf(prefix("10.0.0.0/30"))).toEqual({ first: 0x0a000000n, last: 0x0a000003n });
});

const octets = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }));
test("bytes, text and number are inverses", () =>
  fc.assert(
    fc.property(octets, (bytes) => {
      const text = fromBytes(bytes);
      expect(toBytes(text)).toEqual(bytes);
      expect(address(text)).toBe(text);
      expect(fromNumber(toNumber(text), bytes.length === 4 ? 4 : 6)).toBe(text);
    }),
  ));

/** Groups with and without a gap, an IPv4 tail, and each with a character put in, taken away or doubled. */
const spelling = fc
  .tuple(
    fc.array(fc.constantFrom("0", "00", "0db8", "ABCD", "f", "12345", "", "g"), { maxLength: 9 }),
    fc.constantFrom("", "", "::", ":1.2.3.4", "::1.2.3.4", ":1.2.3", ":01.2.3.4", ":1.2.3.256"),
    fc.array(fc.constantFrom("1", "fe80"), { maxLength: 5 }),
  )
  .map(([before, middle, after]) => `${before.join(":")}${middle}${after.join(":")}`);
test("what is an IPv6 address, and which, is what the library says", () =>
  fc.assert(
    fc.property(spelling, (text) => {
      fc.pre(text.includes(":"));
      if (Address6.isValid(text))
        expect(address(text)).toBe(fromBytes(Uint8Array.from(new Address6(text).toByteArray())));
      else expect(() => address(text)).toThrow("is not an IP address");
    }),
    { numRuns: 5000 },
  ));

const sparse = fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 });
test("IPv6 text is that of the library, whatever the runs of zeros", () =>
  fc.assert(
    fc.property(sparse, (bytes) =>
      expect(fromBytes(Uint8Array.from(bytes))).toBe(Address6.fromByteArray(bytes).correctForm()),
    ),
    { numRuns: 2000 },
  ));

test.each([
  ["fc00::/8", true],
  ["fd66::1/128", true],
  ["fe00::/8", false],
  ["2001:db8::/32", false],
  ["10.0.0.0/8", false],
])("%s is unique local: %p", (text, is) => expect(isUniqueLocal(prefix(text))).toBe(is));
