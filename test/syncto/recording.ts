// What the real Syncto 1.5.0 answered to the table, once: `test/fixtures/syncto-1.5.0.json`.
// What is said more than once stands there once.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Answered, Exchange, Outcome } from './case.ts';

/** By the name of the case, an outcome for each of its steps. */
export type Recording = Readonly<Record<string, readonly Outcome[]>>;

export const FIXTURE = fileURLToPath(new URL('../fixtures/syncto-1.5.0.json', import.meta.url));

interface File {
  readonly answers: readonly Answered[];
  readonly exchanges: readonly Exchange[];
  /** For each step the number of its answer, and those of its exchanges. */
  readonly cases: Readonly<Record<string, readonly (readonly number[])[]>>;
}

export function readRecording(): Recording {
  const { answers, exchanges, cases } = JSON.parse(readFileSync(FIXTURE, 'utf8')) as File;
  const at = <T>(list: readonly T[], index: number): T => {
    const found = list[index];
    if (found === undefined) throw new Error(`the recording has no number ${index}`);
    return found;
  };
  const entries = Object.entries(cases).map(([name, steps]) => [
    name,
    steps.map(([answer = -1, ...asked]) => ({
      answered: at(answers, answer),
      exchanges: asked.map((index) => at(exchanges, index)),
    })),
  ]);
  return Object.fromEntries(entries);
}

/** The file's text: a line for each answer, exchange and case. */
export function toText(recording: Recording): string {
  const answers = new Numbers();
  const exchanges = new Numbers();
  const cases = Object.entries(recording).map(([name, outcomes]) => {
    const numbers = outcomes.map(({ answered, exchanges: asked }) => [
      answers.of(answered),
      ...asked.map((exchange) => exchanges.of(exchange)),
    ]);
    return `${JSON.stringify(name)}:${JSON.stringify(numbers)}`;
  });
  const parts = [
    `"answers":[\n${answers.lines()}\n]`,
    `"exchanges":[\n${exchanges.lines()}\n]`,
    `"cases":{\n${cases.join(',\n')}\n}`,
  ];
  return `{\n${parts.join(',\n')}\n}\n`;
}

/** Numbers equal values the same. */
class Numbers {
  readonly #byText = new Map<string, number>();

  of(value: unknown): number {
    const text = JSON.stringify(value);
    const number = this.#byText.get(text) ?? this.#byText.size;
    this.#byText.set(text, number);
    return number;
  }

  lines(): string {
    return [...this.#byText.keys()].join(',\n');
  }
}
