// The system of the emulated device, as far as its apps go: they lie on a flash of their own, an
// app in one commit, so that a power cut leaves what there was or what was asked for. Its user
// installs and removes apps by `person`. Promises what the port `Apps` says.

import { AppsError, checkApp, checkLimit, isOrigin, textOfApp } from '../../platform/apps-rules.ts';
import type { Apps, ListedApp, Storage, SystemApp } from '../../platform/ports.ts';

/** The number of the last change, which is the tag of what it has changed. */
const COUNT_KEY = 'n';
const APP_PREFIX = 'a.';
const END = 'a/';

export interface SystemApps extends Apps {
  /** What the device's user does, past the agent. Null: removes the app. */
  person(origin: string, app: SystemApp | null): Promise<void>;
  /** Every change that the agent has made since it was opened: `install ORIGIN`. */
  readonly did: readonly string[];
}

/** Errors: those of the storage. */
export function openSystemApps(storage: Storage): SystemApps {
  const did: string[] = [];
  let listener = (): void => undefined;
  let last: Promise<unknown> = Promise.resolve();
  /** A change looks at what there is first: they take turns. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
  const known = async (origin: string): Promise<Stored | null> =>
    isOrigin(origin) ? storedIn((await storage.get([APP_PREFIX + origin]))[0] ?? null) : null;
  const write = async (origin: string, text: string): Promise<string> => {
    const [count] = await storage.get([COUNT_KEY]);
    const tag = `${Number(count ?? 0) + 1}`;
    await storage.commit([
      [COUNT_KEY, tag],
      [APP_PREFIX + origin, `${tag}\n${text}`],
    ]);
    return tag;
  };
  const remove = (origin: string): Promise<void> => storage.commit([[APP_PREFIX + origin, null]]);

  return {
    did,
    async list(after, limit) {
      checkLimit(limit);
      const from = after === '' ? APP_PREFIX : `${APP_PREFIX}${after}!`;
      const keys = await storage.scan({ from, to: END, limit });
      const values = await storage.get(keys);
      return keys.map((key, at): ListedApp => {
        const tag = storedIn(values[at] ?? null)?.tag ?? '?';
        return { origin: key.slice(APP_PREFIX.length), tag };
      });
    },
    async read(origin) {
      return JSON.parse((await known(origin))?.text ?? 'null');
    },
    install: (origin, app) =>
      inTurn(async () => {
        checkApp(origin, app);
        const had = await known(origin);
        const text = textOfApp(app);
        if (had?.text === text) return had.tag;
        const tag = await write(origin, text);
        did.push(`install ${origin}`);
        return tag;
      }),
    uninstall: (origin) =>
      inTurn(async () => {
        if ((await known(origin)) === null) return;
        await remove(origin);
        did.push(`uninstall ${origin}`);
      }),
    changed(next) {
      listener = next;
    },
    person: (origin, app) =>
      inTurn(async () => {
        if (app === null) await remove(origin);
        else await write(origin, textOfApp(app));
        listener();
      }),
  };
}

interface Stored {
  readonly tag: string;
  readonly text: string;
}

function storedIn(value: string | Uint8Array | null): Stored | null {
  if (value === null) return null;
  if (typeof value !== 'string') throw new AppsError('failed', 'an app is no text');
  const end = value.indexOf('\n');
  return { tag: value.slice(0, end), text: value.slice(end + 1) };
}
