// Records over a cipher that hides nothing: what stands before it and behind it, however it
// computes. What the records of the world must do is in test/contract/crypto.ts.

import { expect, test } from 'vitest';
import type { CipherParts, CipherRefusal, DeviceCrypto } from '../platform/crypto-port.ts';
import { bsoCrypto, longPayloadUnits, payloadUnitsMax } from './bso.ts';
import { encodeBase64 } from './bytes.ts';
import { longJsonUnits } from './json.ts';
import { keyBundle } from './keys.ts';

const BUNDLE = keyBundle(new Uint8Array(32).fill(1), new Uint8Array(32).fill(2));

/** A cipher that hides nothing, and what it was asked. */
function plain(change: Partial<DeviceCrypto> = {}, bytesMax?: number) {
  const seen = { opened: [] as number[], sealed: [] as number[], pauses: 0 };
  const cipher: DeviceCrypto = {
    async open(_enc, _mac, records) {
      seen.opened.push(records.length);
      return records.map(({ ciphertext, hmac }) =>
        hmac === 'bad' ? { code: 'badMac' as const } : { text: atob(ciphertext) },
      );
    },
    async seal(_enc, _mac, texts, ivs) {
      seen.sealed.push(texts.length);
      return texts.map((text, at) => ({
        ...{ ciphertext: btoa(text), hmac: 'good' },
        IV: encodeBase64(ivs[at] ?? new Uint8Array(0)),
      }));
    },
    ...change,
  };
  let drawn = 0;
  const random = (count: number): Uint8Array => new Uint8Array(count).map(() => ++drawn % 251);
  const pause = async (): Promise<void> => void seen.pauses++;
  return { seen, ...bsoCrypto(cipher, { random }, pause, bytesMax) };
}

const payloadOf = (parts: Partial<CipherParts>): string =>
  JSON.stringify({ ciphertext: '', IV: 'iv', hmac: 'good', ...parts });
const item = (id: string, body: unknown, parts: Partial<CipherParts> = {}) => ({
  id,
  payload: payloadOf({ ciphertext: btoa(JSON.stringify(body)), ...parts }),
});

test('what cannot be given to the cipher is answered without it, in its place', async () => {
  const { open, seen } = plain();
  const items = [
    { id: 'a', payload: '[]' },
    item('b', { id: 'b' }),
    { id: 'c', payload: payloadOf({}).replace('"iv"', '7') },
    item('d', { id: 'd' }, { hmac: 'bad' }),
    item('e', { id: 'e' }),
  ];
  expect(await open(BUNDLE, items)).toMatchObject([
    { id: 'a', ok: false, code: 'badPayload' },
    { id: 'b', ok: true },
    { id: 'c', ok: false, code: 'badPayload' },
    { id: 'd', ok: false, code: 'badMac' },
    { id: 'e', ok: true },
  ]);
  expect(seen.opened).toEqual([3]);
  await open(BUNDLE, [{ id: 'a', payload: '' }]);
  expect(seen.opened).toEqual([3]);
});

test('a cipher that leaves a record unanswered is a mistake, no verdict', async () => {
  const { open } = plain({ open: async () => [] });
  await expect(open(BUNDLE, [item('a', { id: 'a' })])).rejects.toThrow('left a record unanswered');
});

test('a refusal of the cipher is that of the record', async () => {
  for (const code of ['badMac', 'badBase64', 'badPadding', 'badUtf8'] as CipherRefusal[]) {
    const { open } = plain({ open: async (_e, _m, records) => records.map(() => ({ code })) });
    expect(await open(BUNDLE, [item('a', { id: 'a' })])).toEqual([{ id: 'a', ok: false, code }]);
  }
});

test('a payload is taken from its record, and put back where other keys may open it', async () => {
  const long = item('a', { id: 'a', t: 'x'.repeat(longPayloadUnits) });
  const short = item('b', { id: 'b' });
  const { payload } = short;
  expect(await plain().open(BUNDLE, [long, short])).toMatchObject([{ ok: true }, { ok: true }]);
  expect([long.payload, short.payload]).toEqual(['', '']);
  const [a, b] = [item('a', { id: 'a', t: 'x'.repeat(longPayloadUnits) }), item('b', { id: 'b' })];
  const refusing = plain({ open: async (_e, _m, all) => all.map(() => ({ code: 'badMac' })) });
  await refusing.open(BUNDLE, [a, b]);
  expect([a.payload, b.payload]).toEqual(['', payload]);
});

test('a payload past its size is refused unread', async () => {
  const { open, seen } = plain();
  const payload = 'x'.repeat(payloadUnitsMax + 1);
  expect(await open(BUNDLE, [{ id: 'a', payload }])).toMatchObject([{ code: 'tooLarge' }]);
  expect([seen.opened, seen.pauses]).toEqual([[], 0]);
});

test('a long text is read in turns, a short one at once', async () => {
  const { open, seen } = plain();
  await open(BUNDLE, [item('a', { id: 'a' })]);
  expect(seen.pauses).toBe(0);
  await open(BUNDLE, [item('a', { id: 'a', t: 'x'.repeat(longJsonUnits) })]);
  expect(seen.pauses).toBeGreaterThan(0);
});

test('what a body takes of memory counts, however short its text', async () => {
  const { open } = plain({}, 20_000);
  const lists = { id: 'a', lists: Array.from({ length: 3_000 }, () => []) };
  expect(await open(BUNDLE, [item('a', lists), item('b', { id: 'b' })])).toMatchObject([
    { code: 'tooLarge' },
    { ok: true },
  ]);
});

test.each([
  ['its own id', { id: 'a' }, true],
  ['another id', { id: 'b' }, false],
  ['no id', {}, false],
  ['an id that is no text', { id: ['a'] }, false],
  ['nothing but that it is deleted', { deleted: true }, true],
  ['that it is deleted, and more', { deleted: true, x: 1 }, false],
  ['that it is not deleted', { deleted: false }, false],
  ['that it is deleted in another word', { deleted: 1 }, false],
])('a body with %s', async (_, body, ok) => {
  const [opened] = await plain().open(BUNDLE, [item('a', body)]);
  expect(opened).toMatchObject(ok ? { ok } : { ok, code: 'idMismatch' });
});

test('many records go to the cipher in batches, and come back in order', async () => {
  const { open, seal, seen } = plain();
  const ids = Array.from({ length: 150 }, (_, n) => `id${n}`);
  const opened = await open(
    BUNDLE,
    ids.map((id) => item(id, { id })),
  );
  expect(opened.map(({ id, ok }) => ok && id)).toEqual(ids);
  expect(await seal(BUNDLE, ids)).toHaveLength(150);
  expect([seen.opened, seen.sealed]).toEqual([
    [64, 64, 22],
    [64, 64, 22],
  ]);
});

test('a source of random bytes that is stuck seals nothing, not later either', async () => {
  const seals = (random: (count: number) => Uint8Array) => {
    const cipher = { open: async () => [], seal: async () => [] };
    return bsoCrypto(cipher, { random }, async () => undefined);
  };
  const text = '{"id":"a"}';
  const same = seals((count) => new Uint8Array(count).fill(7));
  await expect(same.seal(BUNDLE, [text, text])).rejects.toMatchObject({ code: 'badEntropy' });
  await expect(same.seal(BUNDLE, [text])).rejects.toMatchObject({ code: 'badEntropy' });
  const zeros = seals((count) => new Uint8Array(count));
  await expect(zeros.seal(BUNDLE, [text])).rejects.toMatchObject({ code: 'badEntropy' });
  const few = seals((count) => new Uint8Array(count - 1).fill(7));
  await expect(few.seal(BUNDLE, [text])).rejects.toMatchObject({ code: 'badEntropy' });
  const stuck = seals((count) => new Uint8Array(count).fill(9));
  expect(await stuck.seal(BUNDLE, [text])).toEqual([]);
  await expect(stuck.seal(BUNDLE, [text])).rejects.toMatchObject({ code: 'badEntropy' });
});

test('half a surrogate pair is sealed in no record of the call', async () => {
  const { seal, seen } = plain();
  await expect(seal(BUNDLE, ['good', 'bad \ud800'])).rejects.toMatchObject({ code: 'badText' });
  expect(seen.sealed).toEqual([]);
});
