// What the documents name is there: a path in backquotes that begins with one of the project's
// folders is that of a file or a folder. `crypto/keys` is Firefox Sync's document.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, textOf } from './markdown.ts';

const PATH = /`((?:agent|crypto|docs|emulator|firmware-bundle|platform|test)\/[\w./-]+)`/g;

test.each(['DESIGN.md', 'README.md', 'SPEC.md'])('%s names files that are there', (page) => {
  const named = [...textOf(page).matchAll(PATH)].map(([, path]) => `${path}`);
  expect(named.length).toBeGreaterThan(0);
  const isThere = (path: string): boolean => path === 'crypto/keys' || existsSync(join(ROOT, path));
  expect(named.filter((path) => !isThere(path))).toEqual([]);
});

test('DESIGN.md answers thirteen questions with a file each', () => {
  const table = textOf('DESIGN.md').split('## Thirteen questions')[1]?.split('\n## ')[0] ?? '';
  const rows = [...table.matchAll(/^\| .+\? \| `([^`]+)` \|$/gm)].map(([, path]) => path);
  expect(new Set(rows).size).toBe(13);
});
