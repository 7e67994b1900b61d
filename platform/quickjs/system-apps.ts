// The apps of the device's system over the bridge. Only a firmware that syncs them asks for them.

import type { Apps, ListedApp } from '../ports.ts';
import type { Line } from './host.ts';

/** BRIDGE.md, `applist` and what follows it. */
export function appsOf({ ask }: Line): Apps {
  let listener = (): void => undefined;
  let isListening = false;
  const listen = (): void => {
    // A system that cannot say when something changes is looked at after the next boot.
    ask('appchanges').then(
      () => {
        listen();
        listener();
      },
      () => undefined,
    );
  };
  return {
    async list(after, limit) {
      const { text } = await ask('applist', { head: `${limit}`, text: after });
      return text === '' ? [] : text.split('\n').map(listedIn);
    },
    async read(origin) {
      const { head, text } = await ask('appread', { text: origin });
      return head === 'none' ? null : JSON.parse(text);
    },
    install: async (origin, app) =>
      (await ask('appinstall', { head: origin, text: JSON.stringify(app) })).head,
    uninstall: async (text) => void (await ask('appuninstall', { text })),
    changed(next) {
      listener = next;
      if (!isListening) listen();
      isListening = true;
    },
  };
}

/** An origin and a tag, neither of which has a space. */
function listedIn(line: string): ListedApp {
  const end = line.indexOf(' ');
  return { origin: line.slice(0, end), tag: line.slice(end + 1) };
}
