// A page of packs as a listing of records, and how far it is read.

import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../../../platform/memory/storage.ts';
import { mirrorWith, openTestStore, putEntries } from '../../../../test/support/store.ts';
import { generic } from '../../../collections/generic.ts';
import { NO_ENTRY } from '../../../store/record.ts';
import type { Fetched, Listed, Page } from '../../remote.ts';
import { createOwnPacks } from './own.ts';
import { ALONE, DELETED, LIVE, type Pack, type PackEntry, versionOf } from './pack.ts';
import { packedPage } from './page.ts';
import { piecesOf } from './texts.ts';

const idOf = (byte: number): string => `h-${Buffer.alloc(32, byte).toString('base64url')}`;
const entry = (kind: PackEntry['kind'], text: string, writtenMs = 5): PackEntry => ({
  ...{ writtenMs, salt: 1, kind, ...piecesOf(text) },
});
const packOf = (...entries: [byte: number, entry: PackEntry][]): Pack => ({
  ...{ isFull: false, entries: new Map(entries.map(([byte, one]) => [idOf(byte), one])) },
});
const listed = (id: string, version: string, payload: string | null): Listed => ({
  ...{ ok: true, envelope: { id, version, modifiedMs: Number(version), payload }, chars: 9 },
});

/** A page of these, so many at once; `packs`: what opens, by its payload. */
async function setUp(
  all: Listed[],
  packs: Record<string, Pack>,
  alone: Fetched['kind'] = 'found',
  atOnce = 1,
) {
  const store = await openTestStore(new MemoryStorage(), generic('things'));
  const taken: string[] = [];
  const page: Page = {
    serverNowMs: 1,
    async next(out) {
      const some = all.splice(0, atOnce);
      out.push(...some);
      return some.length > 0;
    },
    position(done, isEnd) {
      for (const one of done) taken.push(one.ok ? one.envelope.version : one.id);
      return isEnd ? 'end' : `behind ${taken[taken.length - 1] ?? 'nothing'}`;
    },
    hasNext: () => false,
    cancel: () => undefined,
  };
  const fetched: string[] = [];
  const own = createOwnPacks();
  const packed = packedPage(page, {
    ...{ store, own },
    seal: { seal: async () => [], open: async (_, payload) => packs[payload] ?? null },
    async fetchAlone(id) {
      fetched.push(id);
      const envelope = { id, version: '1', modifiedMs: 1, payload: 'x' };
      return alone === 'missing' ? { kind: alone } : { kind: alone, envelope, serverNowMs: 1 };
    },
  });
  const read = async (): Promise<Listed[]> => {
    const out: Listed[] = [];
    while (await packed.next(out));
    return out;
  };
  return { store, own, packed, read, taken, fetched };
}

const told = (all: Listed[]) =>
  all.map((one) =>
    one.ok ? [one.envelope.id, one.envelope.version, one.envelope.payload] : [one.id, one.code],
  );

test('each record of a pack is listed with its own version, and others as they are', async () => {
  const pack = packOf([1, entry(LIVE, '{"n":1}')], [2, entry(DELETED, '', 6)]);
  const { read } = await setUp([listed('p-0', '10', 'A'), listed(idOf(9), '11', 'x')], { A: pack });
  expect(told(await read())).toEqual([
    [idOf(1), '1.5.1', '{"n":1}'],
    [idOf(2), '1.6.1', ''],
    [idOf(9), '11', 'x'],
  ]);
});

test('what lies in a pack where nobody looks for it is no record', async () => {
  const pack = packOf([1, entry(DELETED, '')], [200, entry(LIVE, '{"n":200}')]);
  const { packed, read, taken } = await setUp([listed('p-3', '10', 'A')], { A: pack });
  const records = await read();
  expect(told(records)).toEqual([[idOf(200), '1.5.1', '{"n":200}']]);
  expect(packed.position(records, true)).toBe('end');
  expect(taken).toEqual(['10']);
});

test('the position is behind a pack when the last of its records is stored', async () => {
  const two = packOf([1, entry(LIVE, '1')], [2, entry(LIVE, '2')]);
  const all = [
    ...[listed('p-0', '10', 'two'), listed('p-1', '11', 'none'), listed('p-00', '12', 'two')],
    listed('epoch', '13', 'x'),
  ];
  const { packed, read, taken } = await setUp(all, { two, none: packOf() });
  const records = await read();
  expect(records).toHaveLength(5);
  const positions = [
    packed.position(records.slice(0, 1), false),
    packed.position(records.slice(1, 3), false),
    packed.position(records.slice(3, 4), false),
    packed.position(records.slice(4, 5), true),
  ];
  expect(positions).toEqual(['behind nothing', 'behind 11', 'behind 12', 'end']);
  expect(taken).toEqual(['10', '11', '12', '13']);
});

test('packs that arrive together are taken apart one after the other', async () => {
  const two = packOf([1, entry(LIVE, '1')], [2, entry(LIVE, '2')]);
  const all = ['p-0', 'x', 'p-', 'p-00'].map((id, at) => listed(id, `${10 + at}`, 'two'));
  const { packed } = await setUp(all, { two }, 'found', all.length);
  const counts: number[] = [];
  for (let more = true; more; ) {
    const out: Listed[] = [];
    more = await packed.next(out);
    counts.push(out.length);
  }
  expect(counts).toEqual([2, 3, 2, 0]);
});

test('what was never listed is not taken', async () => {
  const { packed, read } = await setUp([listed('p-0', '10', 'A')], { A: packOf() });
  await read();
  expect(() => packed.position([listed('x', '1', '')], true)).toThrow(TypeError);
  const some = await setUp([listed('x', '10', 'A')], {});
  await some.read();
  expect(() => some.packed.position([], true)).toThrow(TypeError);
});

test('a pack that does not open is set aside under its own name', async () => {
  const tooLarge: Listed = { ok: false, id: 'p-1', code: 'tooLarge', chars: 9 };
  const { read } = await setUp([listed('p-0', '10', '?'), tooLarge], {});
  expect(told(await read())).toEqual([
    ['p-0', 'badPack'],
    ['p-1', 'tooLarge'],
  ]);
});

test('one that opens again takes its mark away', async () => {
  const { store, read } = await setUp([listed('p-0', '10', 'A')], { A: packOf() });
  const transaction = store.begin();
  transaction.quarantine('p-0', NO_ENTRY, 'badPack', 0);
  await transaction.commit();
  expect(told(await read())).toEqual([['p-0', '0.0.0', '']]);
});

test('what lies alone is listed by itself', async () => {
  const pack = packOf([1, entry(ALONE, '')], [2, entry(ALONE, '{"n":2}')]);
  const there = await setUp([listed('p-', '10', 'A')], { A: pack });
  expect(told(await there.read())).toEqual([]);
  // One that is on its way out may not have arrived: then it is still here.
  const missing = await setUp([listed('p-', '10', 'A')], { A: pack }, 'missing');
  expect(told(await missing.read())).toEqual([[idOf(2), '0.5.1', '{"n":2}']]);
  expect([there.fetched, missing.fetched]).toEqual([[idOf(2)], [idOf(2)]]);
});

test('of a pack that the wire says is deleted, all that lay in it is lost', async () => {
  const { store, read } = await setUp([listed('p-0', '10', null)], {});
  const version = (level: number) => versionOf(level, { writtenMs: 5, salt: 1 });
  const mirror = { ...mirrorWith({ n: 1 }), version: version(1) };
  await putEntries(store, {
    [idOf(1)]: { mirror },
    [idOf(2)]: { mirror: { ...mirror, version: version(2) } },
    [idOf(3)]: { mirror: { ...mirror, version: '1795000000000' } },
    [idOf(200)]: { mirror },
  });
  expect(told(await read())).toEqual([[idOf(1), '0.0.0', null]]);
});

describe('a pack that the device has made itself', () => {
  const [A, B, C] = [1, 64, 128].map((byte) => packOf([byte, entry(LIVE, '{"n":1}')]));
  const ownOf = async (...first: Listed[]) => {
    const all = [...first, listed('p-1', '11', 'B'), listed('p-2', '12', 'C')];
    const page = await setUp(all, { ...(A && B && C && { A, B, C }), none: packOf() });
    page.own.add('11', null);
    return page;
  };

  test('has no news, and the position goes on behind it', async () => {
    const { packed, read, taken } = await ownOf(listed('p-0', '10', 'A'));
    const records = await read();
    expect(records).toHaveLength(2);
    expect(packed.position(records, true)).toBe('end');
    expect(taken).toEqual(['10', '11', '12']);
  });

  test('is behind the position with what came before it, however many there are', async () => {
    const packs = Array.from({ length: 500 }, (_, at) => listed('p-1', `${11 + at}`, 'B'));
    const all = [listed('p-0', '10', 'A'), ...packs, listed('p-2', '600', 'C')];
    const { own, packed, taken } = await setUp(all, { ...(A && B && C && { A, B, C }) });
    for (const at of packs.keys()) own.add(`${11 + at}`, null);
    const out: Listed[] = [];
    for (let at = 0; at <= packs.length; at++) await packed.next(out);
    // None of them waits for the record that came first.
    expect([out.length, taken.length]).toEqual([1, 501]);
    expect(packed.position([], false)).toBe('behind nothing');
    expect(packed.position(out.splice(0), false)).toBe('behind 510');
    while (await packed.next(out));
    expect(out).toHaveLength(1);
    expect(packed.position(out, true)).toBe('end');
  });

  test('is read where nothing else is on the page: that looks like no end', async () => {
    const { read } = await ownOf(listed('p-0', '10', 'none'));
    expect(await read()).toHaveLength(2);
  });

  test('is shown where all is compared, and where something was set aside', async () => {
    const resetting = await ownOf(listed('p-0', '10', 'A'));
    const transaction = resetting.store.begin();
    transaction.update({ resetting: true });
    await transaction.commit();
    expect(await resetting.read()).toHaveLength(3);
    const marked = await ownOf(listed('p-0', '10', 'A'));
    const other = marked.store.begin();
    other.quarantine('p-3', NO_ENTRY, 'badPack', 0);
    await other.commit();
    expect(await marked.read()).toHaveLength(3);
  });
});
