// A JSON object taken apart while it arrives: each member with its name and with its value's own
// text, so that numbers stay as they were written. It holds one member at a time, of a bounded
// length and depth, and takes no text that is not JSON.

import { OWA_LIMITS, type OwaLimits } from './limits.ts';
import { refusal, tooLarge } from './refusals.ts';

export interface Member {
  readonly name: string;
  /** The value's JSON, as it was written. */
  readonly text: string;
}

type Limits = Pick<OwaLimits, 'entryBytesMax' | 'nameCharsMax' | 'nestingMax'>;

/** The members of an object that is JSON already. */
export function membersIn(text: string): Member[] {
  const splitter = new MemberSplitter({ ...OWA_LIMITS, entryBytesMax: text.length * 4 });
  const members = splitter.push(text);
  splitter.end();
  return members;
}

/** What follows the name in a member's text. */
export function memberText({ name, text }: Member): string {
  return `${JSON.stringify(name)}:${text}`;
}

export class MemberSplitter {
  readonly #limits: Limits;
  /** Of the name with all its characters escaped, and of what is around it. */
  readonly #memberCharsMax: number;
  #where: 'before' | 'inside' | 'behind' = 'before';
  #held = '';
  /** Within the member. */
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  #members = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#memberCharsMax = limits.entryBytesMax + 6 * limits.nameCharsMax + 1_024;
  }

  /**
   * The members that end in this piece of the text. Errors: HttpError 400 for what is no JSON or
   * nested too deep, 413 for what is too long.
   */
  push(piece: string): Member[] {
    const members: Member[] = [];
    let from = 0;
    for (let at = 0; at < piece.length; at++) {
      const char = piece.charCodeAt(at);
      if (this.#where !== 'inside') {
        this.#outside(char);
        from = at + 1;
      } else if (this.#endsMember(char)) {
        const member = this.#memberOf(this.#held + piece.slice(from, at), char === CLOSE);
        if (member !== null) members.push(member);
        this.#held = '';
        from = at + 1;
        if (char === CLOSE) this.#where = 'behind';
      }
    }
    this.#held += piece.slice(from);
    if (this.#held.length > this.#memberCharsMax) throw this.#tooLong();
    return members;
  }

  /** Errors: HttpError 400 where the text breaks off. */
  end(): void {
    if (this.#where !== 'behind') throw refusal('bad-json', { reason: 'it breaks off' });
  }

  /** Before the object and behind it. */
  #outside(char: number): void {
    if (isBlank(char)) return;
    if (this.#where === 'behind') throw refusal('bad-json', { reason: 'more than one value' });
    if (char !== OPEN) throw refusal('not-an-object');
    this.#where = 'inside';
  }

  #endsMember(char: number): boolean {
    if (this.#inString) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (char === BACKSLASH) this.#isEscaped = true;
      else if (char === QUOTE) this.#inString = false;
      return false;
    }
    if (char === QUOTE) this.#inString = true;
    else if (char === OPEN || char === OPEN_LIST) {
      this.#depth += 1;
      // The document is a level, too.
      const { nestingMax } = this.#limits;
      if (this.#depth >= nestingMax)
        throw refusal('too-deep', { field: 'nesting', limit: nestingMax });
    } else if (this.#depth === 0) return char === COMMA || char === CLOSE;
    else if (char === CLOSE || char === CLOSE_LIST) this.#depth -= 1;
    return false;
  }

  /** Null: the object is empty. Errors: HttpError 400, 413. */
  #memberOf(text: string, isLast: boolean): Member | null {
    if (text.length > this.#memberCharsMax) throw this.#tooLong();
    const trimmed = withoutBlanks(text);
    this.#members += 1;
    if (trimmed === '' && isLast && this.#members === 1) return null;
    const nameEnd = endOfName(trimmed);
    const rest = withoutBlanks(trimmed.slice(nameEnd));
    if (nameEnd === 0 || !rest.startsWith(':')) throw refusal('bad-json');
    const member = {
      name: String(parsed(trimmed.slice(0, nameEnd))),
      text: withoutBlanks(rest.slice(1)),
    };
    parsed(member.text);
    const { nameCharsMax, entryBytesMax } = this.#limits;
    if (member.name.length > nameCharsMax) throw tooLarge('name', nameCharsMax);
    if (Buffer.byteLength(member.text) > entryBytesMax)
      throw tooLarge('entry', entryBytesMax, member.name);
    return member;
  }

  #tooLong() {
    return tooLarge('entry', this.#limits.entryBytesMax);
  }
}

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const [OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];

/** Errors: HttpError 400. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refusal('bad-json');
  }
}

/** Behind the string that a text begins with; 0: it begins with none. */
function endOfName(text: string): number {
  if (text.charCodeAt(0) !== QUOTE) return 0;
  for (let at = 1; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) return at + 1;
    if (char === BACKSLASH) at++;
  }
  return 0;
}

function withoutBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

/** What JSON takes for blank. */
function isBlank(char: number): boolean {
  return char === 0x20 || char === 0x0a || char === 0x0d || char === 0x09;
}
