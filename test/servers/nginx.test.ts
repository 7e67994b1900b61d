// `kitsync serve` behind nginx with TLS, as docs/servers.md has it: a made-up certificate, and the
// servers under a path of their own.

import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BIN, killCommands, startCommand } from '../../platform/node/cli/testing.ts';
import { temporaryFolder } from '../support/folders.ts';
import { freePort } from '../support/ports.ts';
import { storageAt } from '../support/served.ts';

const run = promisify(execFile);
const CORPUS = new URL('../fixtures/corpus-a.json', import.meta.url);
const { kB } = JSON.parse(readFileSync(CORPUS, 'utf8')) as { kB: string };
const PASSWORD = `password for ${kB.slice(0, 8)}`;

const isThere = await run('nginx', ['-v']).then(
  () => true,
  () => false,
);

/** A certificate for 127.0.0.1 that nobody has signed but itself. */
async function certificate(folder: string): Promise<{ cert: string; key: string }> {
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const subject = ['-subj', '/CN=kitsync', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const made = ['-newkey', 'rsa:2048', '-nodes', '-keyout', files.key, '-out', files.cert];
  await run('openssl', ['req', '-x509', ...made, '-days', '2', ...subject]);
  return files;
}

interface Place {
  readonly folder: string;
  readonly port: number;
  readonly upstream: number;
  readonly files: { cert: string; key: string };
}

const configuration = ({ folder, port, upstream, files }: Place) => `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${folder}/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${files.cert};
    ssl_certificate_key ${files.key};
    client_max_body_size 8m;
    merge_slashes off;
    location /kitsync/ {
      proxy_pass http://127.0.0.1:${upstream};
      proxy_set_header Host $http_host;
      proxy_http_version 1.1;
    }
  }
}
`;

/** As `fetch`, with a certificate of its own to believe. */
function sender(ca: Buffer) {
  return async (asked: Request): Promise<Response> => {
    const body = Buffer.from(await asked.arrayBuffer());
    const headers = Object.fromEntries(asked.headers);
    return new Promise((resolve, reject) => {
      const options = { method: asked.method, headers, ca };
      const outgoing = httpsRequest(asked.url, options, async (incoming) => {
        const chunks: Buffer[] = [];
        for await (const chunk of incoming) chunks.push(chunk as Buffer);
        const { statusCode: status = 0 } = incoming;
        const answered = new Headers();
        for (const [name, value] of Object.entries(incoming.headers))
          answered.set(name, String(value));
        const isEmpty = status === 204 || status === 304;
        const text = isEmpty ? null : Buffer.concat(chunks).toString();
        resolve(new Response(text, { status, headers: answered }));
      });
      outgoing.on('error', reject).end(body.length === 0 ? undefined : body);
    });
  };
}

describe.skipIf(!isThere)('behind nginx with TLS', () => {
  const folder = temporaryFolder();
  let url = '';
  let nginx: ReturnType<typeof spawn> | undefined;
  let send: ReturnType<typeof sender>;
  let environment: NodeJS.ProcessEnv;

  beforeAll(async () => {
    const [port, upstream] = [await freePort(), await freePort()];
    const files = await certificate(folder);
    url = `https://127.0.0.1:${port}/kitsync`;
    send = sender(readFileSync(files.cert));
    environment = { ...process.env, NODE_EXTRA_CA_CERTS: files.cert };
    const database = ['--test-accounts', '--database', join(folder, 'database')];
    const servers = startCommand([
      'serve',
      ...database,
      '--port',
      `${upstream}`,
      '--public-url',
      url,
    ]);
    await servers.saw('password');
    mkdirSync(join(folder, 'logs'));
    writeFileSync(join(folder, 'nginx.conf'), configuration({ folder, port, upstream, files }));
    nginx = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' });
    for (let tries = 0; tries < 100; tries++) {
      const answer = await send(new Request(`${url}/token/__heartbeat__`)).catch(() => null);
      if (answer?.status === 200) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('nginx does not answer');
  });
  afterAll(() => {
    nginx?.kill();
    killCommands();
  });

  const kitsync = (...args: string[]) =>
    run(process.execPath, [BIN, ...args], { env: environment });

  test('a computer signs in and syncs', async () => {
    const [data, me] = [join(folder, 'data'), join(folder, 'me.json')];
    const asked = ['--accounts', `${url}/accounts`, '--client-id', 'any', '--credentials', me];
    const signIn = run(
      process.execPath,
      [BIN, 'sign-in', '--password', '--email', 'user@example.test', ...asked],
      { env: environment },
    );
    signIn.child.stdin?.end(`${PASSWORD}\n`);
    expect((await signIn).stderr).toContain('Signed in');
    const to = ['--token-server', `${url}/token`, '--credentials', me, '--data', data];
    expect((await kitsync('sync', '--once', ...to)).stdout).toContain('in sync');
  });

  test('signatures hold for ids that are escaped, or that a proxy would mend', async () => {
    const storage = await storageAt(url, kB, send);
    for (const id of ['{0123-4567}', 'a b', 'a%2Fb', '..%2F..', 'a//b']) {
      const path = `storage/col/${encodeURIComponent(id)}`;
      const { status } = await storage('PUT', path, { body: { payload: id } });
      expect([id, status]).toEqual([id, 200]);
      expect((await storage('GET', path)).json.payload).toBe(id);
    }
    const listed = await storage('GET', `storage/col?ids=${encodeURIComponent('{0123-4567}')}`);
    expect(listed.json).toEqual(['{0123-4567}']);
  });

  test('what a client says of proxies changes nothing', async () => {
    const said = {
      'X-Forwarded-Host': 'evil.example',
      'X-Forwarded-Proto': 'http',
      'X-Forwarded-For': '127.0.0.1',
      Forwarded: 'host=evil.example;proto=http',
    };
    const forging = (request: Request) => {
      const headers = { ...Object.fromEntries(request.headers), ...said };
      return send(new Request(request, { headers }));
    };
    const storage = await storageAt(url, kB, forging);
    expect((await storage('GET', 'info/collections')).status).toBe(200);
  });

  test('a body that is too long for the servers is refused', async () => {
    const storage = await storageAt(url, kB, send);
    const body = { payload: 'x'.repeat(3_000_000) };
    expect((await storage('PUT', 'storage/col/long', { body })).status).toBe(413);
  });
});
