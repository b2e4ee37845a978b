/** How a text is refused, as tests want to see it. */
import { isFailure } from "#lib/errors.ts";
import { parseConfig } from "./config.ts";

/** A line for each thing that is wrong, with its place in `c.yaml`; none for a text that is taken. */
export function refusal(text: string): string[] {
  try {
    parseConfig(text, "c.yaml");
  } catch (error) {
    if (!isFailure(error, "config-invalid")) throw error;
    return error.message.split("\n");
  }
  return [];
}

/** The same without the places. */
export const unplaced = (text: string): string[] =>
  refusal(text).map((line) => line.replace(/^c\.yaml(?::\d+:\d+)?: /, ""));
