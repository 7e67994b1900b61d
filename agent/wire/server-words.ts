// What a server says in its own words, fit to be shown to a person or kept in a log: short,
// printable, and without anything that looks like a token, a key or a code.

/** The words of `text`; empty for what is no text. */
export function shownWords(text: unknown): string {
  if (typeof text !== 'string') return '';
  return text
    .slice(0, 4 * WORDS_CHARS_MAX)
    .replace(/[^!-~]+/g, ' ')
    .replace(/[\w.+/=-]{24,}/g, '...')
    .slice(0, WORDS_CHARS_MAX)
    .trim();
}

const WORDS_CHARS_MAX = 200;
