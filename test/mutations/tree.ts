// A copy of the checkout in which lines are broken, one at a time: the checkout itself is only
// read. What is installed is shared with it.

import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ROOT } from '../support/sources.ts';
import type { Mutation } from './suite.ts';

/** A run that takes longer is in a circle. */
const RUN_MS_MAX = 120_000;
const LEFT_OUT: ReadonlySet<string> = new Set(['node_modules', '.git', 'dist']);

type Change = Pick<Mutation, 'file' | 'from' | 'to'>;

export interface Tree {
  /** Breaks lines until the work is done. Errors: those of `changed`, those of the work. */
  broken<T>(changes: readonly Change[], work: () => Promise<T>): Promise<T>;
  /** Runs a tool that is installed; what it printed, and whether it said that all is well. */
  run(script: string, ...args: readonly string[]): Promise<{ output: string; isGood: boolean }>;
  /** A file of the copy; null: there is none. */
  find(file: string): string | null;
  forget(file: string): void;
}

/** It is removed when the process ends. */
export function copiedTree(): Tree {
  const folder = mkdtempSync(join(tmpdir(), 'kitsync-mutations-'));
  const isWanted = (path: string): boolean => !LEFT_OUT.has(relative(ROOT, path));
  cpSync(ROOT, folder, { recursive: true, filter: isWanted });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  return {
    find: (file) => (existsSync(join(folder, file)) ? read(file) : null),
    forget: (file) => rmSync(join(folder, file), { force: true }),
    async broken(changes, work) {
      const before = new Map<string, string>();
      try {
        for (const { file, from, to } of changes) {
          const text = read(file);
          writeFileSync(join(folder, file), changed(text, from, to));
          if (!before.has(file)) before.set(file, text);
        }
        return await work();
      } finally {
        for (const [file, text] of before) writeFileSync(join(folder, file), text);
      }
    },
    run: (script, ...args) => ran(folder, join(ROOT, 'node_modules', script), args),
  };
}

/** In a group of its own: what is in a circle may be a process that the tool has started. */
function ran(
  folder: string,
  script: string,
  args: readonly string[],
): Promise<{ output: string; isGood: boolean }> {
  // All cases of a rule, and not the share of them that other runs make do with.
  const env = { ...process.env, KITSYNC_SIM: 'whole' };
  const tool = spawn(process.execPath, [script, ...args], { cwd: folder, env, detached: true });
  const end = (): void => {
    if (tool.pid !== undefined && tool.exitCode === null) process.kill(-tool.pid, 'SIGKILL');
  };
  const timer = setTimeout(end, RUN_MS_MAX);
  process.once('exit', end);
  let output = '';
  for (const stream of [tool.stdout, tool.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    tool.on('error', reject);
    tool.on('close', (code) => {
      clearTimeout(timer);
      process.off('exit', end);
      resolve({ output, isGood: code === 0 });
    });
  });
}

/** Throws an Error for what is not there exactly once: the line has moved on. */
export function changed(text: string, from: string, to: string): string {
  const count = text.split(from).length - 1;
  if (count !== 1) throw new Error(`is there ${count} times, not once: ${from}`);
  return text.replace(from, () => to);
}
