import { expect, test } from "@jest/globals";
import { number, table } from "./table.ts";

test("words to the left, numbers to the right", () => {
  expect(
    table(
      ["subject", "p50"],
      [
        ["a", "1.00"],
        ["longer one", "12345"],
      ],
    ).split("\n"),
  ).toEqual(["subject       p50", "----------  -----", "a            1.00", "longer one  12345"]);
});

test("columns that hold words too", () => {
  expect(table(["a", "means"], [["x", "y"]], [0, 1]).split("\n")).toEqual(["a  means", "-  -----", "x  y"]);
});

test("a row may be short", () => {
  expect(table(["a", "b"], [["x"]]).split("\n")).toEqual(["a  b", "-  -", "x"]);
});

const numbers: [value: number, text: string][] = [
  [0, "0.00"],
  [0.483, "0.48"],
  [9.31, "9.31"],
  [12.35, "12.3"],
  [131.4, "131"],
  [1234.5, "1235"],
  [-12.35, "-12.3"],
];

test.each(numbers)("%p is printed as %p", (value, text) => {
  expect(number(value)).toBe(text);
});

test("the table has numbers", () => expect(numbers.length).toBe(7));
