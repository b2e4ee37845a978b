/** A WireGuard device as its driver tells of it, and what it is told: the kernel and wireguard-go are two drivers. */
import type { Address, Prefix } from "#lib/address.ts";

export interface SeenPeer {
  /** Base64. */
  readonly publicKey: string;
  readonly endpoint?: { readonly address: Address; readonly port: number };
  /** Sorted as texts. */
  readonly allowed: readonly Prefix[];
  /** Seconds since the epoch; absent: never. */
  readonly lastHandshakeSeconds?: number;
  readonly rxBytes: number;
  readonly txBytes: number;
}

export interface SeenDevice {
  /** Base64; absent: it has no key yet. */
  readonly publicKey?: string;
  readonly port: number;
  readonly peers: readonly SeenPeer[];
}

export interface PeerChange {
  readonly publicKey: string;
  /** Absent: the peer is taken away. */
  readonly to?: {
    readonly endpoint: { readonly address: Address; readonly port: number };
    readonly allowed: readonly Prefix[];
  };
}

export interface DeviceChange {
  /** 32 bytes. */
  readonly privateKey?: Uint8Array;
  readonly port?: number;
  readonly peers: readonly PeerChange[];
}

export interface Driver {
  /** Undefined: there is no such device. @throws SelvedgeError kernel */
  read(name: string): Promise<SeenDevice | undefined>;
  /** @throws SelvedgeError kernel */
  write(name: string, change: DeviceChange): Promise<void>;
}

export const keyToBytes = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, "base64"));
export const keyToText = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
