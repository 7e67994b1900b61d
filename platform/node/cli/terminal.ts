// What a command has of its surroundings: two streams to write to, one to read from, and the wish
// to stop. The real ones are the process's own.

import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { MachineOptions } from '../platform.ts';

export interface Terminal {
  /** To the output, which programs read. */
  write(text: string): void;
  /** To the error stream, which people read. */
  complain(text: string): void;
  /** All of the input. Errors: `InputRefused`. */
  read(): Promise<string>;
  /**
   * One line of the input; `''` at its end. `isSecret`: nothing of it is shown while it is typed.
   */
  readLine(isSecret?: boolean): Promise<string>;
  /** Calls `stop` when the command shall end; the returned function takes that back. */
  onStop(stop: () => void): () => void;
  /** Ends the process at once, whatever is still waited for. */
  exit(code: number): void;
  /** Somebody sits there who can be asked; false if it is not given. */
  readonly isInteractive?: boolean;
  /** Characters in a line of the screen that `complain` writes to; none: it is no screen. */
  readonly columns?: number | undefined;
  /** Where a caller may have put secrets, which no other user sees. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Other time and network than the machine's. */
  readonly machine?: MachineOptions;
}

/** The input has no end, or is no text that a command could be given. */
export class InputRefused extends Error {}

/** In memory as a whole; an engine has texts of twice as many. */
const INPUT_CHARS_MAX = 268_435_456;

export const processTerminal: Terminal = {
  write: (text) => void process.stdout.write(text),
  complain: (text) => void process.stderr.write(text),
  read: () => textOf(process.stdin.setEncoding('utf8'), INPUT_CHARS_MAX),
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
  get columns() {
    return process.stderr.isTTY ? process.stderr.columns : undefined;
  },
  environment: process.env,
};

/** All of a stream. Errors: `InputRefused`, those of the stream. */
export async function textOf(stream: AsyncIterable<string>, charsMax: number): Promise<string> {
  let text = '';
  for await (const piece of stream) {
    text += piece;
    if (text.length > charsMax) {
      throw new InputRefused(`the input has more than ${charsMax} characters`);
    }
  }
  return text;
}

/**
 * Of an outside text: a page may call itself anything, also something that a terminal obeys, or
 * that turns its line around. Controls are written as escapes, what ends a line or has no form of
 * its own is a space.
 */
export function printable(text: string): string {
  return text.replace(LINE_ENDS, ' ').replace(CONTROLS, escaped).replace(FORMATS, ' ');
}

/** JSON that a terminal obeys nowhere: the same value, with escapes. */
export function printableJson(value: unknown): string {
  const json = JSON.stringify(value);
  return json.replace(CONTROLS, escaped).replace(LINE_ENDS, escaped).replace(FORMATS, escaped);
}

function escaped(units: string): string {
  const codes = Array.from({ length: units.length }, (_, at) => units.charCodeAt(at));
  return codes.map((code) => `\\u${code.toString(16).padStart(4, '0')}`).join('');
}

/** Those that are a space or start a line, the separators of lines among them. */
const LINE_ENDS = /[\t-\r\u0085\p{Zl}\p{Zp}]+/gu;
/** C1 too: some terminals take U+009B for the start of a command. */
const CONTROLS = /\p{Cc}+/gu;
/**
 * But what joins the letters of a script or the parts of an emoji, and the tags that make the flag
 * of a region.
 */
const FORMATS = /(?:(?!\u200c|\u200d|[\u{e0020}-\u{e007f}])\p{Cf})+/gu;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const NOWHERE = new Writable({ write: (_piece, _encoding, done) => done() });
