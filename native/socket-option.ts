/** Options of sockets that are numbers. */
import { bind, checked } from "./libc.ts";

const setOption = bind("int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)");

/** Level and name, as the headers number them. */
export type SocketOption = readonly [level: number, name: number];

/** @param call what an error calls it @throws SelvedgeError kernel */
export function setNumber(call: string, fd: number, [level, name]: SocketOption, value: number): void {
  checked(call, setOption(fd, level, name, new Uint8Array(Int32Array.of(value).buffer), 4));
}
