// What a device may hold whatever a server says: an independent judge. Of every record it knows the
// versions that somebody with the key has sealed, or an app has said on the device; nothing else is
// true, and nothing may be gone that nobody with the key has deleted.

import { deviceOn, heldBy, NAMES, otherOf, thaw } from './lab.ts';
import type { Moment } from './play.ts';

/** By collection and id: every version that is true; `null` among them: it may be gone. */
export type Truths = ReadonlyMap<string, ReadonlySet<string>>;

type State = Pick<Moment, 'storage' | 'frozen'>;

/** All that the device holds at a moment; nothing if nobody is signed in. */
export async function held({ storage, frozen }: State): Promise<Map<string, string>> {
  const device = deviceOn(thaw(frozen), storage.fork());
  await device.agent.start();
  const records = new Map<string, string>();
  if (device.agent.status().state === 'disabled') return records;
  for (const name of NAMES) {
    for (const [id, body] of await heldBy(device, name)) {
      records.set(`${name} ${id}`, JSON.stringify(body));
    }
  }
  return records;
}

/** What both sides have at these moments; what the last one has not may be gone. */
export async function truthsOf(moments: readonly State[]): Promise<Truths> {
  const truths = new Map<string, Set<string>>();
  const learn = (key: string, text: string): void =>
    void truths.set(key, (truths.get(key) ?? new Set()).add(text));
  let last = new Set<string>();
  for (const moment of moments) {
    last = new Set();
    const other = otherOf(thaw(moment.frozen));
    const live = NAMES.flatMap((name) =>
      [...other.live(name)].map(([id, body]) => [`${name} ${id}`, JSON.stringify(body)] as const),
    );
    for (const [key, text] of [...live, ...(await held(moment))]) {
      learn(key, text);
      last.add(key);
    }
  }
  for (const key of truths.keys()) if (!last.has(key)) learn(key, 'null');
  return truths;
}

/** What the device holds and is not true, and what it held before and was not deleted. */
export function untruths(
  now: ReadonlyMap<string, string>,
  before: ReadonlyMap<string, string>,
  truths: Truths,
): string[] {
  const wrong: string[] = [];
  for (const [key, text] of now) {
    if (truths.get(key)?.has(text) !== true) wrong.push(`${key} is ${text}`);
  }
  for (const key of before.keys()) {
    if (!now.has(key) && truths.get(key)?.has('null') !== true) wrong.push(`${key} is gone`);
  }
  return wrong;
}
