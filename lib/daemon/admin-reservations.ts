/** What `selvedgectl` shows and changes of the reservations. */
import { address, mac } from "#lib/address.ts";
import type { AdminHandlers } from "#lib/api/server.ts";
import { reservationName } from "#lib/parse.ts";
import type { Change, Lease, Reservation } from "#lib/store/store.ts";
import type { Reservation as Shown } from "#proto/selvedge_pb.ts";
import type { Core } from "./core.ts";

type Handlers = Pick<AdminHandlers, "listReservations" | "reserve" | "release">;

export function adminReservations({ config, ipam, store, blocks }: Core): Handlers {
  /** In memory first, so that no ADD takes the address meanwhile; taken back when it cannot be stored. */
  const stored = async (changes: readonly Change[], undo: () => void): Promise<void> => {
    await store.commit(changes).catch((error: unknown) => {
      undo();
      throw error;
    });
  };

  /** All nodes know of it, or nobody does. */
  const told = async (reservation: Reservation, undo: () => void): Promise<void> => {
    const { pool, name } = reservation;
    if (blocks?.isShared(pool) !== true) return;
    await blocks.publish(reservation).catch(async (error: unknown) => {
      undo();
      const before = ipam.reservation(pool, name);
      await store.commit([
        before === undefined ? { remove: "reservation", pool, name } : { put: "reservation", value: before },
      ]);
      throw error;
    });
  };

  return {
    listReservations: async ({ pool }) => ({
      reservations: ipam.reservations(pool === "" ? undefined : pool).map((each) => shown(each, each.holders)),
    }),

    reserve: async (request) => {
      const { reservation, undo } = ipam.reserve({
        name: reservationName({ path: "name", value: request.name }),
        pool: request.pool === "" ? config.defaultPool : request.pool,
        addresses: request.addresses.map((each) => address(each)),
        ...(request.mac === "" ? {} : { mac: mac(request.mac) }),
      });
      await stored([{ put: "reservation", value: reservation }], undo);
      await told(reservation, undo);
      return shown(reservation, ipam.holders(reservation.pool, reservation.name));
    },

    release: async ({ name, pool }) => {
      const { reservations, coolDowns, undo } = ipam.unreserve(name, pool === "" ? undefined : pool);
      for (const each of reservations)
        if (blocks?.isShared(each.pool) === true)
          await blocks.withdraw(each.pool, each.name).catch((error: unknown) => {
            undo();
            throw error;
          });
      await stored(
        [
          ...reservations.map((each): Change => ({ remove: "reservation", pool: each.pool, name: each.name })),
          ...coolDowns.map((value): Change => ({ put: "coolDown", value })),
        ],
        undo,
      );
      return { reservations: reservations.map((each) => shown(each, [])) };
    },
  };
}

const shown = (
  { name, pool, addresses, mac: hardware, origin, sinceMs }: Reservation,
  [holder]: readonly Lease[],
): Shown => ({
  name,
  pool,
  addresses: [...addresses],
  mac: hardware ?? "",
  origin,
  since: new Date(sinceMs).toISOString(),
  ...(holder === undefined ? {} : { holder: { containerId: holder.containerId, ifname: holder.ifname } }),
  holderPod: holder?.pod ?? "",
});
