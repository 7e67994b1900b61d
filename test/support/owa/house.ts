// Devices of one user whose systems have apps, on an OWA server: their clocks are wrong, their
// answers get lost, their power goes. What the agent installs is counted.

import { owa } from '../../../agent/index.ts';
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
  /** All that its agent has given its system, on all its boots: origin and text. */
  readonly installs: string[];
}

type Server = ReturnType<typeof startOwa>;

export class House {
  readonly #server: Server = startOwa();
  readonly #service: Reached;
  #boots = 0;
  /** Bodies that were sent to the server, but for logins. */
  readonly sent: string[] = [];
  /** Answers to come until one is lost; 0: none is. */
  losesIn = 0;
  losses = 0;
  /** Happens once, while a document is on its way up. */
  duringPost: (() => Promise<void>) | null = null;

  constructor(readonly seed: number) {
    this.#service = serviceOf(this.#server, async (request) => {
      const isLogin = request.url === this.#server.verifyUrl;
      if (request.body !== null && !isLogin) {
        this.sent.push(await request.clone().text());
        const happens = this.duringPost;
        this.duringPost = null;
        await happens?.();
      }
      const response = await this.#server.world.fetch(request);
      if (this.losesIn === 0 || --this.losesIn > 0) return response;
      this.losses++;
      throw new TypeError('the answer was lost');
    });
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
      judge: (origin, app) => void installs.push(`${origin} ${JSON.stringify(app)}`),
    });
    const of = { number, skewMs: clockMs - this.nowMs, installs };
    const resident = this.#boot({ ...of, storage: new MemoryStorage(), system });
    await resident.agent.start();
    await resident.agent.enable();
    await resident.agent.appsSettled?.();
    return resident;
  }

  #boot(of: Omit<Resident, 'agent' | 'platform'>, service = this.#service): Resident {
    const { storage, system, number, skewMs } = of;
    const seed = 1_000 * this.seed + 10 * ++this.#boots + number;
    const nowMs = this.nowMs + skewMs;
    return { ...of, ...bootApps(service, { storage, system, nowMs, seed }) };
  }

  /** The device after it was switched off and on. */
  async reboot(resident: Resident): Promise<Resident> {
    const { storage, system } = resident;
    const next = this.#boot({ ...resident, storage: storage.fork(), system: system.fork() });
    await next.agent.start();
    await next.agent.appsSettled?.();
    return next;
  }

  /** A boot and a pass that may end anywhere; resolves to the next boot, and whether it did. */
  async cut(resident: Resident, { of, at, when }: Cut): Promise<[Resident, boolean]> {
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
    return [await this.reboot(doomed), done >= at];
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
    const copy = this.#boot(
      { ...resident, storage: storage.fork(), system: system.fork() },
      service,
    );
    await copy.agent.start();
    const report = await copy.agent.sync();
    if (!report.ok) throw new Error(JSON.stringify(report));
    return (await empty.other()).document();
  }
}

function serviceOf({ world, verifyUrl, audience }: Server, fetch: Reached['fetch']): Reached {
  const { device, clock } = world;
  return {
    ...{ fetch, clock, collection: APPS, identity: device },
    contents: { drivers: [owa], collections: [] },
    config: { remote: { protocol: 'owa', serverUrl: verifyUrl, audience, auth: 'bearer' } },
  } as const;
}
