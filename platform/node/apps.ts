// The apps of a machine: a folder with one file for each, `http%3A%2F%2Fa.example.json` for
// `http://a.example`, which holds the app as JSON. Who puts a file there installs an app, who
// removes one uninstalls it. Files are written whole. A folder that is not the one that was used
// before (an empty one where a disk is not mounted) is an error, and never a folder without apps.

import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  type FSWatcher,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  watch,
} from 'node:fs';
import { join } from 'node:path';
import { AppsError, checkApp, checkLimit, isOrigin, textOfApp } from '../apps-rules.ts';
import type { Apps, ListedApp, SystemApp } from '../ports.ts';
import { readOwn, replaceWhole } from './whole-files.ts';

/** Of the apps, in a data directory; and beside it what says that it is the same folder. */
export const APPS_FOLDER = 'apps';
export const APPS_MARK = 'apps.mark';
export const MARK_INSIDE = '.mark';
const END = '.json';
/** Changes that come soon after each other are told as one. */
const TELL_MS = 200;

interface NodeApps extends Apps {
  /** Looks no more for changes. */
  close(): void;
}

/** The apps of a data directory; their folder is made when somebody first asks for them. */
export function nodeApps(directory: string): NodeApps {
  const folder = join(directory, APPS_FOLDER);
  let watcher: FSWatcher | null = null;
  let listener: (() => void) | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let making: Promise<void> | null = null;
  const watchFolder = (): void => {
    if (listener === null || watcher !== null || isClosed) return;
    watcher = watched(folder, () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        listener?.();
      }, TELL_MS);
    });
  };
  const names = async (): Promise<string[]> => {
    const marked = join(directory, APPS_MARK);
    if (!existsSync(marked)) {
      making ??= ported(() => makeFolder(directory, folder));
      await making;
    }
    watchFolder();
    return namesIn(folder, textIn(marked) ?? '');
  };
  return {
    async list(after, limit) {
      checkLimit(limit);
      const origins = (await names()).flatMap((name) => originOf(name) ?? []);
      const next = origins.sort(inOrder).filter((origin) => origin > after);
      return next.slice(0, limit).flatMap((origin) => listedIn(folder, origin));
    },
    async read(origin) {
      await names();
      return isOrigin(origin) ? appIn(pathOf(folder, origin)) : null;
    },
    async install(origin, app) {
      await names();
      checkApp(origin, app);
      const path = pathOf(folder, origin);
      const text = textOfApp(app);
      if (textIn(path) !== text) await ported(() => replaceWhole(path, [text]));
      const [listed] = listedIn(folder, origin);
      if (listed === undefined) throw new AppsError('failed', `${origin}: it has gone again`);
      return listed.tag;
    },
    async uninstall(origin) {
      await names();
      if (isOrigin(origin))
        await ported(async () => rmSync(pathOf(folder, origin), { force: true }));
    },
    changed(next) {
      listener = next;
      if (existsSync(join(directory, APPS_MARK))) watchFolder();
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
      watcher?.close();
    },
  };
}

/** Its mark is there before anything says that it has to be. */
async function makeFolder(directory: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const mark = randomBytes(16).toString('hex');
  await replaceWhole(join(folder, MARK_INSIDE), [mark]);
  await replaceWhole(join(directory, APPS_MARK), [mark]);
}

/** Errors: `failed` where it is not the folder with this mark, or cannot be read. */
function namesIn(folder: string, mark: string): string[] {
  if (textIn(join(folder, MARK_INSIDE)) !== mark) {
    throw new AppsError('failed', `${folder}: it is not the folder that has the apps`, 'apps');
  }
  try {
    return readdirSync(folder);
  } catch (error) {
    throw failedBy(error);
  }
}

function pathOf(folder: string, origin: string): string {
  return join(folder, encodeURIComponent(origin) + END);
}

/** Null: it is none of an app. */
function originOf(name: string): string | null {
  if (!name.endsWith(END)) return null;
  try {
    const origin = decodeURIComponent(name.slice(0, -END.length));
    return isOrigin(origin) && encodeURIComponent(origin) + END === name ? origin : null;
  } catch {
    return null;
  }
}

/** None where it has been removed meanwhile. */
function listedIn(folder: string, origin: string): ListedApp[] {
  try {
    const stats = statSync(pathOf(folder, origin), { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) return [];
    // A change of the file is another time of its inode: nobody can set that.
    const { ctimeNs, size, ino } = stats;
    const said = createHash('sha256').update(`${ctimeNs} ${size} ${ino}`).digest('base64url');
    return [{ origin, tag: said.slice(0, 22) }];
  } catch (error) {
    throw failedBy(error);
  }
}

/** Null where there is none. Errors: `failed`, also for what is no app: an editor may be at it. */
function appIn(path: string): SystemApp | null {
  const text = textIn(path);
  if (text === null) return null;
  try {
    const app: unknown = JSON.parse(text);
    if (hasManifest(app)) return app;
  } catch {
    // Told below.
  }
  throw new AppsError('failed', `${path}: no JSON object with an object as manifest`);
}

function hasManifest(app: unknown): app is SystemApp {
  if (typeof app !== 'object' || app === null || Array.isArray(app)) return false;
  const { manifest } = app as Partial<SystemApp>;
  return typeof manifest === 'object' && manifest !== null && !Array.isArray(manifest);
}

/** Null where there is none. Errors: `failed`. */
function textIn(path: string): string | null {
  try {
    return readOwn(path).toString();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw failedBy(error);
  }
}

/** Null: the system does not say when something changes there. */
function watched(folder: string, tell: () => void): FSWatcher | null {
  try {
    const watcher = watch(folder, { persistent: false }, tell);
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return null;
  }
}

async function ported(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw failedBy(error);
  }
}

/** As the port says it; people are shown the system's word. */
function failedBy(error: unknown): AppsError {
  const code = codeOf(error);
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  const message = error instanceof Error ? error.message : 'it cannot be used';
  return new AppsError(isFull ? 'full' : 'failed', message, code);
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function inOrder(a: string, b: string): number {
  return a < b ? -1 : 1;
}
