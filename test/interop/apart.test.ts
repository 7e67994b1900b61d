// Firefox and the television change the same things while neither hears of the other. After two
// syncs each they hold the same, and what somebody typed last is not lost.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Holdings, Login, Page } from '../../emulator/expected.ts';
import { common, commonVisits } from './likeness.ts';
import { type Pair, startPair } from './pair.ts';
import { PROTOCOLS } from './servers.ts';

type Device = 'Firefox' | 'the television';
const BOTH: readonly Device[] = ['Firefox', 'the television'];

describe.each(PROTOCOLS)('apart, over %s', (protocol) => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await startPair({ protocol, pages: 20, logins: 10 });
  });
  afterAll(() => pair?.close());

  /** Both sync; what both hold then. */
  async function agreed(first: Device): Promise<Holdings> {
    await pair.syncTwice(first);
    const shown = await pair.firefox.holdings();
    expect(common(await pair.television.holdings())).toEqual(common(shown));
    expect(await pair.television.quarantined()).toBe(0);
    return shown;
  }

  async function somePage(): Promise<Page> {
    const [page] = (await pair.firefox.holdings()).history;
    if (page === undefined) throw new Error('no page is left');
    return page;
  }

  async function someLogin(): Promise<Login> {
    const [login] = (await pair.firefox.holdings()).logins;
    if (login === undefined) throw new Error('no login is left');
    return login;
  }

  describe.each(BOTH)('when %s syncs first', (first) => {
    test('visits of both to one page unite', async () => {
      const page = await somePage();
      const [here, there] = visitsOfNow();
      await pair.firefox.addPages([{ url: page.url, title: 'by Firefox', visits: [here] }]);
      await pair.television.put('history', { id: page.guid, title: 'by the TV', visits: [there] });
      const united = { ...page, visits: [...page.visits, here, there] };
      const shown = (await agreed(first)).history.find(({ guid }) => guid === page.guid);
      expect(commonVisits(shown)).toEqual(commonVisits(united));
    });

    test('a login that both made is one login, with the later password', async () => {
      const origin = `https://made.example:${1000 + first.length}`;
      const login = { origin, formActionOrigin: origin, username: 'both' };
      await pair.firefox.addLogins([{ ...login, password: 'earlier' }]);
      // The two clocks may be some milliseconds apart.
      await sleep(50);
      await pair.television.put('passwords', { ...login, password: 'later' });
      const shown = (await agreed(first)).logins.filter((candidate) => candidate.origin === origin);
      expect(shown.map(({ password }) => password)).toEqual(['later']);
    });

    test('a page that one deleted and the other visited is the same on both', async () => {
      const page = await somePage();
      await pair.firefox.removePages([page.url]);
      await pair.television.put('history', { id: page.guid, visits: [visitsOfNow()[0]] });
      await agreed(first);
      const other = await somePage();
      await pair.television.delete('history', other.guid);
      await pair.firefox.addPages([{ ...other, visits: [visitsOfNow()[0]] }]);
      await agreed(first);
    });

    test('a login that one deleted and the other changed is the same on both', async () => {
      const { guid } = await someLogin();
      await pair.firefox.removeLogins([guid]);
      await pair.television.put('passwords', { id: guid, password: 'changed on the TV' });
      await agreed(first);
      const other = await someLogin();
      await pair.television.delete('passwords', other.guid);
      await pair.firefox.changeLogin(other.guid, { password: 'changed in Firefox' });
      await agreed(first);
    });
  });

  test('a login that Firefox has sent since the television deleted it stays', async () => {
    const { guid } = await someLogin();
    await pair.television.delete('passwords', guid);
    await pair.firefox.changeLogin(guid, { password: 'still needed' });
    const kept = (await agreed('Firefox')).logins.find((login) => login.guid === guid);
    expect(kept?.password).toBe('still needed');
  });

  test('a page that both found is one page with all visits when Firefox syncs first', async () => {
    const url = 'https://found.example/';
    const [here, there] = visitsOfNow();
    await pair.firefox.addPages([{ url, title: 'by Firefox', visits: [here] }]);
    await pair.television.put('history', { url, title: 'by the TV', visits: [there] });
    const shown = (await agreed('Firefox')).history.filter((page) => page.url === url);
    expect(shown).toHaveLength(1);
    expect(commonVisits(shown[0])).toEqual(commonVisits({ visits: [here, there] }));
  });

  test('edits of both to one login unite when Firefox syncs first', async () => {
    const { guid } = await someLogin();
    await pair.television.put('passwords', { id: guid, usernameField: 'field of the TV' });
    await pair.firefox.changeLogin(guid, { password: 'password of Firefox' });
    expect((await agreed('Firefox')).logins.find((login) => login.guid === guid)).toMatchObject({
      usernameField: 'field of the TV',
      password: 'password of Firefox',
    });
  });

  // Firefox itself merges no members: what reached the server after its own edit replaces that
  // edit.
  test('edits of both to one login: those of the television, which syncs first, stay', async () => {
    const { guid } = await someLogin();
    await pair.firefox.changeLogin(guid, { password: 'password of Firefox' });
    await pair.television.put('passwords', { id: guid, password: 'password of the TV' });
    const { logins } = await agreed('the television');
    expect(logins.find((login) => login.guid === guid)?.password).toBe('password of the TV');
  });

  // Firefox takes the television's record for its own and sends its visit with the next one of that
  // page.
  test('a page that both found is one page when the television syncs first', async () => {
    const url = 'https://found.example/too';
    const [here, there] = visitsOfNow();
    await pair.firefox.addPages([{ url, title: 'by Firefox', visits: [here] }]);
    await pair.television.put('history', { url, title: 'by the TV', visits: [there] });
    await pair.syncTwice('the television');
    const later = { date: Date.now() * 1000, type: 1 };
    await pair.firefox.addPages([{ url, title: 'by Firefox', visits: [later] }]);
    const shown = (await agreed('Firefox')).history.filter((page) => page.url === url);
    expect(shown).toHaveLength(1);
    expect(commonVisits(shown[0])).toEqual(commonVisits({ visits: [here, there, later] }));
  });
});

/** Two that cannot be taken for one. */
function visitsOfNow(): [{ date: number; type: number }, { date: number; type: number }] {
  const nowUs = Date.now() * 1000;
  return [
    { date: nowUs - 5e6, type: 1 },
    { date: nowUs - 3e6, type: 2 },
  ];
}
