// The hosted login page in a real Firefox: a page of the whitelist has it in a frame, its user
// signs in there, and the page logs in with the assertion that it is handed. Any other page gets
// neither the frame nor an answer.

import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listenOnLoopback } from '../../emulator/servers/loopback.ts';
import { type Serving, serveOnLoopback } from '../../emulator/servers/serve.ts';
import { emptyAccount } from '../../emulator/servers/testing.ts';
import { type FirefoxProcess, launchFirefox } from './firefox-process.ts';

let serving: Serving;
let firefox: FirefoxProcess;
let known: { server: Server; origin: string };
let unknown: { server: Server; origin: string };
let owa = '';

/** A page with the login in a frame, which does with what it is handed what any page would. */
const pageOf = (base: string) => `<!doctype html><title>dashboard</title>
<iframe src="${base}/login"></iframe>
<script>
addEventListener('message', async ({ origin, data }) => {
  const { type, assertion, audience } = data;
  const result = await login(assertion, audience).catch(String);
  document.body.dataset.seen = JSON.stringify({ origin, type, audience, result });
});
async function login(assertion, audience) {
  const body = new URLSearchParams({ assertion, audience });
  const answer = await fetch('${base}/verify', { method: 'POST', body });
  const { status, resource, auth, email } = await answer.json();
  const headers = { Authorization: auth };
  const document = '{"https://a.example":{"last_modified":1,"manifest_url":"x"}}';
  const posted = await fetch(resource, { method: 'PUT', headers, body: document });
  headers['X-If-Modified-Since'] = posted.headers.get('X-Last-Modified');
  const unchanged = await fetch(resource, { headers });
  return [status, email, posted.status, unchanged.status];
}
</script>`;

async function pages() {
  const server = createServer((_, answer) => {
    answer.writeHead(200, { 'content-type': 'text/html' }).end(pageOf(owa));
  });
  const port = await listenOnLoopback(server, 0);
  return { server, origin: `http://127.0.0.1:${port}` };
}

beforeAll(async () => {
  [known, unknown] = await Promise.all([pages(), pages()]);
  const audiences = [known.origin];
  serving = await serveOnLoopback({ port: 0, account: emptyAccount(), owa: { audiences } });
  owa = serving.world.urls.owa;
  firefox = await launchFirefox({});
});
afterAll(async () => {
  await firefox?.close();
  await serving?.close();
  for (const { server } of [known, unknown]) server?.close();
});

/** What a script of the page says, as soon as it is something. */
async function soon(said: () => Promise<unknown>): Promise<unknown> {
  for (let tries = 0; tries < 600; tries++) {
    const value = await said();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('nothing was said');
}

test('a page of the whitelist is handed the assertion, and logs in with it', async () => {
  const { email, password } = serving.world.account;
  const message = await firefox.inPage(async ({ open, frame, type, click, run }) => {
    await open(`${known.origin}/`);
    await frame('iframe');
    await click('button');
    await type('input[name=email]', email);
    await type('input[name=password]', `${password}x`);
    await click('button');
    const said = 'return document.getElementById("said").textContent';
    expect(await soon(() => run(said))).toBe('Incorrect password');
    await run('document.querySelector("input[name=password]").value = ""');
    await type('input[name=password]', password);
    await click('button');
    await frame(null);
    return soon(() => run('return document.body.dataset.seen'));
  });
  expect(JSON.parse(String(message))).toEqual({
    ...{ origin: serving.url, type: 'owa-login', audience: serving.url },
    result: ['okay', email, 204, 204],
  });
});

test('no other page has it in a frame, or is answered', async () => {
  const found = await firefox.inPage(async ({ open, frame, run }) => {
    await open(`${unknown.origin}/`);
    const asked = await run(
      `return fetch('${owa}/verify', { method: 'POST', body: '' }).then(() => 'answered', String)`,
    );
    await frame('iframe');
    const button = await run('return document.querySelector("#login") === null');
    return { asked, button };
  });
  expect(found).toEqual({ asked: expect.stringContaining('NetworkError'), button: true });
});
