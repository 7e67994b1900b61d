// The reference implementation of the port `Apps`: a map, in RAM. It can lose its power at a chosen
// call, before or after what that did, and be copied as it would be found after a reboot. Its user
// installs and removes apps by `person`.

import { AppsError, checkApp, checkLimit, textOfApp } from '../apps-rules.ts';
import type { Apps, ListedApp, SystemApp } from '../ports.ts';

/** Where the power goes: at the n-th call of the agent (from 1), before or after its work. */
interface AppsCut {
  readonly atCall: number;
  readonly when: 'before' | 'after';
}

interface Installed {
  readonly text: string;
  readonly tag: string;
}

interface MemoryAppsOptions {
  readonly cut?: AppsCut;
  /** A system that says otherwise of an app than most; it throws an `AppsError`. */
  readonly judge?: (origin: string, app: SystemApp) => void;
}

export class MemoryApps implements Apps {
  readonly #apps: Map<string, Installed>;
  readonly #options: MemoryAppsOptions;
  /** Every change that the agent has made, in words: `install ORIGIN`. */
  readonly did: string[] = [];
  /** What it has installed although it was there already. */
  readonly again: string[] = [];
  #listener: () => void = () => undefined;
  #calls = 0;
  #changes = 0;
  #isDead = false;

  constructor(apps: Iterable<readonly [string, Installed]> = [], options: MemoryAppsOptions = {}) {
    this.#apps = new Map(apps);
    this.#options = options;
  }

  /** Calls of the agent so far, the one that failed included. */
  get calls(): number {
    return this.#calls;
  }

  /** What a reboot finds: an independent copy with power, and maybe with the next cut. */
  fork(cut?: AppsCut): MemoryApps {
    const { cut: _, ...options } = this.#options;
    const next = new MemoryApps(this.#apps, cut ? { ...options, cut } : options);
    next.#changes = this.#changes;
    return next;
  }

  /** What is installed, by origin. */
  snapshot(): ReadonlyMap<string, SystemApp> {
    return new Map(
      [...this.#apps].sort(byOrigin).map(([origin, { text }]) => [origin, JSON.parse(text)]),
    );
  }

  /** What the device's user does with its own apps, past the agent. Null: removes it. */
  person(origin: string, app: SystemApp | null): void {
    if (app === null) this.#apps.delete(origin);
    else this.#set(origin, app);
    this.#listener();
  }

  list(after: string, limit: number): Promise<ListedApp[]> {
    return this.#call(() => {
      checkLimit(limit);
      const found = [...this.#apps].sort(byOrigin).filter(([origin]) => origin > after);
      return found.slice(0, limit).map(([origin, { tag }]) => ({ origin, tag }));
    });
  }

  read(origin: string): Promise<SystemApp | null> {
    return this.#call(() => JSON.parse(this.#apps.get(origin)?.text ?? 'null'));
  }

  install(origin: string, app: SystemApp): Promise<string> {
    return this.#call(() => {
      checkApp(origin, app);
      this.#options.judge?.(origin, app);
      const known = this.#apps.get(origin);
      if (known?.text === textOfApp(app)) {
        this.again.push(origin);
        return known.tag;
      }
      this.did.push(`install ${origin}`);
      return this.#set(origin, app);
    });
  }

  uninstall(origin: string): Promise<void> {
    return this.#call(() => {
      if (this.#apps.delete(origin)) this.did.push(`uninstall ${origin}`);
    });
  }

  changed(listener: () => void): void {
    this.#listener = listener;
  }

  #set(origin: string, app: SystemApp): string {
    const tag = `${++this.#changes}`;
    this.#apps.set(origin, { text: textOfApp(app), tag });
    return tag;
  }

  async #call<T>(work: () => T): Promise<T> {
    this.#needPower();
    this.#calls++;
    const { atCall, when } = this.#options.cut ?? {};
    this.#isDead = this.#calls === atCall;
    if (when === 'before') this.#needPower();
    const done = work();
    this.#needPower();
    return done;
  }

  #needPower(): void {
    if (this.#isDead) throw new AppsError('failed', 'the power was cut');
  }
}

function byOrigin([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
