// A folder's key is the one that its data was sealed under, or nothing of the data is touched.

import { expect, test } from 'vitest';
import { restKey } from '../../crypto/rest.ts';
import { sealRest } from '../../crypto/rest-secretbox.ts';
import { testVault } from '../../test/support/store.ts';
import { MemoryStorage } from '../memory/storage.ts';
import { StorageError } from '../storage-rules.ts';
import { checkDeviceKey } from './key-check.ts';

const [OURS, OTHER] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
const WRONG = { code: 'failed', message: /device.key is not the key/ };

/** The keys of an account as an agent seals them at rest. */
async function sealedUnder(key: Uint8Array): Promise<Uint8Array> {
  const box = await sealRest(
    restKey(key),
    new Uint8Array(24),
    ['1.k', 0, 1, '', ''],
    async () => {},
  );
  return Uint8Array.from([box.length >> 8, box.length & 255, ...box]);
}

/** As earlier ones have. */
const sealings: readonly [string, (name: string, key: Uint8Array) => Promise<Uint8Array>][] = [
  ['now', (name, key) => testVault(restKey(key)).seal(name, '', 'x'.repeat(9000))],
  ['before', (_, key) => sealedUnder(key)],
];

const refused = (storage: MemoryStorage, key: Uint8Array): Promise<unknown> =>
  checkDeviceKey(storage, key).then(
    () => 'taken',
    (error: unknown) => error,
  );

test('a new folder takes the key, and from then on no other', async () => {
  const storage = new MemoryStorage();
  expect(await refused(storage, OURS)).toBe('taken');
  expect(await refused(storage, OURS)).toBe('taken');
  expect(storage.commits).toBe(1);
  expect(await refused(storage, OTHER)).toMatchObject({ code: WRONG.code });
  expect(storage.commits).toBe(1);
});

test('the hash tells nothing of the key', async () => {
  const storage = new MemoryStorage();
  await checkDeviceKey(storage, OURS);
  const text = JSON.stringify(storage.snapshot());
  expect(text).not.toContain(Buffer.from(OURS).toString('hex'));
  expect(text).not.toContain(Buffer.from(OURS).toString('base64'));
});

test.each(sealings)(
  'a folder without a hash is known by what is sealed in it (%s)',
  async (_, seal) => {
    for (const name of ['0.k', '1z.k']) {
      const storage = new MemoryStorage([[name, await seal(name, OURS)]]);
      const error = await refused(storage, OTHER);
      expect(error).toBeInstanceOf(StorageError);
      expect((error as Error).message).toMatch(WRONG.message);
      expect(storage.commits).toBe(0);
      expect(await refused(storage, OURS)).toBe('taken');
    }
  },
);

test('what is no sealed value of the account says nothing of the key', async () => {
  const other = await sealedUnder(OTHER);
  const storage = new MemoryStorage([
    ['1.k', 'a text'],
    ['1.h.r.k', other],
    ['s', '{}'],
  ]);
  expect(await refused(storage, OURS)).toBe('taken');
});

test('a check that cannot be read is the agent’s to mend, any other failure is told', async () => {
  const failing = (code: 'damaged' | 'failed' | 'full'): MemoryStorage => {
    const storage = new MemoryStorage();
    storage.get = async () => {
      throw new StorageError(code, 'as told');
    };
    return storage;
  };
  expect(await refused(failing('damaged'), OURS)).toBe('taken');
  expect(await refused(failing('failed'), OURS)).toMatchObject({ message: 'as told' });
});
