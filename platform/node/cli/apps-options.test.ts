import { expect, test } from 'vitest';
import { parseApps } from './apps-options.ts';

const typed = (line: string) => parseApps(`${line} --data /d`.split(' '));

test.each<[line: string, options: object]>([
  ['list', { action: 'list', purpose: 'own', limit: 1_000, json: false, origins: [] }],
  ['list --purpose pick --limit 3 --json', { purpose: 'pick', limit: 3, json: true }],
  ['install https://a m.json', { action: 'install', origins: ['https://a'], file: 'm.json' }],
  ['install https://a --manifest-url https://a/m', { file: null, manifestUrl: 'https://a/m' }],
  ['remove https://a https://b', { action: 'remove', origins: ['https://a', 'https://b'] }],
  ['promote https://a', { action: 'promote', isOff: false }],
  ['hide https://a --off', { action: 'hide', isOff: true, directory: '/d' }],
])('%s', (line, options) => {
  expect(typed(line)).toMatchObject(options);
});

test.each([
  ['x', 'apps must be followed by one of list, install, remove, promote, hide'],
  ['list https://a', 'one word too many behind list'],
  ['remove', 'ORIGIN is missing'],
  ['install a b c', 'one app is installed'],
  ['list --purpose x', '--purpose: "x" is not one of own, remote, pick, hidden, all'],
  ['list --limit 0', '--limit must be a whole number from 1 to 10000000, not "0"'],
  ['list --off', '--off is for promote and hide'],
  ['remove https://a --json', '--json is for list'],
  ['hide https://a --purpose own', '--purpose is for list'],
  ['list --manifest-url x', '--manifest-url is for install'],
])('%s is refused', (line, message) => {
  expect(() => typed(line)).toThrow(message);
});

test('alone it says what may follow', () => {
  expect(() => parseApps([])).toThrow('apps must be followed by one of list, install, remove,');
});

test('without a folder nothing is done', () => {
  expect(() => parseApps(['list'])).toThrow('--data is missing');
});
