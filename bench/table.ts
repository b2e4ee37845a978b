/** Text columns for a terminal. */

/** The first column is words, the others are numbers at their right edge, unless `words` names them as words too. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  words: readonly number[] = [0],
): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)));
  const lineOf = (row: readonly string[]) =>
    widths
      .map((width, column) => {
        const text = row[column] ?? "";
        return words.includes(column) ? text.padEnd(width) : text.padStart(width);
      })
      .join("  ")
      .trimEnd();
  return [lineOf(head), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(lineOf)].join("\n");
}

/** Three digits that matter, and no more decimals than two: `0.48`, `9.31`, `12.4`, `131`. */
export function number(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
