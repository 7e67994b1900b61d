// One folder with a Firefox account and a Kinto: each keeps its own collections, and neither holds
// the other up.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Serving } from '../../../emulator/servers/serve.ts';
import { credentialsOf, run, serveAccount } from '../../../test/support/commands.ts';
import { computerOf, type ServedKinto, serveKinto } from '../../../test/support/served-kinto.ts';

let firefox: Serving;
let kinto: ServedKinto;
let one: ReturnType<typeof computerOf>;
let args: string[];

beforeEach(async () => {
  firefox = await serveAccount(5);
  kinto = await serveKinto();
  one = computerOf(kinto);
  await one.signIn('secret');
  args = [
    ...['sync', '--once', '--token-server', firefox.world.urls.token, '--data', one.data],
    ...['--credentials', await credentialsOf(firefox, join(one.folder, 'me.json'))],
    ...['--remote', 'home=kinto:contacts,settings,notes', '--credentials'],
    `home=${one.credentials}`,
  ];
});
afterEach(async () => {
  await firefox.close();
  await kinto.close();
});

test('both are synced in one process, and a Kinto alone has its part', async () => {
  expect(await run(args)).toMatchObject({ code: 0, complaints: '' });
  await one.on('put', 'notes', '{"text":"here"}');
  await one.on('put', 'history', '{"url":"https://mine.example/","title":"mine"}');
  const { code, out } = await run(args);
  expect([code, out]).toEqual([0, expect.stringContaining('home: in sync: notes 0 received, 1')]);
  expect(out).toContain('in sync: history 0 received, 1 sent');
  const two = computerOf(kinto);
  writeFileSync(two.credentials, readFileSync(one.credentials), { mode: 0o600 });
  expect(await two.sync()).toMatchObject({ code: 0, complaints: '' });
  expect(await two.notes()).toEqual(['here']);
});

test('one that is down does not stop the other, and the status says which', async () => {
  await run(args);
  await kinto.close();
  await one.on('put', 'history', '{"url":"https://mine.example/","title":"mine"}');
  const withoutKinto = await run(args);
  expect([withoutKinto.code, withoutKinto.out]).toEqual([
    1,
    expect.stringContaining('history 0 received, 1 sent'),
  ]);
  expect(withoutKinto.complaints).toMatch(/home: sync failed: .*ECONNREFUSED/);
  const [first = '', home = ''] = (await one.on('status')).out.split('\n\n');
  expect(first).toMatch(/^service +first$/m);
  expect(first).not.toMatch(/^error/m);
  expect(home).toMatch(/^service +home$/m);
  expect(home).toMatch(/^error +.*ECONNREFUSED/m);
  expect(home).toMatch(/^this device +a Kinto has no list/m);
  kinto = await serveKinto();
});

test('the devices are those of the account that has a list of them', async () => {
  await run(args);
  expect(await one.on('devices')).toMatchObject({ code: 0, complaints: '' });
  expect(await one.on('devices', '--remote', 'home')).toMatchObject({
    code: 1,
    complaints: 'kitsync: a Kinto has no list of the devices of its users\n',
  });
});

test('signing out of the Kinto leaves what Firefox Sync has', async () => {
  await run(args);
  await one.on('put', 'notes', '{"text":"here"}');
  await run(args);
  const left = await one.on('sign-out', '--remote', 'home', '--yes');
  expect(left).toMatchObject({ code: 0 });
  const exported = JSON.parse((await one.on('export')).out);
  expect([exported.history.length, exported.notes]).toEqual([5, undefined]);
});
