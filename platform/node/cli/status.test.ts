import { afterEach, describe, expect, it, test } from 'vitest';
import type { Status } from '../../../agent/index.ts';
import {
  collection,
  REMOTE,
  runningSync,
  status as statusOf,
} from '../../../test/support/running-sync.ts';
import type { Notes } from './notes.ts';
import { status } from './status.ts';

const HOUR_MS = 3_600_000;
let close = (): void => undefined;
afterEach(() => close());

interface Situation {
  readonly now?: Partial<Status>;
  readonly notes?: Partial<Notes>;
  readonly waitMs?: number;
  readonly json?: boolean;
  readonly remote?: string;
}

async function shown({ now = {}, notes = {}, waitMs = 0, ...options }: Situation): Promise<string> {
  const sync = await runningSync(
    { status: async () => statusOf(now), serverWaitMs: async () => waitMs },
    notes,
  );
  close = sync.close;
  return (await sync.run(status, options)).out;
}

/** What is said behind a name; null: nothing. */
async function row(name: string, situation: Situation): Promise<string | null> {
  const lines = (await shown(situation)).split('\n');
  return lines.find((line) => line.slice(0, 19).trimEnd() === name)?.slice(19) ?? null;
}

const said = (more: object) => ({
  said: { error: null, alert: null, quotaRemainingBytes: null, ...more },
});

describe('the rows of a status', () => {
  it('are whose data it is, which device, and how the sync is', async () => {
    const device = { name: 'pc', type: 'desktop', version: '1', os: 'Linux' } as const;
    expect(await shown({ notes: { device } })).toBe(
      [
        'account            a@example.test',
        'this device        pc',
        'sync               running (enabled)',
        'last sync          never',
        '',
      ].join('\n'),
    );
    const none = await shown({ now: { account: null, state: 'disabled' } });
    expect(none).toMatch(/^account +none$/m);
    expect(none).toMatch(/^this device +not among the devices of the account$/m);
    expect(await row('account', { now: { account: 'a\u001b[2J' } })).toBe('a\\u001b[2J');
  });

  it('tell when the last good sync was: by the notes, if the agent knows of one', async () => {
    const lastSyncMs = Date.now() - 5 * HOUR_MS;
    const known = await row('last sync', { now: { lastSyncMs } });
    expect(known).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(5 hours ago\)$/);
    const later = { lastSyncMs: Date.now() - 3 * HOUR_MS };
    expect(await row('last sync', { now: { lastSyncMs }, notes: later })).toContain('3 hours ago');
    expect(await row('last sync', { notes: later })).toBe('never');
    // The clock was put back.
    const ahead = await row('last sync', { now: { lastSyncMs: Date.now() + HOUR_MS } });
    expect(ahead).toMatch(/^[\d: -]+$/);
  });

  test.each<[Parameters<typeof collection>[0], string]>([
    [{ held: 5, pending: 1, quarantined: 2 }, '5 held, 1 to send, 2 set aside'],
    [
      { quarantined: 3, unknownForm: 2 },
      '0 held, 0 to send, 3 set aside, 2 of them of a form that this version does not know',
    ],
    [{ readOnly: true }, '0 held, 0 to send, 0 set aside, read-only'],
    [{ enabled: false, held: 1, readOnly: true }, '1 held, 0 to send, 0 set aside, off'],
    [{ declined: true }, '0 held, 0 to send, 0 set aside, declined on another device'],
    [{ absent: true }, '0 held, 0 to send, 0 set aside, not among the collections of the account'],
    [
      { stopped: 'newer' } as never,
      '0 held, 0 to send, 0 set aside, stopped: the account has it in a newer form',
    ],
  ])('tell of a collection with %j: %s', async (more, words) => {
    expect(await row('history', { now: { collections: { history: collection(more) } } })).toBe(
      words,
    );
  });

  it('leave out a collection that is off and holds nothing', async () => {
    const off = { forms: collection({ enabled: false }) };
    expect(await row('forms', { now: { collections: off } })).toBeNull();
  });
});

describe('an error', () => {
  const error = { code: 'signedOut', message: 'the token is refused' } as const;

  it('is told with what to do, in the words of the last sync if it is the same', async () => {
    const now = { error };
    expect(await row('error', { now })).toBe('the token is refused (signedOut)');
    expect(await row('what to do', { now })).toMatch(/^./);
    const whole = said({ error: { ...error, message: 'the token ended yesterday' } });
    expect(await row('error', { now, notes: whole })).toBe('the token ended yesterday (signedOut)');
    const other = said({ error: { code: 'offline', message: 'no way' } });
    expect(await row('error', { now, notes: other })).toBe('the token is refused (signedOut)');
    expect(await row('error', { notes: whole })).toBeNull();
  });

  it('is none where somebody waits for what is told anyway', async () => {
    const now = { error: { code: 'backoff', message: 'wait' } as const };
    expect(await row('error', { now })).toBeNull();
    const waiting = { now: { ...now, notBeforeMs: Date.now() + HOUR_MS } };
    expect(await row('waiting', waiting)).toMatch(
      /^no request goes out for another 60 minutes, until \d{4}/,
    );
    expect(await row('waiting', { now })).toBeNull();
  });

  it('and a wait are told both', async () => {
    const now = { error, notBeforeMs: Date.now() + HOUR_MS };
    expect(await row('error', { now })).toContain('signedOut');
    expect(await row('waiting', { now })).toContain('60 minutes');
  });
});

describe('what the servers said last', () => {
  test.each([
    ['plain words', 'plain words'],
    ['{"message":"We move","url":"https://m.example"}', 'We move https://m.example'],
    ['{"message":"We move"}', 'We move'],
    ['{"code":"x"}', '{"code":"x"}'],
    ['{', '{'],
    ['a\u001b]b', 'a\\u001b]b'],
  ])('%s is told as %s', async (alert, words) => {
    expect(await row('the server says', { notes: said({ alert }) })).toBe(words);
    const now = { now: { alert }, notes: said({ alert: 'older' }) };
    expect(await row('the server says', now)).toBe(words);
  });

  test.each([
    [0, '0 kB'],
    [2_500, '3 kB'],
    [9_999_499, '9999 kB'],
    [10_000_000, '10 MB'],
  ])('%i bytes of room are %s', async (quotaRemainingBytes, words) => {
    expect(await row('room left', { notes: said({ quotaRemainingBytes }) })).toBe(words);
    const now = { now: { quotaRemainingBytes }, notes: said({ quotaRemainingBytes: 1 }) };
    expect(await row('room left', now)).toBe(words);
  });
});

describe('a status as JSON', () => {
  it('is what the agent says, with what the notes add', async () => {
    const json = JSON.parse(
      await shown({ json: true, notes: said({ alert: 'soon' }), now: { lastSyncMs: 5 } }),
    );
    expect(json).toEqual({
      ...statusOf({ alert: 'soon', lastSyncMs: 5 }),
      isRunning: true,
      deviceName: null,
    });
  });
});

describe('a folder of two services', () => {
  const remotes = { work: { remote: REMOTE, collections: ['notes'], ...said({ alert: 'moved' }) } };
  const now = {
    remotes: {
      first: statusOf({ collections: { history: collection({ held: 5 }) } }),
      work: statusOf({ account: 'w@example.test', collections: { notes: collection() } }),
    },
  };

  it('shows both, one behind the other, each with its own words', async () => {
    const [first = '', work = ''] = (await shown({ now, notes: { remotes } })).split('\n\n');
    expect(first).toMatch(/^service +first\naccount +a@example.test\n/);
    expect(first).toContain('history');
    expect(first).not.toContain('moved');
    expect(work).toMatch(/^service +work\naccount +w@example.test\n/);
    expect(work).toMatch(/^the server says +moved$/m);
  });

  it('shows one of them where that is wished, and refuses one that is not there', async () => {
    const one = await shown({ now, notes: { remotes }, remote: 'work' });
    expect(one).toMatch(/^service +work\n/);
    expect(one).not.toContain('first');
    const json = JSON.parse(await shown({ now, notes: { remotes }, remote: 'work', json: true }));
    expect(json).toMatchObject({ account: 'w@example.test', alert: 'moved' });
    const all = JSON.parse(await shown({ now, notes: { remotes }, json: true }));
    expect(all.remotes.work.alert).toBe('moved');
    await expect(shown({ now, notes: { remotes }, remote: 'none' })).rejects.toThrow(
      '--remote: the folder has no service "none", but first, work',
    );
  });
});
