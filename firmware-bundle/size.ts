// What the firmware weighs, and what each module costs in it: read from what esbuild reports.
// Sizes are bytes of minified output; the sum of the modules is the program without its frame.

import { gzipSync } from 'node:zlib';
import { packageOf } from './packages.ts';
import type { Whole } from './program.ts';

interface ModuleSize {
  readonly path: string;
  readonly sourceBytes: number;
  /** Minified; 0 where only types were left. */
  readonly bytes: number;
}

/** `size.json`. */
export interface FirmwareSize {
  readonly bytes: number;
  /** gzip -9. */
  readonly gzipBytes: number;
  /** By package or top folder, largest first; the modules of each likewise. */
  readonly groups: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly modules: readonly ModuleSize[];
  }[];
}

/** The whole program with other contents. */
export interface Variant {
  /** What it is asked to hold (`--with`); empty: as it ships. */
  readonly names: readonly string[];
  readonly bytes: number;
  readonly gzipBytes: number;
}

/** Measures the whole program, which is this script. */
export function measure({ modules, inputs, bytesOf }: Whole, script: string): FirmwareSize {
  const groups = new Map<string, ModuleSize[]>();
  for (const path of modules) {
    const group = packageOf(path) ?? path.split('/')[0] ?? path;
    const module = {
      path,
      sourceBytes: inputs[path]?.bytes ?? 0,
      bytes: bytesOf.get(path) ?? 0,
    };
    groups.set(group, [...(groups.get(group) ?? []), module]);
  }
  return {
    bytes: Buffer.byteLength(script),
    gzipBytes: gzipSync(script, { level: 9 }).length,
    groups: [...groups]
      .map(([name, modules]) => ({
        name,
        bytes: sum(modules),
        modules: modules.sort(largestFirst),
      }))
      .sort(largestFirst),
  };
}

/** The table that `npm run build` prints. */
export function sizeTable(size: FirmwareSize): string {
  return [
    row('bytes', 'source', 'module'),
    ...size.groups.flatMap((group) => [
      row(group.bytes, '', group.name),
      ...group.modules.map((one) => row(one.bytes, one.sourceBytes, `  ${one.path}`)),
    ]),
    row(size.bytes, '', 'agent.js'),
    row(size.gzipBytes, '', 'agent.js, gzip -9'),
  ].join('\n');
}

/** What it would weigh with other contents, a line each. */
export function variantTable(variants: readonly Variant[]): string {
  const lines = variants.map(({ names, bytes, gzipBytes }) =>
    row(bytes, gzipBytes, `npm run build${names.length > 0 ? ` -- --with ${names}` : ''}`),
  );
  return [row('bytes', 'gzip -9', 'agent.js of'), ...lines].join('\n');
}

function row(first: number | string, second: number | string, name: string): string {
  return `${String(first).padStart(8)}  ${String(second).padStart(8)}  ${name}`;
}

function sum(modules: readonly ModuleSize[]): number {
  return modules.reduce((bytes, one) => bytes + one.bytes, 0);
}

function largestFirst(a: { bytes: number }, b: { bytes: number }): number {
  return b.bytes - a.bytes;
}
