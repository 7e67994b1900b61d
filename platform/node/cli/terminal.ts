// What a command has of its surroundings: two streams to write to, one to read from, and the wish to stop.
// The real ones are the process's own.

import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { MachineOptions } from '../platform.ts';

export interface Terminal {
  /** To the output, which programs read. */
  write(text: string): void;
  /** To the error stream, which people read. */
  complain(text: string): void;
  /** All of the input. */
  read(): Promise<string>;
  /** One line of the input; `''` at its end. `isSecret`: nothing of it is shown while it is typed. */
  readLine(isSecret?: boolean): Promise<string>;
  /** Calls `stop` when the command shall end; the returned function takes that back. */
  onStop(stop: () => void): () => void;
  /** Ends the process at once, whatever is still waited for. */
  exit(code: number): void;
  /** Somebody sits there who can be asked; false if it is not given. */
  readonly isInteractive?: boolean;
  /** Other time and network than the machine's. */
  readonly machine?: MachineOptions;
}

export const processTerminal: Terminal = {
  write: (text) => void process.stdout.write(text),
  complain: (text) => void process.stderr.write(text),
  async read() {
    let text = '';
    for await (const piece of process.stdin.setEncoding('utf8')) text += piece;
    return text;
  },
  async readLine(isSecret = false) {
    const input = process.stdin;
    // Readline then reads key by key and shows them on an output that goes nowhere.
    const isHidden = isSecret && input.isTTY;
    const lines = createInterface(
      isHidden ? { input, output: NOWHERE, terminal: true } : { input },
    );
    try {
      for await (const line of lines) return line;
      return '';
    } finally {
      lines.close();
      if (isHidden) process.stderr.write('\n');
    }
  },
  onStop(stop) {
    const stopped = (): void => {
      // An answer that is still waited for keeps nobody here.
      process.stdin.unref?.();
      stop();
    };
    for (const signal of SIGNALS) process.once(signal, stopped);
    return () => {
      for (const signal of SIGNALS) process.off(signal, stopped);
    };
  },
  exit: (code) => process.exit(code),
  isInteractive: process.stdin.isTTY,
};

/** Of an outside text: a page may call itself anything, also something that a terminal obeys. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ');
}

// Whoever reads the output may have seen enough, as `head` has.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(1);
});

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const NOWHERE = new Writable({ write: (_piece, _encoding, done) => done() });
