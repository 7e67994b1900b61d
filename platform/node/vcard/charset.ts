// Bytes of files as people have them: UTF-8 with or without a mark, UTF-16, and the code pages of
// old programs, of which one file may have several. A file is looked at as text of its bytes, a
// character each, so that a line which was folded inside a character is put together first.

/** The bytes as text of a character each, without marks; UTF-16 is made UTF-8. */
export function byteText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = wideCharset(buffer);
  if (wide !== null) return Buffer.from(new TextDecoder(wide).decode(buffer)).toString('latin1');
  return buffer.toString('latin1', hasMark(buffer, [0xef, 0xbb, 0xbf]) ? 3 : 0);
}

/**
 * The text that the bytes stand for, by the name that a card gives, if it is known; else UTF-8, and
 * where they are none, Windows-1252, which anything is.
 */
export function decodeBytes(text: string, charset?: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: nothing but ASCII is the same in all.
  if (charset === undefined && /^[\x00-\x7f]*$/.test(text)) return text;
  const bytes = Buffer.from(text, 'latin1');
  for (const name of [charset ?? 'utf-8', 'utf-8']) {
    const decoded = tryDecode(name, bytes);
    if (decoded !== null) return decoded;
  }
  return westernText(bytes);
}

/** No card may have them, and some have a terminal obey. */
export function withoutControls(text: string): string {
  return text.replace(CONTROLS, '');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for.
const CONTROLS = /[\0-\x08\x0b-\x1f\x7f-\x9f]/g;

/** Text of bytes for text of quoted-printable; what is no code stays. */
export function unquoted(text: string): string {
  return text.replace(/=([0-9A-Fa-f]{2})/g, (_, code) => String.fromCharCode(Number(`0x${code}`)));
}

function tryDecode(name: string, bytes: Buffer): string | null {
  try {
    const decoder = new TextDecoder(name, { fatal: true, ignoreBOM: true });
    return decoder.encoding === WESTERN ? westernText(bytes) : decoder.decode(bytes);
  } catch {
    // No such name, or no such text.
    return null;
  }
}

/** Windows-1252; Node.js takes its 0x80 to 0x9f for controls. */
function westernText(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/[\x80-\x9f]/g, (c) => SIGNS[c.charCodeAt(0) - 0x80] ?? c);
}

const WESTERN = 'windows-1252';
const SIGNS = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

function wideCharset(bytes: Uint8Array): string | null {
  const [a, b, c, d] = bytes;
  if (hasMark(bytes, [0xff, 0xfe]) || (a !== 0 && b === 0 && c !== 0 && d === 0)) return 'utf-16le';
  const isBig = hasMark(bytes, [0xfe, 0xff]) || (a === 0 && b !== 0 && c === 0 && d !== 0);
  return isBig && bytes.length > 1 ? 'utf-16be' : null;
}

function hasMark(bytes: Uint8Array, mark: readonly number[]): boolean {
  return mark.every((byte, at) => bytes[at] === byte);
}
