// A real Firefox and a device know each other as devices of one account: each lists the other,
// Firefox leaves commands, and each sees the tabs that are open on the other. The tests are one
// story, in their order.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { TV } from '../support/everything.ts';
import { type Household, startHousehold } from './household.ts';
import { sampleLogins, samplePages } from './samples.ts';

const PAGES = 5;
const LOGINS = 3;

let home: Household;
beforeAll(async () => {
  home = await startHousehold(async (firefox) => {
    await firefox.addPages(samplePages(PAGES, 1, Date.now() * 1000));
    await firefox.addLogins(sampleLogins(LOGINS, 1));
  });
  await home.computer.sync();
  await home.firefox.sync();
});
afterAll(() => home?.close());

interface DeviceRecord {
  readonly id: string;
  readonly fxaDeviceId?: string;
  readonly commands: readonly unknown[];
}

const inside = (name: string, ...args: unknown[]) => home.firefox.call('devices', name, ...args);

async function listedByFirefox(): Promise<DeviceRecord> {
  const [record, ...others] = (await inside('listDevices')) as DeviceRecord[];
  if (record === undefined || others.length > 0) throw new Error('not one other device is listed');
  return record;
}

test('Firefox and the device list each other', async () => {
  const { firefox, computer } = home;
  const { name, type, version, os } = TV;
  expect(await listedByFirefox()).toMatchObject({ name, type, version, os, commands: [] });
  expect(await computer.agent.devices()).toEqual([
    expect.objectContaining({
      name: await inside('ownName'),
      type: 'desktop',
      application: 'Firefox',
      version: firefox.version,
    }),
  ]);
});

test('commands of Firefox are carried out once and leave the record', async () => {
  const { firefox, computer } = home;
  const record = await listedByFirefox();
  const page = ['https://example.com/größe', 'a device', 'Größe 日本'];
  await inside('sendCommand', 'displayURI', page, record.id);
  await inside('sendCommand', 'resetEngine', ['history'], record.id);
  await inside('sendCommand', 'wipeEngine', ['passwords'], record.id);
  await firefox.sync();
  expect((await listedByFirefox()).commands).toHaveLength(3);

  const { history, passwords } = await computer.sync();
  expect(history).toMatchObject({ pulled: PAGES, pushed: 0 });
  expect(passwords).toMatchObject({ pulled: LOGINS, pushed: 0 });
  const [url, from, title] = page;
  expect(computer.events).toContainEqual(
    expect.objectContaining({ kind: 'page', url, from, title }),
  );
  expect(computer.events).toContainEqual({ kind: 'wiped', collection: 'passwords' });

  await firefox.sync();
  expect(await listedByFirefox()).toEqual(record);
  const heard = computer.events.length;
  await computer.sync();
  const kinds = computer.events.slice(heard).map(({ kind }) => kind);
  expect(kinds).not.toContain('page');
  expect(kinds).not.toContain('wiped');
});

test("the device lists Firefox's open tabs", async () => {
  const { serving, firefox, computer } = home;
  const url = `${serving.url}/a/page?of=Größe`;
  await inside('openTab', new URL(url).href);
  await firefox.sync();
  await computer.sync();
  const { records } = await computer.agent.list('tabs', { limit: 10 });
  expect(records).toEqual([
    expect.objectContaining({
      clientName: await inside('ownName'),
      tabs: [expect.objectContaining({ urlHistory: [new URL(url).href] })],
    }),
  ]);
});

test("Firefox shows the device's open tabs: the accounts server lists the device", async () => {
  const { firefox, computer } = home;
  const tabs = [
    { title: 'Größe 日本', url: 'https://example.com/1', lastUsed: 1_795_000_002 },
    { title: '', urlHistory: ['https://example.com/2', 'https://example.com/'], lastUsed: 1 },
    { title: 'here only', url: 'about:config' },
  ];
  const { id, fxaDeviceId } = await listedByFirefox();
  expect(fxaDeviceId).toMatch(/^[\da-f]{32}$/);
  expect(await inside('listAccountDevices')).toContain(fxaDeviceId);
  await computer.agent.put('tabs', { tabs });
  await computer.sync();
  await firefox.sync();
  const listed = (await inside('listTabs')) as object[];
  expect(listed).toEqual([expect.objectContaining({ id, fxaDeviceId, name: TV.name })]);
  expect(listed[0]).toMatchObject({
    tabs: [
      { title: 'Größe 日本', urlHistory: ['https://example.com/1'], lastUsed: 1_795_000_002 },
      { title: '', urlHistory: ['https://example.com/2', 'https://example.com/'], lastUsed: 1 },
    ],
  });
});

// Firefox itself sends its tabs with every sync.
test('nobody writes when nothing has changed', async () => {
  const names = ['clients', 'history', 'passwords', 'bookmarks', 'meta', 'crypto'];
  expect(await home.restlessIn(names)).toEqual([]);
});

test('Firefox signs the device out, and lists it no more', async () => {
  const { firefox, computer } = home;
  const { id } = await listedByFirefox();
  await inside('sendCommand', 'logout', [], id);
  await firefox.sync();
  await expect(computer.sync()).rejects.toThrow('another device has signed this one out');
  expect(computer.agent.status().state).toBe('disabled');
  const listed = async () => {
    await firefox.sync();
    return inside('listDevices');
  };
  // The server forgets the device's record after a second.
  await expect.poll(listed, { timeout: 10_000, interval: 200 }).toEqual([]);
});
