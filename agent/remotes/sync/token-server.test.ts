import { describe, expect, test } from 'vitest';
import {
  CLIENT_STATE,
  json,
  KEYS_CHANGED_AT_MS,
  type RemoteBenchOptions,
  remoteBench,
} from '../../../test/support/remote.ts';
import type { SyncError } from '../../errors.ts';
import { requestStorageToken } from './token-server.ts';

const TOKEN = {
  id: 'the.id',
  key: 'the-key',
  uid: 1,
  api_endpoint: 'https://node.test/1.5/1',
  duration: 3600,
};
const KEY_ID = `${KEYS_CHANGED_AT_MS}-${Buffer.from(CLIENT_STATE, 'hex').toString('base64url')}`;

const good = (): Response => json(TOKEN);

function refused(status: number, word: string, description = 'Because'): Response {
  return json({ status: word, errors: [{ location: 'header', name: 'X', description }] }, status);
}

async function errorOf(
  answer: (count: number) => Response,
  options: RemoteBenchOptions = {},
): Promise<Pick<SyncError, 'code' | 'message' | 'detail'> & { requests: number; waitMs: number }> {
  const bench = remoteBench((_request, count) => answer(count), options);
  const { code, message, detail } = await requestStorageToken(bench.options).then(
    () => {
      throw new Error('it was no refusal');
    },
    (error: SyncError) => error,
  );
  const { notes } = bench.options;
  return { code, message, detail, requests: bench.requests.length, waitMs: notes.waitMs };
}

describe('asking for credentials', () => {
  test('names the token and the key', async () => {
    const { options, requests } = remoteBench(good);
    await requestStorageToken(options);
    const [request] = requests;
    expect(request?.method).toBe('GET');
    expect(request?.headers.get('authorization')).toBe('Bearer token 1');
    expect(request?.headers.get('x-keyid')).toBe(KEY_ID);
  });

  test('takes the id of a scoped key as it is', async () => {
    const kid = '1510726317123-IqQv4onc7VcVE1kTQkyyOw';
    const { options, requests } = remoteBench(good, { syncKey: { kty: 'oct', kid, k: '' } });
    await requestStorageToken(options);
    expect(requests[0]?.headers.get('x-keyid')).toBe(kid);
  });

  test.each([
    ['https://token.test', 'https://token.test/1.0/sync/1.5'],
    ['https://token.test/1.0/sync/1.5', 'https://token.test/1.0/sync/1.5'],
    ['https://own.test:8000/some/token', 'https://own.test:8000/some/token/1.0/sync/1.5'],
  ])('at %s it is %s', async (serverUrl, url) => {
    const { options, requests } = remoteBench(good, { serverUrl });
    await requestStorageToken(options);
    expect(requests[0]?.url).toBe(url);
  });

  test.each<[number | undefined, string]>([
    [300, '?duration=300'],
    [1, '?duration=1'],
    ...[undefined, 0, -1, 0.5, 1e99, Number.NaN, Number.POSITIVE_INFINITY].map(
      (seconds): [number | undefined, string] => [seconds, ''],
    ),
  ])('for %s seconds ends in %j', async (tokenSeconds, query) => {
    const { options, requests } = remoteBench(good);
    const { config } = options;
    const remote = { ...config.remote, ...(tokenSeconds !== undefined && { tokenSeconds }) };
    await requestStorageToken({ ...options, config: { ...config, remote } });
    expect(requests[0]?.url).toBe(`https://token.test/1.0/sync/1.5${query}`);
  });

  test('tells how far the device is behind the server', async () => {
    const answer = () => json(TOKEN, 200, { 'X-Timestamp': '1795323280' });
    const { options } = remoteBench(answer, { nowMs: 5_000 });
    expect(await requestStorageToken(options)).toEqual({
      id: 'the.id',
      key: 'the-key',
      endpoint: 'https://node.test/1.5/1',
      aheadMs: 1_795_323_275_000,
    });
  });

  test('without a time of the server, the device is believed', async () => {
    const { options } = remoteBench(good, { nowMs: 5_000 });
    expect((await requestStorageToken(options)).aheadMs).toBe(0);
  });

  test('a refused access token is renewed once', async () => {
    const { options, requests } = remoteBench((_request, count) =>
      count === 1 ? refused(401, 'invalid-credentials') : good(),
    );
    await requestStorageToken(options);
    expect(requests.map(({ headers }) => headers.get('authorization'))).toEqual([
      'Bearer token 1',
      'Bearer token 2',
    ]);
  });
});

describe('a refusal says whose turn it is', () => {
  test.each([
    [401, 'invalid-credentials', 'unauthorized', 'the sign-in is not accepted'],
    [401, 'invalid-generation', 'unauthorized', 'the sign-in is older than the password'],
    [401, 'invalid-timestamp', 'unavailable', 'the sign-in is not of this time'],
    [401, 'invalid-client-state', 'keyMismatch', "the key is not the account's any more"],
    [401, 'invalid-keysChangedAt', 'keyMismatch', "the key is older than the account's"],
    [401, 'invalid-key-id', 'keyMismatch', "the key's id is not understood"],
    [401, 'error', 'unauthorized', 'status 401'],
    [403, 'new-users-disabled', 'unauthorized', 'the server takes no new users'],
    [403, 'error', 'unauthorized', 'status 403'],
    [404, 'error', 'badResponse', 'no token server for Sync 1.5 at this address'],
    [400, 'error', 'badResponse', 'status 400'],
    [405, 'error', 'badResponse', 'status 405'],
    [406, 'error', 'badResponse', 'status 406'],
    [410, 'error', 'serviceGone', 'status 410'],
    [429, 'error', 'unavailable', 'status 429'],
    [500, 'internal-error', 'unavailable', 'status 500'],
    [503, 'error', 'unavailable', 'status 503'],
    [504, 'error', 'unavailable', 'status 504'],
  ])('%i %s is %s: %s', async (status, word, code, message) => {
    const error = await errorOf(() => refused(status, word));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(error.message).toContain(`(${word} X Because)`);
    expect(error.requests).toBe(status === 401 ? 2 : 1);
    const isKnown = /^(invalid|new)-/.test(word);
    expect(error.detail).toEqual(isKnown ? { status, reason: word } : { status });
  });

  test('a wait that it asks for is noted', async () => {
    const answer = (): Response =>
      new Response('', { status: 503, headers: { 'Retry-After': '60', 'X-Backoff': '120.5' } });
    expect(await errorOf(answer)).toMatchObject({ code: 'unavailable', waitMs: 120_500 });
  });

  test('what it says is shown short, printable and without secrets', async () => {
    const secret = 'eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJ4In0.c2ln';
    const { message } = await errorOf(() =>
      refused(401, 'invalid-credentials', `no\u0007 ${secret} \u202e${'long '.repeat(100)}`),
    );
    expect(message).toContain('(invalid-credentials X no ... long long');
    expect(message).toMatch(/^[ -~]{1,300}$/);
  });

  test.each(['', '<html>', '[]', 'null', '{"status":7,"errors":[null,{}]}'])(
    'an error that reads %j is one all the same',
    async (text) => {
      expect(await errorOf(() => new Response(text, { status: 401 }))).toMatchObject({
        code: 'unauthorized',
        message: 'token server: the server answered with status 401',
      });
    },
  );
});

describe('an answer that is none', () => {
  test.each([
    [{ ...TOKEN, id: undefined }, 'id is'],
    [{ ...TOKEN, id: 'a"b' }, 'id is'],
    [{ ...TOKEN, key: 7 }, 'key is'],
    [{ ...TOKEN, api_endpoint: undefined }, 'api_endpoint is missing'],
    [{ ...TOKEN, api_endpoint: 'https://node.test/1.5/1?a' }, 'api_endpoint is missing'],
    [{ ...TOKEN, api_endpoint: 'https://me@node.test/1.5/1' }, 'api_endpoint is missing'],
    [{ ...TOKEN, api_endpoint: 'http://node.test/1.5/1' }, 'api_endpoint is missing'],
    [null, 'api_endpoint is'],
  ])('%j is refused', async (body, message) => {
    const error = await errorOf(() => json(body));
    expect(error).toMatchObject({ code: 'badResponse' });
    expect(error.message).toContain(message);
  });

  test('one without an end is given up', async () => {
    const error = await errorOf(() => new Response('x'.repeat(1_000_000)));
    expect(error).toMatchObject({ code: 'badResponse' });
  });
});
