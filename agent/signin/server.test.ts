// What an accounts server, or what stands in its place, may answer, and what becomes of it.

import { describe, expect, it } from 'vitest';
import { answering, failure, startSignIn } from '../../test/support/signin.ts';
import { discoverAccounts } from './server.ts';
import { refreshAccessToken, revokeToken } from './tokens.ts';

const REFRESH_TOKEN = 'c0ffee'.repeat(10);

const refresh = ({ device, client }: ReturnType<typeof startSignIn>) =>
  refreshAccessToken(device, client, REFRESH_TOKEN);

describe('a refresh', () => {
  const problem = (errno: number, message: string) => ({ code: 400, errno, error: 'x', message });

  it.each<[number, unknown, string, string]>([
    [400, problem(108, 'Invalid token'), 'signedOut', '(Invalid token)'],
    [401, problem(110, 'Invalid authentication token'), 'signedOut', 'status 401'],
    [403, { error: 'invalid_grant' }, 'signedOut', '(invalid_grant)'],
    [400, problem(104, 'Unverified account'), 'unverified', '(Unverified account)'],
    [400, problem(138, 'Unverified session'), 'unverified', '(Unverified session)'],
    [403, '<html>Please log in to the hotel</html>', 'badResponse', 'status 403'],
    [302, '', 'badResponse', 'status 302'],
    [204, '', 'badResponse', 'status 204'],
    [404, problem(999, 'Not found'), 'badResponse', '(Not found)'],
    [500, '<html>'.repeat(20_000), 'unavailable', 'status 500'],
    [503, problem(201, 'Service unavailable'), 'unavailable', '(Service unavailable)'],
    [429, problem(114, 'Client has sent too many requests'), 'backoff', 'too many requests'],
  ])('turns status %i with %j into %s', async (status, body, code, words) => {
    const error = await failure(refresh(answering(body, status)));
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
    expect(error.printed).not.toContain(REFRESH_TOKEN);
  });

  it('passes on how long the server wants to be left alone', async () => {
    for (const status of [429, 503]) {
      const { printed } = await failure(refresh(answering({}, status, { 'Retry-After': '90' })));
      expect(printed).toContain('"retryAfterMs":90000');
    }
  });

  it('shows words of the server that are short, printable and no secret', async () => {
    const message = `no ${REFRESH_TOKEN}\u0000\n\u202e${'so sorry '.repeat(100)}`;
    const { message: shown } = await failure(refresh(answering(problem(108, message), 400)));
    expect(shown.length).toBeLessThan(300);
    expect(shown).toMatch(/^[ -~]*$/);
    expect(shown).toContain('no ... so sorry');
  });

  it('says offline without a connection', async () => {
    const world = startSignIn();
    world.middle = async () => {
      throw new TypeError('fetch failed');
    };
    expect((await failure(refresh(world))).code).toBe('offline');
  });

  it('says badResponse when the answer is not UTF-8', async () => {
    const world = startSignIn();
    world.middle = async () => new Response(new Uint8Array([0x7b, 0xff]));
    expect((await failure(refresh(world))).code).toBe('badResponse');
  });
});

describe('giving a token back', () => {
  it('may fail like any other request', async () => {
    const { device, client } = answering({ errno: 101 }, 400);
    expect((await failure(revokeToken(device, client, REFRESH_TOKEN))).code).toBe('unauthorized');
  });
});

describe('finding an accounts server', () => {
  it('follows its own configuration', async () => {
    const { device } = startSignIn();
    expect(await discoverAccounts(device, 'https://accounts.test')).toEqual({
      pageUrl: 'https://accounts.test',
      apiUrl: 'https://accounts.test',
    });
    const other = answering({ auth_server_base_url: 'https://api.accounts.test:8443/auth/' });
    expect((await discoverAccounts(other.device, 'https://accounts.test')).apiUrl).toBe(
      'https://api.accounts.test:8443/auth',
    );
    expect(other.sent[0]?.line).toBe('GET /.well-known/fxa-client-configuration');
  });

  it.each([
    [{}],
    [{ auth_server_base_url: 7 }],
    [{ auth_server_base_url: 'javascript:alert(1)' }],
    [{ auth_server_base_url: 'https://user@accounts.test' }],
    [{ auth_server_base_url: 'https://accounts.test/?a=' }],
    [{ auth_server_base_url: 'http://accounts.test' }],
  ])('refuses %j', async (body) => {
    const { device } = answering(body);
    const error = await failure(discoverAccounts(device, 'https://accounts.test'));
    expect(error.code).toBe('badResponse');
  });

  it('takes a server in the clear from one in the clear', async () => {
    const { device } = answering({ auth_server_base_url: 'http://127.0.0.1:9000' });
    expect((await discoverAccounts(device, 'http://127.0.0.1:3030')).apiUrl).toContain('9000');
  });
});
