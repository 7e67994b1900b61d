// A real Firefox and the emulated television are two devices of one account. The tests of
// a protocol are one story, in their order; each begins where both agree.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareWithExpected } from '../../emulator/compare.ts';
import type { Login, Page } from '../../emulator/expected.ts';
import { loadProfile } from '../../emulator/profiles.ts';
import { common } from './likeness.ts';
import { type Pair, startPair } from './pair.ts';
import { PROTOCOLS } from './servers.ts';
import { lastWrites } from './storage.ts';
import { TELEVISION } from './television.ts';

const PAGES = 100;
const LOGINS = 20;
/** What both devices write. */
const SHARED = ['history', 'passwords', 'clients', 'meta', 'crypto'];

describe.each(PROTOCOLS)('Firefox and a television over %s', (protocol) => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await startPair({ protocol, pages: PAGES, logins: LOGINS });
  });
  afterAll(() => pair?.close());

  test('the television holds exactly what Firefox wrote', async () => {
    const { firefox, television } = pair;
    const written = await firefox.holdings();
    expect(written.history).toHaveLength(PAGES);
    expect(written.logins).toHaveLength(LOGINS);
    const expected = { ...written, notOnServer: new Set<string>() };
    expect(compareWithExpected(await television.holdings(), expected)).toEqual([]);
    expect(await television.quarantined()).toBe(0);
  });

  test('Firefox shows what the television added, edited, deleted, and leaves it so', async () => {
    const { serving, firefox, television } = pair;
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

    const written = await lastWrites(serving, SHARED);
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
    expect(await lastWrites(serving, SHARED)).toEqual(written);
  });

  test('Firefox lists the television', async () => {
    const { name, type } = loadProfile(TELEVISION).device;
    const listed = await pair.firefox.call('devices', 'listDevices');
    expect(listed).toEqual([expect.objectContaining({ name, type, commands: [] })]);
  });

  test('what Firefox deletes goes on the television', async () => {
    const { firefox, television } = pair;
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
    const { serving, firefox, television } = pair;
    const written = await lastWrites(serving, SHARED);
    for (let round = 0; round < 3; round++) {
      await firefox.sync();
      const before = television.requests();
      await television.sync();
      expect(television.requests() - before).toBe(1);
    }
    expect(await lastWrites(serving, SHARED)).toEqual(written);
    expect(await television.quarantined()).toBe(0);
  });
});

function nowUs(): number {
  return Date.now() * 1000;
}
