// The name of a web app: its origin as browsers write it, in ASCII. What has no such name (a file,
// a page of the browser's own) is never synced. A browser makes more of an address than this does:
// a host that is not ASCII, or has escapes, is for who knows tables of Unicode, and has no name
// here.

/** UTF-16 units of the longest one. */
export const ORIGIN_CHARS_MAX = 2_048;

/**
 * The origin that an address without path, query and user names: scheme and host in small letters,
 * no port that the scheme has anyway, IP addresses as they are written shortest. Null for what
 * names none.
 */
export function webOrigin(address: unknown): string | null {
  if (typeof address !== 'string' || address.length > ORIGIN_CHARS_MAX) return null;
  const [found = '', scheme = '', host = '', port = ''] = ADDRESS.exec(address) ?? [];
  if (found === '') return null;
  const kind = scheme.toLowerCase();
  const name = host.charAt(0) === '[' ? ip6(host.toLowerCase()) : hostOf(host.toLowerCase());
  const usual = kind === 'http' ? 80 : 443;
  const number = port === '' ? usual : Number(port);
  if (name === null || number < 1 || number > 65_535) return null;
  return number === usual ? `${kind}://${name}` : `${kind}://${name}:${number}`;
}

const ADDRESS = /^(https?):\/\/(\[[\da-f:.]+\]|[!"$&'()*+,\-.\w;=`{}~]+)(?::(\d*))?\/?$/i;

/** A host name, or four numbers where it ends in one. */
function hostOf(host: string): string | null {
  const labels = host.split('.');
  if (labels.length > 1 && labels[labels.length - 1] === '') labels.pop();
  if (!/^(\d+|0x[\da-f]*)$/.test(labels[labels.length - 1] ?? '')) return host;
  const parts = labels.map(numberOf);
  const last = parts.pop() ?? NaN;
  const isByte = (part: number): boolean => part <= 255;
  if (parts.length > 3 || !parts.every(isByte) || !(last < 256 ** (4 - parts.length))) return null;
  const value = parts.reduce((sum, part, at) => sum + part * 256 ** (3 - at), last);
  return [24, 16, 8, 0].map((bits) => Math.floor(value / 2 ** bits) % 256).join('.');
}

/** Hexadecimal after `0x`, octal after `0`; NaN for what is no number. */
function numberOf(text: string): number {
  if (/^0x[\da-f]*$/.test(text)) return Number(`${text}${text.length === 2 ? '0' : ''}`);
  if (/^0[0-7]+$/.test(text)) return Number.parseInt(text, 8);
  return /^(0|[1-9]\d*)$/.test(text) ? Number(text) : Number.NaN;
}

/** `[::1]` for `[0:0:0:0:0:0:0:1]`: the longest row of zeros, the first of several, is left out. */
function ip6(host: string): string | null {
  const [front, back, more] = host.slice(1, -1).split('::');
  if (front === undefined || more !== undefined) return null;
  const [head, tail] = [piecesOf(front, back === undefined), piecesOf(back ?? '', true)];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (back === undefined ? missing !== 0 : missing < 1) return null;
  const text = [...head, ...Array<string>(missing).fill('0'), ...tail].join(':');
  const zeros = (text.match(/\b0(:0)+\b/g) ?? []).reduce(
    (a, b) => (b.length > a.length ? b : a),
    '',
  );
  if (zeros === '') return `[${text}]`;
  const at = text.search(new RegExp(`\\b${zeros}\\b`));
  const [before, after] = [text.slice(0, at), text.slice(at + zeros.length)];
  return `[${before.replace(/:$/, '')}::${after.replace(/^:/, '')}]`;
}

/** Groups of up to four digits; at the end four numbers may stand for two. */
function piecesOf(text: string, isEnd: boolean): string[] | null {
  if (text === '') return [];
  const pieces = text.split(':');
  const last = pieces[pieces.length - 1] ?? '';
  if (last.includes('.') && isEnd) {
    const bytes = last.split('.').map((byte) => (/^(0|[1-9]\d{0,2})$/.test(byte) ? +byte : 256));
    const [a = 256, b = 256, c = 256, d = 256] = bytes;
    if (bytes.length !== 4 || bytes.some((byte) => byte > 255)) return null;
    pieces.splice(-1, 1, (a * 256 + b).toString(16), (c * 256 + d).toString(16));
  }
  if (!pieces.every((piece) => /^[\da-f]{1,4}$/.test(piece))) return null;
  return pieces.map((piece) => Number.parseInt(piece, 16).toString(16));
}
