// What a command has of its surroundings: two streams to write to, one to read from, and the wish to stop.
// The real ones are the process's own.

import { createInterface } from 'node:readline';
import type { MachineOptions } from '../platform.ts';

export interface Terminal {
  /** To the output, which programs read. */
  write(text: string): void;
  /** To the error stream, which people read. */
  complain(text: string): void;
  /** All of the input. */
  read(): Promise<string>;
  /** One line of the input; `''` at its end. */
  readLine(): Promise<string>;
  /** Calls `stop` when the command shall end; the returned function takes that back. */
  onStop(stop: () => void): () => void;
  /** Ends the process at once, whatever is still waited for. */
  exit(code: number): void;
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
  async readLine() {
    for await (const line of createInterface({ input: process.stdin })) return line;
    return '';
  },
  onStop(stop) {
    for (const signal of SIGNALS) process.once(signal, stop);
    return () => {
      for (const signal of SIGNALS) process.off(signal, stop);
    };
  },
  exit: (code) => process.exit(code),
};

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
