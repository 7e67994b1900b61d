import { describe, expect, test } from 'vitest';
import { startWorld, TEST_NOW_MS } from './testing.ts';

const items = (...ids: string[]) => ids.map((id) => ({ id, payload: `of ${id}` }));

describe('a batch', () => {
  test('is not seen before it is committed, and then all at once under one stamp', async () => {
    const world = startWorld();
    const storage = await world.signIn();
    await storage('POST', 'storage/col', { body: items('old') });
    const first = await storage('POST', 'storage/col?batch=true', { body: items('a', 'b') });
    expect(first.status).toBe(202);
    expect(first.json).toEqual({ batch: expect.any(String), success: ['a', 'b'], failed: {} });
    expect(first.headers.get('x-last-modified')).toBe('1795323280.00');
    const path = `storage/col?batch=${encodeURIComponent(first.json.batch)}`;
    const more = await storage('POST', path, { body: items('c') });
    expect([more.status, more.json.batch]).toEqual([202, first.json.batch]);
    expect((await storage('GET', 'storage/col')).json).toEqual(['old']);
    world.clock.nowMs += 5_000;
    const last = await storage('POST', `${path}&commit=true`, { body: items('d') });
    expect(last.json).toEqual({ modified: 1795323285, success: ['d'], failed: {} });
    const list = await storage('GET', 'storage/col?full=1&newer=1795323280');
    expect(list.json.map(({ modified }: { modified: number }) => modified)).toEqual(
      Array(4).fill(1795323285),
    );
  });

  test('can be committed with nothing more, but only with a list', async () => {
    const storage = await startWorld().signIn();
    const { batch } = (await storage('POST', 'storage/col?batch=true', { body: items('a') })).json;
    const commit = `storage/col?batch=${batch}&commit=true`;
    expect((await storage('POST', commit, { body: {} })).status).toBe(400);
    expect((await storage('POST', commit, { body: '' })).status).toBe(400);
    expect((await storage('POST', commit, { body: [] })).status).toBe(200);
    expect((await storage('GET', 'storage/col')).json).toEqual(['a']);
  });

  test('that begins and commits in one request is a plain write', async () => {
    const storage = await startWorld().signIn();
    const path = 'storage/col?batch=true&commit=true';
    const answer = await storage('POST', path, { body: items('a') });
    expect([answer.status, answer.json]).toEqual([
      200,
      { modified: 1795323280, success: ['a'], failed: {} },
    ]);
  });

  test('is known to its own collection only, once, for two hours', async () => {
    const world = startWorld({ token: { durationSeconds: 99_999 } });
    const storage = await world.signIn();
    const begin = async () =>
      (await storage('POST', 'storage/col?batch=true', { body: items('a') })).json.batch;
    const post = async (path: string) => (await storage('POST', path, { body: [] })).status;
    expect(await post('storage/col?commit=true')).toBe(400);
    expect(await post('storage/col?batch=unknown')).toBe(400);
    const batch = await begin();
    expect(await post(`storage/other?batch=${batch}&commit=true`)).toBe(400);
    expect(await post(`storage/col?batch=${batch}&commit=false`)).toBe(400);
    expect(await post(`storage/col?batch=${batch}&commit=true`)).toBe(200);
    expect(await post(`storage/col?batch=${batch}&commit=true`)).toBe(400);
    const late = await begin();
    world.clock.nowMs += 2 * 3600 * 1000 + 1;
    expect(await post(`storage/col?batch=${late}&commit=true`)).toBe(400);
  });

  test('counts a time to live from the commit', async () => {
    const world = startWorld();
    const storage = await world.signIn();
    const body = [{ id: 'a', payload: 'p', ttl: 10 }];
    const { batch } = (await storage('POST', 'storage/col?batch=true', { body })).json;
    world.clock.nowMs += 60_000;
    await storage('POST', `storage/col?batch=${batch}&commit=true`, { body: [] });
    expect((await storage('GET', 'storage/col')).json).toEqual(['a']);
  });

  test('is refused when somebody else wrote since, and can then be thrown away', async () => {
    const storage = await startWorld().signIn();
    await storage('POST', 'storage/col', { body: items('x') });
    const headers = { 'X-If-Unmodified-Since': (TEST_NOW_MS / 1000).toFixed(2) };
    const begin = await storage('POST', 'storage/col?batch=true', { body: items('a'), headers });
    await storage('POST', 'storage/col', { body: items('y') });
    const path = `storage/col?batch=${begin.json.batch}&commit=true`;
    expect((await storage('POST', path, { body: [], headers })).status).toBe(412);
    expect((await storage('GET', 'storage/col')).json).toEqual(['y', 'x']);
  });
});

describe('limits of a POST', () => {
  const small = {
    sync15: {
      limits: {
        max_post_records: 3,
        max_post_bytes: 20,
        max_record_payload_bytes: 15,
        max_total_records: 4,
        max_total_bytes: 30,
      },
    },
  };

  test('records over the count or the bytes are named, the others are written', async () => {
    const storage = await startWorld(small).signIn();
    const body = [
      { id: 'big', payload: 'x'.repeat(16) },
      { id: 'a', payload: 'x'.repeat(15) },
      { id: 'b', payload: 'é'.repeat(3) },
      { id: 'c', payload: 'x'.repeat(5) },
      { id: 'd', payload: '' },
      { id: 'e', payload: '' },
      { id: '__proto__', payload: 1 },
    ];
    const { json, status } = await storage('POST', 'storage/col', {
      body: JSON.stringify(body).replace('"__proto__"', '"\\u005f_proto__"'),
    });
    expect(status).toBe(200);
    expect(json.success).toEqual(['a', 'c', 'd']);
    expect(Object.entries(json.failed)).toEqual([
      ['big', 'retry bytes'],
      ['b', 'retry bytes'],
      ['e', 'retry bso'],
      ['__proto__', 'invalid payload'],
    ]);
    expect((await storage('GET', 'storage/col')).json).toHaveLength(3);
  });

  test.each([
    ['X-Weave-Records', '4', '17'],
    ['X-Weave-Bytes', '21', '17'],
    ['X-Weave-Total-Records', '5', '17'],
    ['X-Weave-Total-Bytes', '31', '17'],
    ['X-Weave-Records', 'many', '0'],
  ])('%s: %s is refused before the body is looked at', async (name, value, code) => {
    const storage = await startWorld(small).signIn();
    const headers = { [name]: value };
    const { status, text } = await storage('POST', 'storage/col?batch=true', {
      headers,
      body: '{',
    });
    expect([status, text]).toEqual([400, code]);
  });

  test('a batch that grows over its totals is refused, announced or not', async () => {
    const storage = await startWorld(small).signIn();
    const begin = await storage('POST', 'storage/col?batch=true', { body: items('a', 'b', 'c') });
    const path = `storage/col?batch=${begin.json.batch}&commit=true`;
    const over = await storage('POST', path, { body: items('d', 'e') });
    expect([over.status, over.text]).toEqual([400, '17']);
    expect((await storage('POST', path, { body: items('d') })).status).toBe(200);
  });

  test.each([
    ['the same id twice', [{ id: 'a' }, { id: 'a' }]],
    ['no id', [{ payload: 'p' }]],
    ['no object', [7]],
    ['no list', { id: 'a' }],
  ])('%s is 400 with an 8', async (_what, body) => {
    const storage = await startWorld().signIn();
    const { status, text } = await storage('POST', 'storage/col', { body });
    expect([status, text]).toEqual([400, '8']);
  });

  test.each(['', 'x'.repeat(65), 'é', '\n'])(
    '%j is no id, and the others are stored',
    async (id) => {
      const storage = await startWorld().signIn();
      for (const name of ['col', 'crypto']) {
        const body = [
          { id: 'a', payload: 'p' },
          { id, payload: 'p' },
        ];
        const { status, json } = await storage('POST', `storage/${name}`, { body });
        expect([status, json.success, json.failed]).toEqual([200, ['a'], { [id]: 'invalid id' }]);
      }
    },
  );

  test('more than 100 records want more than one POST', async () => {
    const storage = await startWorld().signIn();
    const body = Array.from({ length: 120 }, (_, index) => ({ id: `i${index}` }));
    const { json } = await storage('POST', 'storage/col', { body });
    expect([json.success.length, Object.keys(json.failed).length]).toEqual([100, 20]);
  });
});
