// The built firmware as the device finds it: the scripts that its manifest lists, checked and in
// order. A black box: nothing here knows what is in them.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  buildFirmware,
  buildScripts,
  type FirmwareManifest,
  sourceWith,
} from '../firmware-bundle/build.ts';
import type { FirmwareSource } from '../firmware-bundle/program.ts';
import { sha256 } from './replay.ts';

export interface Firmware {
  /** `part`: it is evaluated when the agent asks for this one; left out: at every boot. */
  readonly parts: readonly {
    readonly file: string;
    readonly code: string;
    readonly part?: string;
  }[];
  /** Bytes of all parts: what the device has to load. */
  readonly bytes: number;
  /** SHA-256 of all parts, one after the other, in hexadecimal. */
  readonly sha256: string;
}

/**
 * Reads the firmware in a folder. Throws an Error of one line if something is missing or damaged.
 */
export async function readFirmware(dir: string): Promise<Firmware> {
  const parts = partsOf(await readText(dir, 'manifest.json'));
  if (parts === null) throw new Error(`${dir}: not a firmware of format 1`);
  return firmwareOf(await Promise.all(parts.map((part) => readPart(dir, part))));
}

/** Null: it is no manifest that is known. */
function partsOf(text: string): FirmwareManifest['parts'] | null {
  try {
    const { format, parts } = JSON.parse(text) as Partial<FirmwareManifest>;
    const isKnown = format === 1 && parts?.every(({ file }) => typeof file === 'string') === true;
    return isKnown ? parts : null;
  } catch {
    return null;
  }
}

/** What was built in this process, by profile and names: its sources stay as they are. */
const fresh = new Map<string, Promise<Firmware>>();

/**
 * Builds the firmware of a profile, once in a process, and leaves no file behind. `names`: what it
 * holds, as `npm run build -- --with` takes it; the shipped contents when left out. What is chosen
 * for a run is on no device's flash: whether it can be loaded, the run shows.
 */
export function freshFirmware(profile: string, names?: readonly string[]): Promise<Firmware> {
  const key = JSON.stringify([profile, names]);
  const built = fresh.get(key) ?? build(profile, names);
  fresh.set(key, built);
  built.catch(() => fresh.delete(key));
  return built;
}

/** The same of another source; the script that has it all is not made. */
export async function firmwareFrom(profile: string, source: FirmwareSource): Promise<Firmware> {
  const scripts = await buildScripts(profile, source);
  return firmwareOf(
    scripts.map(({ file, code, part }) => ({ file, code, ...(part !== null && { part }) })),
  );
}

async function build(profile: string, names?: readonly string[]): Promise<Firmware> {
  if (names !== undefined) return firmwareFrom(profile, sourceWith(names));
  const dir = await mkdtemp(join(tmpdir(), 'kitsync-firmware-'));
  try {
    // Below a folder that is this user's alone: the build moves its own into place.
    const place = join(dir, 'firmware');
    await buildFirmware(profile, place);
    return await readFirmware(place);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function firmwareOf(parts: Firmware['parts']): Firmware {
  const all = parts.map(({ code }) => code).join('');
  return { parts, bytes: Buffer.byteLength(all), sha256: sha256(all) };
}

async function readPart(dir: string, part: FirmwareManifest['parts'][number]) {
  const code = await readText(dir, part.file);
  if (sha256(code) !== part.sha256) {
    throw new Error(`${dir}: ${part.file} is not the file that the manifest names`);
  }
  return { file: part.file, code, ...(part.part !== undefined && { part: part.part }) };
}

async function readText(dir: string, file: string): Promise<string> {
  return readFile(join(dir, file), 'utf8').catch(() => {
    throw new Error(`${dir}: cannot read ${file}`);
  });
}
