import { describe, expect, test } from 'vitest';
import { startWorld } from '../testing.ts';
import type { WorldOptions } from '../world.ts';
import { AUDIENCE, ask, BUCKET, RECORDS, worldWith } from './testing.ts';

describe('who the client is', () => {
  const other = '0'.repeat(32);

  test.each<[string, string, Record<string, string>]>([
    ['no scheme it knows', RECORDS, { Authorization: 'Basic dTpw' }],
    ['no assertion', RECORDS, { Authorization: 'BrowserID' }],
    ['the old bucket without the header', RECORDS.replace(BUCKET, 'syncto'), {}],
    ['a bucket that is too short', RECORDS.replace(BUCKET, 'abc'), {}],
  ])('%s is 401 with errno 104', async (_what, path, headers) => {
    const answer = await ask(startWorld(), path, { headers });
    expect([answer.status, answer.json.errno]).toEqual([401, 104]);
    expect(answer.headers.get('www-authenticate')).toBe('Basic realm="Realm"');
  });

  test('an assertion that the token server refuses is 401 with errno 105', async () => {
    const world = startWorld();
    const assertion = await world.device.assertion('https://syncto.test/', false);
    const headers = { Authorization: `BrowserID ${assertion}` };
    const { status, json } = await ask(world, RECORDS, { headers });
    expect([status, json.errno]).toEqual([401, 105]);
  });

  test('the scheme may be written in any case', async () => {
    const world = worldWith(1);
    const headers = { Authorization: `browserid ${await world.device.assertion(AUDIENCE, false)}` };
    expect((await ask(world, RECORDS, { headers })).status).toBe(200);
  });

  test('the old bucket takes the state from the header, and says that this will end', async () => {
    const world = worldWith(1);
    const headers = { 'X-Client-State': BUCKET };
    const old = await ask(world, RECORDS.replace(BUCKET, 'syncto'), { headers });
    expect(old.json.data).toHaveLength(1);
    expect(JSON.parse(old.headers.get('alert') ?? '')).toMatchObject({ code: 'soft-eol' });
    expect((await ask(world, RECORDS)).headers.get('alert')).toBeNull();
  });

  test('next to a whole bucket id the header is not looked at', async () => {
    const answer = await ask(worldWith(1), RECORDS, { headers: { 'X-Client-State': other } });
    expect([answer.status, answer.headers.has('alert')]).toEqual([200, true]);
  });

  test('another bucket with the same assertion is asked for anew', async () => {
    const world = worldWith(1);
    expect((await ask(world, RECORDS)).status).toBe(200);
    const { status, json } = await ask(world, RECORDS.replace(BUCKET, other));
    expect([status, json.errno]).toEqual([401, 105]);
  });

  test.each([
    ['with a number for a part', 'a.NQ.x'],
    ['that expires at a word', `a.${Buffer.from('{"exp":"soon"}').toString('base64url')}.x`],
  ])('an assertion %s is none', async (_what, assertion) => {
    const headers = { Authorization: `BrowserID ${assertion}` };
    const { status, json } = await ask(startWorld(), RECORDS, { headers });
    expect([status, json.errno]).toEqual([401, 104]);
  });

  test.each(['%0A', '%00', '%C4%80'])(
    'a bucket that no header can name (%s) is wrong',
    async (odd) => {
      const path = RECORDS.replace(BUCKET, odd + BUCKET.slice(1));
      const { status, json } = await ask(startWorld(), path);
      expect([status, json.errno]).toEqual([401, 104]);
    },
  );

  test('an access token is taken, too, with the key id sent or made of the bucket', async () => {
    const world = worldWith(1);
    const { token } = await world.device.accessToken(false);
    const headers = { Authorization: `Bearer ${token}` };
    expect((await ask(world, RECORDS, { headers })).json.data).toHaveLength(1);
    const fresh = (await world.device.accessToken(true)).token;
    const bucket = Buffer.from(BUCKET, 'hex').toString('base64url');
    const keyId = `${await world.device.keysChangedAtMs()}-${bucket}`;
    const sent = { Authorization: `Bearer ${fresh}`, 'X-KeyID': keyId };
    expect((await ask(world, RECORDS, { headers: sent })).status).toBe(200);
    const odd = {
      Authorization: `Bearer ${(await world.device.accessToken(true)).token}`,
      'X-KeyID': 'x',
    };
    expect((await ask(world, RECORDS, { headers: odd })).status).toBe(401);
  });
});

describe('kept credentials', () => {
  const counting = (options: Partial<WorldOptions> = {}) => {
    const asked: string[] = [];
    const world = worldWith(1, {
      ...options,
      intercept: (server, request) => {
        if (server === 'token') asked.push(new URL(request.url).search);
        return null;
      },
    });
    return { world, asked };
  };

  test('serve one assertion for 300 seconds', async () => {
    const { world, asked } = counting();
    await ask(world, RECORDS);
    world.clock.nowMs += 299_999;
    await ask(world, RECORDS);
    expect(asked).toEqual(['?duration=300']);
    world.clock.nowMs += 1;
    await ask(world, RECORDS);
    expect(asked).toHaveLength(2);
  });

  test('never outlive the assertion', async () => {
    const { world, asked } = counting();
    const assertion = await world.device.assertion(AUDIENCE, false);
    const headers = { Authorization: `BrowserID ${assertion}` };
    world.clock.nowMs += 14 * 60_000;
    expect((await ask(world, RECORDS, { headers })).status).toBe(200);
    expect(asked).toEqual(['?duration=60']);
    world.clock.nowMs += 60_000;
    expect((await ask(world, RECORDS, { headers })).status).toBe(401);
  });

  test('answer 401 after a move to another node, until there is a new assertion', async () => {
    const { world, asked } = counting();
    await ask(world, RECORDS);
    world.reassignNode();
    for (let time = 0; time < 3; time++) {
      const { status, json } = await ask(world, RECORDS);
      expect([status, json.errno]).toEqual([401, 105]);
    }
    expect(asked).toHaveLength(1);
    await world.device.assertion(AUDIENCE, true);
    expect((await ask(world, RECORDS)).status).toBe(200);
  });
});
