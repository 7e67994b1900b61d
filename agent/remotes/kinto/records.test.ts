// Records as a Kinto lists them, and where a page says that the next one is.

import { describe, expect, test } from 'vitest';
import type { Header } from '../../../platform/ports.ts';
import type { Answer } from '../../wire/http.ts';
import type { Listed } from '../remote.ts';
import { placeOf, START } from './position.ts';
import { fetchedOf, foundOf, listQuery, recordsPage, SEALED } from './records.ts';

const answer = (json: unknown, headers: readonly Header[] = [], status = 200): Answer => {
  const pieces = [typeof json === 'string' ? json : JSON.stringify(json)];
  return {
    ...{ status, headers, serverNowMs: 50 },
    read: async () => pieces.shift() ?? null,
    cancel: () => undefined,
    pause: async () => undefined,
  };
};
const record = (id: string, last_modified: number) => ({ id, last_modified, payload: 'p' });

async function listed(json: unknown, headers: readonly Header[] = [['etag', '"100000"']]) {
  const page = recordsPage(answer(json, headers), 1_000, START, {
    polled: { tagMs: 100_000, total: 4, young: 0, written: { all: 0, created: 0 } },
    askedMs: 50,
    form: SEALED,
  });
  const out: Listed[] = [];
  for (let more = true; more; ) more = await page.next(out);
  return { page, out, place: () => placeOf(page.position(out, true)) };
}

describe('a page', () => {
  test('has records, tombstones of the wire, and what cannot be used', async () => {
    const { out } = await listed({
      data: [
        record('a', 1),
        { id: 'b', last_modified: 2, deleted: true },
        { id: 'c', last_modified: 3 },
        { id: 'd', last_modified: 4, deleted: true, payload: 'p' },
      ],
    });
    const seen = out.map((one) => (one.ok ? one.envelope.payload : one.code));
    expect(seen).toEqual(['p', null, 'badEnvelope', 'p']);
  });

  test('counts the epoch among the young, and hands it to nobody', async () => {
    const epochs = [record('epoch-00', 99_400), record('epoch', 99_500)];
    const { out, place } = await listed({ data: [record('a', 99_000), ...epochs] });
    expect(out.map((one) => one.ok && one.envelope.id)).toEqual(['a']);
    expect(place()).toMatchObject({ young: 3, tagMs: 100_000, total: 4, isWhole: true });
    const old = await listed({ data: [record('epoch', 5)] });
    expect(old.place()).toMatchObject({ young: 0 });
  });

  test('is followed by its token, whatever host the URL of the next page has', async () => {
    const next = 'https://elsewhere.test/v1/x?_limit=1&_token=a%3D%3D&_since=1';
    const { page, place } = await listed({ data: [] }, [['next-page', next]]);
    expect(page.hasNext()).toBe(true);
    expect(place()).toMatchObject({ token: 'a==', isWhole: false });
  });

  test.each(['https://x.test/', 'https://x.test/?_token=', 'https://x.test/?_token=%zz'])(
    'whose next one has no token that can be used, %s, is no answer',
    async (next) => {
      const { page } = await listed({ data: [] }, [['next-page', next]]);
      expect(() => page.hasNext()).toThrow(expect.objectContaining({ code: 'badResponse' }));
    },
  );
});

test('a page is asked for oldest first, behind its place', () => {
  expect(listQuery(START, 0)).toMatch(/^\?_sort=last_modified&_limit=\d+$/);
  const place = { ...START, floorMs: 5, token: 'a=' };
  expect(listQuery(place, 0)).toMatch(/&_since=5&_token=a%3D$/);
});

describe('a record that is asked for', () => {
  test('is found, or missing', async () => {
    const found = await fetchedOf(answer({ data: record('a', 7) }), 'a', 1_000);
    expect(found).toMatchObject({ kind: 'found', serverNowMs: 50, envelope: { version: '7' } });
    expect(await fetchedOf(answer({}, [], 404), 'a', 1_000)).toEqual({ kind: 'missing' });
  });

  test.each([
    ['another one', answer({ data: record('b', 7) }), 'badResponse'],
    ['too long', answer({ data: record('a', 7), x: 'x'.repeat(2_000) }), 'badResponse'],
    ['none', answer('[]'), 'badResponse'],
    ['refused', answer({}, [], 503), 'unavailable'],
  ])('is not %s', async (_, given, code) => {
    await expect(fetchedOf(given, 'a', 1_000)).rejects.toMatchObject({ code });
  });

  test('that came with a refusal is that one, or nothing', () => {
    expect(foundOf(record('a', 7), 'a', 0, null)).toMatchObject({ kind: 'found' });
    expect(foundOf(record('b', 7), 'a', 0, null)).toBeNull();
    expect(foundOf('x', 'a', 0, null)).toBeNull();
  });
});
