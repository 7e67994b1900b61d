import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { logOf } from '../../../test/support/picl-log.ts';
import type { Change } from './chain.ts';
import { Refused } from './reading.ts';
import { fileSource } from './source.ts';
import { UsageError } from './usage.ts';

const log = logOf('things', [
  ['a', 'one'],
  ['b', 'two'],
  ['a', null],
]);
const folder = mkdtempSync(join(tmpdir(), 'picl-source-'));

async function changesOf(text: string): Promise<Change[]> {
  const path = join(folder, 'log.json');
  writeFileSync(path, text);
  const changes: Change[] = [];
  for await (const change of fileSource(path, false).changes()) changes.push(change);
  return changes;
}

test.each([
  ['an answer', JSON.stringify({ changes: log })],
  ['an answer over several lines', JSON.stringify({ changes: log }, null, 2)],
  ['a list', JSON.stringify(log)],
  ['a list over several lines', JSON.stringify(log, null, 1)],
  ['a change a line', log.map((change) => `${JSON.stringify(change)}\n`).join('\n')],
  ['a page a line', log.map((change) => `${JSON.stringify({ changes: [change] })}\r\n`).join('')],
])('a file has %s', async (_, text) => {
  expect(await changesOf(text)).toEqual(log);
});

test('an empty file has no changes', async () => {
  expect(await changesOf('')).toEqual([]);
});

test.each([
  ['half a file', JSON.stringify({ changes: log }).slice(0, 100)],
  ['a change without a number', JSON.stringify([{ ...log[0], seqnum: undefined }])],
  ['something else', '"changes"'],
])('of %s nothing is made', async (_, text) => {
  await expect(changesOf(text)).rejects.toThrow(Refused);
});

test('a file that is not there is named', async () => {
  const reading = fileSource(join(folder, 'none'), false).changes()[Symbol.asyncIterator]();
  await expect(reading.next()).rejects.toThrow(UsageError);
});
