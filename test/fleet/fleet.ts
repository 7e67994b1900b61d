// A fleet of one user: the emulated television, `kitsync sync` and kinto.js, all of them through
// three gateway processes before three of `kitsync serve` on PostgreSQL. They edit and sync, at
// once too; processes are killed, the user is moved to another place, the account begins anew under
// other keys. Every now and then they meet: all must hold the same then, which is what the server
// holds and what the model says.

import { createRandom, type Random } from '../../emulator/device/random.ts';
import { passwordForKey } from '../../emulator/servers/account-list.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { beginAnew, moveUser } from './browser.ts';
import { type Cluster, memoryOf, startCluster } from './cluster.ts';
import { computerSide } from './computer-side.ts';
import { Edits } from './edits.ts';
import { kintoSide } from './kinto-side.ts';
import { latenciesOf } from './latency.ts';
import { agreement } from './meeting.ts';
import { BOUND, Memory } from './memory.ts';
import { KINDS, type Side } from './side.ts';
import { Tally } from './tally.ts';
import { televisionSide } from './television-side.ts';
import { signedInUser, type User } from './user.ts';

interface FleetOptions {
  readonly passes: number;
  readonly seed: number;
  /** Where PostgreSQL is. */
  readonly bin: string;
  say(line: string): void;
}

interface FleetReport {
  readonly lines: readonly string[];
  readonly problems: readonly string[];
}

const RECORDS = { records: 60, passwords: 12, seed: 7 };
/** Passes between two meetings. */
const BETWEEN_MEETINGS = 30;
/** Of a meeting: a device that was told to wait does so for 30 seconds. */
const MEETING_ROUNDS_MAX = 40;
const WAIT_MS = 2_000;
/** Where in a run what happens. */
const MOVES = [0.2, 0.55];
const NEW_KEYS = [0.35, 0.75];
/** In a hundred turns: a process is killed; a side is, or its power goes; two sync at once. */
const KILLS = 8;
const CRASHES = 8;
const AT_ONCE = 50;
const EDITS = 60;
/** So long after a pass began. */
const KILL_MS_MAX = 400;
/** Below it a run is no measure of memory: every process is still new. */
const PASSES_OF_MEMORY = 400;
/** From then on one process of each kind is spared, so that its memory is seen to stay. */
const SPARED_FROM = 0.1;
const SPARED = /3$/;

/** Starts it all, plays so many passes, ends it all. */
export async function runFleet(options: FleetOptions): Promise<FleetReport> {
  const account = syntheticAccount(RECORDS);
  const cluster = await startCluster(options.bin, account);
  try {
    const { url } = cluster.front;
    const user = signedInUser(url, account.kB);
    const television = await televisionSide(url, account);
    const computer = await computerSide(url, passwordForKey(account.kB));
    const sides = [television, computer, kintoSide(user)];
    const measureSides = (memory: Memory) => {
      memory.add('television, heap', television.peakBytes());
      memory.add('kitsync sync, most', computer.peakBytes());
    };
    return await new Fleet({ ...options, cluster, sides, user, measureSides }).play();
  } finally {
    await cluster.close();
  }
}

interface Parts extends FleetOptions {
  readonly cluster: Cluster;
  readonly sides: readonly Side[];
  readonly user: User;
  measureSides(memory: Memory): void;
}

class Fleet {
  readonly #parts: Parts;
  readonly #random: Random;
  readonly #tally = new Tally();
  readonly #memory = new Memory();
  readonly #edits: Edits;
  readonly #latencies: ReturnType<typeof latenciesOf>;
  readonly #problems: string[] = [];
  #passes = 0;
  #killing: Promise<void> | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#random = createRandom(parts.seed);
    this.#edits = new Edits(this.#random.fork('edits'), this.#tally);
    this.#latencies = latenciesOf(parts.user);
  }

  async play(): Promise<FleetReport> {
    const { passes, say } = this.#parts;
    const due = (shares: readonly number[]) => shares.map((share) => Math.floor(share * passes));
    const [moves, newKeys] = [due(MOVES), due(NEW_KEYS)];
    const isDue = (at: number[]): boolean =>
      this.#passes >= (at[0] ?? Number.POSITIVE_INFINITY) && at.shift() !== undefined;
    await this.#meet();
    let meeting = BETWEEN_MEETINGS;
    while (this.#passes < passes && this.#problems.length === 0) {
      if (isDue(moves)) await this.#move();
      if (isDue(newKeys)) await this.#begin('new keys');
      await this.#turn();
      if (this.#passes < meeting) continue;
      await this.#meet();
      meeting = this.#passes + BETWEEN_MEETINGS;
      say(`${this.#passes} passes, ${this.#tally.of('kills')} kills`);
    }
    await this.#meet();
    if (passes >= PASSES_OF_MEMORY) this.#problems.push(...this.#memory.problems());
    return { lines: this.#lines(), problems: this.#problems };
  }

  /** Some edit, some sync, and something may be killed meanwhile. */
  async #turn(): Promise<void> {
    const { sides } = this.#parts;
    for (const side of sides) if (this.#isIn(EDITS)) await this.#edits.make(side);
    const side = this.#oneOf(sides);
    const [kills, crashes] = [this.#isIn(KILLS), this.#isIn(CRASHES)];
    const afterMs = this.#random.uint32() % KILL_MS_MAX;
    const syncing = sides.filter((one) => one === side || this.#isIn(AT_ONCE));
    const killing = kills ? this.#killOne(afterMs) : null;
    if (crashes) {
      this.#tally.add(`crashes: ${side.name}`);
      await side.crash(afterMs);
    } else await Promise.all(syncing.map((one) => this.#pass(one)));
    await killing;
    await this.#measure();
  }

  async #pass(side: Side): Promise<boolean> {
    this.#passes++;
    const { ok, code, conflicts } = await side.pass();
    this.#tally.add(`passes: ${side.name}`);
    this.#tally.add(`conflicts: ${side.name}`, conflicts);
    if (!ok) this.#tally.add(`ends: ${side.name} ${code}`);
    return ok;
  }

  /** Resolves when it is dead; another one comes while the sides go on. */
  async #killOne(afterMs: number): Promise<void> {
    await this.#killing;
    const { cluster, passes } = this.#parts;
    const mayAll = this.#passes < passes * SPARED_FROM;
    const victims = cluster.processes.filter(({ name }) => mayAll || !SPARED.test(name));
    const victim = this.#oneOf(victims);
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    this.#tally.add('kills');
    this.#tally.add(`killed: ${victim.name}`);
    this.#killing = victim.kill();
  }

  /** The user's new place is empty until a browser comes and begins it. */
  async #move(): Promise<void> {
    const { cluster, user, sides } = this.#parts;
    await moveUser(cluster.database, await user.uid());
    for (const side of sides) await this.#pass(side);
    await this.#begin('moves');
  }

  async #begin(what: 'moves' | 'new keys'): Promise<void> {
    await beginAnew(this.#parts.user);
    for (const kind of KINDS) this.#edits.modelOf(kind).begunAnew();
    this.#tally.add(what);
  }

  /** All sync until all hold the same, and that is what it should be. */
  async #meet(): Promise<void> {
    const { sides, user } = this.#parts;
    await this.#killing;
    let found: string[] = [];
    for (let round = 0; round < MEETING_ROUNDS_MAX; round++) {
      let isGood = true;
      for (const side of sides) isGood = (await this.#pass(side)) && isGood;
      if (!isGood) await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
      else {
        found = [];
        for (const kind of KINDS) found.push(...(await agreement(kind, sides, user)).found);
        if (found.length === 0) break;
      }
    }
    this.#problems.push(...found);
    for (const kind of KINDS) {
      const { held } = await agreement(kind, sides, user);
      const isFirst = this.#tally.of('meetings') === 0;
      if (!isFirst) this.#problems.push(...this.#edits.modelOf(kind).problems(held));
      this.#edits.settle(kind, held);
    }
    this.#tally.add('meetings');
  }

  async #measure(): Promise<void> {
    for (const { name, pid } of this.#parts.cluster.processes)
      this.#memory.add(name, memoryOf(pid));
    this.#memory.add('this process', process.memoryUsage.rss());
    this.#parts.measureSides(this.#memory);
    await this.#latencies.measure();
  }

  #lines(): string[] {
    const tally = this.#tally;
    const undone = KINDS.map((kind) => this.#edits.modelOf(kind).undone);
    return [
      `${this.#passes} passes: ${tally.all('passes: ')}; ${tally.of('meetings')} meetings`,
      `edits: ${tally.all('edits: ')}; deletions: ${tally.all('deletions: ')}`,
      `conflicts: ${tally.all('conflicts: ')}`,
      `${tally.of('kills')} processes killed: ${tally.all('killed: ')}`,
      `sides killed in a pass: ${tally.all('crashes: ')}`,
      `${tally.of('moves')} moves to another place, ${tally.of('new keys')} new keys`,
      `deletions that the old storage took with it: ${undone.reduce((sum, one) => sum + one, 0)}`,
      `passes that ended otherwise: ${tally.all('ends: ')}`,
      ...this.#latencies.lines(),
      `resident MiB at ten points (bound: ${BOUND})`,
      ...this.#memory.lines(),
    ];
  }

  #isIn(percent: number): boolean {
    return this.#random.uint32() % 100 < percent;
  }

  #oneOf<T>(all: readonly T[]): T {
    return all[this.#random.uint32() % all.length] as T;
  }
}
