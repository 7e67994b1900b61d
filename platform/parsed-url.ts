// A text as a URL. Not by `URL.canParse`: once Node 20 has compiled a place that asks it often, it
// takes any text with an umlaut in it for none.

/** Null: the text is no URL. */
export function parsedUrl(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
