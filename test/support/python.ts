// Python tools of given versions, for tests against other clients: an environment of its own for
// each set, made once and kept with what else is installed for this checkout.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
// Scripts in an environment name its place, which must not be a link that goes away.
const MODULES = realpathSync(new URL('../../node_modules', import.meta.url));
const FOLDER = join(MODULES, '.cache', 'kitsync', 'python');

/**
 * The `bin` folder of an environment that holds the packages (`NAME==VERSION`). Rejects where there
 * is no Python 3 that can make one, or a package cannot be had.
 */
export async function pythonWith(packages: readonly string[]): Promise<string> {
  const name = createHash('sha256').update(packages.join('\n')).digest('hex').slice(0, 12);
  const place = join(FOLDER, name);
  // It is made where it stays, and marked when it is complete.
  const mark = join(place, 'complete');
  if (!existsSync(mark)) {
    rmSync(place, { recursive: true, force: true });
    mkdirSync(FOLDER, { recursive: true });
    await run('python3', ['-m', 'venv', place]);
    await run(join(place, 'bin', 'pip'), ['install', '--quiet', ...packages]);
    writeFileSync(mark, `${packages.join('\n')}\n`);
  }
  return join(place, 'bin');
}
