/** A daemon that answers everything and does nothing: what tests build on. */
import type { Handlers } from "./server.ts";

/** A handler for each method of a generated service; all answer an empty message. */
export const emptyHandlers = <Service extends object>(service: Service): Handlers<Service> =>
  Object.fromEntries(Object.keys(service).map((name) => [name, async () => ({})])) as unknown as Handlers<Service>;
