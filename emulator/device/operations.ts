// The asynchronous operations of the bridge: each takes what the agent gave and answers, later,
// with what BRIDGE.md says. They translate between the bridge's strings and the ports; they decide
// nothing. Errors of a port become the answer's code; anything else (a power cut, a bug) is thrown
// through the clock.

import type {
  Algorithm,
  CipherParts,
  CipherRefusal,
  DeviceCrypto,
  TextAlgorithm,
  TextAnswer,
} from '../../platform/crypto-port.ts';
import type {
  AppsErrorCode,
  Change,
  Identity,
  NetworkRequest,
  PortErrorCode,
  Storage,
} from '../../platform/ports.ts';
import { lengthOf, pack, unpack } from '../../platform/quickjs/values.ts';
import { type DeviceClock, NS_PER_MS } from './clock.ts';
import type { DeviceNetwork, Failure, ResponseHead } from './network.ts';
import type { Sending } from './network-upload.ts';
import type { HostCall } from './trace.ts';

export interface Answer {
  readonly error?: PortErrorCode | AppsErrorCode;
  readonly head?: string;
  readonly text?: string;
  readonly bytes?: Uint8Array | null;
}

export type Operation = (call: HostCall, answer: (answer: Answer) => void) => void;
export type Operations = ReadonlyMap<string, Operation>;

export type Work = (call: HostCall) => Promise<Answer>;

/**
 * An operation that begins `delayMs` after the call and whose own cost moves the clock while it
 * works.
 */
export function after(clock: DeviceClock, delayMs: number, work: Work): Operation {
  return (call, answer) => {
    clock.at(clock.nowNs() + delayMs * NS_PER_MS, async () =>
      answer(await orPortError(work, call)),
    );
  };
}

export function clockOperations(clock: DeviceClock): Operations {
  return new Map<string, Operation>([
    ['pause', after(clock, 0, async () => ({}))],
    ['sleep', (call, answer) => after(clock, Number(call.head), async () => ({}))(call, answer)],
  ]);
}

/** `evaluate`: the scripts of a part. Errors: `failed`. */
export function partOperations(clock: DeviceClock, evaluate: (part: string) => void): Operations {
  const work: Work = async ({ head }) => {
    evaluate(head);
    return {};
  };
  return new Map([['part', after(clock, 0, work)]]);
}

export function storageOperations(clock: DeviceClock, storage: Storage): Operations {
  const work: [string, Work][] = [
    [
      'get',
      async ({ text }) => {
        const values = await storage.get(keysOf(text));
        return { head: JSON.stringify(values.map(lengthOf)), ...pack(values) };
      },
    ],
    [
      'scan',
      async (call) => {
        const [limit = 0, reverse] = numbers(call.head);
        const [from = '', to = ''] = call.text.split('\n');
        const keys = await storage.scan({ from, to, limit, reverse: reverse === 1 });
        return { text: keys.join('\n') };
      },
    ],
    [
      'repair',
      async (call) => {
        const isWhole = (await storage.repair?.(changesOf(call))) ?? true;
        return { head: isWhole ? 'whole' : 'lost' };
      },
    ],
  ];
  // A large commit comes in portions under its number.
  const portions = new Map<number, Change[]>();
  const allOf = (call: HostCall): Change[] => [
    ...(portions.get(call.id) ?? []),
    ...changesOf(call),
  ];
  return new Map<string, Operation>([
    ...work.map(([op, run]): [string, Operation] => [op, after(clock, 0, run)]),
    ['more', (call) => void portions.set(call.id, allOf(call))],
    [
      'commit',
      (call, answer) => {
        const changes = allOf(call);
        portions.delete(call.id);
        const commit = async (): Promise<Answer> => {
          await storage.commit(changes);
          return {};
        };
        after(clock, 0, commit)(call, answer);
      },
    ],
  ]);
}

function changesOf({ head, text, bytes }: HostCall): Change[] {
  const list = JSON.parse(head) as [key: string, length: number][];
  const lengths = list.map(([, length]) => length);
  const values = unpack(lengths, text, bytes ?? new Uint8Array(0));
  return values.map((value, i): Change => [list[i]?.[0] ?? '', value]);
}

export function networkOperations(network: DeviceNetwork): Operations {
  // Bodies that come in pieces, by the number of their request.
  const sendings = new Map<number, Sending>();
  return new Map<string, Operation>([
    [
      'request',
      ({ id, head, text }, answer) => {
        const { body, lengthBytes, ...request }: RequestHead = JSON.parse(head);
        const done = (outcome: ResponseHead | Failure): void => {
          sendings.delete(id);
          answer('error' in outcome ? outcome : { head: JSON.stringify(outcome) });
        };
        const hasBody = request.method === 'PUT' || request.method === 'POST';
        if (body === 'pieces') sendings.set(id, network.upload(request, lengthBytes ?? null, done));
        else network.request(hasBody ? { ...request, body: text } : request, done);
      },
    ],
    [
      'piece',
      ({ head, text, bytes }, answer) => {
        const [number, what] = head.split(' ');
        const sending = sendings.get(Number(number)) ?? network.over;
        const left = (): void => answer({});
        if (what === 'broken') sending.breakOff(left);
        else sending.piece(what === 'end' ? null : (bytes ?? Buffer.from(text)), left);
      },
    ],
    [
      'read',
      ({ head }, answer) => {
        network.read(Number(head), (outcome) => answer(outcome ?? { head: 'end' }));
      },
    ],
  ]);
}

/** The head of `request`. */
interface RequestHead extends Omit<NetworkRequest<string>, 'body'> {
  readonly body?: 'pieces';
  readonly lengthBytes?: number;
}

/**
 * `delayMs` is what a question to the account manager costs; it may ask a server of its own.
 * `identityOf`: that of another remote than the device's first; one that has none is signed out.
 */
export function identityOperations(
  clock: DeviceClock,
  identity: Identity,
  delayMs: number,
  identityOf: MaybeIdentity = () => undefined,
): Operations {
  /** The one that is meant: behind a line feed, the head ends with the name of its remote. */
  const asked = ({ head }: HostCall): Identity => {
    const [, remote] = head.split('\n');
    const found = remote === undefined ? identity : identityOf(remote);
    if (found === undefined) throw signedOut(head);
    return found;
  };
  const isFresh = ({ head }: HostCall): boolean => head.split('\n', 1)[0] === 'fresh';
  const work: [string, Work][] = [
    ['account', async (call) => ({ text: JSON.stringify(await asked(call).account()) })],
    [
      'assertion',
      async (call) => ({ text: await asked(call).assertion(call.text, isFresh(call)) }),
    ],
    [
      'token',
      async (call) => ({ text: JSON.stringify(await asked(call).accessToken(isFresh(call))) }),
    ],
    [
      'credentials',
      async (call) => {
        const given = await asked(call).credentials?.(isFresh(call));
        if (given === undefined) throw signedOut(call.head);
        return { text: JSON.stringify(given) };
      },
    ],
    ['synckey', async (call) => ({ text: JSON.stringify(await asked(call).syncKey()) })],
    ['devicekey', async () => ({ bytes: await identity.deviceKey() })],
  ];
  return new Map(work.map(([op, run]) => [op, after(clock, delayMs, run)]));
}

function signedOut(head: string): Error {
  return Object.assign(new Error(head), { code: 'signedOut' });
}

/** The account manager of a remote by its name, where there is one. */
export type MaybeIdentity = (remote: string) => Identity | undefined;

const REFUSALS: readonly CipherRefusal[] = [
  'badBase64',
  'badIv',
  'badMac',
  'badPadding',
  'badUtf8',
];

/**
 * `recordNs` is what the device's cryptography takes for one record; for bytes, by each KiB that is
 * begun.
 */
export function cryptoOperations(
  clock: DeviceClock,
  crypto: DeviceCrypto,
  recordNs: number,
): Operations {
  const work: [string, Work][] = [
    [
      'open',
      async ({ head, text, bytes }) => {
        const parts = partsOf(head, text);
        clock.spend(parts.length * recordNs);
        const [encKey, macKey] = keyPair(bytes);
        const opened = await crypto.open(encKey, macKey, parts);
        return textAnswers(opened);
      },
    ],
    [
      'seal',
      async ({ head, text, bytes }) => {
        const texts = slices(text, numbers(head));
        clock.spend(texts.length * recordNs);
        const [encKey, macKey, ivBytes] = keyPair(bytes);
        const ivs = texts.map((_, i) => ivBytes.subarray(16 * i, 16 * (i + 1)));
        const sealed = (await crypto.seal(encKey, macKey, texts, ivs)).flatMap((parts) => [
          parts.ciphertext,
          parts.IV,
          parts.hmac,
        ]);
        return { head: JSON.stringify(sealed.map((part) => part.length)), text: sealed.join('') };
      },
    ],
    ['compute', computing(clock, crypto, recordNs)],
    ['texts', computingTexts(clock, crypto, recordNs)],
  ];
  return new Map(work.map(([op, run]) => [op, after(clock, 0, run)]));
}

const NO_BYTES = new Uint8Array(0);

/** Pieces of an item: see `Algorithm`. */
const PIECES: { readonly [algorithm in Algorithm]: number } = {
  sha256: 1,
  hmac: 1,
  cbcEncrypt: 2,
  cbcDecrypt: 2,
  gcmEncrypt: 3,
  gcmDecrypt: 3,
};

function computing(clock: DeviceClock, crypto: DeviceCrypto, recordNs: number): Work {
  return async ({ head, text, bytes }) => {
    const algorithm = text as Algorithm;
    const values = unpack(numbers(head), '', bytes ?? NO_BYTES);
    const [key = NO_BYTES, ...pieces] = values.filter((value) => value instanceof Uint8Array);
    const items: Uint8Array[][] = [];
    while (pieces.length > 0) items.push(pieces.splice(0, PIECES[algorithm]));
    for (const item of items) clock.spend(recordNs * Math.max(1, Math.ceil(sizeOf(item) / KIB)));
    const answers = (await crypto.compute?.(algorithm, key, items)) ?? [];
    return { head: JSON.stringify(answers.map(lengthOf)), ...pack(answers) };
  };
}

/** Texts of an item: see `TextAlgorithm`. */
const TEXTS: { readonly [algorithm in TextAlgorithm]: number } = {
  sha256: 1,
  hmac: 1,
  hmacCheck: 2,
  gcmEncrypt: 3,
  gcmDecrypt: 2,
};

function computingTexts(clock: DeviceClock, crypto: DeviceCrypto, recordNs: number): Work {
  return async ({ head, text, bytes }) => {
    const [algorithm, ...lengths] = JSON.parse(head) as [TextAlgorithm, ...number[]];
    const pieces = slices(text, lengths);
    const items: string[][] = [];
    while (pieces.length > 0) items.push(pieces.splice(0, TEXTS[algorithm]));
    for (const item of items) clock.spend(recordNs * Math.max(1, Math.ceil(sizeOf(item) / KIB)));
    return textAnswers((await crypto.computeTexts?.(algorithm, bytes ?? NO_BYTES, items)) ?? []);
  };
}

/** As `open` and `texts` answer. */
function textAnswers(answers: readonly TextAnswer[]): Answer {
  const numbers = answers.map((item) =>
    'text' in item ? item.text.length : -1 - REFUSALS.indexOf(item.code),
  );
  const text = answers.map((item) => ('text' in item ? item.text : '')).join('');
  return { head: JSON.stringify(numbers), text };
}

const KIB = 1024;

function sizeOf(item: readonly (Uint8Array | string)[]): number {
  return item.reduce((sum, piece) => sum + piece.length, 0);
}

const PORT_ERROR_CODES: ReadonlySet<unknown> = new Set<PortErrorCode | AppsErrorCode>([
  'full',
  'damaged',
  'failed',
  'offline',
  'timeout',
  'truncated',
  'encoding',
  'signedOut',
  'unverified',
  'refused',
]);

async function orPortError(work: Work, call: HostCall): Promise<Answer> {
  try {
    return await work(call);
  } catch (error) {
    const { code, cause } = (error ?? {}) as Partial<Record<string, unknown>>;
    if (!PORT_ERROR_CODES.has(code)) throw error;
    return {
      error: code as PortErrorCode | AppsErrorCode,
      ...(typeof cause === 'string' && { text: cause }),
    };
  }
}

function numbers(json: string): number[] {
  return JSON.parse(json) as number[];
}

/** A key is never empty, so no text is no keys. */
function keysOf(text: string): string[] {
  return text === '' ? [] : text.split('\n');
}

function slices(text: string, lengths: readonly number[]): string[] {
  let end = 0;
  return lengths.map((length) => {
    end += length;
    return text.slice(end - length, end);
  });
}

function partsOf(head: string, text: string): CipherParts[] {
  const list = JSON.parse(head) as [length: number, iv: string, mac: string][];
  const ciphertexts = slices(
    text,
    list.map(([length]) => length),
  );
  return list.map(([, IV, hmac], i) => ({ ciphertext: ciphertexts[i] ?? '', IV, hmac }));
}

/** The two keys and what follows them. */
function keyPair(bytes: Uint8Array | null): [enc: Uint8Array, mac: Uint8Array, rest: Uint8Array] {
  const given = bytes ?? new Uint8Array(0);
  return [given.subarray(0, 32), given.subarray(32, 64), given.subarray(64)];
}
