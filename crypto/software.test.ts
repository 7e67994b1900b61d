// Records in JavaScript alone: the whole contract, and what only this way can promise: no cipher
// before the MAC is right, and a turn for the device between slices of a record.

import { randomBytes } from 'node:crypto';
import { afterEach, expect, it, vi } from 'vitest';
import { cryptoContract } from '../test/contract/crypto.ts';
import { cbc } from './aes.ts';
import { keyBundle } from './keys.ts';
import { hashBlock } from './sha256.ts';
import { softwareCipher, softwareCrypto } from './software.ts';

vi.mock('./aes.ts', { spy: true });
vi.mock('./sha256.ts', { spy: true });

const entropy = { random: (count: number) => new Uint8Array(randomBytes(count)) };
const bundle = keyBundle(new Uint8Array(32).fill(1), new Uint8Array(32).fill(2));

cryptoContract('in JavaScript alone', (source) => softwareCrypto(source, async () => {}));

afterEach(() => {
  vi.clearAllMocks();
});

it('runs no cipher for a record whose MAC is wrong', async () => {
  const crypto = softwareCrypto(entropy, async () => {});
  const text = JSON.stringify({ id: 'A', t: 'x'.repeat(500) });
  const [payload = ''] = await crypto.seal(bundle, [text]);
  vi.mocked(cbc).mockClear();
  const [, ciphertext = ''] = /"ciphertext":"([^"]*)"/.exec(payload) ?? [];
  for (let at = 0; at < ciphertext.length; at++) {
    const other = ciphertext[at] === 'A' ? 'B' : 'A';
    const changed = ciphertext.slice(0, at) + other + ciphertext.slice(at + 1);
    const opened = await crypto.open(bundle, [
      { id: 'A', payload: payload.replace(ciphertext, changed) },
    ]);
    expect(opened).toEqual([{ id: 'A', ok: false, code: 'badMac' }]);
  }
  expect(cbc).not.toHaveBeenCalled();
  await crypto.open(bundle, [{ id: 'A', payload }]);
  expect(cbc).toHaveBeenCalled();
});

it('gives the device its turn after about 48 groups of work, however long a record', async () => {
  let longest = 0;
  let pauses = 0;
  let before = 0;
  const work = () => vi.mocked(cbc).mock.calls.length + vi.mocked(hashBlock).mock.calls.length;
  const crypto = softwareCrypto(entropy, async () => {
    longest = Math.max(longest, work() - before);
    before = work();
    pauses++;
  });
  const texts = [10, 100, 1000, 1000, 5000, 40_000, 200_000].map((length) =>
    JSON.stringify({ id: 'A', t: 'x'.repeat(length) }),
  );
  const payloads = await crypto.seal(bundle, texts);
  const opened = await crypto.open(
    bundle,
    payloads.map((payload) => ({ id: 'A', payload })),
  );
  expect(opened.map((one) => one.ok && one.text)).toEqual(texts);
  expect(work() - before).toBeLessThanOrEqual(54);
  expect(longest).toBeLessThanOrEqual(54);
  expect(pauses).toBeGreaterThan(work() / 54);
});

it('opens a record of 1 KiB with one pause at most', async () => {
  let pauses = 0;
  const crypto = softwareCrypto(entropy, async () => {
    pauses++;
  });
  const text = JSON.stringify({ id: 'A', t: 'x'.repeat(1004) });
  const [payload = ''] = await crypto.seal(bundle, [text]);
  pauses = 0;
  for (let count = 0; count < 20; count++) await crypto.open(bundle, [{ id: 'A', payload }]);
  expect(pauses).toBeLessThanOrEqual(20);
});

it('uses the keys that it is given, though it keeps the last ones ready', async () => {
  const cipher = softwareCipher(async () => {});
  const other = keyBundle(new Uint8Array(32).fill(3), bundle.macKey);
  const ivs = [new Uint8Array(16).fill(9)];
  const first = await cipher.seal(bundle.encKey, bundle.macKey, ['text'], ivs);
  const second = await cipher.seal(other.encKey, other.macKey, ['text'], ivs);
  expect(second).not.toEqual(first);
  expect(await cipher.open(bundle.encKey, bundle.macKey, first)).toEqual([{ text: 'text' }]);
});
