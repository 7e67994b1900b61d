import { describe, expect, test } from 'vitest';
import { startWorld } from './testing.ts';

describe('the accounts server', () => {
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const { fetch, urls } = startWorld();
    const init = { method: 'POST', body: JSON.stringify(body), headers };
    const response = await fetch(new Request(`${urls.accounts}${path}`, init));
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  };

  test.each([
    ['/v1/account/login', { email: 'nobody@example.test', authPW: '' }, 400, 102],
    ['/v1/account/login', { email: 'user@example.test', authPW: '00' }, 400, 103],
    ['/v1/account/login', { email: 'user@example.test' }, 400, 108],
    ['/v1/account/login', [], 400, 106],
    ['/v1/certificate/sign', {}, 401, 110],
    ['/v1/oauth/token', { grant_type: 'fxa-credentials' }, 401, 110],
    ['/v1/oauth/token', { grant_type: 'password' }, 400, 109],
    ['/v1/nothing', {}, 404, 999],
  ])('POST %s %j is %i with errno %i', async (path, body, status, errno) => {
    const answer = await post(path, body);
    expect([answer.status, answer.json.errno]).toEqual([status, errno]);
  });

  test('tells clients where everything is and what it signs with', async () => {
    const { fetch, urls } = startWorld();
    const get = async (path: string) =>
      (await fetch(new Request(urls.accounts + path))).json() as Promise<Record<string, unknown>>;
    expect(await get('/.well-known/fxa-client-configuration')).toEqual({
      auth_server_base_url: 'https://accounts.test',
      oauth_server_base_url: 'https://accounts.test',
      sync_tokenserver_base_url: 'https://token.test',
    });
    const { jwks_uri } = await get('/.well-known/openid-configuration');
    expect(jwks_uri).toBe('https://accounts.test/v1/jwks');
    const { keys } = await get('/v1/jwks');
    expect(keys).toEqual([expect.objectContaining({ kty: 'RSA', kid: expect.any(String) })]);
    expect(JSON.stringify(keys)).not.toContain('"d"');
    expect(await get('/.well-known/browserid')).toHaveProperty('public-key.algorithm', 'RS');
  });

  test('answers a key fetch token once', async () => {
    const requests: Request[] = [];
    const world = startWorld({
      intercept: (_server, request) => {
        requests.push(request.clone());
        return null;
      },
    });
    await world.device.syncKey();
    const keyFetch = requests.find(({ url }) => url.endsWith('/v1/account/keys')) as Request;
    expect((await world.fetch(keyFetch)).status).toBe(401);
  });
});
