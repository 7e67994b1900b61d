// The ports of the agent over the one `host` function of BRIDGE.md.
// Text crosses the bridge as text and bytes as bytes, many values in one call; this file packs and
// unpacks them and keeps the promises of calls that were not answered yet. It holds no other state.

import type { CipherParts, CipherRefusal, DeviceCrypto } from '../crypto-port.ts';
import type {
  Apps,
  Change,
  Connection,
  Identity,
  Network,
  NetworkRequest,
  Platform,
  PortError,
  PortErrorCode,
  Storage,
} from '../ports.ts';
import { joinedText, lengthOf, pack, unpack } from './values.ts';

/** BRIDGE.md, "Agent to device". */
export type Host = (
  op: string,
  id: number,
  head: string,
  text: string,
  bytes: ArrayBuffer | null,
) => undefined | string | number | ArrayBuffer;

/** BRIDGE.md, "Device to agent". */
export type Deliver = (
  id: number,
  error: string,
  head: string,
  text: string,
  bytes: ArrayBuffer | null,
) => void;

export interface Answer {
  readonly head: string;
  readonly text: string;
  readonly bytes: Uint8Array;
}

/** What crosses the bridge in one call, beside its name and number. */
interface Message {
  readonly head?: string;
  readonly text?: string;
  readonly bytes?: Uint8Array | null;
}

export interface Line {
  /** A number for a call that has more than one part. */
  newId(): number;
  ask(op: string, message?: Message, id?: number): Promise<Answer>;
  /** What the host returns at once. */
  call(op: string, message?: Message, id?: number): unknown;
}

/** Sends a request; the answer's head is the response's. */
export type Send = (line: Line, request: NetworkRequest) => Promise<Answer>;

/** The device's account manager; `name`: for that remote, and not the first one. */
export type IdentityOf = (line: Line, name?: string) => Identity;

/** The apps of the device's system. */
export type AppsOf = (line: Line) => Apps;

/** The device's cryptography, as far as the contents of a firmware have a use for it. */
export type CryptoOf = (line: Line) => DeviceCrypto;

interface Waiter {
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/**
 * The platform that a host function is, where the host's answers go, and how a part of the program
 * is asked for: it is evaluated then. `identity`: what is asked of an account manager, `apps`: of
 * the system, about its apps, `crypto`: of the device's cryptography. Errors: `failed`.
 */
export function createHostPlatform(
  host: Host,
  withDeviceCrypto: boolean,
  send: Send = sendWhole,
  identity: IdentityOf = identityOf,
  apps?: AppsOf,
  crypto: CryptoOf = cryptoOf,
): { platform: Platform; deliver: Deliver; evaluate(part: string): Promise<unknown> } {
  const waiting = new Map<number, Waiter>();
  let lastId = 0;

  const call: Line['call'] = (op, { head = '', text = '', bytes = null } = {}, id = 0) =>
    host(op, id, head, text, bytes === null ? null : bufferOf(bytes));
  const newId = (): number => ++lastId;
  const ask: Line['ask'] = (op, message = {}, id = newId()) =>
    new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      try {
        call(op, message, id);
      } catch (error) {
        waiting.delete(id);
        throw error;
      }
    });
  const line: Line = { newId, ask, call };

  const platform: Platform = {
    storage: storageOf(line),
    network: networkOf(line, send),
    clock: {
      nowMs: () => Number(host('now', 0, '', '', null)),
      sleep: async (delayMs) => void (await ask('sleep', { head: `${Math.ceil(delayMs)}` })),
      pause: async () => void (await ask('pause')),
    },
    entropy: {
      random: (count) => new Uint8Array(call('random', { head: `${count}` }) as ArrayBuffer),
    },
    power: { connection: () => call('connection') as Connection },
    identity: identity(line),
    identityOf: (name) => identity(line, name),
    shell: {
      status: (text) => void call('status', { text }),
      event: (text) => void call('event', { text }),
    },
    ...(withDeviceCrypto ? { crypto: crypto(line) } : {}),
    ...(apps && { apps: apps(line) }),
  };

  return {
    platform,
    evaluate: (part) => ask('part', { head: part }),
    deliver(id, error, head, text, bytes) {
      const waiter = waiting.get(id);
      if (waiter === undefined) return;
      waiting.delete(id);
      try {
        if (error !== '') throw portError(error as PortErrorCode, text);
        waiter.resolve({ head, text, bytes: bytes === null ? NO_BYTES : new Uint8Array(bytes) });
      } catch (failure) {
        // Also what the engine throws for want of memory: who waits is told.
        waiter.reject(failure);
      }
    },
  };
}

const NO_BYTES = new Uint8Array(0);

/** Behind a line feed, the name of a remote ends the head of what is not about the first one. */
export const about = (name: string | undefined, fresh = false): Message => {
  const head = fresh ? 'fresh' : '';
  return { head: name === undefined ? head : `${head}\n${name}` };
};

/** An account manager that gives assertions and access tokens. */
export const identityOf: IdentityOf = ({ ask }, name) => {
  const json = async (op: string, fresh?: boolean): Promise<never> =>
    JSON.parse((await ask(op, about(name, fresh))).text) as never;
  return {
    account: () => json('account'),
    assertion: async (text, fresh) =>
      (await ask('assertion', { ...about(name, fresh), text })).text,
    accessToken: (fresh) => json('token', fresh),
    syncKey: () => json('synckey'),
    deviceKey: async () => (await ask('devicekey')).bytes,
  };
};

function portError(code: PortErrorCode, cause: string): PortError {
  return Object.assign(new Error(`the device answered: ${code}`), { code, cause });
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  const { buffer } = bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice();
  return buffer as ArrayBuffer;
}

/**
 * Text of a commit that crosses the bridge at once: the engine copies it up to three times on its
 * way.
 */
const PORTION_UNITS = 5_120;

/** Changes as `commit` and `more` carry them. */
function portionOf(changes: readonly Change[]): Message {
  const head = JSON.stringify(changes.map(([key, value]) => [key, lengthOf(value)]));
  return { head, ...pack(changes.map(([, value]) => value)) };
}

function storageOf({ newId, ask, call }: Line): Storage {
  let lastCommit: Promise<unknown> = Promise.resolve();

  const commit = async (changes: readonly Change[]): Promise<void> => {
    const id = newId();
    let from = 0;
    let units = 0;
    for (const [at, [key, value]] of changes.entries()) {
      const more = key.length + (value?.length ?? 0);
      if (at > from && units + more > PORTION_UNITS) {
        call('more', portionOf(changes.slice(from, at)), id);
        await ask('pause');
        from = at;
        units = 0;
      }
      units += more;
    }
    await ask('commit', portionOf(changes.slice(from)), id);
  };

  return {
    async get(keys) {
      await lastCommit;
      const { head, text, bytes } = await ask('get', { text: keys.join('\n') });
      return unpack(JSON.parse(head), text, bytes);
    },
    async scan({ from, to, limit, reverse = false }) {
      await lastCommit;
      const range = JSON.stringify([limit, reverse ? 1 : 0]);
      const { text } = await ask('scan', { head: range, text: `${from}\n${to}` });
      return text === '' ? [] : text.split('\n');
    },
    commit(changes) {
      // Commits apply in call order although a large one takes several turns; reads wait for those
      // before them.
      let isQueued = false;
      // Where there is no memory for the next line, no read would wait for it.
      const turn = lastCommit.then(() => (isQueued ? commit(changes) : undefined));
      lastCommit = turn.catch(() => undefined);
      isQueued = true;
      return turn;
    },
    async repair(ifLost) {
      await lastCommit;
      return (await ask('repair', portionOf(ifLost))).head === 'whole';
    },
  };
}

/** A request whose body, if there is one, is one text. Errors: `unsupported`. */
export const sendWhole: Send = ({ ask }, { body = '', ...request }) => {
  if (typeof body !== 'string') throw portError('unsupported', '');
  return ask('request', { head: JSON.stringify(request), text: body });
};

function networkOf(line: Line, send: Send): Network {
  return {
    async request(request) {
      const { head } = await send(line, request);
      const { stream, status, headers: answered } = JSON.parse(head);
      let ended = false;
      return {
        status,
        headers: answered,
        async read() {
          if (ended) return null;
          const piece = await line.ask('read', { head: `${stream}` });
          ended = piece.head === 'end';
          return ended ? null : piece.text;
        },
        cancel() {
          if (!ended) line.call('close', { head: `${stream}` });
          ended = true;
        },
      };
    },
  };
}

const REFUSALS: readonly CipherRefusal[] = [
  'badBase64',
  'badIv',
  'badMac',
  'badPadding',
  'badUtf8',
];

/** Answers to texts, each of them one or why there is none. */
export function answersIn(
  head: string,
  text: string,
): ({ text: string } | { code: CipherRefusal })[] {
  let at = 0;
  return (JSON.parse(head) as number[]).map((length) => {
    if (length < 0) return { code: REFUSALS[-1 - length] ?? 'badMac' };
    at += length;
    return { text: text.slice(at - length, at) };
  });
}

/** Cryptography that opens and seals records, and computes over bytes, which signs requests. */
export const cryptoOf: CryptoOf = ({ ask }) => {
  return {
    async open(encKey, macKey, items) {
      const { head, text } = await ask('open', {
        head: JSON.stringify(
          items.map(({ ciphertext, IV, hmac }) => [ciphertext.length, IV, hmac]),
        ),
        text: joinedText(items.map(({ ciphertext }) => ciphertext)),
        bytes: pack([encKey, macKey]).bytes,
      });
      return answersIn(head, text);
    },
    async seal(encKey, macKey, texts, ivs) {
      const lengths = JSON.stringify(texts.map((text) => text.length));
      const { bytes } = pack([encKey, macKey, ...ivs]);
      const { head, text } = await ask('seal', { head: lengths, text: texts.join(''), bytes });
      const parts = unpack(JSON.parse(head), text, NO_BYTES) as string[];
      return texts.map((_, index): CipherParts => {
        const [ciphertext = '', IV = '', hmac = ''] = parts.slice(index * 3, index * 3 + 3);
        return { ciphertext, IV, hmac };
      });
    },
    async compute(algorithm, key, items) {
      const values = [key, ...items.flat()];
      const { bytes } = pack(values);
      const lengths = JSON.stringify(values.map(lengthOf));
      const answer = await ask('compute', { head: lengths, text: algorithm, bytes });
      return unpack(JSON.parse(answer.head), '', answer.bytes) as (Uint8Array | null)[];
    },
  };
};
