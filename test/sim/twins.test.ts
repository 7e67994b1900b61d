// The same thing was made on two devices that did not know of each other. It becomes one record,
// under the id that the server has, and what this device adds to it goes up in the same pass.

import { expect, test } from 'vitest';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { NOW_MS, testDevice, testServers } from '../support/device.ts';
import { secondDevice } from './second-device.ts';

async function deviceAndServer() {
  const servers = testServers(syntheticAccount({ records: 1, passwords: 1, seed: 2 }));
  const { agent } = testDevice(servers);
  await agent.start();
  await agent.enable();
  return { agent, second: secondDevice(servers) };
}

test('a page has the visits of both', async () => {
  const { agent, second } = await deviceAndServer();
  const histUri = 'https://both.example/';
  const here = { date: NOW_MS * 1000, type: 1 };
  const there = { date: NOW_MS * 1000 - 5e6, type: 2 };
  await agent.put('history', { url: histUri, title: 'here', visits: [here] });
  second.put('history', { id: 'elsewhere_01', histUri, title: 'there', visits: [there] });

  await agent.sync();
  const pages = [...second.live('history').values()].filter((page) => page.histUri === histUri);
  expect(pages).toEqual([{ id: 'elsewhere_01', histUri, title: 'here', visits: [here, there] }]);
});

test('a login has the later password', async () => {
  const { agent, second } = await deviceAndServer();
  const hostname = 'https://both.example';
  const login = { hostname, formSubmitURL: '', httpRealm: null, username: 'ada' };
  await agent.put('passwords', { ...login, password: 'later' });
  const times = { timeCreated: NOW_MS - 9000, timePasswordChanged: NOW_MS - 9000 };
  second.put('passwords', { ...login, ...times, id: 'elsewhere', password: 'earlier' });

  await agent.sync();
  const logins = [...second.live('passwords').values()].filter((one) => one.hostname === hostname);
  expect(logins).toEqual([expect.objectContaining({ id: 'elsewhere', password: 'later' })]);
});

test('a login changed on both sides has the later password, though it comes up last', async () => {
  const { agent, second } = await deviceAndServer();
  const login = { hostname: 'https://both.example', formSubmitURL: '', httpRealm: null };
  const times = { timeCreated: NOW_MS - 9000, timePasswordChanged: NOW_MS - 9000 };
  const base = { ...login, ...times, id: 'elsewhere', username: 'ada', password: 'old' };
  second.put('passwords', base);
  await agent.sync();
  const edit = { id: 'elsewhere', password: 'later' };
  await agent.put('passwords', edit);
  const earlier = { password: 'earlier', timePasswordChanged: NOW_MS - 1000 };
  second.put('passwords', { ...base, ...earlier });
  await agent.sync();
  expect(second.get('passwords', 'elsewhere')).toMatchObject({ password: 'later' });
});
