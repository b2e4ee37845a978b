/** Patterns of names as configurations have them. */

/** `*` stands for any letters; no name matches nothing. */
export const matches = (pattern: string, name: string): boolean => matcher(pattern)(name);

/** The same for many names. */
export function matcher(pattern: string): (name: string) => boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const whole = new RegExp(`^${parts.join(".*")}$`);
  return (name) => name !== "" && whole.test(name);
}
