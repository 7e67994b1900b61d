import { expect, test } from 'vitest';
import { type Progress, progressPrinter } from './progress.ts';

const EVENTS: readonly Progress[] = [
  { kind: 'step', virtualMs: 0, text: 'switched on' },
  { kind: 'count', virtualMs: 1_000, text: '10 received' },
  { kind: 'count', virtualMs: 2_000, text: '20 received' },
  { kind: 'count', virtualMs: 6_500, text: '30 received' },
  { kind: 'step', virtualMs: 7_000, text: 'synced' },
];

function printed(isTTY: boolean): string {
  let text = '';
  const print = progressPrinter({ isTTY, write: (piece) => (text += piece) });
  for (const event of EVENTS) print(event);
  return text;
}

test('in a file, every step is a line and counts are rare', () => {
  expect(printed(false)).toBe(
    [
      '     0.0 s  switched on\n',
      '     1.0 s  10 received\n',
      '     6.5 s  30 received\n',
      '     7.0 s  synced\n',
    ].join(''),
  );
});

test('on a terminal, counts overwrite each other', () => {
  const back = '\r\u001b[2K';
  expect(printed(true)).toBe(
    [
      '     0.0 s  switched on\n',
      '     1.0 s  10 received',
      `${back}     2.0 s  20 received`,
      `${back}     6.5 s  30 received`,
      `${back}     7.0 s  synced\n`,
    ].join(''),
  );
});
