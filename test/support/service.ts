// A service as a contract's tests see it: a server of one user with one collection of an app's own
// records, another client of that user, and what a device needs to reach it. Nothing here is of one
// protocol.

import type { AgentConfig, Contents } from '../../agent/index.ts';
import type { Handler } from '../../emulator/servers/http.ts';
import type { Identity } from '../../platform/ports.ts';

export type Body = { readonly [member: string]: unknown };

/** At once, or from a server that is asked. */
type Soon<T> = T | Promise<T>;

export interface Service {
  /** Answers the device. */
  readonly fetch: Handler;
  /** The server's clock; tests move it. */
  readonly clock: { nowMs: number };
  /** The clock goes by itself, and devices' clocks with it. */
  readonly isTicking?: boolean;
  /** Of the collection. */
  readonly collection: string;
  readonly contents: Contents;
  readonly identity: Omit<Identity, 'deviceKey'>;
  /** In which its answers say what time it is, beside what its protocol wants of them. */
  readonly timeHeaders: readonly string[];
  /** Where the device finds it. */
  readonly config: Pick<AgentConfig, 'remote'>;

  /** The name of the n-th record. */
  id(n: number): string;
  /** What the wire calls it, where that is not its name. */
  wireId?(n: number): string;
  /** What another client sees, by id; a body without its id. */
  live(): Soon<ReadonlyMap<string, Body>>;
  /** Another client's version of a record. */
  put(id: string, body: Body): Soon<void>;
  /** Another client's deletion. */
  delete(id: string): Soon<void>;
  /** Puts something in a record's place that no client can read. */
  spoil(id: string): Soon<void>;
  /** What lies there under that name, as it lies there. */
  raw(id: string): Soon<string>;
  /** How often the record was written, by whomever. */
  writes(id: string): Soon<number>;

  /** The server asks its clients to stay away for so long, from now on; 0: not any more. */
  wait(seconds: number): Soon<void>;
  /** It answers nothing but 503. */
  down(isDown: boolean): Soon<void>;
  /** Whoever was allowed to ask has to prove again who they are. */
  expire(): Soon<void>;
  /** The collection is thrown away and begun anew, with nothing in it. */
  renew(): Soon<void>;
  /** The request asks for records of the collection. */
  isPage(request: Request): boolean;
  /** The request sends changes of the collection. */
  isWrite(request: Request): Promise<boolean>;
}

/** What a protocol has, and others have not: the tests of what it has not are not there. */
export interface Traits {
  /** Nothing of a body can be read on the wire. */
  readonly isSealed: boolean;
  /** A write is refused where somebody else was faster. */
  readonly isGuarded: boolean;
  /** Records of the largest page; null: everything comes at once. */
  readonly pageRecords: number | null;
  /** The server can keep this user from writing. */
  readonly readOnly?: (service: Service, isReadOnly: boolean) => void;
  /**
   * The server forgets what was deleted: a device that has not heard of a deletion finds out by
   * what is not there.
   */
  readonly compact?: (service: Service) => void;
  /** A client that does not know a record takes it out: it is unknown there, and not deleted. */
  readonly drop?: (service: Service, id: string) => void;
  /** Of two versions one counts as it is: members are not merged. */
  readonly isWhole?: boolean;
  /** What cannot be read is a record all the same, which is kept and shown to nobody. */
  readonly isCarried?: boolean;
  /** A record says itself when it was changed, or the server when it was written; null: neither. */
  readonly times: 'own' | 'server' | null;
  /** What of a request that writes has to be durable before it leaves. */
  readonly planned?: (body: string) => readonly string[];
}
