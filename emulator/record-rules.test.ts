import { describe, expect, test } from 'vitest';
import { isForDevices, loginOf, ownShown, pageOf, shownOf } from './record-rules.ts';

const LATER_MS = 1_800_000_000_000;
const page = (id: string, dates: readonly unknown[], more: object = {}, modifiedMs = LATER_MS) => ({
  body: {
    id,
    histUri: 'https://a.test/',
    title: id,
    visits: dates.map((date) => ({ date, type: 1 })),
    ...more,
  },
  modifiedMs,
});
const login = (id: string, more: object = {}, modifiedMs = LATER_MS) => ({
  body: { id, hostname: 'https://a.test', formSubmitURL: '', password: id, ...more },
  modifiedMs,
});
const pages = (...records: ReturnType<typeof page>[]) => shownOf(records, []).history;
const logins = (...records: ReturnType<typeof login>[]) =>
  shownOf([], records).logins.map(({ guid }) => guid);

describe('a record as a device shows it', () => {
  test('is a page with its visits, whatever else is among them', () => {
    const { body } = page('a', [5]);
    expect(
      pageOf({ ...body, visits: [null, 'x', { date: '7', type: 1 }, ...body.visits] }),
    ).toEqual({
      guid: 'a',
      url: 'https://a.test/',
      title: 'a',
      visits: [{ date: 5, type: 1 }],
    });
    expect(pageOf({ ...body, visits: [null] })).toBeNull();
    expect(pageOf({ ...body, visits: 'none' })).toBeNull();
    expect(pageOf({ ...body, histUri: 7 })).toBeNull();
  });

  test('is a login with null for what it lacks, and numbers for times', () => {
    const { body } = login('a', { timeCreated: '17.5', timePasswordChanged: 'then' });
    expect(loginOf(body)).toEqual({
      ...{ guid: 'a', origin: 'https://a.test', formActionOrigin: '', httpRealm: null },
      ...{ username: null, password: 'a', usernameField: null, passwordField: null },
      ...{ timeCreated: 17, timePasswordChanged: null },
    });
    expect(loginOf({ ...body, password: '' })).toBeNull();
    expect(loginOf({ ...body, hostname: null })).toBeNull();
  });
});

describe('a device has to take', () => {
  const page = { id: 'a', histUri: 'https://a.test/', title: null, visits: [null] };
  const login = { id: 'a', hostname: 'https://a.test', password: 'p' };

  test.each([
    ['a page with odd visits', 'history', 'a', page],
    ['a login that lacks what it can lack', 'passwords', 'a', login],
    ['a tombstone without an id', 'history', 'a', { deleted: true }],
    ['a tombstone that says so in its own way', 'history', 'a', { id: 'a', deleted: 1 }],
    ['a page that says it is not one', 'history', 'a', { ...page, deleted: false }],
    ['an id with a space in it', 'history', 'a b', { ...page, id: 'a b' }],
  ])('%s', (_, collection, id, body) => {
    expect(isForDevices(collection, id, body)).toBe(true);
  });

  test.each([
    ['what does not prove itself', 'history', 'a', null],
    ['a record of another id', 'history', 'b', page],
    ['a tombstone of another id', 'history', 'b', { id: 'a', deleted: true }],
    ['a page without an address', 'history', 'a', { ...page, histUri: 'nonsense' }],
    ['a page whose title is a number', 'history', 'a', { ...page, title: 5 }],
    ['a page whose visits are no list', 'history', 'a', { ...page, visits: {} }],
    ['a login without a password', 'passwords', 'a', { ...login, password: '' }],
    ['a login whose user is a number', 'passwords', 'a', { ...login, username: 5 }],
    [
      'the login of the account itself',
      'passwords',
      'a',
      { ...login, hostname: 'chrome://FirefoxAccounts' },
    ],
    ['an id of control characters', 'history', '\u0001', { ...page, id: '\u0001' }],
    ['an id that is too long', 'history', 'x'.repeat(65), { ...page, id: 'x'.repeat(65) }],
    [
      'an id that is too long when it is escaped',
      'history',
      '%'.repeat(34),
      { ...page, id: '%'.repeat(34) },
    ],
    ['an id that is a folder', 'history', '..', { ...page, id: '..' }],
    ['an id that is empty', 'history', '', { ...page, id: '' }],
  ])('but not %s', (_, collection, id, body) => {
    expect(isForDevices(collection, id, body)).toBe(false);
  });
});

describe('of several records of one thing', () => {
  test('the page with the newest visit is shown, with the visits of all', () => {
    expect(pages(page('a', [1, 2]), page('b', [3, 2]), page('c', [9], { histUri: 'x:' }))).toEqual([
      expect.objectContaining({
        guid: 'b',
        title: 'b',
        visits: [3, 2, 1].map((date) => ({ date, type: 1 })),
      }),
      expect.objectContaining({ guid: 'c' }),
    ]);
  });

  test('a visit behind the time that the server got it is not newer than that', () => {
    const [us, ms] = [LATER_MS * 1000, LATER_MS];
    expect(pages(page('a', [us * 2], {}, ms - 9), page('b', [us], {}, ms))[0]?.guid).toBe('b');
  });

  test('the login with the newest password is shown, then the last written, the lower id', () => {
    expect(
      logins(login('a', { timePasswordChanged: 5 }), login('b', { timePasswordChanged: 6 })),
    ).toEqual(['b']);
    expect(logins(login('a', {}, LATER_MS + 9), login('b'))).toEqual(['a']);
    expect(logins(login('b'), login('a'))).toEqual(['a']);
    expect(logins(login('a', { username: '' }), login('b', { httpRealm: '' }))).toEqual(['a']);
  });

  test('logins for another form, realm or user are others', () => {
    const others = [{ formSubmitURL: 'https://a.test' }, { httpRealm: 'r' }, { username: 'u' }];
    expect(logins(login('a'), ...others.map((more, at) => login(`${at}`, more)))).toHaveLength(4);
  });
});

test('a bookmark of every kind has its address under one name', () => {
  const shown = (body: object) => ownShown('bookmarks', { id: 'a', ...body });
  expect(shown({ type: 'query', bmkUri: 'place:x', dateAdded: '5.5' })).toMatchObject({
    ...{ guid: 'a', url: 'place:x', bmkUri: 'place:x', dateAdded: 5 },
  });
  expect(shown({ type: 'livemark', siteUri: 'https://a.test' })).toMatchObject({
    url: 'https://a.test',
  });
  expect(shown({ type: 'separator' })).toEqual({ guid: 'a', type: 'separator', url: '' });
  expect(isForDevices('bookmarks', 'a', { id: 'a', title: 'x' })).toBe(false);
});
