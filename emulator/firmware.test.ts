import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { temporaryFolder } from '../test/support/folders.ts';
import { readFirmware } from './firmware.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const CODE = ['one é;', 'two;'] as const;
const PARTS = [
  { file: 'agent-1.js', sha256: sha256(CODE[0]) },
  { file: 'sync15.js', sha256: sha256(CODE[1]), part: 'sync15' },
];

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
  for (const [at, { file }] of PARTS.entries()) writeFileSync(join(folder, file), CODE[at] ?? '');
});
const manifest = (value: unknown) =>
  writeFileSync(
    join(folder, 'manifest.json'),
    typeof value === 'string' ? value : JSON.stringify(value),
  );

describe('a firmware', () => {
  it('is the scripts of its manifest, in order, and what a device loads of them', async () => {
    manifest({ format: 1, parts: PARTS });
    expect(await readFirmware(folder)).toEqual({
      parts: [
        { file: 'agent-1.js', code: CODE[0] },
        { file: 'sync15.js', code: CODE[1], part: 'sync15' },
      ],
      bytes: 11,
      sha256: sha256(CODE.join('')),
    });
  });

  test.each<[string, unknown, string]>([
    ['of another format', { format: 2, parts: PARTS }, 'not a firmware of format 1'],
    ['without parts', { format: 1 }, 'not a firmware of format 1'],
    [
      'with a script that is missing',
      { format: 1, parts: [{ file: 'none.js', sha256: '' }] },
      'cannot read none.js',
    ],
    [
      'with a script that was changed',
      { format: 1, parts: [{ file: 'agent-1.js', sha256: sha256('other') }] },
      'agent-1.js is not the file that the manifest names',
    ],
  ])('%s is refused', async (_, value, complaint) => {
    manifest(value);
    await expect(readFirmware(folder)).rejects.toThrow(`${folder}: ${complaint}`);
  });

  it('without a manifest, or with one that is none, is refused in one line', async () => {
    const none = temporaryFolder();
    await expect(readFirmware(none)).rejects.toThrow(`${none}: cannot read manifest.json`);
    for (const text of ['', '{', '[]', 'null', '7', '{"format":1,"parts":[null]}']) {
      manifest(text);
      await expect(readFirmware(folder)).rejects.toThrow(/^[^\n]*not a firmware of format 1$/);
    }
  });
});
