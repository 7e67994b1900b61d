// Documents as tests read them: their tables and their fenced blocks. And what the code says of
// itself that only its source has: the words of a type.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export function textOf(path: string): string {
  return readFileSync(`${ROOT}/${path}`, 'utf8');
}

/**
 * Cells by row, without what makes a table pretty; the first table whose first heading is
 * `heading`.
 */
export function tableOf(text: string, heading: string): string[][] {
  const tables = text.match(/(^\|.*\n)+/gm) ?? [];
  const rows = tables
    .map((table) => table.trim().split('\n').map(cellsOf))
    .find(([first]) => first?.[0] === heading);
  if (rows === undefined) throw new Error(`there is no table of ${heading}`);
  return rows.slice(2);
}

function cellsOf(line: string): string[] {
  return line
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

/** What is between backquotes. */
export function codesIn(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

export interface Word {
  readonly word: string;
  /** What the source says of it. */
  readonly means: string;
}

/** The words of a type that is a choice of texts, each with the comment before it. */
export function wordsOf(path: string, type: string): Word[] {
  const [, body = ''] =
    new RegExp(`export type ${type} =([\\s\\S]*?'\\w+');`).exec(textOf(path)) ?? [];
  const found = [...body.matchAll(/(?:\/\*\*([\s\S]*?)\*\/\s*)?\| '(\w+)'/g)];
  if (found.length === 0) throw new Error(`${path} has no words of ${type}`);
  return found.map(([, comment = '', word = '']) => ({
    word,
    means: comment.replace(/\s+\*?\s*/g, ' ').trim(),
  }));
}

export interface Command {
  /** As a shell gets it, of one line or several. */
  readonly text: string;
  /** What it ends with: 0 unless a comment behind it says `# exit code N`. */
  readonly exitCode: number;
  /**
   * Lines that the document shows of what is printed, those of `...` left out; of the last command
   * of a block.
   */
  readonly shown: readonly string[];
  /** Where it stands in the document, counted from 1. */
  readonly line: number;
}

/**
 * The commands of the fenced `sh` blocks of a document; a fenced `text` block right behind one
 * shows its output.
 */
export function commandsIn(text: string): Command[] {
  const fence = /^```sh\n([\s\S]*?)^```\n(?:\n?```text\n([\s\S]*?)^```\n)?/gm;
  return [...text.matchAll(fence)].flatMap(({ 1: block = '', 2: shown = '', index }) => {
    const first = text.slice(0, index).split('\n').length + 1;
    const commands = [...block.matchAll(/(?:[^\n]*\\\n)*[^\n]*\n/g)].flatMap((match) => {
      const line = first + block.slice(0, match.index).split('\n').length - 1;
      const [, exitCode = '0'] = /# exit code (\d+)/.exec(match[0]) ?? [];
      const isCommand = /^[^#\s]/.test(match[0]);
      return isCommand ? [{ text: match[0], exitCode: Number(exitCode), shown: [], line }] : [];
    });
    const last = commands.pop();
    const lines = shown.split('\n').filter((line) => line !== '' && line !== '...');
    return last === undefined ? commands : [...commands, { ...last, shown: lines }];
  });
}
