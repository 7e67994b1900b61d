import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { NOTES_FILE, type Notes, readNotes, saidBy, withSaid, writeNotes } from './notes.ts';

const REMOTE = {
  protocol: 'sync15',
  serverUrl: 'https://h',
  audience: 'https://h/',
  auth: 'bearer',
};
const ERROR = { code: 'offline', message: 'no way' };
const SAID = {
  lastSyncMs: 7,
  said: { error: ERROR, alert: 'soon', quotaRemainingBytes: 5 },
} as const;
const UNHEARD = { lastSyncMs: null, said: { error: null, alert: null, quotaRemainingBytes: null } };
const NOTHING = {
  ...{ remotes: {}, own: [], strategies: {}, remote: null, device: null },
  ...UNHEARD,
};
const FULL = {
  remotes: { work: { remote: REMOTE, collections: ['notes'], ...SAID } },
  own: ['recipes'],
  strategies: { contacts: 'manual' },
  remote: REMOTE,
  device: { name: 'pc', type: 'desktop', version: '1', os: 'Linux' },
  ...SAID,
} as Notes;

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});
const keep = (text: string) => writeFileSync(join(folder, NOTES_FILE), text);

describe('what a sync leaves', () => {
  it('is read as it was written, by its owner only', async () => {
    await writeNotes(folder, FULL);
    expect(readNotes(folder)).toEqual(FULL);
    expect(statSync(join(folder, NOTES_FILE)).mode & 0o777).toBe(0o600);
  });

  it('may name no remote, no device, and no error', async () => {
    const plain = { ...FULL, remote: null, device: null, ...UNHEARD };
    await writeNotes(folder, plain);
    expect(readNotes(folder)).toEqual(plain);
  });

  it('is nothing where there was none', () => {
    expect(readNotes(folder)).toEqual(NOTHING);
    expect(readNotes(join(folder, 'none'))).toEqual(NOTHING);
  });

  it('is written when it says something new, and only then', async () => {
    await writeNotes(folder, FULL);
    const before = statSync(join(folder, NOTES_FILE)).ino;
    await writeNotes(folder, { ...FULL });
    expect(statSync(join(folder, NOTES_FILE)).ino).toBe(before);
    await writeNotes(folder, { ...FULL, lastSyncMs: 8 });
    expect(readNotes(folder).lastSyncMs).toBe(8);
    expect(readdirSync(folder)).toEqual([NOTES_FILE]);
    const gone = join(folder, 'none');
    await expect(writeNotes(gone, FULL)).rejects.toThrow(`cannot write ${gone}`);
  });

  it('of an earlier version lacks what that did not know', () => {
    keep(JSON.stringify({ remote: REMOTE, said: { error: ERROR } }));
    expect(readNotes(folder)).toEqual({ ...NOTHING, remote: REMOTE, said: { error: ERROR } });
    expect(saidBy(readNotes(folder), 'first').said).toEqual({ ...UNHEARD.said, error: ERROR });
    keep(JSON.stringify({ remotes: { work: { remote: REMOTE, collections: ['x'] } } }));
    expect(saidBy(readNotes(folder), 'work')).toEqual(UNHEARD);
  });

  test.each<[string, unknown]>([
    ['no object', []],
    ['nothing', null],
    ['another time', { lastSyncMs: '7' }],
    ['other words', { said: 3 }],
    ['another alert', { said: { alert: 3 } }],
    ['another room', { said: { quotaRemainingBytes: 'x' } }],
    ['an error without a code', { said: { error: { message: 'x' } } }],
    ['an error without words', { said: { error: { code: 'x' } } }],
    ['other collections', { own: 'x' }],
    ['a collection that is no text', { own: [7] }],
    ['a remote without a server', { remote: { ...REMOTE, serverUrl: undefined } }],
    ['a device without a name', { device: { type: 'desktop', version: '1', os: 'x' } }],
    ['other services', { remotes: [] }],
    ['a service of a name that none has', { remotes: { Work: FULL.remotes.work } }],
    ['a service that is none', { remotes: { work: null } }],
    ['a service without a remote', { remotes: { work: { collections: [] } } }],
    ['a service without collections', { remotes: { work: { remote: REMOTE } } }],
    ['a strategy that there is not', { strategies: { contacts: 'coin' } }],
    ['a list of strategies', { strategies: ['manual'] }],
    [
      'a service with other words',
      { remotes: { work: { remote: REMOTE, collections: [], said: 3 } } },
    ],
  ])('is nothing where it was changed to %s', (_, changed) => {
    keep(JSON.stringify(Array.isArray(changed) || !changed ? changed : { ...FULL, ...changed }));
    expect(readNotes(folder)).toEqual(NOTHING);
  });

  it.each(['', '{', '{"own":['])('is nothing where it was cut: %j', async (text) => {
    keep(text);
    expect(readNotes(folder)).toEqual(NOTHING);
    await writeNotes(folder, FULL);
    expect(JSON.parse(readFileSync(join(folder, NOTES_FILE), 'utf8'))).toEqual(FULL);
  });
});

describe('what a service has said', () => {
  const other = { lastSyncMs: 9, said: UNHEARD.said };

  it('is that of the first, or of the one that is named', () => {
    const notes = { ...FULL, ...other };
    expect(saidBy(notes, 'first')).toEqual(other);
    expect(saidBy(notes, 'work')).toEqual(SAID);
    expect(saidBy(notes, 'none')).toEqual(UNHEARD);
  });

  it('is put into the notes beside what the others have said', () => {
    expect(withSaid(FULL, 'first', other)).toEqual({ ...FULL, ...other });
    const { work } = withSaid(FULL, 'work', other).remotes;
    expect(work).toEqual({ remote: REMOTE, collections: ['notes'], ...other });
    expect(withSaid(FULL, 'work', other).lastSyncMs).toBe(7);
    // One that the folder does not have.
    expect(withSaid(FULL, 'none', other)).toBe(FULL);
  });
});
