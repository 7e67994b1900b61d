import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it, test } from 'vitest';
import { temporaryFolder } from '../test/support/folders.ts';
import { PACKAGES, packageOf, withoutGlobals } from './packages.ts';

test.each([
  ['node_modules/tweetnacl/nacl.js', 'tweetnacl'],
  ['node_modules/@scope/name/lib/index.js', '@scope/name'],
  ['/any/place/node_modules/a/node_modules/b/index.js', 'a'],
  ['agent/index.ts', null],
  ['node_modules.ts', null],
  ['my_node_modules/a/index.js', null],
])('%s is of the package %s', (path, name) => {
  expect(packageOf(path)).toBe(name);
});

/** What `entry.js` leaves in `answer`, bundled with these files. */
async function answerOf(root: string, files: { readonly [path: string]: string }) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const { outputFiles } = await build({
    ...{ absWorkingDir: root, entryPoints: ['entry.js'], bundle: true, write: false },
    ...{ format: 'iife', globalName: 'entry', platform: 'neutral', mainFields: ['main'] },
    plugins: [withoutGlobals],
  });
  const code = outputFiles[0]?.text ?? '';
  return { code, answer: new Function('self', `${code}; return entry.answer;`)({ told: 1 }) };
}

describe('a package in the firmware', () => {
  const PROBE = `
    module.exports = { secretbox: typeof self === 'undefined' ? 'none' : 'self', sign: 'sign' };
    if (typeof require !== 'undefined') module.exports.secretbox = 'required';`;

  it('finds none of what it looks for outside, and gives the members that are used', async () => {
    const { code, answer } = await answerOf(temporaryFolder(), {
      'entry.js': "import nacl from 'tweetnacl'; export const answer = nacl;",
      'node_modules/tweetnacl/package.json': '{"main":"nacl.js"}',
      'node_modules/tweetnacl/nacl.js': PROBE,
    });
    expect(answer).toEqual({ secretbox: 'none' });
    expect(code).not.toContain('required');
    expect([...PACKAGES.keys()]).toEqual(['tweetnacl']);
  });

  it('that is on no list gives nothing', async () => {
    const { answer } = await answerOf(temporaryFolder(), {
      'entry.js': "import other from 'other'; export const answer = other;",
      'node_modules/other/package.json': '{"main":"other.js"}',
      'node_modules/other/other.js': 'module.exports = { all: 1 };',
    });
    expect(answer).toEqual({});
  });

  it('is none of our own modules, wherever the project lies', async () => {
    const root = join(temporaryFolder(), 'node_modules', 'kitsync');
    mkdirSync(root, { recursive: true });
    const { answer } = await answerOf(root, {
      'entry.js': "import { own } from './own.js'; export const answer = own;",
      'own.js': "export const own = typeof self === 'undefined' ? 'none' : 'self';",
    });
    expect(answer).toBe('self');
  });
});
