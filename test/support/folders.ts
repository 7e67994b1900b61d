// Folders for tests that write files.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = mkdtempSync(join(tmpdir(), 'kitsync-'));
process.once('exit', () => rmSync(root, { recursive: true, force: true }));

/** A folder that is gone when the process ends. */
export function temporaryFolder(): string {
  return mkdtempSync(join(root, 'f'));
}
