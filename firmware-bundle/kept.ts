// Texts that took long to make, kept in a folder for later processes, each under all that it was
// made from. It promises that nobody gets another text than he would make: what was damaged or cut
// off is made again, and a folder that cannot be written keeps nothing and is no error. Several
// processes may use one folder: one of them makes a text, the others wait for it, and for none that
// has died. It never decides what a text depends on: its callers say so.

import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

export class KeptTexts {
  readonly #folder: string;
  readonly #filesMax: number;
  readonly #known = new Map<string, Promise<string>>();
  #isSwept = false;

  /** `filesMax`: what was not used for longest goes when there are more. */
  constructor(folder: string, filesMax = FILES_MAX) {
    this.#folder = folder;
    this.#filesMax = filesMax;
  }

  /**
   * The text that `make` makes of `of`, which names everything that it depends on. Errors: those of
   * `make`, which is asked again the next time.
   */
  textOf(of: readonly unknown[], make: () => Promise<string>): Promise<string> {
    const name = sha256(JSON.stringify(of));
    const found = this.#known.get(name) ?? this.#readOrMake(name, make);
    this.#known.set(name, found);
    found.catch(() => this.#known.delete(name));
    return found;
  }

  async #readOrMake(name: string, make: () => Promise<string>): Promise<string> {
    const path = join(this.#folder, name);
    const claim = `${path}${CLAIMED}`;
    for (;;) {
      const kept = await read(path);
      if (kept !== null) return kept;
      if (await this.#claimed(claim)) break;
      await setTimeout(LOOK_AGAIN_MS);
    }
    try {
      const text = await make();
      // Whoever cannot keep it makes it again.
      await this.#write(path, text).catch(() => undefined);
      return text;
    } finally {
      await rm(claim, { force: true }).catch(() => undefined);
    }
  }

  /** False: another process makes it at this moment. */
  async #claimed(claim: string): Promise<boolean> {
    try {
      await mkdir(this.#folder, { recursive: true });
      await writeFile(claim, '', { flag: 'wx' });
      return true;
    } catch {
      // Where nothing can be written, nobody else can say that he is at it.
      const sinceMs = await stat(claim).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      );
      return Date.now() - sinceMs > MAKING_MS_MAX;
    }
  }

  async #write(path: string, text: string): Promise<void> {
    const draft = `${path}.${randomBytes(6).toString('hex')}`;
    try {
      await writeFile(draft, `${sha256(text)}\n${text}`);
      await markUsed(draft);
      await rename(draft, path);
    } finally {
      await rm(draft, { force: true });
    }
    if (!this.#isSwept) await this.#sweep();
  }

  /**
   * Once in a process is often enough: a build writes some dozen. What this process uses stays,
   * whatever the clocks of others say.
   */
  async #sweep(): Promise<void> {
    this.#isSwept = true;
    const names = (await readdir(this.#folder)).filter((name) => !name.endsWith(CLAIMED));
    if (names.length <= this.#filesMax) return;
    const others = names.filter((name) => !this.#known.has(name));
    const files = await Promise.all(
      others.map(async (name) => {
        const path = join(this.#folder, name);
        return {
          path,
          usedMs: await stat(path).then(
            (one) => one.mtimeMs,
            () => 0,
          ),
        };
      }),
    );
    files.sort((a, b) => b.usedMs - a.usedMs);
    const room = Math.max(0, this.#filesMax - (names.length - others.length));
    for (const { path } of files.slice(room)) await rm(path, { force: true });
  }
}

/** Some 60 MB: the scripts of a hundred builds. */
const FILES_MAX = 1_500;

/** Ends the name of a file that says: somebody makes it. */
const CLAIMED = '.claim';
const LOOK_AGAIN_MS = 50;
/** The longest script takes four seconds of a processor. Whoever is at it longer has died. */
const MAKING_MS_MAX = 60_000;

/** Null: it is not there, or not what was written. */
async function read(path: string): Promise<string | null> {
  const file = await readFile(path, 'utf8').catch(() => '');
  const end = file.indexOf('\n');
  const text = file.slice(end + 1);
  if (end < 0 || sha256(text) !== file.slice(0, end)) return null;
  await markUsed(path);
  return text;
}

let lastUsedMs = 0;

/**
 * Says of a file that it was used last. One clock says it of all, and no two times are alike: the
 * one that stamps what is written is behind it by some milliseconds, which are many uses.
 */
async function markUsed(path: string): Promise<void> {
  lastUsedMs = Math.max(Date.now(), lastUsedMs + STEP_MS);
  const seconds = lastUsedMs / 1000;
  await utimes(path, seconds, seconds).catch(() => undefined);
}

/** A host keeps the microseconds of a number of seconds, and those not exactly. */
const STEP_MS = 0.01;

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
