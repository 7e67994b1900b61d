import { afterEach, describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Change, Storage } from '../../platform/ports.ts';
import { StorageError } from '../../platform/storage-rules.ts';
import { Bench } from '../../test/contract/bench.ts';
import { aPageAhead } from '../../test/support/ahead.ts';
import { kintoPlainService } from '../../test/support/kinto-plain-service.ts';
import { kintoService } from '../../test/support/kinto-service.ts';
import type { Service } from '../../test/support/service.ts';
import { syncService } from '../../test/support/sync-service.ts';
import type { CollectionStore } from '../store/store.ts';
import { readsAhead } from './ahead.ts';
import type { Page, RemoteDriver, RemoteOptions } from './remote.ts';

const SERVICES: readonly (readonly [name: string, start: () => Service, perPage: number])[] = [
  ['Kinto', kintoService, 5],
  ['Kinto, unencrypted', kintoPlainService, 5],
];

const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);
process.on('unhandledRejection', note);
afterEach(() => expect(unhandled.splice(0)).toEqual([]));

/** A storage that tells of each commit, and refuses those that it is told to. */
class WatchedStorage extends MemoryStorage {
  onCommit: (changes: readonly Change[]) => void = () => undefined;

  override async commit(changes: readonly Change[]): ReturnType<Storage['commit']> {
    this.onCommit(changes);
    await super.commit(changes);
  }
}

/** A device before its first pass, and the pages that it asks for. */
async function firstPass(start: () => Service, count: number) {
  const bench = new Bench(start);
  const { service, wire } = bench;
  for (let n = 0; n < count; n++) await service.put(service.id(n), { text: `theirs ${n}` });
  const pages: Request[] = [];
  const storage = new WatchedStorage();
  wire.before = (request) => {
    if (service.isPage(request)) pages.push(request);
  };
  const device = await bench.boot(storage);
  const held = (): number => device.agent.status().collections[service.collection]?.held ?? 0;
  return { bench, device, storage, pages, held };
}

describe.each(SERVICES)('a page ahead of %s', (_, start, perPage) => {
  test('is under way when the last batch of a page is stored, and never two are', async () => {
    const { bench, device, storage, pages, held } = await firstPass(
      () => aPageAhead(start()),
      3 * perPage - 1,
    );
    const heldAt: [pages: number, held: number][] = [];
    storage.onCommit = () => {
      heldAt.push([pages.length, held()]);
    };
    expect(await device.agent.enable()).toMatchObject({ ok: true });
    await bench.agreed(device);
    // Of each page: what was held when its batch was about to be stored.
    for (const page of [1, 2]) expect(heldAt).toContainEqual([page + 1, (page - 1) * perPage]);
    for (const [pages, before] of heldAt) {
      expect(pages).toBeLessThanOrEqual(Math.floor(before / perPage) + 2);
    }
  });

  test('costs no request more than reading one after the other', async () => {
    const counts: number[] = [];
    for (const service of [start, () => aPageAhead(start())]) {
      const { bench, device } = await firstPass(service, 3 * perPage - 1);
      expect(await device.agent.enable()).toMatchObject({ ok: true });
      counts.push(bench.wire.asked.length);
    }
    expect(counts[1]).toBe(counts[0]);
  });

  test('is given up where the storage refuses, and read when it does not', async () => {
    const { bench, device, storage, pages, held } = await firstPass(
      () => aPageAhead(start()),
      3 * perPage,
    );
    let isFull = true;
    storage.onCommit = () => {
      if (isFull && pages.length === 3) throw new StorageError('full', 'no room');
    };
    expect(await device.agent.enable()).toMatchObject({ ok: false });
    expect(device.agent.status().error).toMatchObject({ code: 'storageFull' });
    expect(held()).toBe(perPage);
    expect(pages.map(({ signal }) => signal.aborted)).toEqual([false, false, true]);
    isFull = false;
    expect(await bench.recovered(device)).toMatchObject({ ok: true });
    await bench.agreed(device);
  });

  test('tells its error when it is needed: what came before it is stored', async () => {
    const { bench, device, pages, held } = await firstPass(() => aPageAhead(start()), 3 * perPage);
    const { before } = bench.wire;
    bench.wire.before = async (request, count) => {
      await before(request, count);
      if (bench.service.isPage(request) && pages.length === 2) throw new TypeError('fetch failed');
    };
    expect(await device.agent.enable()).toMatchObject({ ok: false });
    expect(device.agent.status().error).toMatchObject({ code: 'offline' });
    expect(held()).toBe(perPage);
    expect(await bench.recovered(device)).toMatchObject({ ok: true });
    await bench.agreed(device);
  });
});

test('a page that nobody asks for is given up, whatever becomes of it', async () => {
  const asked: string[] = [];
  const given: string[] = [];
  const pageAt = (at: string): Page => ({
    ...{ serverNowMs: null, next: async () => false, hasNext: () => true },
    position: () => `behind ${at}`,
    cancel: () => given.push(at),
  });
  const remote = readsAhead({
    open: () => ({
      async changes(_: unknown, at: string) {
        asked.push(at);
        if (at === 'behind b') throw new Error('it broke');
        return pageAt(at);
      },
    }),
  } as unknown as RemoteDriver).open({} as RemoteOptions);
  const [one, other] = [{}, {}] as [CollectionStore, CollectionStore];
  const read = async (store: CollectionStore, at: string): Promise<void> => {
    ((await remote.changes(store, at)) as Page).position([], true);
  };
  await read(one, 'a');
  await read(one, 'b');
  expect([asked, given]).toEqual([['a', 'behind a', 'b', 'behind b'], ['behind a']]);
  // In a later turn of the engine's.
  await new Promise((resolve) => setTimeout(resolve, 1));
  await read(one, 'c');
  await read(other, 'behind c');
  expect(asked.slice(4)).toEqual(['c', 'behind c', 'behind c', 'behind behind c']);
  expect(given).toEqual(['behind a', 'behind c']);
});

test('reads Sync 1.5 and Syncto as before, whose lists are of one page here', async () => {
  for (const protocol of ['sync15', 'syncto'] as const) {
    const { bench, device } = await firstPass(() => aPageAhead(syncService(protocol)), 12);
    expect(await device.agent.enable()).toMatchObject({ ok: true });
    await bench.agreed(device);
  }
});
