// The login as the description has it: what is sent, what is taken for a success, and which
// addresses and words a server may give.

import { describe, expect, it, test } from 'vitest';
import { owaBench, verified } from '../../../test/support/owa/service.ts';
import { placeOf } from './verify.ts';

const AUTH = 'Opaque assertion=1';
const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

it('O30: the login is a form, its fields percent-encoded', async () => {
  const { bench, service, server, asked } = owaBench();
  server.assertion = 'a+b&c=d e~%.';
  service.expire = () => undefined;
  Object.assign(service.identity, { assertion: async () => server.assertion });
  await bench.synced(0);
  const [login] = asked;
  expect(login?.method).toBe('POST');
  expect(login?.headers.get('content-type')).toBe('application/x-www-form-urlencoded');
  expect(login?.body).toMatch(
    /^assertion=a%2Bb%26c%3Dd%20e~%25\.&audience=https%3A%2F%2Fapps\.test&client_id=[\w-]+$/,
  );
});

test('the device has the same UUID at each login, after a reboot, too', async () => {
  const { bench, asked } = owaBench();
  const device = await bench.synced(1);
  const again = await bench.boot(device.storage.fork());
  expect(await again.agent.sync()).toMatchObject({ ok: true });
  const logins = asked.filter(({ method }) => method === 'POST');
  const ids = logins.map(({ body }) => new URLSearchParams(body).get('client_id'));
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(1);
  expect(ids[0]).toMatch(UUID);
});

describe('a failure is one under any status', () => {
  it.each([200, 400, 401, 403])('O34: %i', async (status) => {
    const it = owaBench();
    it.lie = (asked, answer) =>
      asked.url.endsWith('/verify')
        ? Response.json({ status: 'failure', reason: 'assertion has expired' }, { status })
        : answer;
    const device = await it.bench.boot();
    const report = await device.agent.enable();
    const message = 'verify: assertion has expired';
    expect(report.error).toEqual({ code: 'unauthorized', message });
    // Once more with a fresh assertion, and nothing is asked for without a login.
    expect(it.asked.map(({ url }) => new URL(url).pathname)).toEqual(['/verify', '/verify']);
  });

  it.each(['failed', 'FAILURE', 'maybe'])('status %s is no success', async (status) => {
    const it = owaBench();
    it.lie = () => Response.json({ status, resource: '/user/1', auth: AUTH, email: 'x' });
    const device = await it.bench.boot();
    expect((await device.agent.enable()).error?.code).toBe('unauthorized');
  });
});

test.each([
  ['an assertion', `bad eyJhbGciOiJSUzI1NiJ9.${'x'.repeat(60)}~more`],
  ['one cut into words', 'eyJhbGciOiJSUzI1NiJ9 '.repeat(5).trim()],
])('what a server says of a refusal is not shown where it may be %s', async (_, reason) => {
  const it = owaBench();
  it.lie = () => Response.json({ status: 'failure', reason });
  const device = await it.bench.boot();
  await device.agent.enable();
  expect(device.agent.status().error?.message).toBe('verify: the assertion is refused');
});

test('the names that later servers have are understood, and `ok`', async () => {
  const it = owaBench();
  it.lie = (asked, answer) =>
    asked.url.endsWith('/verify')
      ? Response.json({ status: 'ok', collection_url: '/user/1', http_authorization: AUTH })
      : answer;
  const device = await it.bench.boot();
  expect(await device.agent.enable()).toMatchObject({ ok: true });
});

test('O31, O33: a success without a place, or a word that is none, is no login', async () => {
  const it = owaBench();
  const cases: readonly (readonly [object, string])[] = [
    [{ auth: AUTH }, 'verify: no resource'],
    [{ resource: 7, auth: AUTH }, 'verify: no resource'],
    [{ resource: '/user/1' }, 'verify: auth is not 1 to 8192 characters of a header'],
    [{ resource: '/user/1', auth: '' }, 'verify: auth is not 1 to 8192 characters of a header'],
    [
      { resource: '/user/1', auth: 'a\r\nX-Evil: 1' },
      'verify: auth is not 1 to 8192 characters of a header',
    ],
    [{ resource: 'http://document.test/user/1', auth: AUTH }, NOT_ENCRYPTED],
  ];
  for (const [members, message] of cases) {
    it.lie = () => verified(members);
    const device = await it.bench.boot();
    expect((await device.agent.enable()).error).toEqual({ code: 'badResponse', message });
  }
});

const NOT_ENCRYPTED = 'verify: resource is not encrypted, and verify is';

describe('where the document is', () => {
  const VERIFY = 'https://a.test:8443/storage/verify?service=owa-sync';
  it.each([
    ['https://b.test/u?x=1', 'https://b.test/u?x=1'],
    ['//b.test/u', 'https://b.test/u'],
    ['/u/1', 'https://a.test:8443/u/1'],
    ['u/1', 'https://a.test:8443/storage/u/1'],
  ])('%s is %s', (said, url) => {
    expect(placeOf(said, VERIFY)).toBe(url);
  });

  it.each(['http://a.test/u', 'HTTP://a.test/u'])('%s leads out of an encrypted way', (said) => {
    expect(() => placeOf(said, VERIFY)).toThrow(NOT_ENCRYPTED);
    expect(placeOf(said, 'http://a.test/verify')).toBe(said);
  });

  it.each([
    ...['', 'javascript:alert(1)', 'https://u:p@a.test/', 'https:a.test', 'https://', 'https:///u'],
    ...['https://a.test/a b', 'https://a.test/#x', 'https://ä.test/', 'https://a.test/"'],
    `https://a.test/${'x'.repeat(9_000)}`,
  ])('%s is no address', (said) => {
    expect(() => placeOf(said, VERIFY)).toThrow('verify: resource is no address of HTTP');
  });

  it('is asked for behind an address of the login with a query', async () => {
    const { bench, asked } = owaBench({
      serverUrl: 'https://document.test/verify?service=owa-sync',
    });
    await bench.synced(1);
    expect(asked.map(({ url }) => url)).toEqual([
      'https://document.test/verify?service=owa-sync',
      'https://document.test/user/1',
    ]);
  });
});

test('an outage of the login is one, and says when to come back', async () => {
  const it = owaBench();
  it.lie = () => new Response('', { status: 503, headers: { 'X-Backoff': '600' } });
  const device = await it.bench.boot();
  expect((await device.agent.enable()).error?.code).toBe('unavailable');
  it.asked.length = 0;
  it.bench.advance(599_000, device);
  expect(await device.agent.sync()).toMatchObject({ requests: 0, error: { code: 'backoff' } });
});
