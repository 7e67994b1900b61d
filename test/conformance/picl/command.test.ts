// What somebody sees who holds a server to the rules and has typed it wrong.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { GENESIS } from '../../../platform/node/picl/chain.ts';
import { main } from './command.ts';

const token = join(mkdtempSync(join(tmpdir(), 'picl-conformance-')), 'token');
writeFileSync(token, 'a token\n');

async function run(...args: string[]) {
  const out: string[] = [];
  const complaints: string[] = [];
  const code = await main(args, {
    write: (text) => void out.push(text),
    complain: (text) => void complaints.push(text),
  });
  return { code, out: out.join(''), complaints: complaints.join('') };
}

/** Of each collection, whether somebody has written it; every request is answered the same. */
let written: Readonly<Record<string, boolean>> = {};
const asked: string[] = [];
const server = createServer((request, response) => {
  const { method = '', url = '' } = request;
  asked.push(`${method} ${url}`);
  const [, name = ''] = url.split('/');
  const changeid = written[name] ? 'x'.repeat(43) : GENESIS;
  const collections = Object.fromEntries(Object.keys(written).map((one) => [one, `/${one}`]));
  const body = method === 'POST' ? { id: 'i', key: 'k', collections } : { seqnum: 0, changeid };
  response.setHeader('Content-Type', 'application/json').end(JSON.stringify(body));
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
afterAll(() => void server.close());

test.each<[string, string[], RegExp]>([
  ['no URL', [], /^conformance:picl: URL is missing/],
  ['what is no URL', ['x', '--token', token], /must be an http or https URL, not "x"/],
  ['another protocol', ['ftp://x', '--token', token], /must be an http or https URL/],
  ['one word too many', ['http://x', 'y', '--token', token], /one word too many: y/],
  ['an option that is none', ['http://x', '--frob'], /Unknown option '--frob'/],
  ['nobody who logs in', ['http://x'], /either --token or --assertion must be given/],
  ['no file', ['http://x', '--token', '/no/such'], /cannot read \/no\/such: ENOENT/],
  [
    'nobody at the URL',
    ['http://127.0.0.1:9/', '--token', token],
    /^conformance:picl: 127\.0\.0\.1:9: .+\n$/,
  ],
])('%s: a line says so, and the exit code is 2', async (_, args, line) => {
  const { code, out, complaints } = await run(...args);
  expect([code, out]).toEqual([2, '']);
  expect(complaints).toMatch(line);
});

test('nothing is written into what somebody has written, unless it is named', async () => {
  written = { history: true, passwords: true };
  const spared = await run(origin, '--token', token);
  expect(spared).toMatchObject({ code: 2, out: '' });
  expect(spared.complaints).toMatch(/every collection was written already/);
  expect(asked).toEqual(['POST /', 'GET /history', 'GET /passwords']);
  written = { history: true, passwords: false };
  asked.length = 0;
  await run(origin, '--token', token);
  expect(asked.filter((one) => one.startsWith('POST /') && one !== 'POST /')).toSatisfy(
    (posts: string[]) => posts.length > 0 && posts.every((one) => one.includes('/passwords')),
  );
  const named = await run(origin, '--token', token, '--collection', 'history');
  expect(named).toMatchObject({ code: 1, complaints: '' });
  const nothing = await run(origin, '--token', token, '--collection', 'tabs');
  expect(nothing.complaints).toMatch(/names no collection tabs/);
});
