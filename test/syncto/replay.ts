// Sends the table to one of ours, before servers that answer as they did to the real Syncto, and
// gives what it answered and what it asked for.

import { type Answered, type Case, type Exchange, fill, type Sent } from './case.ts';
import { told } from './record.ts';
import type { Recording } from './recording.ts';
import { askedOf, responseOf } from './upstream.ts';
import { wordsOf } from './words.ts';

/** What became of one step. */
interface Replayed {
  readonly answered: Answered;
  readonly asked: readonly Sent[];
}

/** A Syncto of ours. */
export interface Subject {
  /** Its own. */
  readonly origin: string;
  nowMs(): number;
  /** Null: its clients cannot send that. */
  answer(sent: Sent): Promise<Answered | null>;
}

/** The servers that answer as recorded; all that they are asked is written down. */
export class Replay {
  /** Known when it listens, or made up. */
  origin: string;
  #expected: Exchange[] = [];
  #words: ReadonlyMap<string, string> = new Map();
  #asked: Sent[] = [];
  #hungUp: Exchange | null = null;

  constructor(origin = 'https://behind.test') {
    this.origin = origin;
  }

  /** Null hangs up. */
  readonly answer = async (request: Request): Promise<Response | null> => {
    this.#asked.push(await askedOf(request, this.#words));
    const next = this.#hungUp ?? this.#expected.shift();
    // Who asks more than was recorded is seen by what it asked.
    if (next === undefined) return new Response('0', { status: 401 });
    // Whoever asks once more because of that hears no more than before.
    if (next.answered === null) this.#hungUp = next;
    return next.answered && responseOf(next.answered, this.origin);
  };

  /** Null where a step cannot be sent. */
  async run(
    subject: Subject,
    { name, steps }: Case,
    index: number,
    recording: Recording,
  ): Promise<Replayed[] | null> {
    const words = wordsOf({ nowMs: subject.nowMs(), upstream: this.origin, index, steps });
    this.#words = words;
    const replayed: Replayed[] = [];
    for (const [number, step] of steps.entries()) {
      const recorded = recording[name]?.[number];
      if (recorded === undefined) throw new Error(`nothing was recorded of ${name}`);
      this.#expected = [...recorded.exchanges];
      this.#asked = [];
      this.#hungUp = null;
      const answered = await subject.answer(fill(step, words));
      if (answered === null) return null;
      replayed.push({ answered: told(answered, subject.origin, words), asked: this.#asked });
    }
    return replayed;
  }
}
