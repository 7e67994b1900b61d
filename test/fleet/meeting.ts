// Whether all sides hold what the server holds.

import { onServer } from './browser.ts';
import { differences, type Thing } from './model.ts';
import type { Kind, Side } from './side.ts';
import type { User } from './user.ts';

/** What the server holds, and each thing that a side holds otherwise. */
export async function agreement(
  kind: Kind,
  sides: readonly Side[],
  user: User,
): Promise<{ readonly held: readonly Thing[]; readonly found: readonly string[] }> {
  const held = await onServer(user, kind);
  const found: string[] = [];
  for (const side of sides) {
    const own = await side.held(kind);
    for (const key of differences(own, held)) {
      const [here, there] = [own, held].map((all) =>
        all
          .filter((thing) => thing.key === key)
          .map(({ value, visits }) => `"${value}" (${visits.slice(0, 9).join(' ')})`),
      );
      found.push(`${side.name} holds ${key.slice(0, 80)} as ${here}, the server as ${there}`);
    }
  }
  return { held, found };
}
