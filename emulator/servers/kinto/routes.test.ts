// Who may ask a Kinto for what.

import { describe, expect, test } from 'vitest';
import { RECORDS, served } from './testing.ts';

describe('who asks', () => {
  test('has a hello without a name, and nothing else', async () => {
    const { ask } = served();
    const nobody = { authorization: '' };
    expect((await ask('GET', '/', undefined, nobody)).json).not.toHaveProperty('user');
    expect((await ask('GET', '/')).json.user.id).toBe('account:bob');
    expect(await ask('GET', '/buckets/b', undefined, nobody)).toMatchObject({ status: 401 });
    expect((await ask('GET', '/', undefined, { authorization: 'x' })).json.user).toBeUndefined();
  });

  test('finds the buckets of others forbidden, and those that are not there, too', async () => {
    const { ask, made, put } = served();
    await made();
    const alice = { authorization: 'User alice' };
    for (const path of ['/buckets/b', RECORDS, '/buckets/x/collections/c/records']) {
      expect(await ask('GET', path, undefined, alice)).toMatchObject({ status: 403 });
    }
    expect(await ask('PUT', '/buckets/b', {}, alice)).toMatchObject({ status: 403 });
    expect(await ask('GET', '/buckets/b/collections/x/records')).toMatchObject({ status: 404 });
    expect(await put('r')).toMatchObject({ status: 201 });
    expect((await ask('GET', '/buckets')).json.data).toMatchObject([{ id: 'b' }]);
    expect((await ask('GET', '/buckets', undefined, alice)).json.data).toEqual([]);
  });

  test.each(['/x', '/buckets/b/groups/c', `${RECORDS}/a/b`, '/buckets/b/collections/c/x'])(
    'finds nothing at %s',
    async (path) => {
      const { ask, made } = served();
      await made();
      expect(await ask('GET', path)).toMatchObject({ status: 404, json: { errno: 110 } });
    },
  );
});
