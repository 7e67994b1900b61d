// JSON (RFC 8259) read a little at a time, for texts that an engine would parse for longer than its
// device can wait. The structure is read here, without recursion; every string and every number is
// given to the engine's own `JSON.parse`, a long string in pieces. So it refuses what that refuses and
// answers what that answers, within three bounds of its own: on depth, on values, on digits.

/** Longer texts take an engine more than a few million instructions. */
export const longJsonUnits = 16 * 1024;

/** The text has more values, nests deeper, or has longer numbers than a small device can take: it may be JSON. */
export class JsonTooLarge extends Error {
  override readonly name = 'JsonTooLarge';
}

/**
 * The value of a JSON text; before its pieces `pause` gives the device a turn.
 * Errors: SyntaxError for what is no JSON; JsonTooLarge for what has too many values, nests deeper than 32, or has a
 * number of a thousand digits. What the engine throws when it fails itself is thrown as it is.
 */
export async function parseLongJson(text: string, pause: () => Promise<void>): Promise<unknown> {
  const open: (unknown[] | Record<string, unknown>)[] = [];
  const names: string[] = [];
  let at = 0;
  let work = 0;
  let weight = 0;

  /** What comes next, behind blanks, if it is one of `marks`; empty at the end of the text. */
  async function peek(): Promise<string> {
    while (text.charCodeAt(at) <= 32) {
      const blanks = /^[ \t\n\r]*/.exec(text.slice(at, at + pieceUnits))?.[0].length ?? 0;
      if (blanks === 0) throw new SyntaxError('JSON: an unexpected sign');
      at += blanks;
      if (blanks === pieceUnits) await pause();
    }
    return text.charAt(at);
  }

  /** Goes past the one of `marks` that must come next. */
  async function take(marks: string): Promise<string> {
    const mark = await peek();
    if (mark === '' || !marks.includes(mark)) throw new SyntaxError('JSON: an unexpected sign');
    at++;
    return mark;
  }

  async function takeString(): Promise<string> {
    await take('"');
    for (let value = ''; ; await pause()) {
      const piece = text.slice(at, at + pieceUnits);
      const quote = closingQuote(piece);
      const end = quote < 0 ? wholeEscapes(piece) : quote;
      value += JSON.parse(`"${piece.slice(0, end)}"`) as string;
      at += end;
      if (quote >= 0) {
        at++;
        return value;
      }
      if (end === 0) throw new SyntaxError('JSON: a string without an end');
    }
  }

  async function takeName(): Promise<void> {
    names.push(await takeString());
    await take(':');
  }

  function takeScalar(): unknown {
    const word = /^[-+.\w]*/.exec(text.slice(at, at + scalarUnitsMax))?.[0] ?? '';
    if (word.length === scalarUnitsMax) throw new JsonTooLarge('JSON: a number without an end');
    at += word.length;
    return JSON.parse(word);
  }

  /** A value without members, or the opened container's if it is empty; undefined when it has some. */
  async function takeValue(sign: string): Promise<unknown> {
    if (sign === '"') return takeString();
    if (sign !== '{' && sign !== '[') return takeScalar();
    if (open.length === depthMax) throw new JsonTooLarge('JSON: nests too deeply');
    at++;
    weight += containerWeight;
    const isList = sign === '[';
    if ((await peek()) === (isList ? ']' : '}')) {
      at++;
      return isList ? [] : {};
    }
    open.push(isList ? [] : {});
    if (!isList) await takeName();
    return undefined;
  }

  // To come by a long text may have taken a turn already.
  await pause();
  for (;;) {
    weight++;
    if (weight > weightMax) throw new JsonTooLarge('JSON: too many values');
    if (++work % sliceValues === 0) await pause();
    let value = await takeValue(await peek());
    // JSON has no undefined: a container was opened, and its first member comes next.
    while (value !== undefined) {
      const whole = open.at(-1);
      if (whole === undefined) {
        if ((await peek()) !== '') throw new SyntaxError('JSON: an unexpected sign');
        return value;
      }
      const isList = Array.isArray(whole);
      if (isList) whole.push(value);
      else define(whole, names.pop() as string, value);
      if ((await take(isList ? ',]' : ',}')) !== ',') value = open.pop();
      else {
        if (!isList) await takeName();
        value = undefined;
      }
    }
  }
}

/** Where a string ends that began before `piece`; -1: not in it. */
function closingQuote(piece: string): number {
  for (let at = 0; ; at++) {
    at = piece.indexOf('"', at);
    if (at < 0 || !isEscaped(piece, at)) return at;
  }
}

/** So much of a piece of a string ends in no escape. */
function wholeEscapes(piece: string): number {
  const last = piece.lastIndexOf('\\');
  if (last < 0 || isEscaped(piece, last)) return piece.length;
  const end = last + (piece.charAt(last + 1) === 'u' ? 6 : 2);
  return end <= piece.length ? piece.length : last;
}

/** An odd number of backslashes stands before `at`. */
function isEscaped(piece: string, at: number): boolean {
  let start = at;
  while (piece.charAt(start - 1) === '\\') start--;
  return (at - start) % 2 === 1;
}

/** As `JSON.parse` does: `__proto__` is a name like any other. */
function define(object: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(object, name, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

const depthMax = 32;
/** A string takes some 40 bytes of heap, a list or an object with its members some two hundred. */
const weightMax = 10_000;
const containerWeight = 7;
const scalarUnitsMax = 1000;
/** What is read between two turns: so much of a string, or so many values. */
const pieceUnits = 4096;
const sliceValues = 32;
