import { describe, expect, test } from 'vitest';
import { compareWithExpected, compareWithServer } from './compare.ts';
import type { Expected, Login, Page } from './expected.ts';

const page = (guid: string, change: Partial<Page> = {}): Page => ({
  guid,
  url: `https://example.test/${guid}`,
  title: guid,
  visits: [{ date: 2_000_000, type: 1 }],
  ...change,
});

const login = (guid: string, change: Partial<Login> = {}): Login => ({
  guid,
  origin: 'https://example.test',
  formActionOrigin: 'https://example.test',
  httpRealm: null,
  username: 'zoë',
  password: 'secret',
  usernameField: 'u',
  passwordField: 'p',
  timeCreated: 1,
  timePasswordChanged: 2,
  ...change,
});

const visits = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ date: 1_000_000 + i, type: 1 }));

const holdings = (history: Page[], logins: Login[] = []) => ({ history, logins });

function expected(history: Page[], logins: Login[] = [], notOnServer: string[] = []): Expected {
  return { history, logins, notOnServer: new Set(notOnServer) };
}

describe('with what the client says', () => {
  test('equal is equal, in any order, and no title is an empty title', () => {
    const held = holdings([page('b'), page('a', { title: '' })], [login('1')]);
    const wanted = expected([page('a', { title: null }), page('b')], [login('1')]);
    expect(compareWithExpected(held, wanted)).toEqual([]);
  });

  test('pages that the client does not upload are not missed, but must not be there either', () => {
    const wanted = expected([page('old'), page('a')], [], ['old', 'emptied']);
    expect(compareWithExpected(holdings([page('a')]), wanted)).toEqual([]);
    expect(compareWithExpected(holdings([page('a'), page('old')]), wanted)).toEqual([
      'page old: only the device has it',
    ]);
  });

  test('the newest 20 visits are expected, exactly', () => {
    const all = visits(25);
    const wanted = expected([page('a', { visits: all })]);
    expect(compareWithExpected(holdings([page('a', { visits: all.slice(5) })]), wanted)).toEqual(
      [],
    );
    for (const wrong of [all.slice(0, 20), all, all.slice(6)]) {
      expect(compareWithExpected(holdings([page('a', { visits: wrong })]), wanted)).toEqual([
        'page a: visits differ',
      ]);
    }
  });

  test('every difference is named, and no secret is', () => {
    const held = holdings(
      [page('a', { url: 'https://other.test/', title: 'x' }), page('twice'), page('twice')],
      [login('1', { password: 'other', httpRealm: 'r' })],
    );
    const found = compareWithExpected(
      held,
      expected([page('a'), page('twice'), page('gone')], [login('1'), login('2')]),
    );
    expect(found).toEqual([
      'the device lists a page twice',
      'page a: url, title differ',
      'page gone: it should hold it, the device does not',
      'login 1: httpRealm, password differ',
      'login 2: it should hold it, the device does not',
    ]);
    expect(found.join()).not.toMatch(/secret|other/);
  });
});

describe('with the server', () => {
  test('the device may know more visits than the server, never fewer', () => {
    const held = holdings([page('a', { visits: visits(25) })]);
    const server = (count: number) => holdings([page('a', { visits: visits(count) })]);
    expect(compareWithServer(held, server(20), false)).toEqual([]);
    expect(compareWithServer(held, server(26), false)).toEqual(['page a: visits differ']);
  });

  test('a full device may hold fewer pages, but no other ones', () => {
    const held = holdings([page('a')]);
    const server = holdings([page('a'), page('b')]);
    expect(compareWithServer(held, server, true)).toEqual([]);
    expect(compareWithServer(held, server, false)).toHaveLength(1);
    expect(compareWithServer(server, held, true)).toEqual(['page b: only the device has it']);
  });
});
