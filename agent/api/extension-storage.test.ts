// `storage.sync` as extensions see it, on devices that exchange it, over Firefox Sync and a Kinto.

import { beforeEach, describe, expect, test } from 'vitest';
import { corpusAccount, testDevice, testServers } from '../../test/support/device.ts';
import {
  PROTOCOLS,
  type SameUser,
  sameUser,
  type UserDevice,
} from '../../test/support/same-user.ts';
import { type ExtensionStorage, extensionStorage } from './extension-storage.ts';

const EXT = 'notes@example.com';
const NAME = 'extension-storage';

let user: SameUser;
let a: UserDevice;
let b: UserDevice;

const sync: SameUser['sync'] = (...devices) => user.sync(...devices);
const storageOf = ({ agent }: UserDevice): ExtensionStorage => agent.extensionStorage(EXT);

const changes = ({ platform }: UserDevice): unknown[] =>
  platform.events
    .map((text) => JSON.parse(text))
    .filter(({ kind, collection }) => kind === 'record' && collection === NAME)
    .map((event) => event.changes);

describe.each(PROTOCOLS)('over %s', (protocol) => {
  beforeEach(async () => {
    user = sameUser(protocol, { collections: [extensionStorage] });
    a = await user.signedIn();
    b = await user.signedIn();
  });

  describe('an extension', () => {
    test('gets what it set, by every form of keys', async () => {
      const storage = storageOf(a);
      expect(await storage.get()).toEqual({});
      await storage.set(JSON.parse('{"x":{"deep":[1,null]},"y":false,"__proto__":"p"}'));
      await storage.set({ y: 'größe' });
      expect(await storage.get('x')).toEqual({ x: { deep: [1, null] } });
      expect(await storage.get(['x', 'nothing', 'y'])).toEqual({
        x: { deep: [1, null] },
        y: 'größe',
      });
      expect(await storage.get({ y: 1, z: 2 })).toEqual({ y: 'größe', z: 2 });
      expect(Object.keys(await storage.get()).sort()).toEqual(['__proto__', 'x', 'y']);
      await storage.remove(['x', 'nothing']);
      await storage.remove('__proto__');
      expect(await storage.get(null)).toEqual({ y: 'größe' });
      await storage.clear();
      await storage.clear();
      expect(await storage.get()).toEqual({});
    });

    test('sees nothing of another', async () => {
      await storageOf(a).set({ x: 1 });
      const another = a.agent.extensionStorage('another@example.com');
      await another.set({ x: 2 });
      await another.clear();
      expect(await storageOf(a).get()).toEqual({ x: 1 });
      await expect(a.agent.extensionStorage('').get()).rejects.toMatchObject({ code: 'badInput' });
      await expect(storageOf(a).get(7 as never)).rejects.toMatchObject({ code: 'badInput' });
    });

    test('is told how many bytes it uses: keys, and values as JSON, in UTF-8', async () => {
      const storage = storageOf(a);
      await storage.set({ ü: 'é', n: 12 });
      expect(await storage.getBytesInUse()).toBe(2 + 4 + 1 + 2);
      expect(await storage.getBytesInUse('n')).toBe(3);
      expect(await storage.getBytesInUse(['n', 'nothing'])).toBe(3);
    });

    test.each([
      [
        'an item of more than 8,192 bytes',
        'big',
        { big: 'x'.repeat(8_192 - 4) },
        { big: 'x'.repeat(8_192 - 5) },
      ],
      [
        'more than 512 items',
        'k512',
        Object.fromEntries(Array.from({ length: 513 }, (_, at) => [`k${at}`, 0])),
        Object.fromEntries(Array.from({ length: 512 }, (_, at) => [`k${at}`, 0])),
      ],
      [
        'more than 102,400 bytes in all',
        'k13',
        Object.fromEntries(Array.from({ length: 14 }, (_, at) => [`k${at}`, 'x'.repeat(7_400)])),
        Object.fromEntries(Array.from({ length: 13 }, (_, at) => [`k${at}`, 'x'.repeat(7_400)])),
      ],
    ])(
      'is refused %s, with the key and the quota, and nothing is set',
      async (_, key, over, under) => {
        const storage = storageOf(a);
        await storage.set({ before: 1 });
        const refused = expect(storage.set({ ...over })).rejects;
        await refused.toMatchObject({
          code: 'badInput',
          message: expect.stringContaining(`"${key}": `),
        });
        expect(await storage.get()).toEqual({ before: 1 });
        await storage.remove('before');
        await storage.set(under);
        expect(Object.keys(await storage.get())).toHaveLength(Object.keys(under).length);
      },
    );
  });

  describe('two devices', () => {
    test('have one record of an extension, item by item the newest of both', async () => {
      await storageOf(a).set({ both: 'a', onlyA: 1 });
      await storageOf(b).set({ both: 'b', onlyB: 2 });
      await sync(a, b, a);
      const merged = { both: 'a', onlyA: 1, onlyB: 2 };
      expect(await storageOf(a).get()).toEqual(merged);
      expect(await storageOf(b).get()).toEqual(merged);
      const [record, ...more] = user.live(NAME);
      expect(record).toMatchObject({ extId: EXT });
      expect(JSON.parse(`${record?.data}`)).toEqual(merged);
      expect(more).toEqual([]);

      await storageOf(a).remove('onlyB');
      await storageOf(a).set({ both: 'from a' });
      await storageOf(b).set({ onlyA: 3 });
      await sync(a, b, a);
      expect(await storageOf(a).get()).toEqual({ both: 'from a', onlyA: 3 });
      expect(await storageOf(b).get()).toEqual({ both: 'from a', onlyA: 3 });
    });

    test('hear of each other’s changes by key', async () => {
      a.agent.observe(NAME, true);
      b.agent.observe(NAME, true);
      await storageOf(a).set({ x: 1, y: 1 });
      await storageOf(a).set({ x: 1 });
      await sync(a, b);
      await storageOf(b).set({ x: 2 });
      await sync(b, a);
      await storageOf(a).clear();
      await sync(a, b);
      const seen = [
        { extId: EXT, keys: ['x', 'y'] },
        { extId: EXT, keys: ['x'] },
        { extId: EXT, keys: ['x', 'y'] },
      ];
      expect(changes(a)).toEqual(seen);
      expect(changes(b)).toEqual(seen);
      expect(await storageOf(b).get()).toEqual({});
    });

    test('keep what one changed while the other cleared', async () => {
      await storageOf(a).set({ x: 1, y: 1 });
      await sync(a, b);
      await storageOf(a).clear();
      await storageOf(b).set({ y: 2 });
      await sync(a, b, a);
      expect(await storageOf(a).get()).toEqual({ y: 2 });
      expect(await storageOf(b).get()).toEqual({ y: 2 });
    });
  });
});

test('a build without the collection has no storage, and says so', async () => {
  const { agent } = testDevice(testServers(corpusAccount()));
  expect(() => agent.extensionStorage(EXT)).toThrow(
    expect.objectContaining({ code: 'badInput', message: expect.stringMatching(/^storage: /) }),
  );
});
