import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { audit, localWith, mirrorWith, openTestStore, testPass } from '../../test/support/store.ts';
import type { Body, Collection, MergeDecision } from '../collections/collection.ts';
import { history } from '../collections/history.ts';
import { isTombstone } from '../remotes/sync/codec.ts';
import { type Entry, NO_ENTRY } from '../store/record.ts';
import { keepFork } from './conflict.ts';
import { type Arrival, receive } from './merge.ts';

const TIMES = { serverNowMs: 9_000, deviceNowMs: 8_000 };
const EPOCH = 3;
const SEQ = 7;

const theirs = { id: 'a', x: 'theirs' };
const arrival = {
  body: theirs,
  text: '{"x":"theirs", "id":"a"}',
  version: '5000',
  modifiedMs: 5_000,
};
const arrived = { ...arrival, epoch: EPOCH };

/** A collection whose merge decides as told, and remembers what it was asked. */
function deciding(decision: MergeDecision) {
  const asked: unknown[] = [];
  const collection: Collection = {
    ...history,
    merge(input) {
      asked.push(input);
      return decision;
    },
  };
  return { asked, collection };
}

function received(before: Parameters<typeof receive>[1], decision: MergeDecision) {
  return receive(deciding(decision).collection, before, arrival, EPOCH, TIMES, SEQ);
}

describe('a version that arrives', () => {
  test('where there was none is taken as it is, to the letter', () => {
    const { asked, collection } = deciding({ mirror: null, local: 'none' });
    const after = receive(collection, NO_ENTRY, arrival, EPOCH, TIMES, SEQ);
    expect(after).toEqual({ ...NO_ENTRY, mirror: arrived });
    expect(asked).toEqual([]);
  });

  test('meets what the device holds in the merge, with the clocks of both sides', () => {
    const { asked, collection } = deciding({ mirror: 'asIs', local: 'none' });
    const before = { mirror: mirrorWith({ x: 1 }), local: localWith({ x: 2 }), quarantined: false };
    receive(collection, before, arrival, EPOCH, TIMES, SEQ);
    const { mirror, local } = before;
    const incoming = { body: theirs, modifiedMs: 5_000 };
    expect(asked).toEqual([{ mirror, local, incoming, epoch: EPOCH, ...TIMES }]);
  });

  test('may leave nothing to send', () => {
    const before = { ...NO_ENTRY, local: localWith({ x: 2 }) };
    expect(received(before, { mirror: 'asIs', local: 'none' })).toEqual({
      ...NO_ENTRY,
      mirror: arrived,
    });
  });

  test('may leave the local change as it is, to be tried anew', () => {
    const before = { ...NO_ENTRY, local: { ...localWith({ x: 2 }, 4), tries: 2 } };
    expect(received(before, { mirror: 'asIs', local: 'keep' }).local).toEqual({
      ...before.local,
      tries: 0,
    });
  });

  test('may become something new to send, which is as old as the local change was', () => {
    const before = { ...NO_ENTRY, local: { ...localWith({ x: 2 }, 4), tries: 2 } };
    expect(received(before, { mirror: 'asIs', local: { x: 3 } }).local).toEqual({
      body: { x: 3 },
      changedAtMs: before.local.changedAtMs,
      seq: SEQ,
      tries: 0,
    });
    const quiet = { ...NO_ENTRY, mirror: mirrorWith({ x: 1 }) };
    expect(received(quiet, { mirror: 'asIs', local: { x: 3 } }).local).toMatchObject({
      changedAtMs: TIMES.deviceNowMs,
    });
  });

  test('may be kept in another form, under the version of the server', () => {
    const before = { ...NO_ENTRY, mirror: mirrorWith({ x: 1 }) };
    expect(received(before, { mirror: { x: 3 }, local: 'none' }).mirror).toEqual({
      body: { x: 3 },
      text: '{"x":3}',
      version: arrival.version,
      modifiedMs: arrival.modifiedMs,
      epoch: EPOCH,
    });
    expect(received(before, { mirror: null, local: 'none' }).mirror).toBeNull();
  });

  test('that is a deletion leaves no mirror', () => {
    const { collection } = deciding({ mirror: 'asIs', local: 'none' });
    const gone = { body: null, text: '', version: '5000', modifiedMs: 5_000 };
    const before = { ...NO_ENTRY, mirror: mirrorWith({ x: 1 }) };
    expect(receive(collection, before, gone, EPOCH, TIMES, SEQ)).toEqual(NO_ENTRY);
    expect(receive(collection, NO_ENTRY, gone, EPOCH, TIMES, SEQ)).toEqual(NO_ENTRY);
  });

  test('that is a deletion from before what was agreed on deletes nothing, and goes', () => {
    const { asked, collection } = deciding({ mirror: 'asIs', local: 'none' });
    const mirror = { ...mirrorWith({ x: 1 }), modifiedMs: 6_000, epoch: EPOCH - 1 };
    const old = { body: null, text: '', version: '5', modifiedMs: 5_000 };
    const meets = (before: Partial<Entry>, tombstone: Arrival = old) =>
      receive(collection, { ...NO_ENTRY, mirror, ...before }, tombstone, EPOCH, TIMES, SEQ);
    const again = { body: { x: 1 }, changedAtMs: TIMES.deviceNowMs, seq: SEQ, tries: 0 };
    expect(meets({ quarantined: true })).toEqual({ ...NO_ENTRY, local: again });
    const edit = localWith({ x: 2 });
    expect(meets({ local: edit })).toEqual({ ...NO_ENTRY, local: edit });
    expect(asked).toEqual([]);
    // One that is younger, of the same beginning, of no known time, or that both sides wanted.
    const sure: [Partial<Entry>, Arrival?][] = [
      [{}, { ...old, modifiedMs: 7_000 }],
      [{ mirror: { ...mirror, epoch: EPOCH } }],
      [{}, { ...old, modifiedMs: null }],
      [{ local: localWith(null) }],
    ];
    for (const [before, tombstone] of sure) expect(meets(before, tombstone)).toEqual(NO_ENTRY);
    expect(asked).toHaveLength(sure.length);
  });

  test('takes the record out of quarantine', () => {
    const before = { ...NO_ENTRY, mirror: mirrorWith({ x: 1 }), quarantined: true };
    expect(received(before, { mirror: 'asIs', local: 'none' }).quarantined).toBe(false);
  });

  test('hands on what the merge could not keep', () => {
    const before = { ...NO_ENTRY, local: localWith({ x: 2 }) };
    const fork = { x: 2 };
    expect(received(before, { mirror: 'asIs', local: 'none', fork })).toMatchObject({ fork });
  });
});

test('what a merge could not keep becomes a new record, under a new id', async () => {
  const storage = new MemoryStorage();
  const store = await openTestStore(storage, history);
  const pass = testPass(store);
  const transaction = store.begin();
  const fork: Body = {
    id: 'taken',
    histUri: 'https://a/',
    title: '',
    visits: [{ date: 9e14, type: 1 }],
  };
  keepFork(pass, transaction, fork, 5);
  await transaction.commit();
  const [id = ''] = await store.pendingIds(null, 9);
  expect(id).toMatch(/^[\w-]{12}$/);
  const [entry] = await store.load([id]);
  expect(entry).toMatchObject({ mirror: null, local: { seq: 5, body: { ...fork, id } } });
  expect(await audit(storage, history)).toEqual([]);
});

test.each([
  [{ id: 'a', deleted: true }, true],
  [{ id: 'a', deleted: 1 }, true],
  [{ id: 'a', deleted: false }, false],
  [{ id: 'a' }, false],
  [JSON.parse('{"__proto__":{"deleted":true}}'), false],
])('%j is a tombstone: %s', (body, expected) => {
  expect(isTombstone(body)).toBe(expected);
});
