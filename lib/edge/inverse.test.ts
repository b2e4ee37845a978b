import { expect, test } from "@jest/globals";
import { restored } from "./inverse.ts";
import { type Line, lineOf, type Path } from "./path.ts";
import { ownership } from "./piece.ts";

const AT: Path = ["protocols", "bgp", "peer-group", "SELVEDGE"];
const password = (secret: string): Path => [...AT, "password", secret];
const as: Path = [...AT, "remote-as", "65001"];
const was = ownership([{ at: lineOf(AT), lines: [as, password("old")].map(lineOf) }]);

test.each<[name: string, known: Path[], paths: Path[], lost: Line[]]>([
  ["that is known is set again", [password("new"), password("old")], [as, password("old")], []],
  ["that is not known leaves the present one", [password("new")], [as, password("new")], [lineOf(password("old"))]],
  [
    "of another leaf is none of it",
    [["protocols", "bgp", "peer-group", "OTHER", "password", "new"]],
    [as],
    [lineOf(password("old"))],
  ],
])("a secret %s", (_name, known, paths, lost) =>
  expect(restored(was, known)).toEqual({ pieces: [{ at: AT, paths }], lost }),
);
