/** Addresses that are kept for a name while nothing runs: listing, making and ending them. */
import { Admin, type Reservation } from "#proto/selvedge_pb.ts";
import { counted } from "./amount.ts";
import { shortId } from "./attachments.ts";
import { type Command, WORDLESS } from "./command.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";

export const reservations: Command = {
  ...WORDLESS,
  summary: "Names that addresses are kept for, and their holders.",
  options: { pool: { value: "NAME", meaning: "only those of this pool" } },
  async run(ask, { value }) {
    const list = await ask(Admin.listReservations, { pool: value("pool") });
    return {
      json: list,
      lines: (style, width) =>
        list.reservations.length === 0 ? ["no reservations"] : reservationTable(list.reservations, style, width),
    };
  },
};

export const reserve: Command = {
  summary: "Keeps addresses for a name, while nothing runs.",
  usage: "NAME",
  fewestWords: 1,
  mostWords: 1,
  choices: [],
  options: {
    pool: { value: "NAME", meaning: "pool of the addresses (the default pool)" },
    address: {
      value: "ADDRESS",
      repeated: true,
      meaning: "one to keep, once for each that a pod gets (what the name has, else free ones)",
    },
    mac: { value: "MAC", meaning: "MAC of the pod's interface" },
  },
  async run(ask, { words: [name = ""], value }) {
    const addresses = value("address")
      .split(",")
      .filter((each) => each !== "");
    const made = await ask(Admin.reserve, { name, pool: value("pool"), addresses, mac: value("mac") });
    return { json: made, lines: (style, width) => reservationTable([made], style, width) };
  },
};

export const release: Command = {
  summary: "Ends what is kept for a name; a pod keeps what it has.",
  usage: "NAME",
  fewestWords: 1,
  mostWords: 1,
  choices: [],
  options: { pool: { value: "NAME", meaning: "only in this pool" } },
  async run(ask, { words: [name = ""], value }) {
    const list = await ask(Admin.release, { name, pool: value("pool") });
    return {
      json: list,
      lines: (style, width) => [
        ...reservationTable(list.reservations, style, width),
        "",
        `${counted(list.reservations.length, "reservation")} ended`,
      ],
    };
  },
};

const holderOf = ({ holder }: Reservation): string =>
  holder === undefined ? "" : `${shortId(holder.containerId)}/${holder.ifname}`;

const reservationTable = (list: readonly Reservation[], style: Style, width: number): string[] =>
  table(
    [
      { heading: "NAME", cut: true },
      { heading: "POOL", cut: true },
      { heading: "ADDRESSES" },
      { heading: "MAC" },
      { heading: "ORIGIN" },
      { heading: "HOLDER" },
    ],
    list.map((one) => [one.name, one.pool, one.addresses, one.mac, one.origin, holderOf(one)]),
    style,
    width,
  );
