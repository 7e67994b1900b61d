// A file in cards, and a card in content lines: what was folded is put together, whichever way its
// program folds. Text is that of bytes, a character each (charset.ts).

import { CardFault } from './fault.ts';

export interface Line {
  /** Where it begins in the file, from 1. */
  readonly line: number;
  readonly text: string;
  /** A card that stands as it is in the place of the value. */
  readonly inner?: string;
}

/** The lines of a card between its BEGIN and its END, or what is wrong with them. */
export interface CardLines {
  /** That of its BEGIN; of what is in no card, its first. */
  readonly line: number;
  /** False: these lines are in no card. */
  readonly isCard: boolean;
  readonly lines: readonly Line[];
  readonly fault: CardFault | null;
}

/** Bytes of one card: more than any record may have. */
const CARD_BYTES_MAX = 16_777_216;

/** One after the other, good and bad. */
export function* cardsIn(text: string): Generator<CardLines> {
  let card: OpenCard | null = null;
  let strayLine = 0;
  for (const { line, text: written } of physicalLines(text)) {
    if (card?.takes(written)) {
      if (card.add(line, written)) {
        yield card.closed();
        card = null;
      }
    } else if (BEGIN.test(written)) {
      if (card !== null) yield card.closed(`no END:VCARD before the BEGIN:VCARD of line ${line}`);
      card = new OpenCard(line);
      strayLine = 0;
    } else if (written.trim() !== '') {
      // Of several in a row the first one tells.
      if (strayLine === 0) yield stray(line);
      strayLine = line;
    }
  }
  if (card !== null) yield card.closed('no END:VCARD before the end of the file');
}

function stray(line: number): CardLines {
  return { line, isCard: false, lines: [], fault: new CardFault(line, OUTSIDE) };
}

const OUTSIDE = 'it is in no card: BEGIN:VCARD is missing';
const BEGIN = /^\s*BEGIN\s*:\s*VCARD\s*$/i;
const END = /^\s*END\s*:\s*VCARD\s*$/i;
/** In version 2.1 a card may be the value, in lines of its own. */
const AGENT = /^((?:[\w-]+\.)?AGENT(?:;[^:]*)?:)\s*(BEGIN\s*:\s*VCARD\s*)?$/i;

class OpenCard {
  readonly #line: number;
  readonly #lines: Line[] = [];
  #inner: { readonly head: Line; readonly lines: string[]; depth: number } | null = null;
  #bytes = 0;

  constructor(line: number) {
    this.#line = line;
  }

  /** False: a card begins that is not in this one. */
  takes(written: string): boolean {
    return this.#inner !== null || !isBegin(written) || AGENT.test(this.#last()?.text ?? '');
  }

  /** True: the card has ended. */
  add(line: number, text: string): boolean {
    if (this.#inner === null && isEnd(text)) return true;
    this.#bytes += text.length;
    // White space alone may be the end of a text that was folded there.
    if (text === '' || this.#bytes > CARD_BYTES_MAX) return false;
    const [, head, begin] = AGENT.exec(text) ?? [];
    if (this.#inner !== null) this.#addInner(text);
    else if (head !== undefined && begin !== undefined) this.#open({ line, text: head }, begin);
    else if (isBegin(text)) this.#open(this.#lines.pop() ?? { line, text }, text);
    else this.#lines.push({ line, text });
    return false;
  }

  #open(head: Line, begin: string): void {
    this.#inner = { head, lines: [begin], depth: 1 };
  }

  #addInner(text: string): void {
    if (this.#inner === null) return;
    this.#inner.lines.push(text);
    if (isBegin(text)) this.#inner.depth++;
    if (!isEnd(text) || --this.#inner.depth > 0) return;
    const { head, lines } = this.#inner;
    this.#lines.push({ ...head, inner: lines.join('\n') });
    this.#inner = null;
  }

  #last(): Line | undefined {
    return this.#lines[this.#lines.length - 1];
  }

  closed(complaint?: string): CardLines {
    const [line, lines] = [this.#line, this.#lines];
    const isLong = this.#bytes > CARD_BYTES_MAX;
    const limit = `it has ${this.#bytes} bytes, a card may have ${CARD_BYTES_MAX}`;
    const message = isLong ? limit : complaint;
    const last = this.#last()?.line ?? line;
    const fault = message === undefined ? null : new CardFault(last, message);
    return { line, isCard: true, lines, fault };
  }
}

function* physicalLines(text: string): Generator<Line> {
  const ends = /\r\n|\r|\n/g;
  let start = 0;
  for (let line = 1; start <= text.length; line++) {
    const end = ends.exec(text);
    yield { line, text: text.slice(start, end?.index) };
    if (end === null) return;
    start = ends.lastIndex;
  }
}

/** A line that begins with white space goes on with the one before. */
function isBegin(text: string): boolean {
  return BEGIN.test(text) && !/^\s/.test(text);
}

function isEnd(text: string): boolean {
  return END.test(text) && !/^\s/.test(text);
}

/**
 * Content lines. `isOld`: of version 2.1, where a fold stands before white space that is part of
 * the text.
 */
export function unfolded(lines: readonly Line[], isOld: boolean): Line[] {
  const whole: { readonly first: Line; readonly pieces: string[]; readonly joins: Joins }[] = [];
  for (const line of lines) {
    const last = whole[whole.length - 1];
    const more = last === undefined ? null : continuation(last, line, isOld);
    if (last === undefined || more === null) {
      whole.push({ first: line, pieces: [line.text], joins: joinsOf(line.text) });
    } else {
      if (last.joins === 'quoted') last.pieces.push((last.pieces.pop() ?? '').replace(/=$/, ''));
      last.pieces.push(more);
    }
  }
  return whole.map(({ first, pieces }) => ({ ...first, text: pieces.join('') }));
}

/** How a line goes on, besides by white space. */
type Joins = 'quoted' | 'base64' | 'folded';

function joinsOf(text: string): Joins {
  const head = text.slice(0, text.indexOf(':') + 1);
  if (/[;=]QUOTED-PRINTABLE[;:]/i.test(head)) return 'quoted';
  return /[;=](B|BASE64)[;:]/i.test(head) ? 'base64' : 'folded';
}

/** What the line before goes on with; null: it does not. */
function continuation(
  last: { readonly first: Line; readonly pieces: readonly string[]; readonly joins: Joins },
  { text, inner }: Line,
  isOld: boolean,
): string | null {
  if (inner !== undefined || last.first.inner !== undefined) return null;
  const before = last.pieces[last.pieces.length - 1] ?? '';
  if (last.joins === 'quoted' && before.endsWith('=')) return text;
  if (last.joins === 'base64' && /^[A-Za-z0-9+/]+=*\s*$/.test(text)) return text;
  if (!/^[ \t]/.test(text)) return null;
  return isOld && last.joins !== 'base64' ? text : text.slice(1);
}
