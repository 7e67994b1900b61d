import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, test } from 'vitest';
import type { Serving } from '../../../emulator/servers/serve.ts';
import { secondDevice } from '../../../test/sim/second-device.ts';
import { credentialsOf, run, serveAccount } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { withPlainAddresses } from './addresses.ts';

const folder = temporaryFolder();
const data = join(folder, 'data');
let serving: Serving;

beforeAll(async () => {
  serving = await serveAccount(1);
  const credentials = await credentialsOf(serving, join(folder, 'credentials.json'));
  const { token } = serving.world.urls;
  const browser = secondDevice({ world: serving.world, nowMs: Date.now() });
  for (const { collection, record } of ODD) browser.put(collection, record);
  await run([
    ...['sync', '--token-server', token, '--credentials', credentials],
    ...['--data', data, '--once'],
  ]);
});
afterAll(() => serving.close());

/** Addresses as other clients left them; `change` is what somebody does here. */
const ODD = [
  ...['https://odd.example', 'https://ODD.example/a b', 'http://odd.example:80/'].map(
    (histUri, at) => ({
      collection: 'history',
      record: { id: `odd-page-${at}`, histUri, title: '', visits: [{ date: 1e15, type: 1 }] },
      change: { title: 'new' },
    }),
  ),
  ...[
    ['no-scheme.example', ''],
    ['https://dot.example', '.'],
    ['https://UPPER.example/', 'https://UPPER.example/do'],
    ['https://exämple.example', ''],
  ].map(([hostname, formSubmitURL], at) => ({
    collection: 'passwords',
    record: { id: `{odd-login-${at}}`, hostname, formSubmitURL, username: 'u', password: 'p' },
    change: { password: 'new' },
  })),
];

test.each(ODD)('what is listed can be put back changed, its address untouched: %j', async (odd) => {
  const { collection, record, change } = odd;
  const listed = async () => {
    const { out } = await run(['list', collection, '--data', data, '--json']);
    return (JSON.parse(out) as { guid: string }[]).find(({ guid }) => guid === record.id);
  };
  const before = await listed();
  const edited = await put(collection, { ...before, ...change });
  expect(edited).toEqual({
    code: 0,
    id: record.id,
    complaints: expect.not.stringContaining('URL'),
  });
  const changedMs = collection === 'history' ? {} : { timePasswordChanged: expect.any(Number) };
  expect(await listed()).toEqual({ ...before, ...change, ...changedMs });
});

const put = async (collection: string, record: object) => {
  const { code, out, complaints } = await run([
    'put',
    collection,
    '--data',
    data,
    JSON.stringify(record),
  ]);
  return { code, id: out.trim(), complaints };
};

test.each([
  ['history', { url: 'https://Exämple.org' }, { url: 'https://xn--exmple-cua.org/' }],
  [
    'history',
    { histUri: 'https://e.org/größe?ä=ö#ü' },
    { histUri: 'https://e.org/gr%C3%B6%C3%9Fe?%C3%A4=%C3%B6#%C3%BC' },
  ],
  ['history', { url: 'https://e.org/gr%C3%B6%C3%9Fe' }, { url: 'https://e.org/gr%C3%B6%C3%9Fe' }],
  ['history', { title: 'Größe' }, { title: 'Größe' }],
  ['history', { url: 7 }, { url: 7 }],
  [
    'passwords',
    { origin: 'https://Exämple.org:443/login' },
    { origin: 'https://xn--exmple-cua.org' },
  ],
  ['passwords', { hostname: 'http://e.org:8080' }, { hostname: 'http://e.org:8080' }],
  ['passwords', { origin: 'moz-proxy://127.0.0.1:80' }, { origin: 'moz-proxy://127.0.0.1:80' }],
  [
    'passwords',
    { formActionOrigin: '', formSubmitURL: 'javascript:' },
    { formActionOrigin: '', formSubmitURL: 'javascript:' },
  ],
  [
    'passwords',
    { formSubmitURL: 'https://Exämple.org/do' },
    { formSubmitURL: 'https://xn--exmple-cua.org' },
  ],
  ['passwords', { password: 'https://Exämple.org' }, { password: 'https://Exämple.org' }],
  ['forms', { url: 'https://Exämple.org' }, { url: 'https://Exämple.org' }],
])('%s %j is put as %j', (collection, record, plain) => {
  expect(withPlainAddresses(collection, record)).toEqual(plain);
});

it('changes a page under any form of its address, and adds no second one', async () => {
  const first = await put('history', { url: 'https://exämple.org/größe', title: 'one' });
  const again = await put('history', {
    url: 'https://xn--exmple-cua.org/gr%C3%B6%C3%9Fe',
    title: 'two',
  });
  expect(again).toEqual(first);
  const login = { formActionOrigin: '', username: 'u', password: 'p' };
  const typed = await put('passwords', { ...login, origin: 'https://exämple.org/login' });
  expect(await put('passwords', { ...login, origin: 'https://xn--exmple-cua.org' })).toEqual(typed);
});

test.each([
  ['history', { url: 'example.org' }, 'url is not a URL: "example.org"'],
  ['history', { histUri: 'https://' }, 'histUri is not a URL: "https://"'],
  [
    'passwords',
    { origin: 'example.org', password: 'secret' },
    'origin is not a URL: "example.org"',
  ],
  [
    'passwords',
    { origin: 'https://e.org', formActionOrigin: 'e' },
    'formActionOrigin is not a URL: "e"',
  ],
])('%s %j is refused in a line', async (collection, record, line) => {
  expect(await put(collection, record)).toEqual({
    code: 2,
    id: '',
    complaints: `kitsync: ${line}\n`,
  });
});
