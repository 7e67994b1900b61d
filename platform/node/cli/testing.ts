// For tests: a command as a process of its own, which can be killed, limited, and left alone with
// its input.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

interface CommandProcess {
  readonly child: ChildProcessWithoutNullStreams;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<unknown>;
  /** Resolves when it has printed the text. */
  saw(text: string): Promise<void>;
  printed(): string;
  complained(): string;
}

/**
 * `before`: a program and its arguments that the command is given to, instead of being run at once.
 */
export function startCommand(
  args: readonly string[],
  before: readonly string[] = [],
): CommandProcess {
  const [file = '', ...rest] = [...before, process.execPath, BIN, ...args];
  const child = spawn(file, rest);
  running.add(child);
  const ended = once(child, 'close').then(([code, signal]) => {
    running.delete(child);
    return code ?? signal;
  });
  let printed = '';
  let complained = '';
  child.stdout.on('data', (bytes) => {
    printed += bytes;
  });
  child.stderr.on('data', (bytes) => {
    complained += bytes;
  });
  return {
    child,
    ended,
    async saw(text) {
      while (!printed.includes(text)) await once(child.stdout, 'data');
    },
    printed: () => printed,
    complained: () => complained,
  };
}

/** Ends all that are still there, for a test that has failed. */
export function killCommands(): void {
  for (const child of running) child.kill('SIGKILL');
}

export const BIN = fileURLToPath(new URL('../../../emulator/bin.mjs', import.meta.url));
const running = new Set<ChildProcessWithoutNullStreams>();
