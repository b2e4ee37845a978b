/** Colours: SGR codes of ECMA-48 on a terminal, nothing elsewhere. */
const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

export type Style = Readonly<Record<keyof typeof CODES, (text: string) => string>>;

const names = Object.keys(CODES) as (keyof typeof CODES)[];
const styleOf = (paint: (code: number) => (text: string) => string): Style =>
  Object.fromEntries(names.map((name) => [name, paint(CODES[name])])) as Style;

export const coloured: Style = styleOf((code) => (text) => `\u001b[${code}m${text}\u001b[0m`);
export const plain: Style = styleOf(() => (text) => text);

/** Control characters in what the daemon tells (a pod's name, an error) must not reach the terminal. */
export const printable = (text: string): string => text.replaceAll(/\p{Cc}/gu, "\ufffd");
