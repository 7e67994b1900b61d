import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import {
  localWith,
  mirrorWith,
  openTestStore,
  pageBody,
  putEntries,
  testPass,
} from '../../test/support/store.ts';
import { history } from '../collections/history.ts';
import { stored } from '../remotes/sync/storage.ts';
import { settle } from './acknowledge.ts';
import type { Job } from './outgoing.ts';

const ID = 'AAAAAAAAAAAA';
const REFUSED = { kind: 'refused', code: 'tooLarge' } as const;

function jobOf(id: string, seq: number, isDeletion = false): Job {
  const outgoing = { id, payload: '', base: null, beside: {} };
  return { id, seq, tries: 0, isDeletion, writtenMs: 0, body: null, outgoing };
}

async function setUp() {
  const storage = new MemoryStorage();
  const store = await openTestStore(storage, history);
  return { store, pass: testPass(store) };
}

describe('a refusal', () => {
  test('parks the change that was refused', async () => {
    const { store, pass } = await setUp();
    await putEntries(store, {
      [ID]: { mirror: mirrorWith(pageBody(1)), local: localWith(pageBody(2), 1) },
    });
    await settle(pass, [jobOf(ID, 1)], [REFUSED]);
    expect((await store.load([ID]))[0]?.local).toMatchObject({ tries: 3 });
    expect(pass.events).toEqual([
      { kind: 'quarantine', collection: 'history', id: ID, code: 'tooLarge' },
    ]);
    expect(store.state.parkedCheckMs).toBeDefined();
  });

  test('says nothing of the edit that was made since', async () => {
    const { store, pass } = await setUp();
    await putEntries(store, {
      [ID]: { mirror: mirrorWith(pageBody(1)), local: localWith(pageBody(3), 2) },
    });
    await settle(pass, [jobOf(ID, 1)], [REFUSED]);
    expect((await store.load([ID]))[0]?.local).toMatchObject({ seq: 2, tries: 0 });
    expect(pass.events).toEqual([]);
    expect(store.state.parkedCheckMs).toBeUndefined();
  });
});

test('of however many deletions, a thousand at most are remembered by their versions', async () => {
  const { store, pass } = await setUp();
  const jobs = Array.from({ length: 2_100 }, (_, at) => jobOf(`id${at}`, 1, true));
  const results = jobs.map((_, at) => stored(at + 1));
  for (let at = 0; at < jobs.length; at += 50) {
    await settle(pass, jobs.slice(at, at + 50), results.slice(at, at + 50));
    expect(pass.buried.size).toBeLessThanOrEqual(1_000);
  }
  expect(pass.buried.get('id2099')).toBe('2100');
  await expect(store.load(['id0'])).resolves.toMatchObject([{ mirror: null, local: null }]);
});
