import { expect, it, test } from 'vitest';
import { readExpected } from './expected.ts';

const PAGE = { guid: 'g', url: 'https://a/', title: null, visits: [{ date: 5, type: 1 }] };
const LOGIN = {
  ...{ guid: '{1}', origin: 'https://a', formActionOrigin: '', httpRealm: null },
  ...{ username: 'u', password: 'p', usernameField: '', passwordField: '' },
  ...{ timeCreated: 1, timePasswordChanged: 2 },
};
const EXPECTED = { history: [PAGE], logins: [LOGIN] };

it('is pages and logins, and nothing else that a file has', () => {
  const read = readExpected({
    history: [{ ...PAGE, frecency: 7, visits: [{ date: 5, type: 1, from: 3 }] }],
    logins: [{ ...LOGIN, timesUsed: 9 }],
    bookmarks: 'left alone',
  });
  expect(read).toEqual({ ...EXPECTED, notOnServer: new Set() });
  const { title: _, ...untitled } = PAGE;
  expect(readExpected({ ...EXPECTED, history: [untitled] }).history[0]?.title).toBeNull();
});

it('names the pages that never reach the server, as ids or as pages', () => {
  const kept = { historyNotUploaded: ['a', { guid: 'b' }], historyEmptied: [{ guid: 'c' }] };
  expect(readExpected({ ...EXPECTED, ...kept }).notOnServer).toEqual(new Set(['a', 'b', 'c']));
});

test.each<[unknown, string]>([
  [null, 'expected is not an object'],
  [[], 'expected is not an object'],
  [{ logins: [] }, 'expected.history is not a list'],
  [{ history: [] }, 'expected.logins is not a list'],
  [{ ...EXPECTED, history: [PAGE, 7] }, 'expected.history[1] is not an object'],
  [{ ...EXPECTED, history: [{ ...PAGE, guid: 5 }] }, 'expected.history[0].guid is not text'],
  [{ ...EXPECTED, history: [{ ...PAGE, title: 5 }] }, 'expected.history[0].title is not text'],
  [{ ...EXPECTED, history: [{ ...PAGE, visits: {} }] }, 'expected.history[0].visits is not a list'],
  [
    { ...EXPECTED, history: [{ ...PAGE, visits: [5] }] },
    'expected.history[0].visits is not an object',
  ],
  [
    { ...EXPECTED, history: [{ ...PAGE, visits: [{ date: '5', type: 1 }] }] },
    'expected.history[0] date is not a number',
  ],
  [
    { ...EXPECTED, history: [{ ...PAGE, visits: [{ date: 5 }] }] },
    'expected.history[0] type is not a number',
  ],
  [{ ...EXPECTED, logins: [{ ...LOGIN, password: null }] }, 'expected.logins[0].password is not'],
  [{ ...EXPECTED, logins: [{ ...LOGIN, httpRealm: 5 }] }, 'expected.logins[0].httpRealm is not'],
  [
    { ...EXPECTED, logins: [{ ...LOGIN, timeCreated: Number.NaN }] },
    'expected.logins[0].timeCreated is not a number',
  ],
  [{ ...EXPECTED, historyEmptied: 'x' }, 'expected.historyEmptied is not a list'],
  [{ ...EXPECTED, historyEmptied: [7] }, 'historyEmptied is not an object'],
  [{ ...EXPECTED, historyEmptied: [{}] }, 'expected.historyEmptied.guid is not text'],
])('%j is refused: %s', (value, complaint) => {
  expect(() => readExpected(value)).toThrow(complaint);
});
