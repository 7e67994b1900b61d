import { describe, expect, it, test } from 'vitest';
import { MemoryStorage } from '../../memory/storage.ts';
import type { Change } from '../../ports.ts';
import { letterOf, placeOf, readMarks, readServerWaitMs } from './stored.ts';

async function storageWith(changes: readonly Change[]): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  for (let at = 0; at < changes.length; at += 1000) {
    await storage.commit(changes.slice(at, at + 1000));
  }
  return storage;
}

const H = letterOf('history');
const mark = (id: string, value: string | null, place = ''): Change => [
  `${place}z.${H}.q.${id}`,
  value,
];
const GENERATION = 35;
const STATE: Change = ['s', `d{"generation":${GENERATION}}`];

describe('the marks of a collection', () => {
  it('are those of the generation that the folder is at, by id', async () => {
    const storage = await storageWith([
      STATE,
      mark('b', 'd{"code":"badMac","modifiedMs":7}'),
      mark('a', 'd{"code":"tooLarge","modifiedMs":9}'),
      [`y.${H}.q.old`, 'd{"code":"badMac","modifiedMs":7}'],
      [`z.${letterOf('passwords')}.q.other`, 'd{}'],
      [`z.${H}.r.record`, 'd{}'],
    ]);
    const collection = 'history';
    expect(await readMarks(storage, collection, null)).toEqual({
      marks: [
        { collection, id: 'a', code: 'tooLarge', modifiedMs: 9 },
        { collection, id: 'b', code: 'badMac', modifiedMs: 7 },
      ],
      next: null,
    });
    expect((await readMarks(storage, 'passwords', null)).marks.map(({ id }) => id)).toEqual([
      'other',
    ]);
  });

  it('have ids as the server has them', async () => {
    const storage = await storageWith([STATE, mark('a%20b%21c%25d', 'd{}')]);
    expect((await readMarks(storage, 'history', null)).marks[0]?.id).toBe('a b!c%d');
  });

  test.each([[null], ['d{'], ['d7'], ['d{"code":7,"modifiedMs":"x"}'], ['']])(
    'are damaged where they say %j',
    async (value) => {
      const storage = await storageWith([STATE, mark('a', value ?? 'dnull')]);
      expect((await readMarks(storage, 'history', null)).marks).toEqual([
        { collection: 'history', id: 'a', code: 'damaged', modifiedMs: 0 },
      ]);
    },
  );

  it.each([500, 501, 1000, 1001])('come in pages of 500, each once: %i', async (count) => {
    const ids = Array.from({ length: count }, (_, at) => `i${1000 + at}`);
    const storage = await storageWith([STATE, ...ids.map((id) => mark(id, 'd{}'))]);
    const seen: string[] = [];
    const sizes: number[] = [];
    let after: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof readMarks>> = await readMarks(
        storage,
        'history',
        after,
      );
      seen.push(...page.marks.map(({ id }) => id));
      sizes.push(page.marks.length);
      after = page.next;
    } while (after !== null);
    expect(seen).toEqual(ids);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
    // Who has all is not asked again.
    if (count <= 501) expect(sizes).toHaveLength(count - 499);
  });

  it('are none where nothing was synced, and where the state cannot be read', async () => {
    for (const state of [null, 'd{"generation":"z"}', 'd{', 'nothing']) {
      const storage = await storageWith([mark('a', 'd{}'), ['s', state]]);
      expect(await readMarks(storage, 'history', null)).toEqual({ marks: [], next: null });
    }
  });

  it('are those of a further service where one is named', async () => {
    const place = placeOf('work');
    const storage = await storageWith([
      STATE,
      mark('a', 'd{}'),
      [`${place}s`, `d{"generation":${GENERATION}}`],
      mark('b', 'd{}', place),
    ]);
    const idsOf = async (at: string) =>
      (await readMarks(storage, 'history', null, at)).marks.map(({ id }) => id);
    expect([await idsOf(''), await idsOf(place)]).toEqual([['a'], ['b']]);
    expect([placeOf(null), placeOf('first'), place]).toEqual(['', '', ':work:']);
  });
});

describe('the wait that a server wants', () => {
  const waitMs = async (backoff: unknown, nowMs: number, place = '') =>
    readServerWaitMs(
      await storageWith([[`${place}s`, `d${JSON.stringify({ backoff })}`]]),
      nowMs,
      place,
    );
  const server = { setAtMs: 1_000, untilMs: 5_000 };

  it('is what is left of it', async () => {
    expect(await waitMs({ server }, 2_000)).toBe(3_000);
    expect(await waitMs({ server }, 2_000, ':work:')).toBe(3_000);
    expect(await waitMs({ server }, 5_000)).toBe(0);
    expect(await waitMs({ server }, 9_000)).toBe(0);
  });

  it('begins now where the clock was put back', async () => {
    expect(await waitMs({ server }, 999)).toBe(4_000);
    expect(await waitMs({ server }, 1_000)).toBe(4_000);
  });

  test.each([
    [undefined],
    [null],
    [{}],
    [{ server: null }],
    [{ server: { untilMs: 5_000 } }],
    [{ server: { setAtMs: 1 } }],
  ])('is none where the state says %j', async (backoff) => {
    expect(await waitMs(backoff, 2_000)).toBe(0);
  });
});

test('a collection that an app has made has a letter too, as the agent gives it', () => {
  expect(letterOf('clients')).not.toBe(H);
  expect(letterOf('recipes')).toContain('recipes');
});
