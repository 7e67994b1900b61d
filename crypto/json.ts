// JSON (RFC 8259) read a little at a time, for texts that an engine would parse for longer than its
// device can wait. The structure is read here, without recursion; every string and every number is
// given to the engine's own `JSON.parse`, a long string in pieces. So it refuses what that refuses
// and answers what that answers, within three bounds of its own: on depth, on digits, and on the
// memory that the value takes, which its length does not tell: an empty list is two characters and
// a hundred bytes.

/** Longer texts take an engine more than a few million instructions. */
export const longJsonUnits = 16 * 1024;

/** What a text of a few long strings takes at most: so many bytes for a character. */
export const flatBytes = 2;

/**
 * Whether a text can hold so many lists and objects that it must be read with care although it is
 * short.
 */
export function isDense(text: string): boolean {
  if (text.length < denseUnitsMin) return false;
  const most = text.length / denseUnits;
  return ['{', '['].some((mark) => text.split(mark, most + 1).length > most);
}

/** The value takes more memory, nests deeper, or has longer numbers than it may: it may be JSON. */
export class JsonTooLarge extends Error {}

/**
 * The value of a JSON text, which takes at most `bytesMax` of memory; before its pieces `pause`
 * gives the device a turn. Not `isKept`: it is only looked at, and what is answered has no members.
 * Errors: SyntaxError for what is no JSON; JsonTooLarge for what takes more, nests deeper than 32,
 * or has a number of a thousand digits. What the engine throws when it fails itself is thrown as it
 * is.
 */
export async function parseLongJson(
  text: string,
  pause: () => Promise<void>,
  bytesMax: number,
  isKept = true,
): Promise<unknown> {
  const open: (unknown[] | Record<string, unknown>)[] = [];
  const names: string[] = [];
  const memory = createLedger(bytesMax);
  const { peek, skip, take, takeString, takeScalar } = createReader(text, pause, memory);
  let work = 0;

  async function takeName(): Promise<void> {
    const name = await takeString();
    memory.member(name);
    names.push(name);
    await take(':');
  }

  /**
   * A value without members, or the opened container's if it is empty; undefined when it has some.
   */
  async function takeValue(sign: string): Promise<unknown> {
    if (sign === '"') return takeString();
    if (sign !== '{' && sign !== '[') return takeScalar();
    if (open.length === depthMax) throw tooLarge('nests too deeply');
    skip();
    memory.take(containerBytes);
    const isList = sign === '[';
    if ((await peek()) === (isList ? ']' : '}')) {
      skip();
      return isList ? [] : {};
    }
    open.push(isList ? [] : {});
    memory.open();
    if (!isList) await takeName();
    return undefined;
  }

  // To come by a long text may have taken a turn already.
  await pause();
  for (;;) {
    if (++work % sliceValues === 0) await pause();
    memory.take(valueBytes);
    let value = await takeValue(await peek());
    // JSON has no undefined: a container was opened, and its first member comes next.
    while (value !== undefined) {
      const whole = open[open.length - 1];
      if (whole === undefined) {
        if ((await peek()) !== '') throw noJson();
        return value;
      }
      const isList = Array.isArray(whole);
      if (!isList) {
        const name = names.pop() as string;
        if (isKept) define(whole, name, value);
      } else if (isKept) whole.push(value);
      if ((await take(isList ? ',]' : ',}')) !== ',') {
        value = open.pop();
        memory.close();
      } else {
        if (!isList) await takeName();
        value = undefined;
      }
    }
  }
}

/** Goes through a text from its beginning. All but `skip` throw SyntaxError for what is no JSON. */
function createReader(
  text: string,
  pause: () => Promise<void>,
  memory: Pick<ReturnType<typeof createLedger>, 'take'>,
) {
  let at = 0;

  /** What comes next, behind blanks; empty at the end of the text. */
  async function peek(): Promise<string> {
    while (text.charCodeAt(at) <= 32) {
      const blanks = /^[ \t\n\r]*/.exec(text.slice(at, at + pieceUnits))?.[0].length ?? 0;
      if (blanks === 0) throw noJson();
      at += blanks;
      if (blanks === pieceUnits) await pause();
    }
    return text.charAt(at);
  }

  /** Goes past what `peek` said. */
  function skip(): void {
    at++;
  }

  /** Goes past the one of `marks` that must come next. */
  async function take(marks: string): Promise<string> {
    const mark = await peek();
    if (mark === '' || !marks.includes(mark)) throw noJson();
    at++;
    return mark;
  }

  async function takeString(): Promise<string> {
    await take('"');
    memory.take(textBytes);
    for (let value = ''; ; await pause()) {
      const piece = text.slice(at, at + pieceUnits);
      const quote = closingQuote(piece);
      const end = quote < 0 ? wholeEscapes(piece) : quote;
      memory.take(end);
      value += JSON.parse(`"${piece.slice(0, end)}"`) as string;
      at += end;
      if (quote >= 0) {
        at++;
        return value;
      }
      if (end === 0) throw noJson();
    }
  }

  /** A number, or a word that the language has for a value. */
  function takeScalar(): unknown {
    const word = /^[-+.\w]*/.exec(text.slice(at, at + scalarUnitsMax))?.[0] ?? '';
    if (word.length === scalarUnitsMax) throw tooLarge('a long number');
    at += word.length;
    return JSON.parse(word);
  }

  return { peek, skip, take, takeString, takeScalar };
}

/**
 * Counts what a value takes while it is built. Throws JsonTooLarge where that is more than
 * `bytesMax`.
 */
function createLedger(bytesMax: number) {
  /**
   * Engines describe the members of objects once for all that have the same ones in the same order.
   */
  const shapes = new Map<string, number>();
  const open: number[] = [];
  let bytes = 0;

  function take(more: number): void {
    bytes += more;
    if (bytes > bytesMax) throw tooLarge(`more than ${bytesMax} bytes of values`);
  }

  return {
    take,
    open: () => void open.push(0),
    close: () => void open.pop(),
    member(name: string): void {
      const before = `${open[open.length - 1]} ${name}`;
      const known = shapes.get(before);
      // The name itself was counted as a text, and is known once it has its place.
      const more = known === undefined ? shapeBytes + 2 * name.length : memberBytes;
      take(more - textBytes - name.length);
      if (known === undefined) shapes.set(before, shapes.size + 1);
      open[open.length - 1] = known ?? shapes.size;
    },
  };
}

const noJson = (): SyntaxError => new SyntaxError('no JSON');
const tooLarge = (why: string): Error => new JsonTooLarge(why);

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
/**
 * What QuickJS takes on 32 bits, with the slack of its allocator: a place in a list that grows; a
 * text beside its characters; a list, or an object of two members; a member more; and the
 * description of members in an order that no object before had, with the name and our own note of
 * it.
 */
const valueBytes = 12;
const textBytes = 40;
const containerBytes = 88;
const memberBytes = 8;
const shapeBytes = 200;
/** A list or an object for so many characters: twice as many as any record of a browser has. */
const denseUnits = 16;
const denseUnitsMin = 2048;
const scalarUnitsMax = 1000;
/** What is read between two turns: so much of a string, or so many values. */
const pieceUnits = 4096;
const sliceValues = 32;
