// Devices of one user whose systems have apps, on an OWA server: their clocks are wrong, their
// answers get lost, their power goes; the server forgets, refuses, and wants to be left alone. What
// the agent installs is counted.

import { owa } from '../../../agent/index.ts';
import { localStorage } from '../../../emulator/servers/storage/local-storage.ts';
import { MemoryApps } from '../../../platform/memory/apps.ts';
import { MemoryStorage, type StorageCut } from '../../../platform/memory/storage.ts';
import { startOwa } from '../owa-server.ts';
import { type AppsDevice, bootApps, type Reached } from '../system-apps.ts';

export const APPS = 'apps';

/** What may happen to a device's power while it works. */
type Cut =
  | { readonly of: 'storage'; readonly at: number; readonly when: StorageCut['when'] }
  | { readonly of: 'system'; readonly at: number; readonly when: StorageCut['when'] };

export interface Resident extends AppsDevice {
  readonly number: number;
  /** Its clock is so far from the server's. */
  readonly skewMs: number;
  /** Until then the server has told it to stay away, by the server's clock. */
  readonly away: { untilMs: number };
  /** All that its agent has given its system, on all its boots: origin and text. */
  readonly installs: string[];
}

type Server = ReturnType<typeof startOwa>;

export class House {
  /** What the server has. */
  #kept = new MemoryStorage([], undefined, KEPT_LIMITS);
  readonly #server: Server;
  readonly #fetch: (of: Resident['away'], request: Request) => Promise<Response>;
  #boots = 0;
  /** Bodies that were sent to the server, but for logins. */
  readonly sent: string[] = [];
  /** Answers to come until one is lost; 0: none is. */
  losesIn = 0;
  losses = 0;
  /** Happens once, while a document is on its way up. */
  duringPost: (() => Promise<void>) | null = null;
  /** Requests of devices until this happens, once; 0: it does not. */
  harmIn = 0;
  harm: () => void = () => undefined;
  /** The server cannot answer, and wants to be left alone for so long. */
  refusesSeconds = 0;
  /** Requests that the server was asked although it wanted to be left alone. */
  disturbances = 0;

  constructor(readonly seed: number) {
    const health = () =>
      this.refusesSeconds > 0
        ? ({ refuse: 503, backoffSeconds: this.refusesSeconds } as const)
        : {};
    const kept = () => this.#kept;
    this.#server = startOwa(
      { health },
      localStorage(
        {
          get: (keys) => kept().get(keys),
          scan: (range) => kept().scan(range),
          commit: (changes) => kept().commit(changes),
        },
        () => undefined,
      ),
    );
    const { world, verifyUrl } = this.#server;
    this.#fetch = async (away, request) => {
      const isServer = request.url.startsWith(new URL(verifyUrl).origin);
      if (isServer && this.nowMs < away.untilMs) this.disturbances++;
      const isLogin = request.url === verifyUrl;
      if (request.body !== null && !isLogin) {
        this.sent.push(await request.clone().text());
        const happens = this.duringPost;
        this.duringPost = null;
        await happens?.();
      }
      if (this.harmIn > 0 && --this.harmIn === 0) this.harm();
      const response = await world.fetch(request);
      const isLost = this.losesIn > 0 && --this.losesIn === 0;
      if (isLost) {
        this.losses++;
        throw new TypeError('the answer was lost');
      }
      const seconds = Number(response.headers.get('x-backoff') ?? 0);
      if (seconds > 0) away.untilMs = this.nowMs + seconds * 1_000;
      return response;
    };
  }

  /** Every login is worth nothing from now on. */
  forgetLogins(): void {
    this.#server.world.reassignNode();
  }

  /** What `restore` brings back. */
  backup(): () => void {
    const kept = this.#kept.fork();
    return () => {
      this.#kept = kept.fork();
    };
  }

  get nowMs(): number {
    return this.#server.world.clock.nowMs;
  }

  /** Another client of the user. */
  client() {
    return this.#server.other();
  }

  async document(): Promise<Record<string, unknown>> {
    return (await this.client()).document();
  }

  /** A new device, whose clock says so; it has had its first pass. */
  async moveIn(number: number, clockMs: number): Promise<Resident> {
    const installs: string[] = [];
    const system = new MemoryApps([], {
      judge: (origin, app) => {
        installs.push(`${origin} ${JSON.stringify(app)}`);
      },
    });
    const away = { untilMs: 0 };
    const of = { number, skewMs: clockMs - this.nowMs, installs, away };
    const resident = this.#boot({ ...of, storage: new MemoryStorage(), system });
    await resident.agent.start();
    await resident.agent.enable();
    await resident.agent.appsSettled?.();
    return resident;
  }

  #boot(
    of: Omit<Resident, 'agent' | 'platform'>,
    service = serviceOf(this.#server, (request) => this.#fetch(of.away, request)),
  ): Resident {
    const { storage, system, number, skewMs } = of;
    const seed = 1_000 * this.seed + 10 * ++this.#boots + number;
    const nowMs = this.nowMs + skewMs;
    return { ...of, ...bootApps(service, { storage, system, nowMs, seed }) };
  }

  /** The device after it was switched off and on; `clockMs`: its clock says so then. */
  async reboot(resident: Resident, clockMs = this.nowMs + resident.skewMs): Promise<Resident> {
    const { storage, system } = resident;
    const skewMs = clockMs - this.nowMs;
    const next = this.#boot({
      ...{ ...resident, skewMs },
      ...{ storage: storage.fork(), system: system.fork() },
    });
    await next.agent.start();
    await next.agent.appsSettled?.();
    return next;
  }

  /** A boot and a pass that may end anywhere; resolves to the next boot, and whether it did. */
  async cut(
    resident: Resident,
    { of, at, when }: Cut,
    clockMs?: number,
  ): Promise<[Resident, boolean]> {
    const storage = resident.storage.fork(of === 'storage' ? { atCommit: at, when } : undefined);
    const system = resident.system.fork(of === 'system' ? { atCall: at, when } : undefined);
    const doomed = this.#boot({ ...resident, storage, system });
    const work = async (): Promise<void> => {
      await doomed.agent.start();
      await doomed.agent.appsSettled?.();
      await doomed.agent.sync();
      await doomed.agent.appsSettled?.();
    };
    await work().catch(() => undefined);
    const done = of === 'storage' ? storage.commits : system.calls;
    // What it has heard last may not have been written down.
    if (done >= at) doomed.away.untilMs = 0;
    return [await this.reboot(doomed, clockMs), done >= at];
  }

  /** A pass, and what follows it. */
  async sync(resident: Resident) {
    const report = await resident.agent.sync();
    await resident.agent.appsSettled?.();
    return report;
  }

  pass(ms: number, residents: readonly Resident[]): void {
    this.#server.world.clock.nowMs += ms;
    for (const { platform, skewMs } of residents) platform.time.set(this.nowMs + skewMs);
  }

  /** The document that a device makes: what it says to a server that has lost everything. */
  async generated(resident: Resident): Promise<Record<string, unknown>> {
    const empty = startOwa();
    empty.world.clock.nowMs = this.nowMs;
    const service = serviceOf(empty, (request) => empty.world.fetch(request));
    const { storage, system } = resident;
    // Whatever wait it was told is over by then.
    const skewMs = resident.skewMs + 2 * DAY_MS;
    const copy = this.#boot(
      { ...resident, skewMs, storage: storage.fork(), system: system.fork() },
      service,
    );
    await copy.agent.start();
    const report = await copy.agent.sync();
    if (!report.ok) throw new Error(JSON.stringify(report));
    return (await empty.other()).document();
  }
}

const DAY_MS = 24 * 3_600_000;

/** As of a server. */
const KEPT_LIMITS = { changesMax: 100_000, valueBytesMax: 16 * 1024 * 1024 };

function serviceOf({ world, verifyUrl, audience }: Server, fetch: Reached['fetch']): Reached {
  const { device, clock } = world;
  return {
    ...{ fetch, clock, collection: APPS, identity: device },
    contents: { drivers: [owa], collections: [] },
    config: { remote: { protocol: 'owa', serverUrl: verifyUrl, audience, auth: 'bearer' } },
  } as const;
}
