// Each thing that keeps a sync from working, really there on the loopback, is found and named with
// what to do; all that stands before it is ok, and nothing secret is printed.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import type { Serving } from '../../../emulator/servers/serve.ts';
import { credentialsOf, serveAccount, testTerminal } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { freePort } from '../../../test/support/ports.ts';
import { manualClock } from '../../memory/platform.ts';
import type { MachineOptions } from '../platform.ts';
import { main } from './main.ts';

let serving: Serving;
let folder: string;
let credentials: string;
const servers: Server[] = [];

beforeAll(async () => {
  serving = await serveAccount(5);
});
afterAll(async () => {
  await serving.close();
  for (const server of servers) server.close();
});
beforeEach(async () => {
  folder = temporaryFolder();
  credentials = await credentialsOf(serving, join(folder, 'credentials.json'));
});

interface Line {
  readonly check: string;
  readonly ok: boolean | null;
  readonly detail: string;
  readonly advice: string | null;
}

async function examine(url: string, more: readonly string[] = [], machine: MachineOptions = {}) {
  const args = ['doctor', '--token-server', url, '--credentials', credentials, ...more];
  const terminal = testTerminal({ machine });
  const code = await main([...args, '--json'], terminal);
  const lines = terminal.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const secrets = JSON.parse(readFileSync(credentials, 'utf8'));
  for (const secret of [secrets.accessToken, secrets.key.k]) {
    expect(terminal.out + terminal.complaints).not.toContain(secret);
  }
  expect(terminal.complaints).toBe('');
  return { code, lines, bad: lines.filter(({ ok }) => ok === false) };
}

async function listening(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const token = () => serving.world.urls.token;
const names = (lines: readonly Line[]) => lines.map(({ check }) => check);

describe('kitsync doctor', () => {
  it.each(['sync15', 'syncto'])('finds nothing where all is well, over %s', async (protocol) => {
    const url = protocol === 'sync15' ? token() : serving.world.urls.syncto;
    const data = join(folder, 'data');
    const { code, lines } = await examine(url, ['--protocol', protocol, '--data', data]);
    expect(lines.filter(({ ok }) => ok !== true)).toEqual([]);
    expect(names(lines)).toEqual([
      ...['credentials', 'folder', 'name', 'connection', 'answer', 'clock', 'sign-in'],
      ...(protocol === 'sync15' ? ['token server', 'storage'] : ['Syncto server']),
    ]);
    expect(code).toBe(0);
  });

  it('prints a line for each, which people can read', async () => {
    const terminal = testTerminal();
    const args = ['doctor', '--token-server', 'http://127.0.0.1:1', '--credentials', credentials];
    expect(await main(args, terminal)).toBe(1);
    expect(terminal.out).toMatch(/^ok {6}credentials {4}\S/m);
    expect(terminal.out).toMatch(
      /^not ok {2}connection {5}.*ECONNREFUSED 127\.0\.0\.1:1.* - nothing listens there/m,
    );
    expect(terminal.out).toMatch(/^- {7}storage {8}not tried: the token server is not ok$/m);
  });

  it('finds a closed port', async () => {
    const port = await freePort();
    const { code, bad } = await examine(`http://127.0.0.1:${port}`);
    expect([code, names(bad)]).toEqual([1, ['connection']]);
    expect(bad[0]?.detail).toContain(`ECONNREFUSED 127.0.0.1:${port}`);
    expect(bad[0]?.advice).toContain('check that the server runs, and its port');
  });

  it('finds a host that nobody knows', async () => {
    const { code, bad } = await examine('https://sync.invalid');
    expect([code, names(bad)]).toEqual([1, ['name']]);
    expect(bad[0]?.detail).toMatch(/E(NOTFOUND|AI_AGAIN) sync\.invalid/);
    expect(bad[0]?.advice).toContain('name server');
  });

  it('finds a server without TLS at an https address', async () => {
    const { code, bad } = await examine(token().replace('http:', 'https:'));
    expect([code, names(bad)]).toEqual([1, ['connection']]);
    expect(bad[0]?.advice).toContain('http:// instead of https://?');
  });

  it('finds a clock that is hours off, either way', async () => {
    for (const [offMs, words] of [
      [3 * 3_600_000, '3 hours ahead of'],
      [-26 * 3_600_000, '26 hours behind'],
    ] as const) {
      const clock = manualClock(Date.now() + offMs);
      const { code, bad } = await examine(token(), [], { clock });
      expect([code, names(bad)]).toEqual([1, ['clock']]);
      expect(bad[0]?.detail).toContain(words);
      expect(bad[0]?.advice).toContain('set it');
    }
  });

  it('finds credentials and a folder that others can read, and tries the rest too', async () => {
    chmodSync(credentials, 0o644);
    const data = join(folder, 'wide');
    mkdirSync(data);
    chmodSync(data, 0o755);
    const { code, bad, lines } = await examine(token(), ['--data', data]);
    expect([code, names(bad)]).toEqual([1, ['credentials', 'folder']]);
    expect(bad[0]?.detail).toContain(`chmod 600 ${credentials}`);
    expect(bad[1]?.detail).toContain(`chmod 700 ${data}`);
    expect(lines.find(({ check }) => check === 'clock')?.ok).toBe(true);
  });

  it('finds a path where no token server is', async () => {
    const { code, bad } = await examine(`${token()}/no/such/place`);
    expect([code, names(bad)]).toEqual([1, ['token server']]);
    expect(bad[0]?.advice).toContain('--token-server is the address of a token server');
  });

  it('finds a page instead of a server', async () => {
    const port = await listening(createHttp((_, answer) => answer.end('<html>Sign in</html>')));
    const { code, bad } = await examine(`http://127.0.0.1:${port}`);
    expect([code, names(bad)]).toEqual([1, ['token server']]);
    expect(bad[0]?.advice).toContain('a web page answers');
  });

  it('finds a storage that the token server leads to and that is not there', async () => {
    const lost = { id: 'i', key: 'k', api_endpoint: 'http://127.0.0.1:1/1.5/1', uid: 1 };
    const port = await listening(
      createHttp((_, answer) => answer.end(JSON.stringify({ ...lost, duration: 300 }))),
    );
    const { code, bad } = await examine(`http://127.0.0.1:${port}`);
    expect([code, names(bad)]).toEqual([1, ['storage']]);
    expect(bad[0]?.detail).toContain('127.0.0.1:1 (offline)');
  });

  it('finds a sign-in that is refused', async () => {
    const other = await serveAccount(5);
    const { code, bad } = await examine(other.world.urls.token);
    expect([code, names(bad)]).toEqual([1, ['token server']]);
    expect(bad[0]?.advice).toContain('sign in again');
    await other.close();
  });
});

const openssl = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-batch'];
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

describe.skipIf(!hasOpenssl)('a server with a certificate that it has made itself', () => {
  let port: number;
  beforeAll(async () => {
    const [key = '', cert = ''] = ['key', 'cert'].map((name) => join(temporaryFolder(), name));
    const files = ['-subj', '/CN=localhost', '-keyout', key, '-out', cert];
    expect(spawnSync('openssl', [...openssl, ...files]).status).toBe(0);
    const options = { key: readFileSync(key), cert: readFileSync(cert) };
    port = await listening(createHttps(options, (_, answer) => answer.end('{}')));
  });

  test('is named as one that this machine does not trust', async () => {
    const { code, bad } = await examine(`https://localhost:${port}`);
    expect([code, names(bad)]).toEqual([1, ['connection']]);
    expect(bad[0]?.detail).toContain(`DEPTH_ZERO_SELF_SIGNED_CERT localhost:${port}`);
    expect(bad[0]?.advice).toContain('NODE_EXTRA_CA_CERTS');
  });

  test('and asked without TLS, as one that speaks it', async () => {
    const { code, bad } = await examine(`http://localhost:${port}`);
    expect([code, names(bad)]).toEqual([1, ['answer']]);
    expect(bad[0]?.advice).toContain('it may want https://');
  });
});
