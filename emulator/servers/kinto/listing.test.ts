// Lists: their order, their pages, what is in them.

import { describe, expect, test } from 'vitest';
import { type Options, RECORDS, served } from './testing.ts';

describe('a list', () => {
  const filled = async (options: Options = {}) => {
    const made = served(options);
    await made.made();
    for (const id of ['a', 'b', 'c', 'd']) await made.put(id, { of: id });
    return made;
  };
  const idsOf = ({ json }: { json: { data: { id: string }[] } }) => json.data.map(({ id }) => id);

  test('comes newest first, unless it is asked for otherwise', async () => {
    const { ask } = await filled();
    expect(idsOf(await ask('GET', RECORDS))).toEqual(['d', 'c', 'b', 'a']);
    expect(idsOf(await ask('GET', `${RECORDS}?_sort=oldest`))).toEqual(['d', 'c', 'b', 'a']);
    expect(idsOf(await ask('GET', `${RECORDS}?_sort=last_modified`))).toEqual(['a', 'b', 'c', 'd']);
    expect(idsOf(await ask('GET', `${RECORDS}?_sort=-id`))).toEqual(['d', 'c', 'b', 'a']);
  });

  test('has tombstones for who asks since when, and counts live ones only', async () => {
    const { ask } = await filled();
    const { headers } = await ask('GET', RECORDS);
    await ask('DELETE', `${RECORDS}/b`);
    const since = `${RECORDS}?_since=${headers.get('etag')}`;
    expect((await ask('GET', since)).json.data).toMatchObject([{ id: 'b', deleted: true }]);
    expect((await ask('GET', RECORDS)).json.data).toHaveLength(3);
    const head = await ask('HEAD', `${RECORDS}?_since=1`);
    expect(head.headers.get('total-objects')).toBe('3');
    expect((await ask('GET', `${RECORDS}?_before=1`)).json.data).toEqual([]);
  });

  test('comes in pages, each with a token for the one behind it', async () => {
    const { ask } = await filled({ limits: { pageRecords: 3 } });
    const seen: string[] = [];
    let path: string | null = `${RECORDS}?_sort=last_modified&_limit=2`;
    while (path !== null) {
      const page = await ask('GET', path);
      seen.push(idsOf(page).join(''));
      path = page.headers.get('next-page')?.split('/v1')[1] ?? null;
    }
    expect(seen).toEqual(['ab', 'cd']);
    expect(idsOf(await ask('GET', RECORDS))).toHaveLength(3);
    expect(await ask('GET', `${RECORDS}?_token=x`)).toMatchObject({ status: 400 });
    expect(await ask('GET', `${RECORDS}?_limit=x`)).toMatchObject({ status: 400 });
  });

  test('goes on behind its last record, though that one is gone', async () => {
    const { ask } = await filled();
    const page = await ask('GET', `${RECORDS}?_sort=last_modified&_limit=2`);
    await ask('DELETE', `${RECORDS}/b`);
    const next = page.headers.get('next-page')?.split('/v1')[1] ?? '';
    expect(idsOf(await ask('GET', next))).toEqual(['c', 'd']);
  });

  test('is filtered by members', async () => {
    const { ask, put } = await filled();
    expect(idsOf(await ask('GET', `${RECORDS}?of=b`))).toEqual(['b']);
    await put('e', { of: 'Xa.z' });
    for (const text of ['xa', 'x*', 'X*.Z', '*', 'A.']) {
      const found = idsOf(await ask('GET', `${RECORDS}?like_of=${text}`));
      expect([text, found.includes('e')]).toEqual([text, true]);
    }
    expect(idsOf(await ask('GET', `${RECORDS}?like_of=a*`))).toEqual(['a']);
    await ask('DELETE', `${RECORDS}/e`);
    expect(idsOf(await ask('GET', `${RECORDS}?in_id=a,c`))).toEqual(['c', 'a']);
    expect(idsOf(await ask('GET', `${RECORDS}?exclude_id=a,c`))).toEqual(['d', 'b']);
    const { json } = await ask('GET', `${RECORDS}?of=b&_fields=x`);
    expect(Object.keys(json.data[0]).sort()).toEqual(['id', 'last_modified']);
  });

  test.each(['x', '-1', '99999999999999'])('since %s is refused', async (since) => {
    const { ask } = await filled();
    expect(await ask('GET', `${RECORDS}?_since=${since}`)).toMatchObject({ status: 400 });
  });

  test('is judged by the stamp of the collection', async () => {
    const { ask } = await filled();
    const tag = (await ask('GET', RECORDS)).headers.get('etag') ?? '';
    const given = (name: string) => ask('GET', RECORDS, undefined, { [name]: tag });
    expect(await given('If-None-Match')).toMatchObject({ status: 304 });
    expect(await given('If-Match')).toMatchObject({ status: 200 });
    const star = await ask('GET', RECORDS, undefined, { 'If-None-Match': '*' });
    expect(star).toMatchObject({ status: 412, json: { details: {} } });
  });

  test('is emptied by DELETE, tombstone by tombstone', async () => {
    const { ask } = await filled();
    expect((await ask('DELETE', RECORDS)).json.data).toHaveLength(4);
    expect((await ask('GET', `${RECORDS}?_since=1`)).json.data).toHaveLength(4);
    expect(await ask('POST', RECORDS, {})).toMatchObject({ status: 405 });
  });
});
