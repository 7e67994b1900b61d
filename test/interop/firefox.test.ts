// A real Firefox and the emulated television are two devices of one account, on the embedded servers. The tests of
// a protocol are one story, in their order; each begins where both agree.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareWithExpected } from '../../emulator/compare.ts';
import type { Holdings, Login, Page } from '../../emulator/expected.ts';
import { type Serving, serveOnLoopback } from '../../emulator/servers/serve.ts';
import { Store } from '../../emulator/servers/store.ts';
import { type Firefox, startFirefox } from './firefox.ts';
import { common, commonVisits, storedRecords } from './likeness.ts';
import { sampleLogins, samplePages } from './samples.ts';
import { startTelevision, type Television } from './television.ts';

const PROTOCOLS = ['syncto', 'sync15'] as const;
const KEY = '5c'.repeat(32);
const PAGES = 100;
const LOGINS = 20;

describe.each(PROTOCOLS)('Firefox and a television over %s', (protocol) => {
  let serving: Serving;
  let firefox: Firefox;
  let television: Television;

  beforeAll(async () => {
    serving = await serveOnLoopback({ port: 0, account: { kB: KEY, store: new Store() } });
    firefox = await startFirefox({ serving });
    await firefox.addPages(samplePages(PAGES, 1, nowUs()));
    await firefox.addLogins(sampleLogins(LOGINS, 1));
    await firefox.sync();
    television = await startTelevision(serving, protocol);
  });

  afterAll(async () => {
    await firefox?.close();
    await serving?.close();
  });

  async function syncTwice(first: string): Promise<void> {
    const devices = first === 'Firefox' ? [firefox, television] : [television, firefox];
    for (const device of [...devices, ...devices]) await device.sync();
  }

  test('the television holds exactly what Firefox wrote', async () => {
    const written = await firefox.holdings();
    expect(written.history).toHaveLength(PAGES);
    expect(written.logins).toHaveLength(LOGINS);
    const expected = { ...written, notOnServer: new Set<string>() };
    expect(compareWithExpected(await television.holdings(), expected)).toEqual([]);
    expect(await television.quarantined()).toBe(0);
  });

  test('Firefox shows what the television added, edited and deleted, and leaves it so', async () => {
    const { history, logins } = await television.holdings();
    const [edited, deleted] = history as [Page, Page];
    const [changed, removed] = logins as [Login, Login];
    const id = await television.put('history', {
      url: 'https://tv.example/gr%C3%B6%C3%9Fe',
      title: 'Am Fernseher 📺',
      visits: [{ date: nowUs() - 1_234_567, type: 2 }],
    });
    await television.put('history', {
      id: edited.guid,
      title: 'Another title',
      visits: [{ date: nowUs(), type: 1 }],
    });
    await television.delete('history', deleted.guid);
    const loginId = await television.put('passwords', {
      origin: 'https://tv.example',
      formActionOrigin: 'https://tv.example',
      username: 'zoë',
      password: '密码🔑',
    });
    await television.put('passwords', {
      ...changed,
      id: changed.guid,
      password: 'changed on the TV',
    });
    await television.delete('passwords', removed.guid);
    await television.sync();

    const stored = storedRecords(serving);
    await firefox.sync();
    const shown = await firefox.holdings();
    expect(common(shown)).toEqual(common(await television.holdings()));
    expect(shown.history.find(({ guid }) => guid === id)?.title).toBe('Am Fernseher 📺');
    expect(shown.history.find(({ guid }) => guid === edited.guid)?.title).toBe('Another title');
    expect(shown.logins.find(({ guid }) => guid === loginId)?.username).toBe('zoë');
    expect(shown.logins.find(({ guid }) => guid === changed.guid)?.password).toBe(
      'changed on the TV',
    );
    expect(shown.history).toHaveLength(PAGES);
    expect(shown.logins).toHaveLength(LOGINS);

    await firefox.sync();
    expect(storedRecords(serving)).toEqual(stored);
  });

  test.each([
    ['Firefox', 5],
    ['the television', 6],
  ] as const)('visits of both to one page unite when %s syncs first', async (first, index) => {
    const page = (await firefox.holdings()).history[index] as Page;
    const [here, there] = [
      { date: nowUs() - 5e6, type: 1 },
      { date: nowUs() - 3e6, type: 2 },
    ];
    await firefox.addPages([{ url: page.url, title: 'by Firefox', visits: [here] }]);
    await television.put('history', { id: page.guid, title: 'by the TV', visits: [there] });

    await syncTwice(first);
    const shown = await firefox.holdings();
    expect(common(shown)).toEqual(common(await television.holdings()));
    const united = { ...page, visits: [...page.visits, here, there] };
    const isPage = ({ guid }: Page) => guid === page.guid;
    expect(commonVisits(shown.history.find(isPage))).toEqual(commonVisits(united));
  });

  test('edits of both to one login unite when Firefox syncs first', async () => {
    const { guid } = (await firefox.holdings()).logins[5] as Login;
    await television.put('passwords', { id: guid, usernameField: 'field of the TV' });
    await firefox.changeLogin(guid, { password: 'password of Firefox' });

    await syncTwice('Firefox');
    const shown = await firefox.holdings();
    expect(common(shown)).toEqual(common(await television.holdings()));
    expect(loginOf(shown, guid)).toMatchObject({
      usernameField: 'field of the TV',
      password: 'password of Firefox',
    });
  });

  // Firefox itself merges no members: what reached the server after its own edit replaces that edit.
  test('edits of both to one login end as that of the television when it syncs first', async () => {
    const { guid } = (await firefox.holdings()).logins[6] as Login;
    await firefox.changeLogin(guid, { password: 'password of Firefox' });
    await television.put('passwords', { id: guid, password: 'password of the TV' });

    await syncTwice('the television');
    const shown = await firefox.holdings();
    expect(common(shown)).toEqual(common(await television.holdings()));
    expect(loginOf(shown, guid)?.password).toBe('password of the TV');
  });

  test('what Firefox deletes goes on the television', async () => {
    const { history, logins } = await firefox.holdings();
    await firefox.removePages(history.slice(10, 20).map(({ url }) => url));
    await firefox.removeLogins(logins.slice(10, 15).map(({ guid }) => guid));
    await firefox.sync();
    await television.sync();
    const held = await television.holdings();
    expect(held.history).toHaveLength(history.length - 10);
    expect(held.logins).toHaveLength(logins.length - 5);
    expect(common(held)).toEqual(common(await firefox.holdings()));
  });

  test('nobody writes when nothing has changed', async () => {
    const stored = storedRecords(serving);
    for (let round = 0; round < 3; round++) {
      await firefox.sync();
      const before = television.requests();
      await television.sync();
      expect(television.requests() - before).toBe(1);
    }
    expect(storedRecords(serving)).toEqual(stored);
    expect(await television.quarantined()).toBe(0);
  });
});

function loginOf({ logins }: Holdings, guid: string): Login | undefined {
  return logins.find((login) => login.guid === guid);
}

function nowUs(): number {
  return Date.now() * 1000;
}
