import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { logOf, PICL_ROOT } from '../../../test/support/picl-log.ts';
import { keysOf } from './chain.ts';
import { hawkHeader } from './hawk.ts';
import type { Renewal } from './keys.ts';
import { serverSource } from './server.ts';
import { Failure } from './usage.ts';
import { verify } from './verify.ts';

const PASS = { id: 'id', key: 'key' };
const log = logOf('things', [
  ['a', 'one'],
  ['b', 'two'],
  ['c', 'three'],
  ['a', null],
]);
const TAG = `4-${log[3]?.changeid}`;

interface Says {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** What the server says in place of what is true. */
let odd: (path: string, request: IncomingMessage) => Says | null = () => null;
let asked: string[] = [];
let url = '';

function answerTo(path: string): Says {
  const headers = { ETag: TAG };
  if (path === '/login') {
    return { body: { ...PASS, collections: { things: '/u/things', far: 'http://far.example/' } } };
  }
  const since = Number(/since=(\d+)/.exec(path)?.[1] ?? 1);
  if (path.startsWith('/u/things/changes')) {
    const changes = log.slice(since - 1, since + 1);
    return { headers, body: { changes, ...(since < 3 && { next: since + 2 }) } };
  }
  const [, two, three] = log;
  return path.includes('start=c')
    ? { headers, body: { records: { c: three } } }
    : { headers, body: { next: 'c', records: { b: two } } };
}

const server = createServer((request, response) => {
  const { url: path = '' } = request;
  asked.push(path);
  const { status = 200, headers = {}, body = {} } = odd(path, request) ?? answerTo(path);
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
});
beforeAll(async () => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/login`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  odd = () => null;
  asked = [];
});

async function verdict(collection = 'things', token: string | Renewal = 't') {
  const source = await serverSource({ url, token, collection, allowHttp: false });
  const options = { keys: keysOf(PICL_ROOT, collection), isOpaque: false, earlier: null };
  return verify(source, options);
}

test('all pages are read, signed, and what lives is compared', async () => {
  let authorization: string[] = [];
  odd = (_path, request) => {
    authorization = [...authorization, request.headers.authorization ?? ''];
    return null;
  };
  expect(await verdict()).toMatchObject({ violation: null, changes: 4, records: 2 });
  const pages = ['/changes', '/changes?since=3', '/records', '/records?start=c'];
  expect(asked).toEqual(['/login', ...pages.map((page) => `/u/things${page}`)]);
  expect(authorization[0]).toBe('Bearer t');
  const [, ts = '', nonce = ''] = /ts="(\d+)", nonce="([^"]+)"/.exec(authorization[2] ?? '') ?? [];
  const page = new URL('/u/things/changes?since=3', url).href;
  expect(authorization[2]).toBe(hawkHeader('GET', page, PASS, Number(ts), nonce));
});

test('a sign-in that is renewed is renewed first', async () => {
  const renewal = { refreshToken: 'r', clientId: 'c', oauthUrl: new URL('/o', url).href };
  odd = (path, { headers }) => {
    if (path === '/o/v1/oauth/token') return { body: { access_token: 'new' } };
    return path === '/login' && headers.authorization !== 'Bearer new' ? { status: 401 } : null;
  };
  expect(await verdict('things', renewal)).toMatchObject({ violation: null, changes: 4 });
  odd = () => ({ status: 400, body: { errno: 108 } });
  await expect(verdict('things', renewal)).rejects.toThrow('gives no access token: it answers 400');
});

test('a compacted history is read from where it begins', async () => {
  odd = (path) =>
    path.endsWith('/changes')
      ? { status: 416, headers: { ETag: TAG }, body: { error: 'history-compacted', oldest: 3 } }
      : null;
  expect(await verdict()).toMatchObject({ violation: null, changes: 2, isCompacted: true });
});

test('a clock that is wrong is set right, if the server proves its time', async () => {
  const ts = `${Math.floor(Date.now() / 1_000) + 3_600}`;
  const tsm = createHmac('sha256', PASS.key).update(`hawk.1.ts\n${ts}\n`).digest('base64');
  const challenge = `Hawk ts="${ts}", tsm="${tsm}", error="Stale timestamp"`;
  odd = (path, { headers }) =>
    path === '/login' || headers.authorization?.includes(`ts="${ts.slice(0, -2)}`)
      ? null
      : { status: 401, headers: { 'WWW-Authenticate': challenge } };
  expect(await verdict()).toMatchObject({ violation: null, changes: 4 });
  expect(asked).toHaveLength(6);
});

test('a clock is set by no word that is not proven', async () => {
  const stale = { status: 401, headers: {} };
  odd = (path) => (path === '/login' ? null : stale);
  await expect(verdict()).rejects.toThrow('the server answers 401');
  expect(asked).toHaveLength(2);
});

test.each([
  ['a login that refuses', '/login', { status: 401 }, 'the login answers 401'],
  ['a login that gives no key', '/login', { body: { id: 'x' } }, 'no id and key'],
  ['a page that fails', '/u/things/changes', { status: 503 }, 'answers 503'],
  ['a page without an end', '/u/things/changes', { body: 'x'.repeat(2 ** 24) }, 'longer than'],
  ['records that move', '/u/things/records', { status: 412 }, 'changes meanwhile'],
  ['a beginning that nobody says', '/u/things/changes', { status: 416 }, 'does not say where'],
])('%s', async (_, where, says, complaint) => {
  odd = (path) => (path === where ? says : null);
  const failing = verdict();
  await expect(failing).rejects.toThrow(complaint);
  await expect(failing).rejects.toThrow(Failure);
});

test('a list that begins again and again ends', async () => {
  const [, two] = log;
  const body = { next: 'c', records: { b: two } };
  odd = (path) => (path.includes('start=c') ? { headers: { ETag: TAG }, body } : null);
  expect(await verdict()).toMatchObject({ violation: { reason: 'malformed' } });
});

test('a collection that the login does not name', async () => {
  await expect(verdict('others')).rejects.toThrow('no collection others');
});

test('a place on another machine is not asked without encryption', async () => {
  await expect(verdict('far')).rejects.toThrow('encrypted');
});

test('a server that drops what it has is found out', async () => {
  odd = (path) =>
    path === '/u/things/changes?since=3'
      ? { headers: { ETag: TAG }, body: { changes: [log[2]] } }
      : null;
  expect(await verdict()).toMatchObject({ violation: { reason: 'truncated', seqnum: 4 } });
});
