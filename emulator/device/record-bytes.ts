// Counts the bytes of the records inside a listing while it streams by: the objects that are
// elements of the document's own array (`[{...}]`) or of an array directly in the document's object
// (`{"data": [{...}]}`). Counts exactly what was sent, braces included, commas between records and
// the wrapper not; of records one a line (`application/newlines`), everything but the line ends.
// Never holds any of it.

interface RecordBytes {
  feed(chunk: Uint8Array): void;
  readonly bytes: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const NEWLINE = 0x0a;

/** `contentType` of the answer; without one it is a JSON document. */
export function countRecordBytes(contentType: string | null = null): RecordBytes {
  return contentType?.startsWith('application/newlines') === true ? countLines() : countList();
}

function countLines(): RecordBytes {
  let bytes = 0;
  return {
    feed(chunk) {
      for (const byte of chunk) if (byte !== NEWLINE) bytes++;
    },
    get bytes() {
      return bytes;
    },
  };
}

function countList(): RecordBytes {
  let bytes = 0;
  let depth = 0;
  let listDepth = 0; // depth inside the list, 0 outside of one
  let inString = false;
  let escaped = false;

  function structure(byte: number): void {
    if (byte === QUOTE) inString = true;
    else if (byte === 0x5b || byte === 0x7b) {
      depth++;
      if (byte === 0x5b && listDepth === 0 && depth <= 2) listDepth = depth;
    } else if (byte === 0x5d || byte === 0x7d) {
      depth--;
      if (depth < listDepth) listDepth = 0;
    }
  }

  return {
    feed(chunk) {
      for (const byte of chunk) {
        const inRecord = listDepth > 0 && depth > listDepth;
        if (escaped) escaped = false;
        else if (inString) {
          if (byte === BACKSLASH) escaped = true;
          else if (byte === QUOTE) inString = false;
        } else structure(byte);
        // The brace that opens a record belongs to it as the one that closes it does.
        if (inRecord || (listDepth > 0 && depth > listDepth)) bytes++;
      }
    },
    get bytes() {
      return bytes;
    },
  };
}
