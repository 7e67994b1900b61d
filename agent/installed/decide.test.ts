import { describe, expect, it } from 'vitest';
import { decide, type Found, isOwnInstall, type Step } from './decide.ts';
import { NEW_ROW, type Row } from './row.ts';

const NOW = { recorded: 'live', wanted: 'v1', there: null, time: 5, generation: '1' } as const;
/** The system was given v1, which another device has installed. */
const AGREED: Row = { ...NEW_ROW, generation: '1', tag: 't', agreed: 'v1', time: 5 };
const OWN: Row = { ...AGREED, sync: false };
const FOREIGN: Row = { ...AGREED, generation: '0' };
const BEGUN: Row = { ...NEW_ROW, generation: '1', intent: 'v1' };
const UPDATING: Row = { ...AGREED, intent: 'v2' };
const REFUSED: Row = { ...NEW_ROW, generation: '1', refused: 'v1' };

const of = (row: Row | null, found: Partial<Found> = {}): Found => ({ ...NOW, row, ...found });

describe('an app that the collection has', () => {
  it.each<[what: string, found: Found, step: Step]>([
    ['and the system has not', of(null), 'install'],
    ['was begun to be installed, and is not there', of(BEGUN), 'install'],
    ['was begun to be installed, and is there', of(BEGUN, { there: 'v1' }), 'agree'],
    ['was begun, and is another one by now', of(BEGUN, { there: 'v1', wanted: 'v2' }), 'install'],
    ['was removed by the user', of(AGREED), 'delete'],
    ['was removed by the user, and updated elsewhere', of(AGREED, { wanted: 'v2' }), 'delete'],
    ['was removed while it was updated', of(UPDATING, { wanted: 'v2' }), 'install'],
    ['was removed while nobody was signed in', of(FOREIGN), 'install'],
    ['was refused', of(REFUSED), 'install'],
    ['is the same there', of(AGREED, { there: 'v1' }), 'agree'],
    ['is the same there, and nothing was known', of(null, { there: 'v1' }), 'agree'],
    ['was updated elsewhere', of(AGREED, { there: 'v1', wanted: 'v2' }), 'install'],
    ['was updated here', of(AGREED, { there: 'v2' }), 'take'],
    ['was updated on both sides', of(AGREED, { there: 'v2', wanted: 'v3' }), 'take'],
    [
      'was being updated, and has the old one',
      of(UPDATING, { there: 'v1', wanted: 'v2' }),
      'install',
    ],
    ['was being updated, and has it', of(UPDATING, { there: 'v2', wanted: 'v2' }), 'agree'],
    [
      'was being updated, and there is a newer one',
      of(UPDATING, { there: 'v2', wanted: 'v3' }),
      'install',
    ],
    [
      'was being updated, and the user did it, too',
      of(UPDATING, { there: 'v9', wanted: 'v2' }),
      'take',
    ],
    ['the user had installed before', of(null, { there: 'v0' }), 'take'],
    ['was of another account, too', of(FOREIGN, { there: 'v1', wanted: 'v2' }), 'install'],
  ])('%s', (_, found, step) => {
    expect(decide(found)).toBe(step);
  });
});

describe('an app that was deleted', () => {
  it.each<[what: string, found: Partial<Found>, row: Row | null, step: Step]>([
    ['and is not there', {}, AGREED, 'clear'],
    ['and never was there', {}, null, 'clear'],
    ['and is there as it was', { there: 'v1' }, AGREED, 'uninstall'],
    ['and was begun to be installed', { there: 'v1' }, BEGUN, 'uninstall'],
    ['and was updated here meanwhile', { there: 'v2' }, AGREED, 'uninstall'],
    ['and was installed anew here', { there: 'v2', time: 6 }, AGREED, 'take'],
    ['and was the user’s own', { there: 'v1' }, OWN, 'uninstall'],
    ['and the user had it before', { there: 'v1' }, null, 'take'],
    [
      'by another account, and the user had it',
      { there: 'v1' },
      { ...OWN, generation: '0' },
      'take',
    ],
    ['by another account that it came from', { there: 'v1' }, FOREIGN, 'uninstall'],
  ])('%s', (_, found, row, step) => {
    expect(decide(of(row, { recorded: 'deleted', wanted: '', ...found }))).toBe(step);
  });
});

describe('an app that the collection does not know', () => {
  it.each<[what: string, found: Partial<Found>, row: Row | null, step: Step]>([
    ['and nobody has', {}, AGREED, 'clear'],
    ['and the user has installed', { there: 'v1' }, null, 'take'],
    ['any more, and the system has', { there: 'v1' }, AGREED, 'take'],
    ['and that came from another account', { there: 'v1' }, FOREIGN, 'none'],
    ['and that came from elsewhere, and was changed', { there: 'v2' }, FOREIGN, 'take'],
    ['and was the user’s own before', { there: 'v1' }, { ...OWN, generation: '0' }, 'take'],
  ])('%s', (_, found, row, step) => {
    expect(decide(of(row, { recorded: 'unknown', wanted: '', ...found }))).toBe(step);
  });
});

describe('an app whose record nobody can read', () => {
  it.each<[what: string, found: Partial<Found>, row: Row | null, step: Step]>([
    ['is left alone where there is none', {}, null, 'none'],
    ['stays installed', { there: 'v1' }, AGREED, 'none'],
    ['is the user’s own where it was installed here', { there: 'v1' }, null, 'take'],
  ])('%s', (_, found, row, step) => {
    expect(decide(of(row, { recorded: 'carried', wanted: '', ...found }))).toBe(step);
  });
});

it('is the user’s own install where nothing was known, or another one at another time', () => {
  expect(isOwnInstall(of(null, { there: 'v1' }))).toBe(true);
  expect(isOwnInstall(of(AGREED, { there: 'v2' }))).toBe(false);
  expect(isOwnInstall(of(AGREED, { there: 'v2', time: 6 }))).toBe(true);
  expect(isOwnInstall(of(AGREED, { there: 'v1', time: 6 }))).toBe(false);
});
