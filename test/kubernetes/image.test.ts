/** Nothing in the image gives more to whoever runs it: no file that is another's, none that others may write. */
import { expect } from "@jest/globals";
import { must } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import { NEXT, SELVEDGE } from "./images.ts";

/** As tar lists them: mode, with a star where the file has capabilities or the like; owner; name. */
const LINE = /^(?<mode>\S{10})(?<more>\S?) +(?<owner>\d+\/\d+) +\d+ \S+ \S+ (?<name>.*)$/;

async function filesOf(archive: string): Promise<Readonly<Record<string, string>>[]> {
  const manifest = await must(["tar", "--extract", "--to-stdout", `--file=${archive}`, "manifest.json"]);
  const [image] = JSON.parse(manifest) as { Layers: string[] }[];
  const listed = image?.Layers.map((layer) =>
    must(
      [
        "sh",
        "-euc",
        'tar --extract --to-stdout --file="$0" "$1" | tar --list --verbose --numeric-owner --xattrs --xattrs-include="*"',
        archive,
        layer,
      ],
      { deadlineMs: 120_000 },
    ),
  );
  const lines = (await Promise.all(listed ?? [])).join("").trimEnd().split("\n");
  return lines.map((line) => LINE.exec(line)?.groups ?? { name: line, mode: "", more: "", owner: "" });
}

needing(...[SELVEDGE, NEXT.archive].map((file) => ({ file }))).each([SELVEDGE, NEXT.archive])(
  "%s has no program that runs as another, or with more",
  async (archive) => {
    const files = await filesOf(archive);
    const names = (of: typeof files) => of.map(({ name }) => name);
    // Debian's own runs as root whoever starts it.
    expect(names(files)).toEqual(expect.arrayContaining(["opt/selvedge/selvedge", "usr/bin/umount", "usr/sbin/nft"]));
    expect(names(files.filter(({ mode = "" }) => !/^[-dl][r-][w-][x-][r-][w-][x-][r-][w-][xt-]$/.test(mode)))).toEqual(
      [],
    );
    expect(names(files.filter(({ more }) => more !== ""))).toEqual([]);
    expect(names(files.filter(({ owner }) => owner !== "0/0"))).toEqual([]);
    expect(names(files.filter(({ mode = "" }) => !mode.startsWith("l") && /.w.$/.test(mode)))).toEqual(["tmp/"]);
  },
  300_000,
);
