import { expect, it, test } from 'vitest';
import type { AgentEvent, PassReport, Status } from '../../../agent/index.ts';
import { passLine, progressPrinter, waitingLine } from './progress.ts';

const TIME = /^\d\d:\d\d:\d\d {2}/;

/** What is printed of events; complaints begin with `!`. */
function printed(events: readonly object[], json = false): string[] {
  const lines: string[] = [];
  const print = progressPrinter(
    { write: (text) => lines.push(text), complain: (text) => lines.push(`!${text}`) },
    json,
  );
  for (const event of events) print(JSON.stringify(event));
  return lines;
}

/** Without the time that each begins with, and its end. */
const words = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replace('!', '').replace(TIME, '').replace(/\n$/, ''));

const reportOf = (more: Partial<PassReport> = {}): PassReport =>
  ({ ok: true, error: null, requests: 1, collections: {}, ...more }) as PassReport;
const moved = (pulled: number, pushed: number) =>
  ({ pulled, pushed }) as PassReport['collections'][string];
const progress = (collection: string, pulled: number) => ({
  ...{ kind: 'progress', collection, pulled, pushed: 2 },
});

it('prints a line with the time for each event that people wait for', () => {
  const lines = printed([
    { kind: 'state', state: 'syncing' },
    { kind: 'state', state: 'enabling', remote: 'work' },
    { kind: 'state', state: 'enabled' },
    progress('history', 100),
    { kind: 'quarantine', collection: 'history', id: 'aaaaaaaaaaaa', code: 'badMac' },
    { kind: 'wiped', collection: 'history' },
    { kind: 'damaged', collection: 'history', records: [], lost: [] },
  ]);
  expect(lines.every((line) => TIME.test(line))).toBe(true);
  expect(words(lines)).toEqual([
    'syncing',
    'work: syncing',
    'history: 100 received, 2 sent',
    'history: record aaaaaaaaaaaa is set aside (badMac)',
    'history: dropped here and read anew, as another device wishes',
  ]);
});

it('complains of what the system could not do with an app, by its name', () => {
  const error = { code: 'storageFull', message: 'no room' };
  const lines = printed([
    { kind: 'system', collection: 'apps', id: 'https://a.example', error },
    { kind: 'system', collection: 'apps', error },
  ]);
  expect(words(lines)).toEqual(['apps: https://a.example: no room', 'apps: the system: no room']);
});

it('counts on every three seconds at most', () => {
  const lines: string[] = [];
  const terminal = { write: (text: string) => lines.push(text), complain: () => undefined };
  let nowMs = 1_000;
  const print = progressPrinter(terminal, false, () => nowMs);
  for (const [waitMs, pulled] of [
    [0, 1],
    [2_999, 2],
    [1, 3],
    [0, 4],
  ] as const) {
    nowMs += waitMs;
    print(JSON.stringify(progress('history', pulled)));
  }
  expect(words(lines)).toEqual(['history: 1 received, 2 sent', 'history: 3 received, 2 sent']);
});

it('shows a page that was sent so that no terminal obeys it', () => {
  const page = { kind: 'page', title: 'a\u001b[2J', url: 'https://x/\u202e' };
  expect(words(printed([page]))).toEqual(['another device sends a page: a\\u001b[2J https://x/ ']);
});

it('says how a pass went, and complains of one that failed', () => {
  const error = { code: 'conflict', message: 'changed' } as const;
  const lines = printed([
    { kind: 'pass', report: reportOf() },
    { kind: 'pass', report: reportOf({ error, ok: false }), remote: 'work' },
  ]);
  expect(words(lines)).toEqual([
    'in sync: nothing new (1 request)',
    'work: sync failed: changed (conflict)',
  ]);
  expect(lines.map((line) => line.startsWith('!'))).toEqual([false, true]);
});

it('prints events as JSON, one a line, with what a terminal obeys as escapes', () => {
  const event = { kind: 'page', title: '\u001b\u0085', url: '' } as unknown as AgentEvent;
  expect(printed([event, { kind: 'state', state: 'enabled' }], true)).toEqual([
    '{"kind":"page","title":"\\u001b\\u0085","url":""}\n',
    '{"kind":"state","state":"enabled"}\n',
  ]);
});

test('a pass names what has moved, and no other collection', () => {
  const collections = { history: moved(3, 0), passwords: moved(0, 0), forms: moved(0, 1) };
  expect(words([passLine(reportOf({ collections, requests: 7 }))])).toEqual([
    'in sync: history 3 received, 0 sent; forms 0 received, 1 sent (7 requests)',
  ]);
});

test('a pass that failed says what can be done where something can', () => {
  const error = { code: 'signedOut', message: 'refused' } as const;
  expect(passLine(reportOf({ error }))).toMatch(/sync failed: refused \(signedOut\) - ./);
});

test('what waits here is counted by collection, and nothing is said of nothing', () => {
  const waits = (pending: number, conflicts = 0) =>
    ({ pending, conflicts }) as Status['collections'][string];
  expect(waitingLine({ history: waits(0) })).toBe('');
  const both = { history: waits(3, 2), forms: waits(1, 1) };
  expect(words(waitingLine(both).trimEnd().split('\n'))).toEqual([
    'changes that wait here: history 1 - kitsync status and quarantine say why',
    'changed here and elsewhere: history 2, forms 1 - kitsync conflicts shows both',
  ]);
  expect(words([waitingLine({ history: waits(2), forms: waits(0), tabs: waits(1) })])).toEqual([
    'changes that wait here: history 2, tabs 1 - kitsync status and quarantine say why',
  ]);
});
