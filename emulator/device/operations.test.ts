import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';
import type { Identity } from '../../platform/ports.ts';
import { lengthOf } from '../../platform/quickjs/values.ts';
import { virtualClock } from './clock.ts';
import { PowerCut } from './flash.ts';
import { createNetwork } from './network.ts';
import {
  type Answer,
  clockOperations,
  cryptoOperations,
  identityOperations,
  networkOperations,
  type Operations,
  partOperations,
  storageOperations,
} from './operations.ts';
import { createRandom } from './random.ts';
import type { HostCall } from './trace.ts';

const clock = virtualClock();
const NS_PER_MS = 1e6;

type Given = Partial<Omit<HostCall, 'op'>>;

function callOf(op: string, given: Given): HostCall {
  return { op, id: 1, head: '', text: '', bytes: null, ...given };
}

/** Calls an operation, lets time pass until nothing happens, and says what was answered. */
async function asked(all: Operations, op: string, given: Given = {}): Promise<Answer | undefined> {
  let answered: Answer | undefined;
  all.get(op)?.(callOf(op, given), (answer) => {
    answered = answer;
  });
  while (await clock.step());
  return answered;
}

const failing = (error: unknown) => (): never => {
  throw error;
};

describe('the clock', () => {
  const operations = clockOperations(clock);

  it('answers a sleep after its time, and a pause at once', async () => {
    const from = clock.nowNs();
    expect(await asked(operations, 'pause')).toEqual({});
    expect(clock.nowNs()).toBe(from);
    expect(await asked(operations, 'sleep', { head: '1500' })).toEqual({});
    expect(clock.nowNs()).toBe(from + 1500 * NS_PER_MS);
  });
});

describe('an operation', () => {
  const failed = (error: unknown) => asked(partOperations(clock, failing(error)), 'part');
  const coded = (code: string, cause?: unknown) =>
    Object.assign(new Error('x', { cause }), { code });

  it.each([
    ...['full', 'damaged', 'failed', 'offline', 'timeout', 'truncated', 'encoding'],
    ...['signedOut', 'unverified'],
  ])('answers with the code of a port that fails: %s', async (code) => {
    expect(await failed(coded(code))).toEqual({ error: code });
  });

  it('says what a port gives as the cause, where that is a text', async () => {
    expect(await failed(coded('failed', 'EIO'))).toEqual({ error: 'failed', text: 'EIO' });
    expect(await failed(coded('failed', new Error('EIO')))).toEqual({ error: 'failed' });
  });

  it('throws all else through the clock, a code that no port has included', async () => {
    for (const error of [new PowerCut(), new TypeError('x'), coded('ENOENT'), null, undefined]) {
      await expect(failed(error)).rejects.toBe(error);
    }
  });

  it('has the scripts of the part evaluated that its head names', async () => {
    const parts: string[] = [];
    await asked(
      partOperations(clock, (part) => parts.push(part)),
      'part',
      { head: 'signIn' },
    );
    expect(parts).toEqual(['signIn']);
  });
});

describe('the storage', () => {
  const commit = {
    head: '[["a",2],["b",-4],["c",0],["d",-1]]',
    text: 'ü€',
    bytes: new Uint8Array([1, 2]),
  };

  it('takes texts, bytes, nothing and removals, and gives them with their lengths', async () => {
    const operations = storageOperations(clock, new MemoryStorage([['d', 'old']]));
    expect(await asked(operations, 'commit', commit)).toEqual({});
    const got = await asked(operations, 'get', { text: 'b\nx\na\nc\nd' });
    expect(got).toEqual({ head: '[-4,-1,2,0,-1]', text: 'ü€', bytes: new Uint8Array([1, 2]) });
  });

  it('asked for no keys gives none', async () => {
    const operations = storageOperations(clock, new MemoryStorage([['', 'of nobody']]));
    expect(await asked(operations, 'get')).toMatchObject({ head: '[]', text: '' });
  });

  it('lists keys from one to another, from either end, as many as are wanted', async () => {
    const keys = ['a', 'b', 'c', 'd'].map((key): [string, string] => [key, '']);
    const operations = storageOperations(clock, new MemoryStorage(keys));
    const listed = async (head: string) =>
      (await asked(operations, 'scan', { head, text: 'a\nd' }))?.text;
    expect([await listed('[2,0]'), await listed('[2]'), await listed('[2,1]')]).toEqual([
      ...['a\nb', 'a\nb', 'c\nb'],
    ]);
  });

  it('commits what came in portions at once, in its order, and forgets the portions', async () => {
    const memory = new MemoryStorage();
    const operations = storageOperations(clock, memory);
    const change = (key: string, value: string): Given => ({ head: `[["${key}",1]]`, text: value });
    await asked(operations, 'more', { id: 7, ...change('a', '1') });
    await asked(operations, 'more', { id: 8, ...change('other', '1') });
    await asked(operations, 'more', { id: 7, ...change('a', '2') });
    expect(memory.commits).toBe(0);
    await asked(operations, 'commit', { id: 7, ...change('b', '3') });
    expect(memory.snapshot()).toEqual([
      ['a', '2'],
      ['b', '3'],
    ]);
    await memory.commit([['a', null]]);
    await asked(operations, 'commit', { id: 7, ...change('c', '4') });
    expect(await memory.get(['a', 'c'])).toEqual([null, '4']);
  });

  it('says after a repair whether all is whole, and so where nothing repairs', async () => {
    const repaired = async (isWhole?: boolean) => {
      const repair = isWhole === undefined ? {} : { repair: async () => isWhole };
      const operations = storageOperations(clock, Object.assign(new MemoryStorage(), repair));
      return asked(operations, 'repair', { head: '[]' });
    };
    expect(await repaired()).toEqual({ head: 'whole' });
    expect(await repaired(true)).toEqual({ head: 'whole' });
    expect(await repaired(false)).toEqual({ head: 'lost' });
  });
});

describe('the network', () => {
  const PUT_IN_PIECES = JSON.stringify({
    ...{ method: 'PUT', url: 'https://a.test/', headers: [], timeoutMs: 1000, body: 'pieces' },
  });

  function network() {
    const bodies: string[] = [];
    const operations = networkOperations(
      createNetwork({
        clock,
        link: { bytesPerSecond: 1e6, roundTripMs: 10, connectMs: 10 },
        connection: () => 'wifi',
        fetch: async (request) => {
          bodies.push(`${request.method} ${await request.text()}`);
          return new Response('answer', { status: 201, headers: { 'x-y': 'z' } });
        },
      }),
    );
    const request = (given: object, text = '', id = 1) => {
      const head = { url: 'https://a.test/', headers: [], timeoutMs: 1000, ...given };
      return asked(operations, 'request', { id, head: JSON.stringify(head), text });
    };
    return { operations, bodies, request };
  }

  it('gives the head of an answer first, then its body until the end', async () => {
    const { operations, request } = network();
    const { head = '' } = (await request({ method: 'GET' })) ?? {};
    expect(JSON.parse(head)).toMatchObject({ stream: 1, status: 201 });
    const read = () => asked(operations, 'read', { head: '1' });
    expect([await read(), await read()]).toMatchObject([{ text: 'answer' }, { head: 'end' }]);
  });

  it('sends a text with a PUT and a POST, and with nothing else', async () => {
    const { bodies, request } = network();
    for (const method of ['PUT', 'POST', 'GET', 'DELETE']) await request({ method }, 'body');
    expect(bodies).toEqual(['PUT body', 'POST body', 'GET ', 'DELETE ']);
  });

  it('sends a body in pieces, texts and bytes, which is whole at its end', async () => {
    const { operations, bodies } = network();
    const heard: unknown[] = [];
    const call = (op: string, given: Given): void =>
      operations.get(op)?.(callOf(op, given), () => heard.push(`${op} ${given.head}`));
    call('request', { id: 3, head: PUT_IN_PIECES });
    call('piece', { head: '3', text: 'ü' });
    call('piece', { head: '3', bytes: new TextEncoder().encode('b') });
    call('piece', { head: '3 end' });
    while (await clock.step());
    expect(bodies).toEqual(['PUT üb']);
    expect(heard).toEqual(['piece 3', 'piece 3', 'piece 3 end', `request ${PUT_IN_PIECES}`]);
    call('piece', { head: '3', text: 'too late' });
    while (await clock.step());
    expect([bodies.length, heard.length]).toEqual([1, 5]);
  });

  it('gives up the connection of a body that breaks off', async () => {
    const { operations } = network();
    const heard: unknown[] = [];
    const call = (op: string, given: Given): void =>
      operations.get(op)?.(callOf(op, given), (answer) => heard.push([op, answer]));
    call('request', { id: 3, head: PUT_IN_PIECES });
    call('piece', { head: '3', text: 'a' });
    call('piece', { head: '3 broken' });
    while (await clock.step());
    expect(heard[0]).toMatchObject(['request', { error: 'offline' }]);
    expect(heard).toHaveLength(3);
  });
});

describe('the account manager', () => {
  const manager = (name: string): Identity => ({
    account: async () => ({ uid: name, email: 'a@b.test' }),
    assertion: async (...what) => `${name} ${what.join(' ')}`,
    accessToken: async (fresh) => ({ token: `${name} ${fresh}` }),
    credentials: async (fresh) => ({ name, password: `${fresh}` }),
    syncKey: async () => ({ kB: name }),
    deviceKey: async () => new Uint8Array([1, 2]),
  });
  const DELAY_MS = 5;
  const operations = identityOperations(clock, manager('first'), DELAY_MS, (name) =>
    name === 'notes' ? manager(name) : undefined,
  );
  const text = async (op: string, given: Given = {}) => (await asked(operations, op, given))?.text;

  it('is asked what the agent asks, freshly where it says so', async () => {
    expect(await text('account')).toBe('{"uid":"first","email":"a@b.test"}');
    expect(await text('assertion', { text: 'https://t/' })).toBe('first https://t/ false');
    expect(await text('assertion', { text: 'a', head: 'fresh' })).toBe('first a true');
    expect(await text('token')).toBe('{"token":"first false"}');
    expect(await text('token', { head: 'fresh' })).toBe('{"token":"first true"}');
    expect(await text('credentials')).toBe('{"name":"first","password":"false"}');
    expect(await text('credentials', { head: 'fresh\nnotes' })).toBe(
      '{"name":"notes","password":"true"}',
    );
    expect(await text('synckey')).toBe('{"kB":"first"}');
    expect(await asked(operations, 'devicekey')).toEqual({ bytes: new Uint8Array([1, 2]) });
  });

  it('takes its time', async () => {
    const from = clock.nowNs();
    await asked(operations, 'account');
    expect(clock.nowNs() - from).toBe(DELAY_MS * NS_PER_MS);
  });

  it('is that of the remote which the head names last', async () => {
    expect(await text('token', { head: 'fresh\nnotes' })).toBe('{"token":"notes true"}');
    expect(await text('token', { head: '\nnotes' })).toBe('{"token":"notes false"}');
  });

  it('says of a remote without one that nobody is signed in', async () => {
    const { credentials: _, ...bare } = manager('first');
    const without = identityOperations(clock, bare, DELAY_MS);
    const signedOut = { error: 'signedOut' };
    expect(await asked(operations, 'account', { head: '\nother' })).toEqual(signedOut);
    expect(await asked(without, 'account', { head: '\nnotes' })).toEqual(signedOut);
    expect(await asked(without, 'credentials')).toEqual(signedOut);
  });
});

describe("the device's cryptography", () => {
  const RECORD_NS = 1000;
  const operations = cryptoOperations(clock, nodeDeviceCrypto(), RECORD_NS);
  const keys = createRandom(2).bytes(64);
  const ivs = createRandom(3).bytes(32);
  const bytesOf = (...lists: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(lists));
  type Sealed = readonly [ciphertext: string, iv: string, mac: string];

  async function sealed(): Promise<[Sealed, Sealed]> {
    const bytes = bytesOf(keys, ivs);
    const answer = await asked(operations, 'seal', { head: '[2,0]', text: 'hü', bytes });
    let end = 0;
    const parts = (JSON.parse(answer?.head ?? '') as number[]).map((length) => {
      end += length;
      return answer?.text?.slice(end - length, end);
    });
    expect([parts.length, answer?.text?.length]).toEqual([6, end]);
    return [parts.slice(0, 3), parts.slice(3)] as unknown as [Sealed, Sealed];
  }

  const opened = (...records: readonly Sealed[]) =>
    asked(operations, 'open', {
      head: JSON.stringify(records.map(([ciphertext, iv, mac]) => [ciphertext.length, iv, mac])),
      text: records.map(([ciphertext]) => ciphertext).join(''),
      bytes: keys,
    });

  it('opens what it sealed, each record under its own IV', async () => {
    const records = await sealed();
    expect(records.map(([, iv]) => iv)).toEqual(
      [ivs.subarray(0, 16), ivs.subarray(16)].map((iv) => Buffer.from(iv).toString('base64')),
    );
    expect(await opened(...records)).toEqual({ head: '[2,0]', text: 'hü' });
  });

  it('has a number for each way in which a record is refused', async () => {
    const [[ciphertext, iv, mac], good] = await sealed();
    const signed = (text: string): string =>
      createHmac('sha256', keys.subarray(32)).update(text).digest('hex');
    const head = async (...records: Sealed[]) => (await opened(...records))?.head;
    expect(await head(['?', iv, signed('?')])).toBe('[-1]');
    expect(await head([ciphertext, 'AA==', mac])).toBe('[-2]');
    expect(await head([ciphertext, iv, mac.replace(/^./, '*')], good)).toBe('[-3,0]');
    expect(await head(['AA==', iv, signed('AA==')])).toBe('[-4]');
  });

  it('costs its time for each record', async () => {
    const records = await sealed();
    const from = clock.nowNs();
    await opened(...records);
    expect(clock.nowNs() - from).toBe(2 * RECORD_NS);
  });

  const compute = (algorithm: string, pieces: readonly Uint8Array[]) =>
    asked(operations, 'compute', {
      head: JSON.stringify(pieces.map(lengthOf)),
      text: algorithm,
      bytes: bytesOf(...pieces),
    });

  it("computes item by item, in a record's time for each KiB that is begun", async () => {
    const items = [0, 1024, 1025].map((length) => new Uint8Array(length).fill(length));
    const from = clock.nowNs();
    const answer = await compute('sha256', [new Uint8Array(0), ...items]);
    expect(clock.nowNs() - from).toBe((1 + 1 + 2) * RECORD_NS);
    const hashes = items.map((item) => createHash('sha256').update(item).digest());
    expect(answer?.head).toBe(JSON.stringify(hashes.map(lengthOf)));
    expect(answer?.bytes).toEqual(bytesOf(...hashes));
  });

  it('takes the pieces of an item that its algorithm has', async () => {
    const texts = [Uint8Array.of(1), Uint8Array.of(2, 3)] as const;
    const [key, iv, other] = [keys.subarray(0, 32), ivs.subarray(0, 16), ivs.subarray(16)];
    const { bytes } = (await compute('cbcEncrypt', [key, iv, texts[0], other, texts[1]])) ?? {};
    const [first, second] = [bytes?.slice(0, 16), bytes?.slice(16)] as [Uint8Array, Uint8Array];
    const answer = await compute('cbcDecrypt', [key, iv, first, other, second]);
    expect(answer?.bytes).toEqual(bytesOf(...texts));
  });

  const computeTexts = (algorithm: string, key: Uint8Array, pieces: readonly string[]) =>
    asked(operations, 'texts', {
      head: JSON.stringify([algorithm, ...pieces.map((piece) => piece.length)]),
      text: pieces.join(''),
      bytes: key,
    });

  it('computes from text to text, item by item, in the same time', async () => {
    const items = ['', 'x'.repeat(1024), 'ü'.repeat(1025), '\ud800'];
    const from = clock.nowNs();
    const answer = await computeTexts('sha256', new Uint8Array(0), items);
    expect(clock.nowNs() - from).toBe((1 + 1 + 2 + 1) * RECORD_NS);
    const hashes = items.slice(0, 3).map((item) => {
      return createHash('sha256').update(item).digest('base64url');
    });
    expect(answer).toEqual({ head: '[43,43,43,-5]', text: hashes.join('') });
  });

  it('takes the texts of an item that its algorithm has', async () => {
    const key = keys.subarray(0, 32);
    const head = Buffer.alloc(13, 1).toString('base64url');
    const sealed = await computeTexts('gcmEncrypt', key, [head, 'a', 'one', head, 'b', 'three']);
    expect(sealed?.head).toBe('[43,46]');
    const [one, three] = [sealed?.text?.slice(0, 43) ?? '', sealed?.text?.slice(43) ?? ''];
    const opened = await computeTexts('gcmDecrypt', key, [
      'a',
      one,
      'a',
      three,
      'b',
      three,
      'b',
      '!',
    ]);
    expect(opened).toEqual({ head: '[3,-3,5,-1]', text: 'onethree' });
    const [mac = ''] = [(await computeTexts('hmac', key, ['x']))?.text];
    const checked = await computeTexts('hmacCheck', key, ['x', mac, 'y', mac]);
    expect(checked).toEqual({ head: '[0,-3]', text: '' });
  });
});
