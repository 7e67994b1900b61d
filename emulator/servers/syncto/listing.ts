// A list of BSOs on its way through the gateway, as the list of Kinto records that it becomes.
// It holds one record and the piece that came last, however long the list is; a list that is none,
// or whose end is missing, breaks the answer off, so that nobody takes a part for the whole.

import { bodyOf } from '../http.ts';
import { bodyFault } from './errors.ts';
import { toKintoRecord } from './mapping.ts';

/** The longest JSON text of a record: above what storage takes, with every character escaped. */
const RECORD_BYTES_MAX = 16_777_216;

/**
 * `{"data": [...]}` of an answer that holds a JSON list. Its beginning is looked at here, the rest
 * when it is read, which then fails on what is no record. Errors: SynctoError 500 (999), 503 (201).
 */
export async function kintoListing(answer: Response): Promise<ReadableStream<Uint8Array>> {
  const translation = translated(piecesOf(answer));
  const first = await translation.next().catch((error: unknown) => {
    throw bodyFault(error);
  });
  return bodyOf(startingWith(first, translation));
}

async function* startingWith(
  first: IteratorResult<Uint8Array, void>,
  rest: AsyncGenerator<Uint8Array, void>,
): AsyncGenerator<Uint8Array, void> {
  try {
    if (!first.done) yield first.value;
    yield* rest;
  } finally {
    await rest.return();
  }
}

async function* translated(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const splitter = new ListSplitter();
  let before = '{"data":[';
  for await (const piece of pieces) {
    const wasAtEnd = splitter.isAtEnd;
    let text = '';
    for (const record of splitter.take(piece)) {
      text += before + JSON.stringify(toKintoRecord(JSON.parse(record)));
      before = ',';
    }
    if (splitter.isAtEnd && !wasAtEnd) text += before === ',' ? ']}' : `${before}]}`;
    if (text !== '') yield Buffer.from(text);
  }
  // Read to its end all the same: a connection is kept only so.
  if (!splitter.isAtEnd) throw new SyntaxError('the list has no end');
}

/** The bytes of a body; who stops taking them cancels it. */
async function* piecesOf(answer: Response): AsyncGenerator<Uint8Array, void> {
  const reader = answer.body?.getReader();
  try {
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      if (done || value === undefined) return;
      yield value;
    }
  } finally {
    reader?.cancel().catch(() => undefined);
  }
}

const BYTE = {
  quote: 0x22,
  comma: 0x2c,
  open: 0x5b,
  backslash: 0x5c,
  close: 0x5d,
  openObject: 0x7b,
  closeObject: 0x7d,
} as const;

/** What may come outside of records. */
type Expected = 'list' | 'record or end' | 'comma or end' | 'record';

/** Finds the objects in the UTF-8 text of a JSON list, wherever its pieces are cut. */
class ListSplitter {
  isAtEnd = false;
  #expected: Expected = 'list';
  /** Of the record that has begun; its bytes of earlier pieces. */
  #begun: Uint8Array[] = [];
  #begunBytes = 0;
  #depth = 0;
  #isInText = false;
  #isEscaped = false;

  /** The texts of the records that end in this piece. Errors: SyntaxError, RangeError. */
  take(piece: Uint8Array): string[] {
    const records: string[] = [];
    let start = 0;
    for (let index = 0; index < piece.length; index++) {
      const byte = piece[index] ?? 0;
      if (this.#depth === 0) {
        if (this.#outside(byte)) start = index;
      } else if (this.#endsRecord(byte)) {
        records.push(this.#recordWith(piece.subarray(start, index + 1)));
      }
    }
    if (this.#depth > 0) this.#keep(piece.subarray(start));
    return records;
  }

  /** Whether a record begins with this byte. */
  #outside(byte: number): boolean {
    if (byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d) return false;
    const expected = this.#expected;
    if (byte === BYTE.open && expected === 'list') this.#expected = 'record or end';
    else if (byte === BYTE.comma && expected === 'comma or end') this.#expected = 'record';
    else if (byte === BYTE.close && expected.endsWith('or end') && !this.isAtEnd) {
      this.isAtEnd = true;
    } else if (byte === BYTE.openObject && /^record/.test(expected) && !this.isAtEnd) {
      this.#depth = 1;
      return true;
    } else {
      throw new SyntaxError('the answer is no list of records');
    }
    return false;
  }

  #endsRecord(byte: number): boolean {
    if (this.#isInText) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === BYTE.backslash) this.#isEscaped = true;
      else if (byte === BYTE.quote) this.#isInText = false;
      return false;
    }
    if (byte === BYTE.quote) this.#isInText = true;
    else if (byte === BYTE.openObject || byte === BYTE.open) this.#depth++;
    else if (byte === BYTE.closeObject || byte === BYTE.close) this.#depth--;
    return this.#depth === 0;
  }

  #recordWith(last: Uint8Array): string {
    this.#expected = 'comma or end';
    this.#keep(last);
    const text = Buffer.concat(this.#begun).toString('utf8');
    this.#begun = [];
    this.#begunBytes = 0;
    return text;
  }

  #keep(bytes: Uint8Array): void {
    this.#begunBytes += bytes.length;
    if (this.#begunBytes > RECORD_BYTES_MAX) throw new RangeError('a record is too long');
    this.#begun.push(bytes);
  }
}
