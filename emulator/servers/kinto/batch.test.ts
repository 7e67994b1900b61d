// Requests that come together.

import { describe, expect, test } from 'vitest';
import { RECORDS, served } from './testing.ts';

describe('a batch', () => {
  const parts = (...requests: object[]) => ({ requests });

  test('answers each part by itself, and a refusal stops no other', async () => {
    const { ask, made } = served();
    await made();
    const { json } = await ask(
      'POST',
      '/batch',
      parts(
        { method: 'PUT', path: `${RECORDS}/-`, body: {} },
        { method: 'PUT', path: `/v1${RECORDS}/a`, body: { data: {} } },
        { path: `${RECORDS}/a` },
        { method: 'HEAD', path: RECORDS },
      ),
    );
    const statuses = json.responses.map(({ status }: { status: number }) => status);
    expect(statuses).toEqual([400, 201, 200, 200]);
    expect(json.responses[3]).toMatchObject({ body: '', headers: { 'Total-Objects': '1' } });
  });

  test.each([
    ['no list', {}],
    ['too many parts', parts(...Array.from({ length: 26 }, () => ({ path: '/' })))],
    ['a part without a path', parts({ method: 'GET' })],
  ])('with %s is refused', async (_, body) => {
    const { ask } = served();
    expect(await ask('POST', '/batch', body)).toMatchObject({ status: 400 });
  });

  test('cannot hold an answer of 304', async () => {
    const { ask, made } = served();
    await made();
    const tag = (await ask('GET', RECORDS)).headers.get('etag') ?? '';
    const body = parts({ path: RECORDS, headers: { 'If-None-Match': tag } });
    expect(await ask('POST', '/batch', body)).toMatchObject({ status: 500 });
  });

  test('is nobody’s word for who asks: its parts are judged', async () => {
    const { ask } = served();
    const { status, json } = await ask('POST', '/batch', parts({ path: '/buckets/b' }), {
      authorization: '',
    });
    expect([status, json.responses[0].status]).toEqual([200, 401]);
  });
});
