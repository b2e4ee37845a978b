import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { canHaveVirtual, isPciAddress, pciAddresses, pciFunction, setVirtualCount } from "./pci.ts";

let sysfs: string;

/** A card with two virtual functions, the second driven from userspace, and a virtio card: the tree that the kernel shows. */
beforeAll(() => {
  sysfs = mkdtempSync(join(tmpdir(), "sysfs-"));
  const bus = join(sysfs, "bus/pci/devices");
  const plug = (pci: string, files: Record<string, string>, links: Record<string, string>, folders: string[] = []) => {
    mkdirSync(join(bus, pci), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(bus, pci, name), `${text}\n`);
    for (const [name, to] of Object.entries(links)) symlinkSync(to, join(bus, pci, name));
    for (const name of folders) mkdirSync(join(bus, pci, name), { recursive: true });
  };
  const id = { vendor: "0x8086", device: "0x1572" };
  plug(
    "0000:3b:00.0",
    { ...id, numa_node: "1", sriov_totalvfs: "64", sriov_numvfs: "2" },
    { driver: "../../drivers/i40e", virtfn1: "../0000:3b:02.1", virtfn0: "../0000:3b:02.0" },
    ["infiniband/irdma0", "infiniband_verbs/uverbs0"],
  );
  plug("0000:3b:02.0", { ...id, numa_node: "1" }, { driver: "x/uio_pci_generic", physfn: "../0000:3b:00.0" }, [
    "uio/uio3",
  ]);
  plug(
    "0000:3b:02.1",
    { ...id, numa_node: "1" },
    { driver: "../../drivers/vfio-pci", physfn: "../0000:3b:00.0", iommu_group: "../../../kernel/iommu_groups/87" },
  );
  plug("0000:00:03.0", { vendor: "0x1af4", device: "0x1041", numa_node: "-1" }, { driver: "x/virtio-pci" }, [
    "virtio0",
  ]);
});
afterAll(() => rmSync(sysfs, { recursive: true }));

test("a physical function has its virtual ones in the order of their numbers", async () => {
  expect(await pciFunction(sysfs, "0000:3b:00.0")).toEqual({
    pci: "0000:3b:00.0",
    vendor: "8086",
    product: "1572",
    driver: "i40e",
    numaNode: 1,
    rdma: ["irdma0"],
    nodes: ["/dev/infiniband/rdma_cm", "/dev/infiniband/uverbs0"],
    virtio: [],
    maxVirtual: 64,
    virtual: [
      { index: 0, pci: "0000:3b:02.0" },
      { index: 1, pci: "0000:3b:02.1" },
    ],
  });
});

test("a virtual function names its physical one, and the group that a userspace driver opens", async () => {
  expect(await pciFunction(sysfs, "0000:3b:02.1")).toEqual({
    pci: "0000:3b:02.1",
    vendor: "8086",
    product: "1572",
    driver: "vfio-pci",
    numaNode: 1,
    rdma: [],
    nodes: ["/dev/vfio/vfio", "/dev/vfio/87"],
    virtio: [],
    physical: "0000:3b:00.0",
    virtual: [],
  });
});

test("a function that uio has is opened by the number of its device", async () =>
  expect((await pciFunction(sysfs, "0000:3b:02.0"))?.nodes).toEqual(["/dev/uio3"]));

test("a virtio card carries its link one step down, and a node of -1 is none", async () => {
  const card = await pciFunction(sysfs, "0000:00:03.0");
  expect(card?.virtio).toEqual(["virtio0"]);
  expect(card).not.toHaveProperty("numaNode");
});

test("what is not there is undefined, and a machine without PCI has nothing", async () => {
  expect(await pciFunction(sysfs, "0000:ff:00.0")).toBeUndefined();
  expect(await pciAddresses(join(sysfs, "nothing"))).toEqual([]);
  expect(await pciAddresses(sysfs)).toEqual(["0000:00:03.0", "0000:3b:00.0", "0000:3b:02.0", "0000:3b:02.1"]);
});

test("only a function with sriov_totalvfs can have virtual ones", async () => {
  expect(await canHaveVirtual(sysfs, "0000:3b:00.0")).toBe(true);
  expect(await canHaveVirtual(sysfs, "0000:3b:02.0")).toBe(false);
});

test("the number of virtual functions is written, and a file that is not there is named", async () => {
  const file = join(sysfs, "bus/pci/devices/0000:3b:00.0/sriov_numvfs");
  await setVirtualCount(sysfs, "0000:3b:00.0", 2);
  expect(readFileSync(file, "utf8")).toBe("2\n");
  await setVirtualCount(sysfs, "0000:3b:00.0", 8);
  expect(readFileSync(file, "utf8")).toBe("8");
  await expect(setVirtualCount(join(sysfs, "bus/pci/devices/0000:3b:00.0/sriov_totalvfs"), "x", 1)).rejects.toThrow(
    /^write "1" to .*sriov_numvfs: ENOTDIR$/,
  );
});

const addresses: [text: string, valid: boolean][] = [
  ["0000:3b:02.1", true],
  ["10000:e1:00.0", true],
  ["3b:02.1", false],
  ["0000:3B:02.1", false],
  ["0000:3b:02.8", false],
  ["ens1", false],
];
test.each(addresses)("%s as a PCI address: %s", (text, valid) => expect(isPciAddress(text)).toBe(valid));
