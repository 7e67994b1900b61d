// One record, under the conditions of its request.

import { describe, expect, test } from 'vitest';
import { NOW_MS, RECORDS, served } from './testing.ts';

describe('a record', () => {
  test('is made, replaced, changed and deleted, each time under a later stamp', async () => {
    const { ask, put, made } = served();
    await made();
    const stamps = [
      await put('r', { a: 1, b: 2 }),
      await put('r', { a: 2 }),
      await ask('PATCH', `${RECORDS}/r`, { data: { c: 3 } }),
      await ask('DELETE', `${RECORDS}/r`),
    ];
    expect(stamps.map(({ status }) => status)).toEqual([201, 200, 200, 200]);
    expect(stamps[2]?.json.data).toMatchObject({ a: 2, c: 3 });
    const times = stamps.map(({ json }) => json.data.last_modified);
    expect(times).toEqual([...times].sort());
    expect(new Set(times).size).toBe(4);
    expect(await ask('GET', `${RECORDS}/r`)).toMatchObject({ status: 404 });
    expect(await ask('DELETE', `${RECORDS}/r`)).toMatchObject({ status: 404 });
    expect(await ask('PATCH', `${RECORDS}/r`, {})).toMatchObject({ status: 404 });
  });

  test('that is changed is shown as briefly as it was asked', async () => {
    const { ask, put, made } = served();
    await made();
    await put('r', { a: 1, b: 2 });
    const change = { data: { a: 1, b: 3 } };
    const shown = async (behaviour: string) => {
      await put('r', { a: 1, b: 2 });
      const headers = { 'Response-Behavior': behaviour };
      const { json, headers: own } = await ask('PATCH', `${RECORDS}/r`, change, headers);
      expect(own.get('etag')).toMatch(/^"\d+"$/);
      return json;
    };
    expect(await shown('light')).toEqual({ data: { b: 3 } });
    expect(await shown('diff')).toEqual({ data: {} });
    expect((await shown('full')).data).toMatchObject(change.data);
    const [before, after] = [
      await ask('GET', `${RECORDS}/r`),
      await ask('PATCH', `${RECORDS}/r`, {}),
    ];
    // A change of nothing is one.
    expect(after.json.data.last_modified).toBeGreaterThan(before.json.data.last_modified);
  });

  test('is judged by its conditions, and a refusal shows it', async () => {
    const { ask, put, made } = served();
    await made();
    const { headers } = await put('r', { a: 1 }, { 'If-None-Match': '*' });
    const tag = headers.get('etag') ?? '';
    const refused = await put('r', {}, { 'If-None-Match': '*' });
    expect(refused).toMatchObject({ status: 412, json: { details: { existing: { a: 1 } } } });
    expect(refused.headers.get('etag')).toBe(tag);
    expect(await put('r', {}, { 'If-Match': '"1"' })).toMatchObject({ status: 412 });
    expect(await put('x', {}, { 'If-Match': '"1"' })).toMatchObject({
      status: 412,
      json: { details: {} },
    });
    expect(await put('r', {}, { 'If-Match': 'x' })).toMatchObject({ status: 400 });
    const same = await ask('GET', `${RECORDS}/r`, undefined, { 'If-None-Match': tag });
    expect(same).toMatchObject({ status: 304, json: null });
    expect(await put('r', { a: 2 }, { 'If-Match': tag })).toMatchObject({ status: 200 });
  });

  test.each([
    ['-x', { data: {} }],
    ['{x}', { data: {} }],
    ['r', { data: 1 }],
    ['r', { other: {} }],
  ])('%s with %j is refused', async (id, body) => {
    const { ask, made } = served();
    await made();
    const path = `${RECORDS}/${encodeURIComponent(id)}`;
    expect(await ask('PUT', path, body)).toMatchObject({ status: 400, json: { errno: 107 } });
  });

  test('that says itself that it is deleted is there all the same', async () => {
    const { ask, put, made } = served();
    await made();
    await put('r', { deleted: true });
    expect((await ask('GET', RECORDS)).json.data).toHaveLength(1);
  });

  test('may bring a stamp of its own, if it is later than the one it has', async () => {
    const { put, made } = served();
    await made();
    expect((await put('old', { last_modified: 5 })).json.data.last_modified).toBe(5);
    expect((await put('two', { last_modified: 5 })).json.data.last_modified).toBe(6);
    const { json } = await put('old', { last_modified: 4 });
    expect(json.data.last_modified).toBeGreaterThanOrEqual(NOW_MS);
  });
});
