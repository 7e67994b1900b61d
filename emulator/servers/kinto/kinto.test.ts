// A Kinto that is down, over, full, or for reading only.

import { describe, expect, test } from 'vitest';
import { RECORDS, served } from './testing.ts';

describe('a server in trouble', () => {
  test.each([
    [503, 201],
    [410, 202],
  ] as const)('answers %i to everything', async (refuse, errno) => {
    const { ask } = served({ health: () => ({ refuse, backoffSeconds: 9, alert: 'soon' }) });
    const { status, json, headers } = await ask('GET', '/');
    expect([status, json.errno]).toEqual([refuse, errno]);
    expect([headers.get('backoff'), headers.get('alert')]).toEqual(['9', 'soon']);
  });

  test('that is full stores nothing more, and deletes', async () => {
    const health: { refuse?: 507 } = {};
    const { ask, put, made } = served({ health: () => health });
    await made();
    await put('a');
    health.refuse = 507;
    expect(await put('b')).toMatchObject({ status: 507 });
    const body = { requests: [{ method: 'PUT', path: `${RECORDS}/b`, body: { data: {} } }] };
    expect(await ask('POST', '/batch', body)).toMatchObject({ status: 507 });
    expect(await ask('DELETE', `${RECORDS}/a`)).toMatchObject({ status: 200 });
  });

  test('that is for reading takes no change, and no batch', async () => {
    const rule = { is: false };
    const { ask, put, made } = served({ isReadOnly: () => rule.is });
    await made();
    rule.is = true;
    expect(await put('a')).toMatchObject({ status: 405 });
    expect(await ask('POST', '/batch', { requests: [] })).toMatchObject({ status: 405 });
    expect((await ask('GET', '/')).json.settings.readonly).toBe(true);
    expect(await ask('GET', RECORDS)).toMatchObject({ status: 200 });
  });
});
