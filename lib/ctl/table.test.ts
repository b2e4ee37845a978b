import { expect, test } from "@jest/globals";
import { coloured, plain, type Style } from "./style.ts";
import { type Cell, table } from "./table.ts";

const COLUMNS = [{ heading: "NAME" }, { heading: "STATE", cut: true }, { heading: "N", right: true }];
const rows = (style: Style): readonly (readonly Cell[])[] => [
  ["one", { text: "refused", paint: style.red }, { text: "7", paint: style.yellow }],
  ["evil\u001b[2J", { text: "of\u001b[2Jtwo", paint: style.green }, "12"],
  [["a", "b"], { text: "", paint: style.red }, "3"],
];

test("a colour is on the text of its cell alone: it changes no widths, and controls in the text stay harmless", () => {
  expect(table(COLUMNS, rows(coloured), coloured, 80)).toEqual([
    "\u001b[1mNAME      STATE       N\u001b[0m",
    "one       \u001b[31mrefused\u001b[0m     \u001b[33m7\u001b[0m",
    "evil\ufffd[2J  \u001b[32mof\ufffd[2Jtwo\u001b[0m  12",
    "a         \u001b[31m-\u001b[0m           3",
    "b",
  ]);
});

test("without colours it is the same text", () =>
  expect(table(COLUMNS, rows(plain), plain, 80)).toEqual([
    "NAME      STATE       N",
    "one       refused     7",
    "evil\ufffd[2J  of\ufffd[2Jtwo  12",
    "a         -           3",
    "b",
  ]));
