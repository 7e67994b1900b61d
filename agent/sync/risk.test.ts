// A record that ends the device is begun twice, and no third time; others are not mistaken for it.

import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { openTestStore } from '../../test/support/store.ts';
import { history } from '../collections/history.ts';
import { PAYLOAD_SAFE_CHARS } from '../limits.ts';
import type { Envelope } from '../remotes/remote.ts';
import { takeRisk } from './risk.ts';

const LONG = PAYLOAD_SAFE_CHARS + 1;
const envelope = (id: string, chars: number, version = '1'): Envelope => ({
  ...{ id, version, modifiedMs: 1 },
  payload: 'x'.repeat(chars),
});

/** A device that ends as often as it likes: each boot has what the one before has stored. */
function device(storage = new MemoryStorage()) {
  return {
    storage,
    async boot(...batch: Envelope[]) {
      const store = await openTestStore(storage, history);
      const latest = new Map(batch.map((one) => [one.id, one]));
      const spoilt = new Map<string, string>();
      await takeRisk(store, latest, spoilt);
      return { tried: [...latest.keys()], spoilt: [...spoilt], risks: store.state.risks ?? [] };
    },
  };
}

test('short records cost no write', async () => {
  const { boot, storage } = device();
  const { tried } = await boot(envelope('a', PAYLOAD_SAFE_CHARS), envelope('b', 1));
  expect([tried, storage.commits]).toEqual([['a', 'b'], 0]);
});

test('a deletion is no long record', async () => {
  const { boot, storage } = device();
  await boot({ ...envelope('a', 0), payload: null });
  expect(storage.commits).toBe(0);
});

describe('a long record', () => {
  test('is written down before it is begun, and again when it is begun again', async () => {
    const { boot } = device();
    expect((await boot(envelope('a', LONG))).risks).toEqual([{ id: 'a', version: '1', count: 1 }]);
    expect((await boot(envelope('a', LONG))).risks).toEqual([{ id: 'a', version: '1', count: 2 }]);
  });

  test('that has ended the device twice is set aside', async () => {
    const { boot } = device();
    await boot(envelope('a', LONG));
    expect((await boot(envelope('a', LONG), envelope('b', 1))).spoilt).toEqual([]);
    const third = await boot(envelope('a', LONG), envelope('b', 1));
    expect(third).toMatchObject({ tried: ['b'], spoilt: [['a', 'killedDevice']] });
  });

  test('in another version has its own two tries', async () => {
    const { boot } = device();
    await boot(envelope('a', LONG));
    await boot(envelope('a', LONG));
    const other = await boot(envelope('a', LONG, '2'));
    expect(other).toMatchObject({ tried: ['a'], spoilt: [] });
  });

  test('of several is the longest: the others do not count with it', async () => {
    const { boot } = device();
    const both = [envelope('short', LONG), envelope('longer', LONG + 1)];
    expect((await boot(...both)).risks).toEqual([{ id: 'longer', version: '1', count: 1 }]);
    await boot(...both);
    const third = await boot(...both);
    expect(third).toMatchObject({ tried: ['short'], spoilt: [['longer', 'killedDevice']] });
    expect(third.risks).toEqual([
      { id: 'longer', version: '1', count: 2 },
      { id: 'short', version: '1', count: 1 },
    ]);
  });
});
