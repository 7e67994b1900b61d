import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { type CacheStore, memoryCacheStore, SealedCache } from './sealed-cache.ts';

const secret = randomBytes(32);

function seen(): CacheStore & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    get: async (name) => kept.get(name) ?? null,
    put: async (name, value) => void kept.set(name, value),
  };
}
const cacheOn = (store: CacheStore, key: Uint8Array = secret) =>
  new SealedCache({ store, secret: key, random: randomBytes });

test('what is kept comes back under its proof, and under no other', async () => {
  const cache = cacheOn(seen());
  await cache.put('bearer a', 'ü the text', 1_000);
  expect(await cache.get('bearer a')).toBe('ü the text');
  expect(await cache.get('bearer b')).toBeNull();
});

test('neither name nor value shows anything, and no two values are the same', async () => {
  const store = seen();
  const cache = cacheOn(store);
  await cache.put('the proof', 'the text', 1_000);
  const [[name = '', first = ''] = []] = store.kept;
  await cache.put('the proof', 'the text', 1_000);
  expect(store.kept.size).toBe(1);
  expect(store.kept.get(name)).not.toBe(first);
  for (const text of [name, first, Buffer.from(first, 'base64').toString('latin1')])
    expect(text).not.toMatch(/the|proof|text/);
});

test('an entry that was changed, cut or moved is as good as none', async () => {
  const store = seen();
  const cache = cacheOn(store);
  await cache.put('a', 'of a', 1_000);
  const [[nameA = '', value = ''] = []] = store.kept;
  const bytes = Buffer.from(value, 'base64');
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    store.kept.set(nameA, flipped.toString('base64'));
    expect(await cache.get('a')).toBeNull();
  }
  for (const length of [0, 1, 24, 39, bytes.length - 1]) {
    store.kept.set(nameA, bytes.subarray(0, length).toString('base64'));
    expect(await cache.get('a')).toBeNull();
  }
  await cache.put('b', 'of b', 1_000);
  const [nameB = ''] = [...store.kept.keys()].filter((name) => name !== nameA);
  store.kept.set(nameB, value);
  expect(await cache.get('b')).toBeNull();
});

test('with another secret nothing is found', async () => {
  const store = seen();
  await cacheOn(store).put('a', 'of a', 1_000);
  expect(await cacheOn(store, randomBytes(32)).get('a')).toBeNull();
});

test('memory forgets what is old, and holds so many entries at most', async () => {
  let nowMs = 0;
  const store = memoryCacheStore(() => nowMs);
  await store.put('short', 'x', 10);
  await store.put('long', 'x', 1_000);
  nowMs = 10;
  expect([await store.get('short'), await store.get('long')]).toEqual([null, 'x']);
  for (let index = 0; index < 20_000; index++) await store.put(`${index}`, 'x', 1_000);
  expect([await store.get('long'), await store.get('0')]).toEqual([null, 'x']);
});
