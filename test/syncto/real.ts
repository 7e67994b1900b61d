// The real Syncto 1.5.0, where there is a Python 3.6 to run it: one that already has it
// (KITSYNC_SYNCTO_PYTHON), or one that gets it from PyPI into a folder of its own.

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface RealSyncto {
  readonly url: string;
  /** What it wrote besides. */
  complained(): string;
  close(): Promise<void>;
}

interface SynctoOptions {
  readonly tokenUrl: string;
  /** Where its clock stands still; left out: it goes. */
  readonly nowMs?: number;
  readonly settings?: readonly string[];
}

const SERVE = fileURLToPath(new URL('serve.py', import.meta.url));
const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));
const FOLDER = fileURLToPath(
  new URL('../../node_modules/.cache/kitsync-syncto-1.5.0', import.meta.url),
);

/** The Python to run it with, or why there is none. Installs it at first: some 30 seconds. */
export function findPython(): { readonly python: string } | { readonly missing: string } {
  const named = process.env.KITSYNC_SYNCTO_PYTHON;
  if (named !== undefined) return { python: named };
  const python = join(FOLDER, 'bin/python');
  if (hasSyncto(python)) return { python };
  const base = pythons().find(isPython36);
  if (base === undefined) {
    return { missing: 'no Python 3.6 is here: name one that has Syncto by KITSYNC_SYNCTO_PYTHON' };
  }
  try {
    install(base, python);
    return { python };
  } catch (error) {
    return { missing: `Syncto cannot be installed: ${String(error).split('\n')[0]}` };
  }
}

function pythons(): string[] {
  const versions = join(process.env.PYENV_ROOT ?? join(homedir(), '.pyenv'), 'versions');
  const found = existsSync(versions) ? readdirSync(versions) : [];
  const ofPyenv = found
    .filter((name) => name.startsWith('3.6.'))
    .map((name) => join(versions, name, 'bin/python'));
  return [...(process.env.PYTHON36 ? [process.env.PYTHON36] : []), 'python3.6', ...ofPyenv];
}

function isPython36(python: string): boolean {
  return succeeds(python, 'import sys, venv; sys.exit(sys.version_info[:2] != (3, 6))');
}

function hasSyncto(python: string): boolean {
  return existsSync(python) && succeeds(python, 'import syncto, waitress');
}

function succeeds(python: string, program: string): boolean {
  try {
    execFileSync(python, ['-c', program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function install(base: string, python: string): void {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const run = (command: string, args: readonly string[]) =>
    execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const pip = ['-m', 'pip', '--disable-pip-version-check', 'install', '-q'];
  run(base, ['-m', 'venv', FOLDER]);
  run(python, [...pip, 'pip==21.3.1', 'setuptools==57.5.0', 'wheel==0.37.1']);
  run(python, [...pip, '--no-deps', '-r', REQUIREMENTS]);
}

/** Resolves when it listens. */
export async function startSyncto(
  python: string,
  { tokenUrl, nowMs = 0, settings = [] }: SynctoOptions,
): Promise<RealSyncto> {
  // Its sets have the same order each time.
  const env = { ...process.env, PYTHONHASHSEED: '0' };
  const child = spawn(python, [SERVE, tokenUrl, String(nowMs / 1000), ...settings], { env });
  let complained = '';
  child.stderr.on('data', (bytes) => {
    complained += bytes;
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const port = await new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.stdout.once('data', (bytes) => resolve(String(bytes).trim()));
    void ended.then(() => reject(new Error(`Syncto ended: ${complained.slice(-500)}`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    complained: () => complained,
    async close() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
