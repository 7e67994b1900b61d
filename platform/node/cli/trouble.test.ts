// What goes wrong between a machine and its servers, and what the commands make of it.

import { once } from 'node:events';
import { lstatSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server as NetServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import type { Serving } from '../../../emulator/servers/serve.ts';
import { credentialsOf, run, serveAccount, testTerminal } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { manualClock } from '../../memory/platform.ts';
import type { Fetch } from '../../web/fetch-network.ts';
import { main } from './main.ts';

let serving: Serving;
let folder: string;
let credentials: string;

beforeAll(async () => {
  serving = await serveAccount(5);
});
afterAll(() => serving.close());
beforeEach(async () => {
  folder = temporaryFolder();
  credentials = await credentialsOf(serving, join(folder, 'credentials.json'));
});

const data = () => join(folder, 'data');
const syncArgs = (...more: string[]) => [
  ...['sync', '--token-server', serving.world.urls.token],
  ...['--credentials', credentials, '--data', data(), ...more],
];
/** One sync, with somebody between the machine and its servers. */
async function syncOver(through: Fetch) {
  const terminal = testTerminal({ machine: { fetch: through } });
  const code = await main(syncArgs('--once'), terminal);
  return { code, complaints: terminal.complaints, out: terminal.out };
}
const isToken = ({ url }: Request) => url.startsWith(serving.world.urls.token);
const statusText = async () => (await run(['status', '--data', data()])).out;

describe('the words of a token server', () => {
  test.each([
    ['invalid-credentials', 'trusts another accounts server'],
    ['invalid-generation', 'the password was changed since'],
    ['invalid-client-state', 'the key is not the one that the account syncs with'],
    ['invalid-keysChangedAt', 'the key is older than one that the server has seen'],
    ['invalid-key-id', 'check `key.kid`'],
    ['invalid-timestamp', 'check both'],
    ['new-users-disabled', 'takes no new users'],
  ])('%s: are shown with advice, then and later', async (word, advice) => {
    const answer = { status: word, errors: [{ location: 'body', name: '', description: 'So.' }] };
    const { code, complaints } = await syncOver(async (request) =>
      isToken(request) ? Response.json(answer, { status: 401 }) : fetch(request),
    );
    expect(code).toBe(1);
    expect(complaints).toMatch(/^[^\n]*\n$/);
    expect(complaints).toContain(`(${word} So.)`);
    expect(complaints).toContain(advice);
    const later = await statusText();
    expect(later).toMatch(new RegExp(`^error .*\\(${word} So\\.\\)`, 'm'));
    expect(later).toMatch(new RegExp(`^what to do .*${advice}`, 'm'));
  });
});

describe('kitsync status', () => {
  it('tells a wait as people do, and whose wish it is to be read', async () => {
    await syncOver(fetch);
    const headers = {
      'Retry-After': '600',
      'X-Weave-Alert': '{"message":"We move","url":"https://m.example"}',
    };
    const { code, complaints } = await syncOver(async () =>
      Response.json({ status: 'error' }, { status: 503, headers }),
    );
    expect([code, complaints]).toEqual([1, expect.stringContaining('(unavailable)')]);
    const text = await statusText();
    expect(text).toMatch(/^last sync +\d{4}-\d\d-\d\d .* ago\)$/m);
    expect(text).toMatch(
      /^waiting +the server wants no request for another 10 minutes, until \d{4}/m,
    );
    expect(text).toMatch(/^the server says +We move https:\/\/m\.example$/m);
    expect(text).toMatch(/^history +5 held, 0 to send, 0 set aside$/m);
    const again = await syncOver(fetch);
    expect(again.complaints).toMatch(/no request for another \d+ (minutes|seconds) \(backoff\)\n$/);
    expect(await statusText()).toMatch(/^waiting/m);
  });

  it('tells what room is left, and what of the account is not synced', async () => {
    await syncOver(async (request) => {
      const answer = await fetch(request);
      const quota = new Headers(answer.headers);
      quota.set('X-Weave-Quota-Remaining', '2048');
      return new Response(answer.body, { status: answer.status, headers: quota });
    });
    expect(await statusText()).toMatch(/^room left +2097 kB$/m);
    await run(syncArgs('--once', '--read-only', '--collections', 'history,forms'));
    const text = await statusText();
    expect(text).toMatch(/^history .*, read-only$/m);
    expect(text).toMatch(/^passwords .*12 held.*, off$/m);
    expect(text).toMatch(/^this device +not among/m);
  });
});

describe('a server that cannot be reached', () => {
  let server: NetServer;
  let port: number;

  beforeAll(async () => {
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('220 mail.example ESMTP\r\n');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => void server.close());

  async function syncWith(tokenServer: string) {
    const args = syncArgs('--once');
    args[2] = tokenServer;
    return run(args);
  }

  test.each([
    [
      'a host that nobody knows',
      () => 'https://sync.invalid',
      /E(NOTFOUND|AI_AGAIN) sync\.invalid/,
    ],
    [
      'a port of which a fetch wants nothing',
      () => 'http://127.0.0.1:9',
      /BAD_PORT 127\.0\.0\.1:9/,
    ],
    ['TLS where there is none', () => `https://127.0.0.1:${port}`, /(ERR_SSL_\w+|EPROTO) 127/],
    ['HTTP where there is none', () => `http://127.0.0.1:${port}`, /HPE_\w+ 127\.0\.0\.1:\d+/],
  ])('is told with its cause and advice, then and later: %s', async (_, url, cause) => {
    const { code, complaints } = await syncWith(url());
    expect(code).toBe(1);
    const line = `the server cannot be reached: (${cause.source})[\\w.:]* \\(offline\\)`;
    expect(complaints).toMatch(new RegExp(`${line} - .*(check|http|choose)`));
    const later = await statusText();
    expect(later).toMatch(new RegExp(`^error +${line}`, 'm'));
    expect(later).toMatch(/^what to do +\S/m);
    const json = JSON.parse((await run(['status', '--json', '--data', data()])).out);
    expect(json.error).toMatchObject({ code: 'offline', cause: expect.stringMatching(cause) });
  });

  test.each([
    ['CERT_HAS_EXPIRED', 'has expired'],
    ['CERT_NOT_YET_VALID', "this machine's clock"],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'for another name'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'NODE_EXTRA_CA_CERTS'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'NODE_EXTRA_CA_CERTS'],
    ['ECONNREFUSED', 'nothing listens there'],
    ['EHOSTUNREACH', 'no way to the server'],
  ])('for %s', async (code, advice) => {
    const below = Object.assign(new Error('with a secret'), { code });
    const { complaints } = await syncOver(() =>
      Promise.reject(new TypeError('fetch failed', { cause: below })),
    );
    expect(complaints).toContain(`: ${code} ${new URL(serving.world.urls.token).host} (offline)`);
    expect(complaints).toContain(advice);
    expect(complaints).not.toContain('secret');
  });
});

describe('a server that answers with patience wanted', () => {
  it('is left alone as long as it wishes, and then asked', async () => {
    const clock = manualClock(Date.now());
    let isDown = true;
    let asked = 0;
    const through: Fetch = async (request) => {
      asked++;
      if (!isDown) return fetch(request);
      return new Response('', { status: 503, headers: { 'Retry-After': '3600' } });
    };
    const terminal = testTerminal({ machine: { clock, fetch: through } });
    const ended = main(syncArgs('--interval', '5'), terminal);
    await terminal.saw('(unavailable)');
    isDown = false;
    await clock.advance(59 * 60_000);
    expect(asked).toBe(1);
    await clock.advance(62 * 60_000);
    await terminal.saw('in sync');
    terminal.stop();
    expect(await ended).toBe(0);
  });
});

it('goes on when the clock jumps', async () => {
  const clock = manualClock(Date.now());
  const terminal = testTerminal({ machine: { clock } });
  const ended = main(syncArgs(), terminal);
  await terminal.saw('in sync');
  for (const [jumpMs, passes] of [
    [40 * 365 * 86_400_000, 2],
    [17 * 60_000, 3],
  ] as const) {
    await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(jumpMs);
    await terminal.saw('in sync', passes);
  }
  terminal.stop();
  expect(await ended).toBe(0);
  expect(terminal.complaints).toBe('');
});

it('follows the account to another server, with all that was not sent', async () => {
  await syncOver(fetch);
  await run(['put', 'history', '{"url":"https://before.example/"}', '--data', data()]);
  const next = await serveAccount(5);
  const file = await credentialsOf(next, join(folder, 'next.json'));
  const { accessToken } = JSON.parse(readFileSync(file, 'utf8'));
  const { code, out } = await syncOver((request) => {
    if (!isToken(request)) return fetch(request);
    const url = request.url.replace(serving.world.urls.token, next.world.urls.token);
    const headers = new Headers(request.headers);
    headers.set('Authorization', `Bearer ${accessToken}`);
    return fetch(new Request(url, { headers }));
  });
  expect([code, out]).toEqual([
    0,
    expect.stringMatching(/in sync: .*history \d+ received, 1 sent/),
  ]);
  expect(await statusText()).toMatch(/^history +6 held, 0 to send/m);
  await next.close();
});

describe('a refresh token that the server changes each time', () => {
  let valid: string;
  let real: string;

  /** Knows one refresh token at a time, and forgets it when it is used. */
  const rotating: Fetch = async (request) => {
    if (!request.url.endsWith('/v1/oauth/token')) return fetch(request);
    const body = JSON.parse(await request.text());
    if (body.refresh_token !== valid) {
      return Response.json({ errno: 108, message: 'Invalid token' }, { status: 400 });
    }
    valid = `${valid}+`;
    const init = { method: 'POST', body: JSON.stringify({ ...body, refresh_token: real }) };
    const answer = await fetch(new Request(request.url, init));
    return Response.json({ ...((await answer.json()) as object), refresh_token: valid });
  };
  const kept = () => JSON.parse(readFileSync(credentials, 'utf8')).refreshToken;

  beforeEach(async () => {
    const { email, password } = serving.world.account;
    const { accounts } = serving.world.urls;
    await run(
      [
        ...['sign-in', '--password', '--accounts', accounts, '--client-id', 'c11e27'],
        ...['--credentials', credentials, '--email', email],
      ],
      password,
    );
    real = kept();
    valid = real;
  });

  it('is written before anything is done with it', async () => {
    for (const expected of [`${real}+`, `${real}++`]) {
      expect(await syncOver(rotating)).toMatchObject({ code: 0, complaints: '' });
      expect(kept()).toBe(expected);
      expect(statSync(credentials).mode & 0o777).toBe(0o600);
    }
  });

  it('goes where a link leads to', async () => {
    const target = join(folder, 'target.json');
    renameSync(credentials, target);
    symlinkSync(target, credentials);
    expect((await syncOver(rotating)).code).toBe(0);
    expect(lstatSync(credentials).isSymbolicLink()).toBe(true);
    expect(JSON.parse(readFileSync(target, 'utf8')).refreshToken).toBe(`${real}+`);
  });

  it('does not replace that of a later sign-in', async () => {
    const later = { ...JSON.parse(readFileSync(credentials, 'utf8')), refreshToken: 'later' };
    await syncOver((request) => {
      if (request.url.endsWith('/v1/oauth/token'))
        writeFileSync(credentials, JSON.stringify(later));
      return rotating(request);
    });
    expect(kept()).toBe('later');
  });

  it('is waited for while it cannot be written', async () => {
    const clock = manualClock(Date.now());
    const terminal = testTerminal({ machine: { clock, fetch: rotating } });
    const aside = `${credentials}.aside`;
    const ended = main(syncArgs(), Object.assign(terminal, {}));
    renameSync(credentials, aside);
    await terminal.saw('(storageFailed)');
    expect(terminal.complaints).toContain(`cannot read ${credentials}`);
    renameSync(aside, credentials);
    await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(17 * 60_000);
    await terminal.saw('in sync');
    expect(kept()).toBe(`${real}+`);
    terminal.stop();
    expect(await ended).toBe(0);
  });
});
