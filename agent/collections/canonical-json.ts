// JSON that is the same for all who have the same value, whatever order its members came in. No
// recursion: the value is outside data, and may nest deeply.

/** The members of objects are in the order of their UTF-16 units, without any space. */
export function canonicalJson(value: unknown): string {
  const open: Open[] = [];
  let text = '';
  let next: unknown = value;
  for (;;) {
    if (typeof next === 'object' && next !== null) {
      const isList = Array.isArray(next);
      const members = Object.entries(next);
      if (!isList) members.sort(([a], [b]) => (a < b ? -1 : 1));
      open.push({ isList, members, at: 0 });
      text += isList ? '[' : '{';
    } else text += JSON.stringify(next ?? null);
    let top = open[open.length - 1];
    while (top !== undefined && top.at === top.members.length) {
      text += top.isList ? ']' : '}';
      open.pop();
      top = open[open.length - 1];
    }
    if (top === undefined) return text;
    const [name, member] = top.members[top.at] as [string, unknown];
    text += (top.at > 0 ? ',' : '') + (top.isList ? '' : `${JSON.stringify(name)}:`);
    next = member;
    top.at++;
  }
}

/** A list or an object of which not all is written yet. */
interface Open {
  readonly isList: boolean;
  readonly members: readonly [string, unknown][];
  at: number;
}

/** Lists and objects in it nest at most so deeply, and are at most so many: it may be written. */
export function isShallow(value: unknown, depthMax: number, countMax: number): boolean {
  const waiting: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 1 }];
  let count = 0;
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    const { depth } = one;
    if (typeof one.value !== 'object' || one.value === null) continue;
    if (depth > depthMax || ++count > countMax) return false;
    for (const inner of Object.values(one.value)) waiting.push({ value: inner, depth: depth + 1 });
  }
  return true;
}
