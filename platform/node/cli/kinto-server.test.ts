// What a sign-in says of a server that is no Kinto, or not one that can be used now: a line, never
// a stack, and nothing is written.

import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { run, testTerminal } from '../../../test/support/commands.ts';
import { computerOf, type ServedKinto, serveKinto } from '../../../test/support/served-kinto.ts';
import { nodeMachine } from '../platform.ts';
import { kintoHello } from './kinto-server.ts';
import { main } from './main.ts';

let kinto: ServedKinto;
beforeEach(async () => {
  kinto = await serveKinto();
});
afterEach(() => kinto.close());

const json = (status: number, body: object = {}) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });

describe('a sign-in', () => {
  test.each([
    ['a page', () => new Response('<html>', { status: 200 }), 'what answers is no Kinto'],
    ['other JSON', () => json(200, { hello: 1 }), 'what answers is no Kinto (badResponse)'],
    ['nothing there', () => json(404), 'the server answered with status 404 (badResponse)'],
    ['an address elsewhere', () => json(301), 'sends elsewhere with status 301 (badResponse)'],
    ['a gate', () => json(401), 'the server lets nobody in so (unauthorized)'],
    ['maintenance', () => json(503), 'the server answered with status 503 (unavailable)'],
    ['the end', () => json(410), 'the server has closed (serviceGone)'],
  ])('says of %s what it is', async (_, answer, line) => {
    kinto.instead = answer;
    const one = computerOf(kinto);
    const { code, out, complaints } = await one.signIn('secret');
    expect([code, out]).toEqual([1, '']);
    expect(complaints).toMatch(/^kitsync: kinto: [^\n]*\n$/);
    expect(complaints).toContain(line);
    expect(existsSync(one.credentials)).toBe(false);
  });

  it('says that a password is wrong', async () => {
    const { code, complaints } = await computerOf(kinto).signIn('wrong');
    expect([code, complaints]).toEqual([
      1,
      expect.stringMatching(/^kitsync: kinto: the name or the password is wrong[^\n]*\n$/),
    ]);
  });

  it('says which step on the way to the server is wrong', async () => {
    const plain = createServer((socket) => socket.end('220 mail\r\n'));
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const address = plain.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const lines = await Promise.all(
      [`http://127.0.0.1:${port}`, kinto.url.replace('http:', 'https:'), 'http://127.0.0.1:9'].map(
        async (url) => (await computerOf({ url }).signIn('secret')).complaints,
      ),
    );
    plain.close();
    expect(lines).toEqual([
      expect.stringContaining('what answers there is no web server'),
      expect.stringContaining('the server speaks no TLS there'),
      expect.stringMatching(/ECONNREFUSED|BAD_PORT/),
    ]);
  });

  it('warns of a server where any password is a user, is read-only, or ends', async () => {
    kinto.instead = ({ url }) =>
      new URL(url).pathname === '/v1/'
        ? json(200, {
            ...{ http_api_version: '1.23', eos: '2027-01-31', settings: { readonly: true } },
            user: { id: 'basicauth:0f' },
          })
        : null;
    const { code, complaints } = await computerOf(kinto).signIn('secret');
    expect(code).toBe(0);
    expect(complaints).toContain('each as a user of its own');
    expect(complaints).toContain('it ends: 2027-01-31');
    expect(complaints).toContain('the server is read-only');
  });

  it('says who has to let the user make something', async () => {
    kinto.instead = ({ method }) => (method === 'PUT' ? json(403) : null);
    const { code, complaints } = await computerOf(kinto).signIn('secret');
    expect([code, complaints]).toEqual([
      0,
      expect.stringContaining('kinto.bucket_create_principals'),
    ]);
  });
});

test('a sign-in outlives a server that fails when the place is made', async () => {
  kinto.instead = ({ method }) => (method === 'PUT' ? json(503) : null);
  const one = computerOf(kinto);
  expect(await one.signIn('secret')).toMatchObject({ code: 0 });
  kinto.instead = () => null;
  expect(await one.sync()).toMatchObject({ code: 0 });
});

test('what a server says of itself is read as far as it is what it should be', async () => {
  const machine = nodeMachine();
  kinto.instead = () => json(200, { http_api_version: '1', user: 1, settings: 2, eos: 3 });
  const said = await kintoHello(machine, kinto.url, {});
  machine.stop();
  expect(said).toEqual({
    ...{ version: '', userId: null, hasAccounts: false, isReadOnly: false, endsOn: null },
  });
});

test('a password is never shown, whatever answers', async () => {
  kinto.instead = () => new Response('secret', { status: 200 });
  const terminal = testTerminal({ input: async () => 'secret' });
  const one = computerOf(kinto);
  const args = ['sign-in', '--kinto', kinto.url, '--user', 'bob', '--credentials', one.credentials];
  expect(await main(args, terminal)).toBe(1);
  expect(terminal.complaints).not.toContain('secret');
  expect((await run([...args, '--nonsense'])).code).toBe(2);
});
