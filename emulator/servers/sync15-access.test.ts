import { describe, expect, test } from 'vitest';
import { memoryBsos } from './memory-bsos.ts';
import { issueStorageToken } from './storage-token.ts';
import { createSync15 } from './sync15.ts';
import {
  askToken,
  countingRandom,
  emptyAccount,
  type Pass,
  startWorld,
  storageClient,
  TEST_NOW_MS,
} from './testing.ts';

describe('access', () => {
  test('no signature, or one by another key, is refused', async () => {
    const world = startWorld();
    const pass = (await (await askToken(world, world.device)).json()) as Pass;
    const forger = storageClient(world, { ...pass, key: 'another' }, () => TEST_NOW_MS);
    const refused = await forger('GET', 'info/collections');
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Hawk']);
    const unsigned = await world.fetch(new Request(`${pass.api_endpoint}/info/collections`));
    expect(unsigned.status).toBe(401);
  });

  test('a clock that is months off does not matter, one that is years off does', async () => {
    const storage = await startWorld().signIn();
    const monthsMs = 200 * 24 * 3600 * 1000;
    expect((await storage('GET', 'info/quota', { atMs: TEST_NOW_MS - monthsMs })).status).toBe(200);
    expect((await storage('GET', 'info/quota', { atMs: 1_000_000 })).status).toBe(401);
  });

  test('a payload hash is checked where there is one', async () => {
    const storage = await startWorld().signIn();
    const body = '{"payload":"é"}';
    const put = (hashOf: string, type: string) =>
      storage('PUT', 'storage/col/a', { body, hashOf, headers: { 'Content-Type': type } });
    expect((await put(body, 'application/json')).status).toBe(200);
    expect((await put(body, 'Text/Plain; charset=utf-8')).status).toBe(200);
    expect((await put('{"payload":"e"}', 'application/json')).status).toBe(401);
  });

  test('a request that is caught and sent again changes nothing', async () => {
    const caught: Request[] = [];
    const world = startWorld({
      intercept: (server, request) => {
        if (server === 'sync15') caught.push(request.clone());
        return null;
      },
    });
    const storage = await world.signIn();
    const put = (payload: string) => storage('PUT', 'storage/col/a', { body: { payload } });
    await put('first');
    await storage('DELETE', 'storage/col/a');
    await put('second');
    const changes = caught.splice(0);
    expect((await storage('DELETE', 'storage/col/b')).status).toBe(404);
    const failed = caught.splice(0);
    for (const request of changes) expect((await world.fetch(request)).status).toBe(401);
    for (const request of failed) expect((await world.fetch(request)).status).toBe(404);
    expect((await storage('GET', 'storage/col/a')).json.payload).toBe('second');
  });

  test('after a move to another node every old pass is refused', async () => {
    const world = startWorld();
    const storage = await world.signIn();
    world.reassignNode();
    expect((await storage('GET', 'info/collections')).status).toBe(401);
    const again = await world.signIn();
    expect((await again('GET', 'info/collections')).status).toBe(200);
  });

  test('a pass opens the place of its own user only', async () => {
    const world = startWorld();
    const pass = (await (await askToken(world, world.device)).json()) as Pass;
    world.store.addUser('another', 2);
    const elsewhere = { ...pass, api_endpoint: pass.api_endpoint.replace(/1$/, '2') };
    const storage = storageClient(world, elsewhere, () => TEST_NOW_MS);
    expect((await storage('GET', 'info/collections')).status).toBe(401);
  });

  test('a pass for another node is refused, whoever signed it', async () => {
    const { store } = emptyAccount();
    const secret = { secret: countingRandom()(32) };
    const baseUrl = 'https://sync15.test';
    const nowMs = () => TEST_NOW_MS;
    const random = countingRandom();
    const fetch = createSync15({ baseUrl, storage: memoryBsos(store), secret, nowMs, random });
    const status = async (node: string) => {
      const claims = { node, uid: 1, expiresMs: TEST_NOW_MS + 1, salt: '00' };
      const pass = { ...issueStorageToken(secret, claims), api_endpoint: `${baseUrl}/1.5/1` };
      return (await storageClient({ fetch }, pass, nowMs)('GET', 'info/quota')).status;
    };
    expect(await status(baseUrl)).toBe(200);
    expect(await status('https://other.test')).toBe(401);
  });
});
