// Names that a server must not read, on remotes where the id inside a record is the one outside.

import { describe, expect, it } from 'vitest';
import { AppsUser } from '../../test/support/installed-apps.ts';
import { NO_ACCOUNT } from '../../test/support/made-up/client.ts';
import { recordsRemote } from '../../test/support/made-up/records-remote.ts';
import { recordsService } from '../../test/support/made-up/services.ts';
import { syncService } from '../../test/support/sync-service.ts';

const NAME = 'https://a.example';
const APP = { manifest: { name: 'A' }, install_time: 5 };

describe.each([
  ['Syncto', 'syncto' as const],
  ['Sync 1.5', 'sync15' as const],
])('on %s', (_, protocol) => {
  it('the server sees a hash, and every device of the user makes the same one', async () => {
    const service = syncService(protocol);
    const user = new AppsUser(service);
    const [one, other] = [await user.device(), await user.device()];
    await user.put(one, NAME, APP);
    user.pass(1_000);
    await user.put(other, NAME, { ...APP, note: 1 });
    await user.sync(one, other, one);
    const [id, ...more] = (await service.live()).keys();
    expect([id, more]).toEqual([expect.stringMatching(/^h-[\w-]{43}$/), []]);
    expect(service.raw(`${id}`)).not.toContain('a.example');
    expect(await user.list(one)).toMatchObject([{ guid: NAME, note: 1 }]);
  });

  it('an origin of 2,048 characters is a name like others', async () => {
    const user = new AppsUser(syncService(protocol));
    const [one, other] = [await user.device(), await user.device()];
    const long = `https://${'a'.repeat(2_040)}`;
    await user.put(one, long, APP);
    await user.sync(one, other);
    expect(await user.get(other, long)).toMatchObject({ guid: long, ...APP });
    await expect(user.put(one, `${long}a`, APP)).rejects.toMatchObject({ code: 'badInput' });
  });
});

/** A service whose remote takes ids as they are. */
function nameless() {
  const service = recordsService();
  const { named: _, ...remote } = recordsRemote;
  const driver = { ...remote, account: async () => NO_ACCOUNT };
  return { ...service, contents: { ...service.contents, drivers: [driver] } };
}

it('a record under an id that its name does not make is set aside', async () => {
  const service = nameless();
  const user = new AppsUser(service);
  const one = await user.device();
  service.put('h-'.padEnd(45, 'x'), { name: NAME, entry: { ...APP, last_modified: 5 } });
  service.put('plain', { entry: { ...APP, last_modified: 5 } });
  await user.sync(one);
  expect(await user.list(one)).toEqual([]);
  expect(one.agent.status().collections.things).toMatchObject({ quarantined: 2 });
});

it('records move to the names that another key makes', async () => {
  const service = nameless();
  const key = { kB: 'ab'.repeat(32) };
  const user = new AppsUser({
    ...service,
    identity: { ...service.identity, syncKey: async () => ({ ...key }) },
  });
  const one = await user.device();
  await user.put(one, NAME, APP);
  await user.sync(one);
  const before = service.wireIds();
  await user.put(one, NAME, { note: 1 });
  await user.put(one, 'https://b.example', APP);
  key.kB = 'cd'.repeat(32);
  service.renew();
  await user.sync(one);
  await user.put(one, NAME, { more: 2 });
  await user.sync(one);
  const other = await user.device();
  for (const device of [one, other]) {
    expect(await user.list(device)).toMatchObject([
      { guid: NAME, note: 1, more: 2 },
      { guid: 'https://b.example' },
    ]);
  }
  expect(service.wireIds()).toHaveLength(2);
  expect(service.wireIds()).not.toContain(before[0]);
});
