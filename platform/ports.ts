// The functions a device must give the agent: interfaces only, no code.
// A port promises what its comment says and nothing else; the agent holds no other door to the
// world. test/contract/ checks every implementation against the same suites.
// Text is well-formed JavaScript strings. Times are integers of milliseconds, named `...Ms`.

import type { DeviceCrypto } from './crypto-port.ts';

/** What a key holds: text, or bytes for what is sealed. */
export type Value = string | Uint8Array;

/** One change of a commit: the key's new value, or `null` to remove it. */
export type Change = readonly [key: string, value: Value | null];

export interface ScanRange {
  /** First key of the range, inclusive. */
  readonly from: string;
  /** End of the range, exclusive. */
  readonly to: string;
  /** At most this many keys are returned. */
  readonly limit: number;
  /** Last keys first: the range then ends at `to` and is walked downwards. */
  readonly reverse?: boolean;
}

/**
 * Ordered key-value store. Keys are printable ASCII (0x21 to 0x7e), 1 to 240 characters, in
 * ASCII order. Values are at most 2 MiB. One commit holds at most 1,024 changes; a later change of
 * a key in the same commit wins. A value that is not what was written, whatever became of the
 * flash, is an error and never another value; nor is a key silently missing. The check is the
 * device's own, beside each value or each page, in native code.
 * Errors: `StorageError` code `full` (nothing of the commit was written), `damaged`, with the `key`
 * where one value or one range is meant, `failed` (all of the commit may have been written).
 */
export interface Storage {
  /** One entry per asked key, in the asked order; `null` where there is none. */
  get(keys: readonly string[]): Promise<(Value | null)[]>;
  /**
   * The keys of the range in their order (or reversed); values, which may be long, are asked for by
   * `get`.
   */
  scan(range: ScanRange): Promise<string[]>;
  /**
   * All changes or none, durable when the promise resolves: a power cut at any instant leaves
   * the state before or after, and after it once resolved. Commits apply in call order.
   */
  commit(changes: readonly Change[]): Promise<void>;
  /**
   * After `damaged`: makes the storage usable again, with all that proves itself and nothing else.
   * True: nothing is lost after all. False: values are missing, and of some keys an older one may
   * be back; then `ifLost` is committed, in one with the repair. Cut by a loss of power it has done
   * its work or nothing. Absent: nothing is ever `damaged`.
   * Errors: `full`, `failed`.
   */
  repair?(ifLost: readonly Change[]): Promise<boolean>;
}

export type Header = readonly [name: string, value: string];

/** How long an exchange may take; what takes longer is given up, with `timeout`. */
export interface ExchangeLimits {
  /**
   * So long may no byte arrive while one is waited for; the headers must all be there by then, or
   * so long after the last piece of a streamed body, none of which may take longer to leave.
   */
  readonly timeoutMs: number;
  /**
   * The lowest rate: while the body is waited for, each next `windowBytesMin` of its bytes must
   * arrive within `windowMs`, or its end. Time in which nobody waits (between two calls of `read`)
   * does not count. The same holds for a streamed body on its way up, without the time that its
   * source takes.
   */
  readonly windowMs: number;
  readonly windowBytesMin: number;
  /** From the request to the end of the answer's body, whoever waits for whom. */
  readonly longestMs: number;
}

export interface NetworkRequest<Body extends string | StreamedBody = string | StreamedBody>
  extends ExchangeLimits {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Absolute http(s) URL, already percent-encoded. */
  readonly url: string;
  readonly headers: readonly Header[];
  readonly body?: Body;
}

/**
 * A request body that is made while it goes up, so that nobody ever holds it whole. What `open` and
 * `next` throw ends the exchange, and `request` rejects with it as it is.
 */
export interface StreamedBody {
  /**
   * Bytes of all pieces together, which the server is told. Absent: they are not known, and servers
   * may refuse that (411).
   */
  readonly lengthBytes?: number;
  /** The body from its beginning: called once for each `request`. */
  open(): BodySource;
}

export interface BodySource {
  /**
   * The next piece, at most 16,384 bytes or characters of a text, or null at the end. Texts go up
   * as UTF-8: a pair of surrogates may lie in two pieces, and half a one becomes U+FFFD. An empty
   * piece is passed over. The next one is asked for when the one before has left (beyond one piece
   * of read-ahead), and none once the answer has come, which may be before the end.
   */
  next(): Promise<string | Uint8Array | null>;
}

export interface NetworkResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: readonly Header[];
  /**
   * The next piece of the body as text, 1 to 16,384 characters, or `null` at its end: what has
   * arrived, not waiting for more. UTF-8 is decoded strictly; a character cut by a packet is kept
   * for the next piece. Nothing is read from the wire before it is asked for (beyond one piece of
   * read-ahead). Errors: `NetworkError` `truncated` (shorter than announced, or the link broke),
   * `timeout`, `encoding` (not UTF-8).
   */
  read(): Promise<string | null>;
  /** Gives the connection up. Idempotent; needed only when the body was not read to its end. */
  cancel(): void;
}

/**
 * HTTP without cookies, caches and redirects: a 3xx is returned as it is.
 * Errors of `request`: `NetworkError` `offline` (no connection could be made, or it broke before
 * the answer), `timeout`, `unsupported` (a streamed body that the device would have to put
 * together, and that is too long for it or has bytes; the message names the limit); those of a
 * streamed body's source.
 */
export interface Network {
  request(request: NetworkRequest): Promise<NetworkResponse>;
}

export interface Clock {
  /** Device time since 1970, which may be wrong by years and may jump. */
  nowMs(): number;
  /** Resolves after at least `delayMs`. */
  sleep(delayMs: number): Promise<void>;
  /** Lets the device do other work; resolves in a later turn of its event loop. */
  pause(): Promise<void>;
}

export interface Entropy {
  /** `count` (1 to 1,024) cryptographically secure random bytes. */
  random(count: number): Uint8Array;
}

/** What the device is connected by now. `metered` is a network that costs money. */
export type Connection = 'none' | 'wifi' | 'metered';

export interface Power {
  connection(): Connection;
}

export interface SyncKeyB {
  /** 64 hex digits. */
  readonly kB: string;
}
export interface SyncKeyJwk {
  readonly kty: 'oct';
  readonly kid: string;
  /** base64url of 64 bytes. */
  readonly k: string;
}
export type SyncKey = SyncKeyB | SyncKeyJwk;

export interface AccessToken {
  readonly token: string;
  /**
   * When the account's key was last changed. Sync 1.5 needs it of a device whose `syncKey` is kB.
   */
  readonly keysChangedAtMs?: number;
}
export interface Credentials {
  readonly name: string;
  readonly password: string;
}
export interface Account {
  readonly uid: string;
  readonly email: string;
  /** This device's id in the account's list of devices, if it is there. */
  readonly deviceId?: string;
}

/**
 * The device's account manager. Every call may ask the user or a server.
 * Errors: `IdentityError` `signedOut` (nobody is signed in, or the server refused), `unverified`,
 * `offline`.
 */
export interface Identity {
  account(): Promise<Account>;
  /**
   * A BrowserID assertion for the audience (an origin with a trailing slash). `fresh`: not a cached
   * one.
   */
  assertion(audience: string, fresh: boolean): Promise<string>;
  /** An OAuth access token for the Sync scope. `fresh`: not a cached one. */
  accessToken(fresh: boolean): Promise<AccessToken>;
  /**
   * Who the user is to a server that asks for a name and a password. `fresh`: the last ones were
   * refused. Absent: there are none.
   */
  credentials?(fresh: boolean): Promise<Credentials>;
  /** kB, or the scoped key for Sync. */
  syncKey(): Promise<SyncKey>;
  /** The user has signed out of sync here: what was kept for it may go. Absent: nothing was. */
  forget?(): Promise<void>;
  /**
   * 32 bytes that stay the same on this device and never leave it: what is at rest is sealed under
   * them.
   */
  deviceKey(): Promise<Uint8Array>;
}

/** What people and other apps see. Both calls return at once and must not throw. */
export interface Shell {
  /** The agent's status changed; `json` is a whole snapshot (agent/status.ts). */
  status(json: string): void;
  /** Something happened (agent/status.ts lists the kinds). No secrets, ever. */
  event(json: string): void;
}

/** An app that the system has, as far as a list tells it. */
export interface ListedApp {
  /**
   * Where it is from, which is also its id: an origin as browsers write it, of `http` or `https`
   * (the system's own may have other schemes), of at most 200 characters of printable ASCII.
   */
  readonly origin: string;
  /**
   * Another text whenever `read` would give something else: 1 to 64 characters of printable ASCII
   * without a space. A new one says nothing: an app may be the same under it.
   */
  readonly tag: string;
}

/** An app as the system has it: JSON, in the names that the apps' own documents have. */
export interface SystemApp {
  readonly manifest: { readonly [member: string]: unknown };
  readonly manifest_url?: string;
  /** Whatever the shop gave with it, receipts above all: never logged, and never shown. */
  readonly install_data?: unknown;
  readonly install_origin?: string;
  /** Seconds since 1970. */
  readonly install_time?: number;
}

/** How the system's apps fail. */
export type AppsErrorCode =
  /** There is no room, and nothing has changed. */
  | 'full'
  | 'failed'
  /** The system wanted something of the network. */
  | 'offline'
  /** Where it is said: for good, as far as this app goes. */
  | 'refused';

/**
 * The apps that are installed on the system, one for each origin. The agent installs and removes
 * them as the user's other devices say, and looks what the user has done here.
 * Errors: as those of other ports, with a code of `AppsErrorCode`.
 */
export interface Apps {
  /**
   * The next apps behind `after` ('': from the first), by origin in ASCII order, at most `limit` (1
   * to 100); fewer are the last ones. It tells all that there are or rejects: what is not listed
   * was removed by its user.
   */
  list(after: string, limit: number): Promise<ListedApp[]>;
  /** Null: there is none of this origin. */
  read(origin: string): Promise<SystemApp | null>;
  /**
   * Installs an app, or puts it in the place of what there is of its origin, as a whole; resolves
   * to its tag when it is durable. A power cut leaves what there was or the new one. The same app
   * again changes nothing. Errors: `refused`: this system cannot use such an app (its manifest is
   * invalid here), and there is what there was.
   */
  install(origin: string, app: SystemApp): Promise<string>;
  /**
   * Durable when it resolves; nothing where there is none. Errors: `refused`: the system does not
   * let it go.
   */
  uninstall(origin: string): Promise<void>;
  /**
   * `listener` is called when others have installed, changed or removed apps, once for many of them
   * and maybe for what the agent did itself. Another listener takes the place of the one before.
   */
  changed(listener: () => void): void;
}

/** Everything the agent needs of a device. */
export interface Platform {
  readonly storage: Storage;
  readonly network: Network;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly power: Power;
  readonly identity: Identity;
  /**
   * Who is signed in for a further remote that the configuration names (`remotes`); the device's
   * first one asks `identity`. Asked once for each name. Its `deviceKey` may be that of `identity`:
   * what is at rest is sealed for each remote under a key of its own all the same. Absent: such
   * remotes sign their users in themselves (`signIn`).
   */
  identityOf?(name: string): Identity;
  readonly shell: Shell;
  /** Absent: the agent computes in JavaScript. */
  readonly crypto?: DeviceCrypto;
  /** Absent: nothing is installed here, whatever the user's other devices have. */
  readonly apps?: Apps;
}

/**
 * How ports fail: an Error whose `code` is one of these words. Anything else that a port throws is
 * a programming error of the platform. Where its `cause` is a text, people are shown it: why it
 * failed, as a code of the system and the host (`ENOTFOUND sync.example`), of letters, digits,
 * spaces and `_.:()[]-`; at most 120 characters.
 */
export type PortErrorCode =
  | 'full'
  | 'damaged'
  | 'failed'
  | 'offline'
  | 'timeout'
  | 'truncated'
  | 'encoding'
  | 'unsupported'
  | 'signedOut'
  | 'unverified';

export interface PortError extends Error {
  readonly code: PortErrorCode;
  readonly cause?: unknown;
  /** Of a value that is `damaged`, if it is one. */
  readonly key?: string | undefined;
}
