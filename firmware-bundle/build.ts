// Builds the firmware: the agent and its QuickJS platform as scripts that use no global, no loader
// and no `eval`. It promises a file that a bare engine runs (BRIDGE.md, "Loading"), inside its size
// budget, or an error that says what to change; it writes the given folder only, as a whole or not
// at all, beside what shrink.ts keeps.

import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contentsModule, syncNames } from './contents.ts';
import { replaceFolder } from './folder.ts';
import { INTRINSICS } from './globals.ts';
import { PACKAGES, packageOf } from './packages.ts';
import { type FirmwareSource, readProgram, type Whole } from './program.ts';
import { type Script, scriptsOf, wholeScript } from './scripts.ts';
import { type FirmwareSize, measure, type Variant } from './size.ts';
import targets from './targets.json' with { type: 'json' };

export interface FirmwareFile {
  readonly file: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  /** It need not be evaluated before the agent asks for the part of this name. */
  readonly part?: string;
}

/** `manifest.json`: what a device evaluates, in order. */
export interface FirmwareManifest {
  readonly format: 1;
  readonly profile: string;
  /** Edition of ECMAScript that the scripts are written in. */
  readonly ecmaScript: number;
  /** The whole program as one script, for devices with memory enough to compile it. */
  readonly whole: FirmwareFile;
  readonly parts: readonly FirmwareFile[];
}

export interface FirmwareReport {
  readonly outDir: string;
  readonly manifest: FirmwareManifest;
  readonly size: FirmwareSize;
}

/** Names of the profiles that a firmware can be built for. */
export const profileNames: readonly string[] = Object.keys(targets);

export interface BuildOptions {
  /** What `agent.js` may weigh, instead of what the profile allows it, gzipped or not. */
  readonly budgetBytes?: number;
}

/** A firmware that is too large for its device; `size` says what it is made of. */
export class OverBudgetError extends Error {
  override readonly name = 'OverBudgetError';
  readonly #size: FirmwareSize;

  constructor(size: FirmwareSize, message: string) {
    super(message);
    this.#size = size;
  }

  get size(): FirmwareSize {
    return this.#size;
  }
}

/**
 * Builds the firmware of a profile: `agent.js`, `agent.part1.js` and so on, `manifest.json`,
 * `size.json` and the packages' licences. They are the folder `outDir` then, and what was there
 * before is gone; what does not keep to the rules leaves it as it was. Errors say which rule is
 * broken: unknown profile, a package that is not allowed, a global, syntax newer than the device's;
 * `OverBudgetError`.
 */
export async function buildFirmware(
  profile: string,
  outDir: string,
  source: FirmwareSource = DEFAULT_SOURCE,
  { budgetBytes }: BuildOptions = {},
): Promise<FirmwareReport> {
  const target = targetOf(profile);
  const program = await readAllowed(source, target.syntax);
  const whole = await wholeScript(program);
  const size = measure(program, whole);
  // Who chooses more than the shipped contents has room for it: two protocols and several remotes
  // take less than half of the smallest device's heap (`kitsync emulate --remote home=kinto`).
  const isShipped = source.contents === undefined;
  checkBudget(size, {
    bytesMax: budgetBytes ?? (isShipped ? target.bytesMax : target.chosenBytesMax),
    gzipBytesMax: isShipped && budgetBytes === undefined ? target.gzipBytesMax : Infinity,
  });
  const manifest = await replaceFolder(outDir, async (folder) => {
    await writeFile(join(folder, 'size.json'), json(size));
    await writeFile(join(folder, 'LICENSES.txt'), await licenses(source.root, program.modules));
    const written: FirmwareManifest = {
      format: 1,
      profile,
      ecmaScript: target.syntax,
      whole: await writeScript(folder, 'agent.js', { code: whole, part: null }),
      parts: await Promise.all(
        (await scriptsOf(program, target.partBytesMax)).map((script, index) =>
          writeScript(folder, fileOf(script, index), script),
        ),
      ),
    };
    await writeFile(join(folder, 'manifest.json'), json(written));
    return written;
  });
  return { outDir, manifest, size };
}

/**
 * The scripts of a firmware in the manifest's order, of whatever size; nothing is written. Errors:
 * those of `buildFirmware`, but for the budget.
 */
export async function buildScripts(
  profile: string,
  source: FirmwareSource,
): Promise<NamedScript[]> {
  const target = targetOf(profile);
  const program = await readAllowed(source, target.syntax);
  const scripts = await scriptsOf(program, target.partBytesMax);
  return scripts.map((script, index) => ({ ...script, file: fileOf(script, index) }));
}

interface NamedScript extends Script {
  readonly file: string;
}

async function readAllowed(source: FirmwareSource, syntax: number): Promise<Whole> {
  const program = await readProgram(source, syntax);
  checkPackages(program.modules);
  checkGlobals(program);
  return program;
}

/** The agent with what platform/quickjs/contents.ts names. */
export const DEFAULT_SOURCE: FirmwareSource = {
  root: fileURLToPath(new URL('..', import.meta.url)),
  entry: 'platform/quickjs/entry.ts',
};

/** The agent with other contents, by their names: see `contentsModule`. */
export function sourceWith(names: readonly string[]): FirmwareSource {
  return { ...DEFAULT_SOURCE, contents: contentsModule(names) };
}

const WITH_SIGN_IN = ['sync15', 'history', 'passwords', 'clients', 'signIn'];

/**
 * What the usual choices of contents weigh on a profile, the shipped one first; nothing is written.
 */
export async function weighVariants(profile: string): Promise<Variant[]> {
  const variants: Variant[] = [];
  for (const names of [null, ['sync15'], ['syncto'], syncNames, WITH_SIGN_IN]) {
    const source = names === null ? DEFAULT_SOURCE : sourceWith(names);
    const { bytes, gzipBytes } = await weigh(profile, source);
    variants.push({ names: names ?? [], bytes, gzipBytes });
  }
  return variants;
}

/** What a firmware weighs as one script, whatever it may. Errors: those of `buildScripts`. */
export async function weigh(profile: string, source: FirmwareSource): Promise<FirmwareSize> {
  const program = await readAllowed(source, targetOf(profile).syntax);
  return measure(program, await wholeScript(program));
}

/** Throws an Error for a profile that there is not, with those that there are. */
export function checkProfile(profile: string): void {
  targetOf(profile);
}

function targetOf(profile: string) {
  const target = new Map(Object.entries(targets)).get(profile);
  if (target) return target;
  throw new Error(`no profile ${profile}: there are ${profileNames.join(', ')}`);
}

function checkPackages(modules: readonly string[]): void {
  for (const module of modules) {
    const name = packageOf(module);
    if (name !== null && !PACKAGES.has(name)) {
      throw new Error(`${module}: the package ${name} is not allowed in the firmware`);
    }
  }
}

function checkGlobals({ globals }: { readonly globals: readonly string[] }): void {
  const names = globals.filter((name) => !INTRINSICS.has(name));
  if (names.length > 0) {
    throw new Error(`a device may lack what the firmware uses: ${names.join(', ')}`);
  }
}

function checkBudget(size: FirmwareSize, max: { bytesMax: number; gzipBytesMax: number }): void {
  const over = [
    [size.bytes, max.bytesMax, 'bytes'],
    [size.gzipBytes, max.gzipBytesMax, 'bytes gzipped'],
  ] as const;
  for (const [is, may, what] of over) {
    if (is > may) {
      throw new OverBudgetError(
        size,
        `agent.js is over its budget: ${is} ${what}, ${may} allowed (--budget BYTES raises it)`,
      );
    }
  }
}

function fileOf({ part }: Script, index: number): string {
  return part === null ? `agent.part${index + 1}.js` : `agent.part${index + 1}.${part}.js`;
}

async function writeScript(
  outDir: string,
  file: string,
  { code, part }: Script,
): Promise<FirmwareFile> {
  await writeFile(join(outDir, file), code);
  const sha256 = createHash('sha256').update(code).digest('hex');
  return { file, bytes: Buffer.byteLength(code), sha256, ...(part !== null && { part }) };
}

async function licenses(root: string, modules: readonly string[]): Promise<string> {
  const names = new Set(modules.flatMap((module) => packageOf(module) ?? []));
  const texts = [...names].sort().map(async (name) => {
    const text = await readFile(join(root, 'node_modules', name, 'LICENSE'), 'utf8');
    return `${name}\n\n${text.trim()}\n`;
  });
  return (await Promise.all(texts)).join('\n\n');
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
