/** Patterns of names as configurations have them. */

/** `*` stands for any letters; no name matches nothing. */
export function matches(pattern: string, name: string): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return name !== "" && new RegExp(`^${parts.join(".*")}$`).test(name);
}
