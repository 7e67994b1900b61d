// The operations of the bridge that are about the system's apps: as operations.ts, for the port
// `Apps`.

import type { Apps } from '../../platform/ports.ts';
import type { DeviceClock } from './clock.ts';
import { after, type Operation, type Operations, type Work } from './operations.ts';

/** `delayMs` is what a question to the system costs. */
export function appsOperations(clock: DeviceClock, apps: Apps, delayMs: number): Operations {
  const work: [string, Work][] = [
    [
      'applist',
      async ({ head, text }) => {
        const listed = await apps.list(text, Number(head));
        return { text: listed.map(({ origin, tag }) => `${origin} ${tag}`).join('\n') };
      },
    ],
    [
      'appread',
      async ({ text }) => {
        const app = await apps.read(text);
        return app === null ? { head: 'none' } : { text: JSON.stringify(app) };
      },
    ],
    [
      'appinstall',
      async ({ head, text }) => ({ head: await apps.install(head, JSON.parse(text)) }),
    ],
    [
      'appuninstall',
      async ({ text }) => {
        await apps.uninstall(text);
        return {};
      },
    ],
  ];
  // What has happened since the last answer, and who waits for it.
  let hasChanged = false;
  let tell: (() => void) | null = null;
  const told = (): void => {
    if (!hasChanged || tell === null) return;
    hasChanged = false;
    clock.at(clock.nowNs(), tell);
    tell = null;
  };
  apps.changed(() => {
    hasChanged = true;
    told();
  });
  return new Map<string, Operation>([
    ...work.map(([op, run]): [string, Operation] => [op, after(clock, delayMs, run)]),
    [
      'appchanges',
      (_, answer) => {
        tell = () => answer({});
        told();
      },
    ],
  ]);
}
