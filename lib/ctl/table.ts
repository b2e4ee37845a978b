/** Rows under headings, aligned, without trailing blanks. A cell may have several lines, or a colour. */
import { printable, type Style } from "./style.ts";

export interface Column {
  readonly heading: string;
  readonly right?: boolean;
  /** May be cut, with an ellipsis, when the table is too wide. */
  readonly cut?: boolean;
}

/** A colour is put on what has been made printable and aligned: its codes have no width. */
export interface Painted {
  readonly text: string;
  readonly paint: (text: string) => string;
}

export type Cell = string | readonly string[] | Painted;

const isPainted = (cell: Cell | undefined): cell is Painted => typeof cell === "object" && "paint" in cell;

const GAP = "  ";
/** A column that is cut keeps at least so many characters. */
const NARROWEST = 8;

export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  style: Style,
  widthColumns: number,
): string[] {
  const cells = rows.map((row) => columns.map((_, i) => linesOf(row[i])));
  const widths = fitted(
    columns,
    columns.map(({ heading }, i) => Math.max(heading.length, ...cells.flatMap((row) => row[i] ?? []).map(width))),
    widthColumns,
  );
  const head = columns.map(({ heading }) => [heading]);
  const body = cells.flatMap((row, at) => render(columns, row, widths, rows[at]));
  return [...render(columns, head, widths).map(style.bold), ...body];
}

const linesOf = (cell: Cell | undefined): string[] => {
  if (isPainted(cell)) return linesOf(cell.text);
  const lines = typeof cell === "string" ? [cell] : (cell ?? []);
  return lines.length === 0 ? ["-"] : lines.map((line) => printable(line) || "-");
};

/** Characters, not UTF-16 units. */
const width = (text: string): number => [...text].length;

/** Takes from the widest column that may be cut, until the table fits or none is left. */
function fitted(columns: readonly Column[], natural: readonly number[], widthColumns: number): number[] {
  const widths = [...natural];
  const gaps = GAP.length * (columns.length - 1);
  for (let excess = widths.reduce((a, b) => a + b, gaps) - widthColumns; excess > 0; excess--) {
    const candidates = columns.flatMap(({ cut }, i) => (cut === true && (widths[i] ?? 0) > NARROWEST ? [i] : []));
    const widest = candidates.toSorted((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0))[0];
    if (widest === undefined) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function render(
  columns: readonly Column[],
  row: readonly (readonly string[])[],
  widths: readonly number[],
  cells: readonly Cell[] = [],
): string[] {
  const height = Math.max(...row.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    columns
      .map(({ right }, i) => {
        const text = clip(row[i]?.[line] ?? "", widths[i] ?? 0);
        const blanks = " ".repeat(Math.max(0, (widths[i] ?? 0) - width(text)));
        const cell = cells[i];
        const shown = isPainted(cell) && text !== "" ? cell.paint(text) : text;
        return right === true ? blanks + shown : shown + blanks;
      })
      .join(GAP)
      .trimEnd(),
  );
}

const clip = (text: string, most: number): string =>
  width(text) <= most ? text : `${[...text].slice(0, Math.max(0, most - 1)).join("")}…`;
